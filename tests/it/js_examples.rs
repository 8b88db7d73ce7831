//! The scripts of `guests/js`, which show how it is done, as their first lines say to run them.

use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree};

/// A script, with its configuration.
fn example(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/js/");
    format!("{folder}{name}")
}

#[test]
fn headers_adds_a_field_and_paces() {
    let tree = Tree::new();
    let server = Server::start(["--js", &*example("headers.js"), &*tree.text("www")]);
    let response = Client::get(&server, "/hello.txt");
    assert_eq!(
        (response.text(), response.field("x-gpac")),
        ("hello\n", Some("foo"))
    );
    server.wait_for_log("closed with code end of stream");
}

#[test]
fn bodies_are_read_and_written() {
    let tree = Tree::new();
    let media = pattern(200_000);
    tree.write("av1.mp4", &media);
    std::fs::copy(example("bodies.js"), tree.path("bodies.js")).expect("there is room");
    let server = Server::start(["--js", &*tree.text("bodies.js")]);
    assert!(Client::get(&server, "/").body == media);
    let put = Client::put(&server, "/x", "", b"12345");
    assert_eq!((put.status, put.text()), (200, ""));
    let log = server.wait_for_times("closed with code end of stream", 2);
    assert!(log.contains("Got new bytes: 5"), "{log}");
    assert!(!log.contains("WARN"), "{log}");
}

#[test]
fn token_lets_in_who_has_a_signed_link() {
    let tree = Tree::new();
    let server = Server::start([
        "--js",
        &*example("token.js?secret=change-me"),
        &*tree.text("www"),
    ]);
    let status = |target: &str| Client::get(&server, target).status;
    // printf '/hello.txt 4102444800' | openssl dgst -sha1 -hmac change-me
    let token = "061d87dce4fc4df414bd8e1f700997a900366629";
    let link = format!("/hello.txt?expires=4102444800&token={token}");
    assert_eq!(Client::get(&server, &link).text(), "hello\n");
    assert_eq!(status("/hello.txt"), 403);
    assert_eq!(status(&link.replace("4102444800", "4102444801")), 403);
    assert_eq!(status(&link.replace("hello", "empty")), 403);
    assert_eq!(
        status("/hello.txt?expires=1000000000&token=cd2efb68778f12a26bd19270538ae0cf88ada78e"),
        410
    );
    let other_words = link.replace("/hello", "/./sub/../%68ello");
    assert_eq!(Client::get(&server, &other_words).text(), "hello\n");
}

#[test]
fn token_is_refused_without_a_secret() {
    let output = crate::support::server::run(["--port=0", "--js", &example("token.js")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("name the secret that signs"), "{said}");
}

#[test]
fn playlist_leaves_large_variants_out() {
    const MAIN: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360\nlow.m3u8\n\
        #EXT-X-STREAM-INF:RESOLUTION=1920x1080,BANDWIDTH=5000000\nhigh.m3u8\n";
    let tree = Tree::new();
    tree.write("www/main.m3u8", MAIN.as_bytes());
    let www = tree.text("www");
    let start = |networks: &str| {
        let config = format!("playlist.js?dir={www}&networks={networks}&most=2000000");
        Server::start(["--js", &*example(&config), &*www])
    };
    let limited = Client::get(&start("10.,127."), "/main.m3u8");
    assert_eq!(
        limited.field("content-type"),
        Some("application/vnd.apple.mpegurl")
    );
    assert_eq!(
        limited.text(),
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360\nlow.m3u8\n"
    );
    let other = start("10.");
    assert_eq!(Client::get(&other, "/main.m3u8").text(), MAIN);
    assert_eq!(Client::get(&other, "/none.m3u8").status, 404);
}

#[test]
fn notes_are_kept_beyond_requests() {
    let server = Server::start(["--js", &*example("notes.js")]);
    let text = |target: &str| Client::get(&server, target).text().to_owned();
    assert_eq!(text("/notes"), "[]");
    for (body, status) in [
        (r#"{"text":"one"}"#, 201),
        (r#"{"text":"two"}"#, 201),
        ("{", 400),
        (r#"{"text":5}"#, 422),
        ("null", 422),
    ] {
        let mut client = Client::connect(&server);
        client.send(&format!(
            "POST /notes HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(client.read_response("POST").status, status, "{body}");
    }
    assert_eq!(
        text("/notes"),
        r#"[{"id":1,"text":"one"},{"id":2,"text":"two"}]"#
    );
    assert_eq!(text("/notes/2"), r#"{"id":2,"text":"two"}"#);
    let deleted = Client::ask(&server, "DELETE", "/notes/1", "");
    assert_eq!(deleted.text(), r#"{"deleted":1}"#);
    assert_eq!(Client::get(&server, "/notes/1").status, 404);
    assert_eq!(text("/notes"), r#"[{"id":2,"text":"two"}]"#);
    assert_eq!(Client::get(&server, "/else").status, 404);
}

#[test]
fn events_come_to_all_who_listen() {
    let server = Server::start(["--js", &*example("events.js")]);
    let say = |text: &str| {
        let mut client = Client::connect(&server);
        let length = text.len();
        client.send(&format!(
            "POST /events HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n{text}"
        ));
        assert_eq!(client.read_response("POST").status, 201);
    };
    let mut listeners = [Client::connect(&server), Client::connect(&server)];
    for listener in &mut listeners {
        listener.send("GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
        let head = listener.read_head();
        assert_eq!(head.field("content-type"), Some("text/event-stream"));
        listener.read_chunks(": welcome\n\n");
    }
    for (text, event) in [
        ("first", "id: 1\ndata: first\n\n"),
        ("two\nlines", "id: 2\ndata: two\ndata: lines\n\n"),
    ] {
        say(text);
        for listener in &mut listeners {
            listener.read_chunks(event);
        }
    }
}

#[test]
fn a_long_poll_is_answered_by_the_next_event() {
    let server = Server::start(["--js", &*example("events.js"), "--log=debug"]);
    let mut waiting = Client::connect(&server);
    waiting.send("GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    // It may still be on its way when the first event comes.
    let answer = std::thread::spawn(move || waiting.read_response("GET").text().to_owned());
    while !answer.is_finished() {
        let mut client = Client::connect(&server);
        client.send("POST /events HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nnews");
        assert_eq!(client.read_response("POST").status, 201);
    }
    assert_eq!(answer.join().expect("it is answered"), "news");
}

#[test]
fn checksum_keeps_what_is_right() {
    let tree = Tree::new();
    std::fs::create_dir(tree.path("in")).expect("is new");
    let uploads = tree.text("in");
    let script = example(&format!("checksum.js?dir={uploads}"));
    let server = Server::start(["--js", &*script, "--wdir", &uploads]);
    let sum = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let put = Client::put(&server, "/a.bin", &format!("X-SHA1: {sum}\r\n"), b"abc");
    assert_eq!(
        (put.status, put.text()),
        (201, &*format!("{{\"sha1\":\"{sum}\",\"bytes\":3}}"))
    );
    assert_eq!(
        std::fs::read(tree.path("in/a.bin")).expect("is kept"),
        b"abc"
    );
    let wrong = Client::put(&server, "/b.bin", &format!("X-SHA1: {sum}\r\n"), b"abd");
    assert_eq!(wrong.status, 422);
    assert_eq!(Client::put(&server, "/../c", "", b"x").status, 404);
    assert_eq!(Client::put(&server, "/.hidden", "", b"x").status, 403);
    server.wait_for_log("a.bin is kept");
    server.wait_for_log("b.bin is thrown away");
    let mut left = std::fs::read_dir(tree.path("in")).expect("is there");
    assert_eq!(
        left.next().expect("one").expect("is read").file_name(),
        "a.bin"
    );
    assert!(left.next().is_none());
}
