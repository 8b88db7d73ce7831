//! Ranges of what is still being uploaded.

use crate::support::{Client, Live};

#[test]
fn ranges_of_what_grows_are_of_what_is_there_or_awaited() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"0123456789");
    let (mut reader, _) = live.follow("seg.m4s", "");
    reader.read_chunks("0123456789");

    for (range, status, content_range, body) in [
        ("bytes=2-4", 206, Some("bytes 2-4/*"), "234"),
        ("bytes=7-", 206, Some("bytes 7-9/*"), "789"),
        ("bytes=-3", 206, Some("bytes 7-9/*"), "789"),
        ("bytes=0-1,4-5", 206, Some("bytes 0-1,4-5/*"), "0145"),
    ] {
        let answer = Client::ask(
            &live.server,
            "GET",
            "/seg.m4s",
            &format!("Range: {range}\r\n"),
        );
        assert_eq!(
            (answer.status, answer.field("content-range")),
            (status, content_range),
            "{range}"
        );
        assert_eq!(answer.text(), body, "{range}");
    }
    let beyond = Client::ask(&live.server, "GET", "/seg.m4s", "Range: bytes=11-\r\n");
    assert_eq!(
        (beyond.status, beyond.field("content-range")),
        (416, Some("bytes */10"))
    );

    // Players ask so of what is live.
    let (mut player, head) = live.follow("seg.m4s", "Range: bytes=0-\r\n");
    assert_eq!((head.status, head.field("content-range")), (200, None));
    player.read_chunks("0123456789");
    // What comes next, as a playlist hints at it.
    let mut next = Client::connect(&live.server);
    next.send("GET /seg.m4s HTTP/1.1\r\nHost: a\r\nRange: bytes=10-\r\n\r\n");
    live.server
        .wait_for_log("GET seg.m4s range: bytes=10- start\n");
    // RFC 8673: a last position so large that it stands for the end.
    let (mut following, head) = live.follow("seg.m4s", "Range: bytes=8-9007199254740991\r\n");
    assert_eq!(
        (head.status, head.field("content-range")),
        (206, Some("bytes 8-9007199254740991/*"))
    );
    following.read_chunks("89");
    // Half of it is there.
    let (mut awaited, head) = live.follow("seg.m4s", "Range: bytes=8-11\r\n");
    assert_eq!(
        (head.status, head.field("content-range")),
        (206, Some("bytes 8-11/*"))
    );
    awaited.read_chunks("89");
    upload.send_chunk(b"abcdef");
    awaited.read_chunks("ab");
    assert_eq!(awaited.read_chunk(), None);
    let head = next.read_head();
    assert_eq!(
        (head.status, head.field("content-range")),
        (206, Some("bytes 10-9007199254740991/*"))
    );
    for reader in [&mut player, &mut following, &mut next] {
        reader.read_chunks("abcdef");
    }
    live.end(upload, 201);
    assert_eq!((player.read_chunk(), following.read_chunk()), (None, None));
}

#[test]
fn a_range_that_never_comes_is_unsatisfiable() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"0123");
    let mut reader = Client::connect(&live.server);
    reader.send("GET /seg.m4s HTTP/1.1\r\nHost: a\r\nRange: bytes=100-200\r\n\r\n");
    let started = "GET seg.m4s range: bytes=100-200 start\n";
    live.server.wait_for_log(started);
    live.end(upload, 201);
    assert_eq!(reader.read_response("GET").status, 416);
}

#[test]
fn a_range_that_ends_behind_what_comes_ends_with_it() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"0123");
    let (mut reader, head) = live.follow("seg.m4s", "Range: bytes=2-99\r\n");
    assert_eq!(
        (head.status, head.field("content-range")),
        (206, Some("bytes 2-99/*"))
    );
    assert_eq!(
        (
            head.field("content-length"),
            head.field("transfer-encoding")
        ),
        (None, Some("chunked"))
    );
    reader.read_chunks("23");
    upload.send_chunk(b"4567");
    reader.read_chunks("4567");
    live.end(upload, 201);
    assert_eq!(reader.read_chunk(), None);
    // What is there already is promised.
    let mut upload = live.begin("hello.txt");
    upload.send_chunk(b"0123");
    let (mut whole, _) = live.follow("hello.txt", "");
    whole.read_chunks("0123");
    let (mut reader, head) = live.follow("hello.txt", "Range: bytes=1-2\r\n");
    assert_eq!(head.field("content-length"), Some("2"));
    assert_eq!(reader.read_exact(2), b"12");
}

#[test]
fn ranges_of_a_known_length_end_with_it() {
    let live = Live::start(&[]);
    let mut upload = live.begin_with("a.mp4", "Content-Length: 10");
    upload.send("01234");
    for range in ["bytes=2-1048575", "bytes=2-9007199254740991"] {
        let (mut reader, head) = live.follow("a.mp4", &format!("Range: {range}\r\n"));
        assert_eq!(
            (head.status, head.field("content-range")),
            (206, Some("bytes 2-9/10")),
            "{range}"
        );
        assert_eq!(head.field("content-length"), Some("8"), "{range}");
        assert_eq!(reader.read_exact(3), b"234");
    }
    // There is no need to wait for the end.
    let beyond = Client::ask(&live.server, "GET", "/a.mp4", "Range: bytes=10-20\r\n");
    assert_eq!(
        (beyond.status, beyond.field("content-range")),
        (416, Some("bytes */10"))
    );
    let (mut reader, _) = live.follow("a.mp4", "Range: bytes=3-7\r\n");
    upload.send("56789");
    assert_eq!(reader.read_exact(5), b"34567");
    assert_eq!(upload.read_response("PUT").status, 201);
}
