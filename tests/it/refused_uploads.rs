//! Uploads that are refused, and what that leaves (option `maxs`).

use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree, content, is_empty, read_write};

#[test]
fn conditions_are_checked_before_anything_is_written() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    let etag = Client::get(&server, "/hello.txt");
    let etag = etag.field("etag").expect("has a tag");
    for (target, fields, status) in [
        ("/hello.txt", "If-None-Match: *\r\n".to_owned(), 412),
        ("/hello.txt", "If-Match: \"other\"\r\n".to_owned(), 412),
        (
            "/hello.txt",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(),
            412,
        ),
        ("/absent.txt", "If-Match: *\r\n".to_owned(), 412),
        ("/hello.txt", format!("If-Match: {etag}\r\n"), 200),
        ("/absent.txt", "If-None-Match: *\r\n".to_owned(), 201),
    ] {
        let answer = Client::put(&server, target, &fields, b"new");
        assert_eq!(answer.status, status, "{target} {fields}");
    }
    assert_eq!(content(&tree, "www/hello.txt"), b"new");
    let stale = Client::ask(
        &server,
        "DELETE",
        "/hello.txt",
        &format!("If-Match: {etag}\r\n"),
    );
    assert_eq!(stale.status, 412);
    assert!(tree.path("www/hello.txt").exists());
}

#[test]
fn too_large_uploads_are_refused_at_once_and_the_connection_is_kept() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--maxs=1000"]);
    let body = pattern(2000);

    // The answer comes before the body, which is read away.
    let mut client = Client::connect(&server);
    client.send("PUT /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n");
    assert_eq!(client.read_response("PUT").status, 413);
    client.send_bytes(&body);
    client.send("GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");

    // Of a chunked body only the bytes tell.
    client.send("PUT /hello.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send_chunk(&body[..900]);
    client.send_chunk(&body[..900]);
    assert_eq!(client.read_response("PUT").status, 413);
    client.send_chunk(&body);
    client.send_chunk(b"");
    client.send("GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
    assert!(is_empty(&tree.path("www/.httpout-tmp")));

    // Parts do not grow a file beyond the limit either.
    tree.write("www/part.bin", &body[..900]);
    let appended = Client::put(
        &server,
        "/part.bin",
        "Content-Range: bytes 900-1099/*\r\n",
        &body[..200],
    );
    assert_eq!(appended.status, 413);
    assert_eq!(
        Client::put(&server, "/exact.bin", "", &body[..1000]).status,
        201
    );
}

#[test]
fn a_limit_of_0_is_none() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--maxs=0"]);
    assert_eq!(
        Client::put(&server, "/a.bin", "", &pattern(100_000)).status,
        201
    );
}

#[test]
fn who_expects_to_be_told_to_go_on_is_told_after_all_checks() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--maxs=1000"]);
    let mut client = Client::connect(&server);
    client.send(
        "PUT /a.txt HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    );
    assert_eq!(client.read_head().status, 100);
    client.send("abc");
    assert_eq!(client.read_response("PUT").status, 201);
    for (fields, status) in [
        ("Content-Length: 2000", 413),
        ("Content-Length: 3\r\nIf-None-Match: *", 412),
        ("Content-Length: 3\r\nContent-Encoding: gzip", 415),
        ("Content-Length: 3\r\nRange: bytes=9-11", 416),
    ] {
        let mut client = Client::connect(&server);
        client.send(&format!(
            "PUT /a.txt HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{fields}\r\n\r\n"
        ));
        assert_eq!(client.read_response("PUT").status, status, "{fields}");
    }
}

#[test]
fn paths_that_cannot_be_written_are_refused() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    let long = format!("/{}", "n".repeat(300));
    for (target, status) in [
        ("/", 409),
        ("/sub", 409),
        ("/new/", 409),
        ("/hello.txt/below.txt", 409),
        ("/../up.txt", 404),
        ("/%2e%2e/up.txt", 404),
        ("/directory-escape/in.txt", 404),
        ("/.httpout-tmp/x", 404),
        ("/sub/.httpout-tmp/x", 404),
        ("/a%00b", 400),
        (&long, 400),
    ] {
        let answer = Client::put(&server, target, "", b"x");
        assert_eq!(answer.status, status, "{target}");
    }
    for (target, status) in [
        ("/sub", 409),
        ("/", 409),
        ("/directory-escape/inner.txt", 404),
    ] {
        assert_eq!(
            Client::ask(&server, "DELETE", target, "").status,
            status,
            "{target}"
        );
    }
    assert!(tree.path("other/inner.txt").exists() && !tree.path("other/in.txt").exists());
    assert!(!tree.path("up.txt").exists());

    // A link is replaced, or removed, never followed out.
    assert_eq!(
        Client::put(&server, "/absolute-escape.txt", "", b"mine").status,
        200
    );
    assert_eq!(content(&tree, "outside.txt"), b"outside");
    assert_eq!(Client::get(&server, "/absolute-escape.txt").text(), "mine");
    assert_eq!(
        Client::ask(&server, "DELETE", "/relative-escape.txt", "").status,
        200
    );
    assert_eq!(
        Client::put(
            &server,
            "/relative-escape.txt",
            "Range: bytes=0-0\r\n",
            b"x"
        )
        .status,
        404
    );
    assert_eq!(content(&tree, "outside.txt"), b"outside");
}

#[test]
fn a_coded_body_is_refused_with_the_way_out() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    let refused = Client::put(&server, "/a.mpd", "Content-Encoding: gzip\r\n", b"\x1f\x8b");
    assert_eq!(
        (refused.status, refused.field("accept-encoding")),
        (415, Some("identity"))
    );
    assert_eq!(
        Client::put(&server, "/a.mpd", "Content-Encoding: identity\r\n", b"x").status,
        201
    );
}

#[test]
fn a_body_that_stalls_is_given_up() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--timeout=1"]);
    let mut client = Client::connect(&server);
    client.send("PUT /a.bin HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
    let answer = client.read_response("PUT");
    assert_eq!(
        (answer.status, answer.field("connection")),
        (408, Some("close"))
    );
    assert!(client.is_closed());
    assert!(is_empty(&tree.path("www/.httpout-tmp")));
}

#[test]
fn a_full_disk_is_that_upload_s_error_only() {
    let tree = Tree::new();
    // A limit on the size of files stands for a disk that is full: the write fails in the middle.
    let mut command = std::process::Command::new("sh");
    let www = tree.text("www");
    let binary = env!("CARGO_BIN_EXE_httpout");
    command.args([
        "-c",
        &format!("trap '' XFSZ; ulimit -f 2000; exec '{binary}' --rdirs='{www}' --wdir='{www}' --port=0 --ifce=127.0.0.1"),
    ]);
    let server = Server::spawn(&mut command);
    let mut client = Client::connect(&server);
    client.send("PUT /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    client.send_bytes(&pattern(3_000_000));
    assert_eq!(client.read_response("PUT").status, 507);
    server.wait_for_log("failed: there is no room left: the disk of option `wdir` is full");
    client.send("GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
    assert!(is_empty(&tree.path("www/.httpout-tmp")));
}

#[test]
fn a_directory_that_was_removed_is_that_request_s_error_only() {
    let tree = Tree::new();
    let incoming = tree.path("incoming");
    std::fs::create_dir(&incoming).expect("is new");
    let server = Server::start([
        format!("--rdirs={}", tree.text("www")),
        format!("--wdir={}", tree.text("incoming")),
    ]);
    assert_eq!(Client::put(&server, "/a.txt", "", b"a").status, 201);
    std::fs::remove_dir_all(&incoming).expect("is there");
    let refused = Client::put(&server, "/b.txt", "", b"b");
    assert!((400..600).contains(&refused.status), "{}", refused.status);
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
}

#[test]
fn the_log_says_who_cannot_upload_and_what_mends_it() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--maxs=1000"]);
    let large = pattern(2000);
    for _ in 0..3 {
        assert_eq!(Client::put(&server, "/a.bin", "", &large).status, 413);
    }
    // Another kind of trouble is not hidden by the first.
    let coded = Client::put(&server, "/a.bin", "Content-Encoding: gzip\r\n", b"x");
    assert_eq!(coded.status, 415);
    let log = server.wait_for_log("has a coding that this server does not take");
    let said = "PUT /a.bin of 127.0.0.1 failed: uploads have at most 1000 bytes here: option `maxs` sets the limit";
    assert!(log.contains(said), "{log}");

    let reading = Server::start([tree.text("www")]);
    assert_eq!(Client::put(&reading, "/live/a.ts", "", b"x").status, 405);
    reading.wait_for_log("option `wdir` names the directory that clients may write to");
    // Encoders delete what has gone already: that is no trouble.
    assert_eq!(Client::ask(&server, "DELETE", "/gone.ts", "").status, 404);
    assert!(!server.log().contains("gone.ts"));
}
