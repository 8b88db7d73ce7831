//! Pages that the server makes itself: the clock, and the player (options `player`, `metrics`; subcommand `live`).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::server::{command, run};
use crate::support::{Client, Server, Tree, curl, guest, read_write};

const PARTS: [(&str, &str); 6] = [
    ("/_/player", "text/html; charset=utf-8"),
    ("/_/player/player.css", "text/css; charset=utf-8"),
    ("/_/player/player.js", "text/javascript; charset=utf-8"),
    ("/_/player/push.js", "text/javascript; charset=utf-8"),
    ("/_/player/dash.js", "text/javascript; charset=utf-8"),
    ("/_/player/hls.js", "text/javascript; charset=utf-8"),
];

fn live(options: &[&str]) -> Server {
    let directories = ["--rdirs=gmem", "--wdir=gmem"];
    Server::start(directories.iter().chain(options))
}

#[test]
fn the_clock_is_told_where_something_can_be_live() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    let seconds = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("is later")
            .as_secs()
    };
    let before = seconds();
    let fields = "Origin: http://player.example\r\n";
    let answer = Client::ask(&server, "GET", "/_/time", fields);
    let after = seconds();
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("cache-control", "no-store"),
        ("access-control-allow-origin", "http://player.example"),
    ] {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    let exposed = answer
        .field("access-control-expose-headers")
        .expect("is cross-origin");
    assert!(exposed.contains("Date") && exposed.contains("Server-UTC"));
    // `date` reads what ISO 8601 has.
    let text = answer.text();
    assert_eq!(text.len(), "2024-02-29T12:00:00.125Z".len(), "{text}");
    assert_eq!(&text[19..20], ".");
    let read = std::process::Command::new("date")
        .args(["+%s", "-d", text])
        .output();
    let read = String::from_utf8(read.expect("date runs").stdout).expect("is text");
    let told: u64 = read.trim().parse().expect("is a date");
    assert!((before..=after).contains(&told), "{text}");

    // urn:mpeg:dash:utc:http-head:2014
    let head = Client::ask(&server, "HEAD", "/_/time", "");
    assert_eq!(
        (head.status, head.field("content-length")),
        (200, Some("24"))
    );
    assert!(head.field("date").is_some_and(|date| date.ends_with("GMT")));

    let put = Client::put(&server, "/_/time", "", b"another");
    assert_eq!((put.status, put.field("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn where_nothing_can_be_live_its_name_is_that_of_a_file() {
    let tree = Tree::new();
    tree.write("www/_/time", b"noon");
    let server = Server::start([tree.text("www")]);
    assert_eq!(Client::get(&server, "/_/time").text(), "noon");
    assert_eq!(Client::get(&server, "/_/player").status, 404);
}

#[test]
fn the_player_is_there_where_it_is_asked_for() {
    let without = live(&[]);
    for (path, _) in PARTS {
        assert_eq!(Client::get(&without, path).status, 404, "{path}");
    }
    let server = live(&["--player"]);
    server.wait_for_log(&format!("the player is at {}", server.url("/_/player")));
    server.wait_for_log("-f dash");
    for (path, content_type) in PARTS {
        let answer = Client::get(&server, path);
        assert_eq!(
            (answer.status, answer.field("content-type")),
            (200, Some(content_type)),
            "{path}"
        );
        assert_eq!(answer.field("cache-control"), Some("no-cache"));
        let policy = answer.field("content-security-policy").expect("has one");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        let head = Client::ask(&server, "HEAD", path, "");
        let length = answer.body.len().to_string();
        assert_eq!(
            (head.status, head.field("content-length")),
            (200, Some(&*length)),
            "{path}"
        );
    }
    // Whatever is chosen in the page.
    let chosen = Client::get(&server, "/_/player?src=/live/ll.mpd&target=1.5");
    assert_eq!(chosen.body, Client::get(&server, "/_/player").body);
    assert_eq!(
        Client::ask(&server, "POST", "/_/player", "Content-Length: 0\r\n").status,
        405
    );
}

/// It works without a way to other servers, and under its own policy: nothing is in the page itself, nothing from elsewhere.
#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let server = live(&["--player"]);
    for (path, _) in &PARTS[..4] {
        let answer = Client::get(&server, path);
        let text = answer.text();
        for foreign in ["http://", "https://", "src=\"//", "style=\"", "onclick"] {
            assert!(!text.contains(foreign), "{path}: {foreign}");
        }
    }
}

#[test]
fn the_libraries_are_the_same_compressed_and_plain() {
    let server = live(&["--player"]);
    for (path, global) in [("/_/player/dash.js", "dashjs"), ("/_/player/hls.js", "Hls")] {
        let plain = Client::get(&server, path);
        assert_eq!(plain.field("content-encoding"), None);
        let varies = ("vary".to_owned(), "Accept-Encoding".to_owned());
        assert!(plain.fields.contains(&varies));
        assert!(
            plain.text().contains(global),
            "{path}: the players are fetched by `cargo xtask players`, before the build"
        );
        // A licence that goes where its library goes.
        assert!(plain.text().starts_with("/*!") && plain.text().contains("opyright"));
        let compressed = Client::ask(&server, "GET", path, "Accept-Encoding: gzip\r\n");
        assert_eq!(compressed.field("content-encoding"), Some("gzip"));
        assert!(compressed.body.len() * 2 < plain.body.len());
        let decoded = curl(&["--compressed", &server.url(path)]);
        assert_eq!(decoded.as_bytes(), plain.body);
    }
}

#[test]
fn the_player_is_told_what_there_is_to_play() {
    let server = live(&["--player"]);
    let list = || Client::get(&server, "/_/player/presentations");
    Client::put(&server, "/live/a%20b.mpd", "", b"<MPD/>");
    Client::put(&server, "/live/a1.m4s", "", b"segment");
    Client::put(&server, "/music/hls/m.m3u8", "", b"#EXTM3U");
    Client::put(&server, "/.secret.mpd", "", b"<MPD/>");
    let answer = list();
    assert_eq!(
        (answer.status, answer.field("content-type")),
        (200, Some("application/json"))
    );
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let text = answer.text();
    assert!(
        text.contains(r#"{"path":"/live/a%20b.mpd","age":"#),
        "{text}"
    );
    assert!(
        text.contains(r#"{"path":"/music/hls/m.m3u8","age":"#),
        "{text}"
    );
    assert!(!text.contains("m4s") && !text.contains("secret"), "{text}");
}

#[test]
fn a_plugin_guards_the_pages_too() {
    let auth = guest("auth");
    let server = live(&[
        "--player",
        &format!("--plugin={auth}?user=alice&password=wonderland"),
    ]);
    for path in ["/_/player", "/_/time", "/_/player/presentations"] {
        assert_eq!(Client::get(&server, path).status, 401, "{path}");
        let basic = "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n";
        assert_eq!(
            Client::ask(&server, "GET", path, basic).status,
            200,
            "{path}"
        );
    }
}

#[test]
fn live_is_short_for_an_origin_with_a_player() {
    let server = Server::spawn(&mut command(["live", "--port=0", "--ifce=127.0.0.1"]));
    assert_eq!(
        Client::put(&server, "/live/a.mpd", "", b"<MPD/>").status,
        201
    );
    assert_eq!(Client::get(&server, "/live/a.mpd").text(), "<MPD/>");
    assert_eq!(Client::get(&server, "/_/player").status, 200);
    // A browser and an encoder at once.
    let clients: Vec<Client> = (0..12).map(|_| Client::connect(&server)).collect();
    for mut client in clients {
        client.send("GET /_/time HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(client.read_response("GET").status, 200);
    }
    // What is given goes before what it stands for.
    let tree = Tree::new();
    let directory = tree.text("www");
    let report = run(["check", &directory, "--player"]);
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(
        report.contains("the player is at path `/_/player`"),
        "{report}"
    );
}
