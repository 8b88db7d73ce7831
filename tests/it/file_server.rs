//! The simple HTTP server (documents: httpout, Simple HTTP server).

use std::time::SystemTime;

use crate::support::tree::{pattern, settle};
use crate::support::{Client, Server, Tree, curl, serve};

#[test]
fn a_file_is_served_with_its_type_and_validators() {
    let tree = Tree::new();
    let server = serve(&tree);
    let response = Client::get(&server, "/hello.txt");
    assert_eq!((response.status, response.text()), (200, "hello\n"));
    assert_eq!(response.version, "HTTP/1.1");
    assert_eq!(
        response.field("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(response.field("content-length"), Some("6"));
    assert_eq!(response.field("accept-ranges"), Some("bytes"));
    assert!(
        response
            .field("server")
            .is_some_and(|name| name.starts_with("httpout/"))
    );
    assert!(
        response
            .field("date")
            .is_some_and(|date| date.ends_with(" GMT"))
    );
    assert!(
        response
            .field("last-modified")
            .is_some_and(|date| date.ends_with(" GMT"))
    );
    let etag = response.field("etag").expect("has an ETag");
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
}

#[test]
fn names_that_give_trouble_are_served_by_their_bytes() {
    let tree = Tree::new();
    let server = serve(&tree);
    for (target, content) in [
        ("/with%20space%20%26%20%22quotes%22.txt", "quotes"),
        ("/%252e%252e.txt", "percent"),
        ("/line%0Abreak.txt", "line"),
        ("/%F0%9F%8C%8A.txt", "wave"),
        ("/question%3F.txt", "question"),
        ("/%ff%fe.bin", "bytes"),
        ("/.hidden", "hidden"),
        ("/hello.txt?token=1", "hello\n"),
        ("/sub/../hello.txt", "hello\n"),
        ("//hello.txt", "hello\n"),
        ("/./hello.txt", "hello\n"),
        ("/sub%2Fdeep%2Fpage.html", "<p>deep</p>"),
        ("/inside-link.txt", "hello\n"),
        ("/inside-directory/deep/page.html", "<p>deep</p>"),
        ("http://elsewhere/hello.txt", "hello\n"),
    ] {
        let response = Client::get(&server, target);
        assert_eq!(
            (response.status, response.text()),
            (200, content),
            "{target}"
        );
    }
}

#[test]
fn nothing_outside_of_the_directory_is_reached() {
    let tree = Tree::new();
    let server = serve(&tree);
    for target in [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/sub/../../outside.txt",
        "/sub/%2e%2e/%2e%2e/outside.txt",
        "/..\\outside.txt",
        "/relative-escape.txt",
        "/absolute-escape.txt",
        "/directory-escape/inner.txt",
        "/loop",
        "/dangling",
        "/missing.txt",
        "/hello.txt/",
        "/hello.txt/more",
        "//etc/passwd",
        "/proc/self/environ",
    ] {
        let response = Client::get(&server, target);
        assert_eq!(response.status, 404, "{target}");
        assert!(!response.text().contains("outside"), "{target}");
    }
    for target in ["/%", "/%zz", "/a%00b"] {
        assert_eq!(Client::get(&server, target).status, 400, "{target}");
    }
    let long = format!("/{}", "x".repeat(5000));
    assert_eq!(Client::get(&server, &long).status, 404);
}

#[test]
fn a_directory_that_becomes_a_link_to_the_outside_is_left_at_once() {
    let tree = Tree::new();
    tree.write("www/moved/a.txt", b"inside");
    let server = serve(&tree);
    settle(&tree, "www/moved/a.txt");
    for _ in 0..3 {
        assert_eq!(Client::get(&server, "/moved/a.txt").text(), "inside");
    }
    std::fs::rename(tree.path("www/moved"), tree.path("moved")).expect("is there");
    tree.link("../moved", "www/moved");
    assert_eq!(Client::get(&server, "/moved/a.txt").status, 404);
}

#[test]
fn a_fifo_does_not_hold_up_the_server() {
    let tree = Tree::new();
    let fifo = tree.path("www/fifo");
    let made = std::process::Command::new("mkfifo").arg(fifo).status();
    assert!(made.expect("mkfifo runs").success());
    let server = serve(&tree);
    assert_eq!(Client::get(&server, "/fifo").status, 404);
}

#[test]
fn directories_are_not_listed() {
    let tree = Tree::new();
    let server = serve(&tree);
    for target in ["/", "/sub", "/sub/", "/sub/deep/"] {
        assert_eq!(Client::get(&server, target).status, 403, "{target}");
    }
}

#[test]
fn several_directories_are_mount_points_with_their_names() {
    let tree = Tree::new();
    tree.write("films/a.txt", b"films");
    tree.write("more/films/a.txt", b"more films");
    let dirs = [
        tree.text("www"),
        tree.text("films"),
        tree.text("more/films"),
    ];
    let server = Server::start([format!("--rdirs={}", dirs.join(","))]);
    for (target, content) in [
        ("/www/hello.txt", "hello\n"),
        ("/films/a.txt", "films"),
        ("/films-2/a.txt", "more films"),
    ] {
        let response = Client::get(&server, target);
        assert_eq!(
            (response.status, response.text()),
            (200, content),
            "{target}"
        );
    }
    for (target, status) in [
        ("/hello.txt", 404),
        ("/", 403),
        ("/www", 403),
        ("/www/../films/a.txt", 200),
        ("/www/../../films/a.txt", 404),
    ] {
        assert_eq!(Client::get(&server, target).status, status, "{target}");
    }
}

#[test]
fn every_change_of_a_small_file_shows_at_once() {
    let tree = Tree::new();
    let server = serve(&tree);
    let mut client = Client::connect(&server);
    let mut ask = || {
        client.send("GET /change.txt HTTP/1.1\r\nHost: test\r\n\r\n");
        client.read_response("GET")
    };
    // Same length, same directory, in place: only the times differ, and those count in steps.
    for round in 0..200 {
        let content = format!("{round:04}");
        tree.write("www/change.txt", content.as_bytes());
        assert_eq!(ask().text(), content);
    }
    settle(&tree, "www/change.txt");
    let kept = ask();
    assert_eq!(ask().text(), kept.text());
    for round in 200..220 {
        let content = format!("{round:04}");
        tree.write("new.txt", content.as_bytes());
        std::fs::rename(tree.path("new.txt"), tree.path("www/change.txt")).expect("is there");
        let changed = ask();
        assert_eq!(changed.text(), content);
        assert_ne!(changed.field("etag"), kept.field("etag"));
    }
    std::fs::remove_file(tree.path("www/change.txt")).expect("is there");
    assert_eq!(ask().status, 404);
}

#[test]
fn head_gives_the_fields_of_get_without_the_body() {
    let tree = Tree::new();
    let server = serve(&tree);
    for target in [
        "/hello.txt",
        "/big.bin",
        "/empty.txt",
        "/missing.txt",
        "/sub/",
    ] {
        let get = Client::get(&server, target);
        let mut client = Client::connect(&server);
        client.send(&format!("HEAD {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        let head = client.read_response("HEAD");
        assert_eq!(head.status, get.status, "{target}");
        for name in [
            "content-length",
            "content-type",
            "etag",
            "last-modified",
            "accept-ranges",
        ] {
            assert_eq!(head.field(name), get.field(name), "{target} {name}");
        }
        // Nothing of a body stands before the next answer.
        client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(client.read_response("GET").text(), "hello\n", "{target}");
    }
}

#[test]
fn an_empty_file_has_a_length_of_0() {
    let tree = Tree::new();
    let server = serve(&tree);
    let response = Client::get(&server, "/empty.txt");
    assert_eq!(
        (response.status, response.field("content-length")),
        (200, Some("0"))
    );
}

#[test]
fn methods_that_do_not_fit_are_refused() {
    let tree = Tree::new();
    let server = serve(&tree);
    for method in ["PUT", "POST", "DELETE"] {
        let response = Client::ask(&server, method, "/hello.txt", "Content-Length: 0\r\n");
        assert_eq!(
            (response.status, response.field("allow")),
            (405, Some("GET, HEAD, OPTIONS")),
            "{method}"
        );
    }
    for method in ["PATCH", "TRACE", "BREW"] {
        assert_eq!(
            Client::ask(&server, method, "/hello.txt", "").status,
            501,
            "{method}"
        );
    }
}

#[test]
fn options_shape_the_fields_of_every_response() {
    let tree = Tree::new();
    let options = [
        "--user_agent=TestServer/1",
        "--hdrs=X-A,1,X-B,two words",
        "--sutc",
        "--cache-control=max-age=3",
    ];
    let server = Server::start(
        [&tree.text("www")]
            .into_iter()
            .map(String::as_str)
            .chain(options),
    );
    for target in ["/hello.txt", "/missing.txt"] {
        let response = Client::get(&server, target);
        assert_eq!(response.field("server"), Some("TestServer/1"));
        assert_eq!(response.field("x-a"), Some("1"));
        assert_eq!(response.field("x-b"), Some("two words"));
        let utc: u128 = response
            .field("server-utc")
            .expect("is there")
            .parse()
            .expect("is a number");
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("after 1970");
        assert!(now.as_millis() - utc < 60_000);
    }
    let cached = Client::get(&server, "/hello.txt");
    assert_eq!(cached.field("cache-control"), Some("max-age=3"));
    assert!(cached.field("etag").is_some());
    let server = Server::start([&tree.text("www"), "--cache_control=none"]);
    let plain = Client::ask(&server, "GET", "/hello.txt", "If-None-Match: *\r\n");
    assert_eq!(plain.status, 200);
    assert_eq!(
        (plain.field("etag"), plain.field("cache-control")),
        (None, None)
    );
}

#[test]
fn requests_are_logged_as_reqlog_says() {
    let tree = Tree::new();
    let server = Server::start([&tree.text("www"), "--reqlog=GET"]);
    Client::ask(&server, "HEAD", "/hello.txt", "");
    Client::ask(&server, "GET", "/hello.txt?a=%0A", "Range: bytes=0-1\r\n");
    Client::get(&server, "/missing.txt");
    let log = server.wait_for_log("REQ#3 GET missing.txt done: reply 404");
    assert!(
        log.contains("[HTTPOut] REQ#2 127.0.0.1 GET hello.txt?a=%0A range: bytes=0-1 start\n"),
        "{log}"
    );
    assert!(
        log.contains("[HTTPOut] REQ#2 GET hello.txt?a=%0A done: reply 206 - 2 bytes in "),
        "{log}"
    );
    assert!(!log.contains("HEAD"), "{log}");
}

#[test]
fn curl_gets_files_over_every_version_of_http() {
    let tree = Tree::new();
    let server = serve(&tree);
    let url = server.url("/hello.txt");
    for (flag, version) in [
        ("--http1.0", "1"),
        ("--http1.1", "1.1"),
        ("--http2-prior-knowledge", "2"),
    ] {
        let out = curl(&[flag, "--write-out", "%{http_version} %{http_code}", &url]);
        assert_eq!(out, format!("hello\n{version} 200"));
    }
    let to = tree.text("copy.bin");
    for flag in ["--http1.1", "--http2-prior-knowledge"] {
        curl(&[flag, "--output", &to, &server.url("/big.bin")]);
        assert!(
            std::fs::read(&to).expect("is there") == pattern(3_000_000),
            "{flag}"
        );
    }
    // Resumes where a copy ends.
    std::fs::write(&to, &pattern(3_000_000)[..1_000_000]).expect("there is room");
    curl(&[
        "--continue-at",
        "-",
        "--output",
        &to,
        &server.url("/big.bin"),
    ]);
    assert!(std::fs::read(&to).expect("is there") == pattern(3_000_000));
}

#[test]
fn a_reader_that_pauses_gets_the_whole_file() {
    let tree = Tree::new();
    let whole = pattern(32 << 20);
    tree.write("www/huge.bin", &whole);
    let server = serve(&tree);
    let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(&server)).collect();
    for client in &mut clients {
        client.send("GET /huge.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    // Nobody reads yet: the sockets fill, and others are served.
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    for client in &mut clients {
        assert!(client.read_response("GET").body == whole);
    }
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_sent_is_cut_not_padded() {
    let tree = Tree::new();
    tree.write("www/huge.bin", &vec![7; 64 << 20]);
    let server = serve(&tree);
    let mut client = Client::connect(&server);
    client.send("GET /huge.bin HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    let file = std::fs::File::options()
        .write(true)
        .open(tree.path("www/huge.bin"));
    file.expect("is there").set_len(1 << 20).expect("is ours");
    assert!(client.read_cut_body() < 64 << 20);
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
}

#[test]
fn fields_that_a_response_has_once_are_replaced_by_those_of_the_option() {
    let tree = Tree::new();
    let www = tree.text("www");
    let server = Server::start([
        www.as_str(),
        "--sutc",
        "--hdrs=Content-Type,text/x,Server,mine,X-A,1",
    ]);
    let answer = Client::get(&server, "/hello.txt");
    assert_eq!(answer.field("content-type"), Some("text/x"));
    assert_eq!(answer.field("server"), Some("mine"));
    assert_eq!(answer.field("x-a"), Some("1"));
    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
}
