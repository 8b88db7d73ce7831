//! PUT and POST of parts of a file (`Range`, `Content-Range`).

use crate::support::{Client, Tree, content, read_write};

#[test]
fn parts_are_written_in_place() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    tree.write("www/part.txt", b"0123456789");
    for (fields, body, status, expected) in [
        ("Range: bytes=2-3", "ab", 200, "01ab456789"),
        ("Range: bytes=0-0,9-9", "xy", 200, "x1ab45678y"),
        ("Range: bytes=0-0, bytes=4-", "zabcdef", 200, "z1ababcdef"),
        ("Range: bytes=-2", "##", 200, "z1ababcd##"),
        ("Content-Range: bytes 1-2/10", "CC", 200, "zCCbabcd##"),
        ("Content-Range: bytes 10-11/12", "++", 200, "zCCbabcd##++"),
        ("Range: bytes=13-14", "no", 416, "zCCbabcd##++"),
        ("Range: bytes=0-1", "toolong", 400, "zCCbabcd##++"),
        ("Range: bytes=0-9", "short", 400, "zCCbabcd##++"),
        ("Range: lines=0-1", "no", 400, "zCCbabcd##++"),
        ("Range: bytes=a-b", "no", 400, "zCCbabcd##++"),
        ("Content-Range: bytes 0-1", "no", 400, "zCCbabcd##++"),
        (
            "Content-Range: bytes 0-1/2\r\nRange: bytes=0-1",
            "no",
            400,
            "zCCbabcd##++",
        ),
    ] {
        let answer = Client::put(
            &server,
            "/part.txt",
            &format!("{fields}\r\n"),
            body.as_bytes(),
        );
        assert_eq!(answer.status, status, "{fields}");
        if status == 416 {
            assert_eq!(answer.field("content-range"), Some("bytes */12"));
        }
        assert_eq!(
            Client::get(&server, "/part.txt").text(),
            expected,
            "{fields}"
        );
    }
    assert_eq!(
        Client::put(&server, "/absent.txt", "Range: bytes=0-1\r\n", b"ab").status,
        404
    );
    assert!(!tree.path("www/absent.txt").exists());
}

#[test]
fn parts_wait_for_a_whole_upload_of_their_name() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--reqlog=REC"]);
    let mut whole = Client::connect(&server);
    whole.send("PUT /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    server.wait_for_log("Opening output hello.txt");
    assert_eq!(
        Client::put(&server, "/hello.txt", "Range: bytes=0-0\r\n", b"J").status,
        409
    );
    whole.send("whole");
    assert_eq!(whole.read_response("PUT").status, 200);
    assert_eq!(
        Client::put(&server, "/hello.txt", "Range: bytes=0-0\r\n", b"W").status,
        200
    );
    assert_eq!(content(&tree, "www/hello.txt"), b"Whole");
}

#[test]
fn what_is_no_file_is_not_written_in_place_and_holds_nobody_up() {
    let tree = Tree::new();
    let fifo = tree.path("www/fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo runs").success());
    let mut server = read_write(&tree, &[]);
    for _ in 0..20 {
        assert_eq!(
            Client::put(&server, "/fifo", "Range: bytes=0-0\r\n", b"x").status,
            409
        );
    }
    assert_eq!(
        Client::put(&server, "/sub", "Range: bytes=0-0\r\n", b"x").status,
        409
    );
    assert_eq!(Client::put(&server, "/loop/x", "", b"x").status, 404);
    // A whole upload takes its place.
    assert_eq!(Client::put(&server, "/fifo", "", b"file").status, 200);
    assert_eq!(content(&tree, "www/fifo"), b"file");
    server.signal("TERM");
    assert!(server.wait().success());
}

#[test]
fn of_two_that_change_a_state_in_parts_one_wins() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--reqlog=REC"]);
    let etag = Client::get(&server, "/hello.txt");
    let condition = format!("If-Match: {}\r\n", etag.field("etag").expect("has a tag"));
    let mut first = Client::connect(&server);
    first.send(&format!(
        "PUT /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nRange: bytes=0-1\r\n{condition}\r\n"
    ));
    server.wait_for_log("Opening output hello.txt");
    // Its turn comes after the first.
    let mut second = Client::connect(&server);
    second.send(&format!(
        "PUT /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nRange: bytes=2-3\r\n{condition}\r\nXX"
    ));
    first.send("JE");
    assert_eq!(first.read_response("PUT").status, 200);
    assert_eq!(second.read_response("PUT").status, 412);
    assert_eq!(content(&tree, "www/hello.txt"), b"JEllo\n");
}
