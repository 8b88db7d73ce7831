//! What a GET sees while an upload runs (documents: httpout, HTTP server file sink).

use crate::support::tree::pattern;
use crate::support::{Client, Live, Server, Tree, curl};

#[test]
fn a_new_name_is_followed_from_its_first_byte() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    // Before there is any byte.
    let (mut early, head) = live.follow("seg.m4s", "");
    assert_eq!(
        (head.status, head.field("transfer-encoding")),
        (200, Some("chunked"))
    );
    assert_eq!(head.field("content-type"), Some("video/iso.segment"));
    assert_eq!(
        (head.field("etag"), head.field("content-length")),
        (None, None)
    );
    upload.send_chunk(b"styp");
    early.read_chunks("styp");
    upload.send_chunk(b"moof");
    early.read_chunks("moof");
    // All that is there at once, then what comes.
    let (mut late, _) = live.follow("seg.m4s", "");
    late.read_chunks("stypmoof");
    upload.send_chunk(b"mdat");
    early.read_chunks("mdat");
    late.read_chunks("mdat");
    live.end(upload, 201);
    assert_eq!((early.read_chunk(), late.read_chunk()), (None, None));
    // The connection is kept, and the file is an ordinary one.
    late.send("GET /seg.m4s HTTP/1.1\r\nHost: a\r\n\r\n");
    let whole = late.read_response("GET");
    assert_eq!(
        (whole.text(), whole.field("content-length")),
        ("stypmoofmdat", Some("12"))
    );
}

#[test]
fn a_new_name_of_known_length_is_followed_too() {
    let live = Live::start(&[]);
    let mut upload = live.begin_with("a.mp4", "Content-Length: 10");
    upload.send("01234");
    let (mut reader, head) = live.follow("a.mp4", "");
    assert_eq!(head.field("transfer-encoding"), Some("chunked"));
    reader.read_chunks("01234");
    upload.send("56789");
    reader.read_chunks("56789");
    assert_eq!(reader.read_chunk(), None);
    assert_eq!(upload.read_response("PUT").status, 201);
}

#[test]
fn many_readers_get_every_byte_also_of_more_than_memory_keeps() {
    let live = Live::start(&["--maxs=0"]);
    let media = pattern(12_000_000);
    let mut upload = live.begin("big.m4s");
    let url = live.server.url("/big.m4s");
    std::thread::scope(|scope| {
        let (first, rest) = media.split_at(6_000_000);
        for chunk in first.chunks(100_000) {
            upload.send_chunk(chunk);
        }
        // curl, HTTP/1.1 and HTTP/2, some of them slow; and one that has come early but reads late.
        let (mut lazy, _) = live.follow("big.m4s", "");
        let readers: Vec<_> = (0..6)
            .map(|number| {
                let path = live.tree.text(&format!("copy-{number}"));
                let url = url.clone();
                let mode = if number % 2 == 0 {
                    "--http1.1"
                } else {
                    "--http2-prior-knowledge"
                };
                scope.spawn(move || {
                    curl(&[mode, "--fail", "-o", &path, &url]);
                    path
                })
            })
            .collect();
        for chunk in rest.chunks(70_001) {
            upload.send_chunk(chunk);
        }
        live.end(upload, 201);
        for reader in readers {
            let path = reader.join().expect("the body is complete");
            assert!(std::fs::read(path).expect("is written") == media);
        }
        let mut body = Vec::new();
        while let Some(chunk) = lazy.read_chunk() {
            body.extend(chunk);
        }
        assert!(body == media);
    });
}

#[test]
fn an_existing_name_is_replaced_in_one_step_where_the_length_is_known() {
    let live = Live::start(&[]);
    let mut upload = live.begin_with("hello.txt", "Content-Length: 6");
    upload.send("new");
    assert_eq!(Client::get(&live.server, "/hello.txt").text(), "hello\n");
    upload.send("est");
    assert_eq!(upload.read_response("PUT").status, 200);
    assert_eq!(Client::get(&live.server, "/hello.txt").text(), "newest");
}

#[test]
fn an_existing_name_is_followed_where_the_upload_is_live() {
    let live = Live::start(&[]);
    let mut upload = live.begin("hello.txt");
    upload.send_chunk(b"restarted");
    let (mut reader, _) = live.follow("hello.txt", "");
    reader.read_chunks("restarted");
    // It breaks off: the name has its old content again.
    drop(upload);
    live.server.wait_for_log("Aborting output hello.txt");
    assert_eq!(Client::get(&live.server, "/hello.txt").text(), "hello\n");
}

#[test]
fn manifests_are_replaced_whole() {
    let live = Live::start(&[]);
    for name in ["live.mpd", "live.M3U8"] {
        assert_eq!(
            Client::put(&live.server, &format!("/{name}"), "", b"old").status,
            201
        );
        let mut upload = live.begin(name);
        upload.send_chunk(b"ne");
        assert_eq!(Client::get(&live.server, &format!("/{name}")).text(), "old");
        upload.send_chunk(b"w");
        live.end(upload, 200);
        assert_eq!(Client::get(&live.server, &format!("/{name}")).text(), "new");
    }
}

#[test]
fn followers_of_an_upload_that_breaks_off_see_an_error() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"half");
    let (mut reader, _) = live.follow("seg.m4s", "");
    reader.read_chunks("half");
    drop(upload);
    assert!(reader.is_closed(), "no last chunk, but a cut");
    assert_eq!(Client::get(&live.server, "/seg.m4s").status, 404);
    assert!(!live.tree.path("www/seg.m4s").exists());
}

/// Without chunks only a reset tells that it is not the end.
#[test]
fn http_1_0_followers_of_an_upload_that_breaks_off_see_a_reset() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"half");
    let mut reader = Client::connect(&live.server);
    reader.send("GET /seg.m4s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let head = reader.read_head();
    assert_eq!(
        (head.status, head.field("connection")),
        (200, Some("close"))
    );
    assert_eq!(reader.read_exact(4), b"half");
    drop(upload);
    assert!(reader.is_reset());
}

#[test]
fn conditions_hold_for_what_grows() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"half");
    let asked = |field: &str| Client::ask(&live.server, "HEAD", "/seg.m4s", field).status;
    assert_eq!(asked("If-Match: \"x\"\r\n"), 412);
    assert_eq!(asked("If-Match: *\r\n"), 200);
    assert_eq!(asked("If-None-Match: \"x\"\r\n"), 200);
}

#[test]
fn what_started_last_wins() {
    let live = Live::start(&[]);
    let mut old = live.begin("seg.m4s");
    old.send_chunk(b"old");
    let (mut reader, _) = live.follow("seg.m4s", "");
    reader.read_chunks("old");
    let mut new = live.begin("seg.m4s");
    new.send_chunk(b"new");
    let (mut next, _) = live.follow("seg.m4s", "");
    next.read_chunks("new");
    live.end(new, 201);
    assert_eq!(Client::get(&live.server, "/seg.m4s").text(), "new");
    // The one that was begun earlier ends for its readers, and is not the file.
    live.end(old, 200);
    assert_eq!((reader.read_chunk(), next.read_chunk()), (None, None));
    assert_eq!(Client::get(&live.server, "/seg.m4s").text(), "new");
}

#[test]
fn a_deleted_name_is_gone_at_once_and_its_readers_read_on() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"one");
    let (mut reader, _) = live.follow("seg.m4s", "");
    reader.read_chunks("one");
    assert_eq!(
        Client::ask(&live.server, "DELETE", "/seg.m4s", "").status,
        200
    );
    assert_eq!(Client::get(&live.server, "/seg.m4s").status, 404);
    upload.send_chunk(b"two");
    reader.read_chunks("two");
    live.end(upload, 200);
    assert_eq!(reader.read_chunk(), None);
    assert_eq!(Client::get(&live.server, "/seg.m4s").status, 404);
    assert!(!live.tree.path("www/seg.m4s").exists());
}

#[test]
fn the_smallest_chunks_reach_every_reader() {
    let live = Live::start(&[]);
    let media = pattern(10_000);
    let mut upload = live.begin("seg.m4s");
    let (mut early, _) = live.follow("seg.m4s", "");
    let mut ranges: Vec<_> = Vec::new();
    for part in media.chunks(1000) {
        let chunks = part
            .iter()
            .flat_map(|byte| [b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
        upload.send_bytes(&chunks.collect::<Vec<u8>>());
        let (late, head) = live.follow("seg.m4s", "Range: bytes=1-9007199254740991\r\n");
        assert_eq!(head.status, 206);
        ranges.push(late);
    }
    live.end(upload, 201);
    let read = |reader: &mut Client| -> Vec<u8> {
        let chunks = std::iter::from_fn(|| reader.read_chunk());
        chunks.flatten().collect()
    };
    assert!(read(&mut early) == media);
    for reader in &mut ranges {
        assert!(read(reader) == media[1..]);
    }
    assert!(Client::get(&live.server, "/seg.m4s").body == media);
}

#[test]
fn of_merged_directories_the_first_that_has_a_file_wins_also_while_another_is_written() {
    let tree = Tree::new();
    tree.write("first/a.txt", b"first");
    tree.write("second/old.txt", b"second");
    let (first, second) = (tree.text("first"), tree.text("second"));
    tree.write("rules.txt", format!("[{first}]\n[{second}]\n").as_bytes());
    let server = Server::start([
        tree.text("rules.txt"),
        format!("--wdir={second}"),
        "--reqlog=REC".to_owned(),
    ]);
    for name in ["a.txt", "b.txt"] {
        let mut upload = Client::connect(&server);
        upload.send(&format!(
            "PUT /{name} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        ));
        server.wait_for_log(&format!("Opening output {name}"));
        upload.send_chunk(b"new");
        let mut reader = Client::connect(&server);
        reader.send(&format!("GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let head = reader.read_head();
        match name {
            "a.txt" => assert_eq!(head.field("content-length"), Some("5")),
            _ => reader.read_chunks("new"),
        }
        upload.send_chunk(b"");
        assert_eq!(upload.read_response("PUT").status, 201);
    }
    assert_eq!(Client::get(&server, "/a.txt").text(), "first");
    assert_eq!(Client::get(&server, "/b.txt").text(), "new");
}

#[test]
fn without_chunked_coding_a_file_appears_when_it_is_complete() {
    let live = Live::start(&["--cte=false"]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"all of it");
    assert_eq!(Client::get(&live.server, "/seg.m4s").status, 404);
    live.end(upload, 201);
    assert_eq!(Client::get(&live.server, "/seg.m4s").text(), "all of it");
}

#[test]
fn http_1_0_readers_follow_without_chunks_and_head_is_told_no_length() {
    let live = Live::start(&[]);
    let mut upload = live.begin("seg.m4s");
    upload.send_chunk(b"one ");
    let mut old = Client::connect(&live.server);
    old.send("GET /seg.m4s HTTP/1.0\r\n\r\n");
    let head = old.read_head();
    assert_eq!((head.status, head.field("transfer-encoding")), (200, None));
    assert_eq!(old.read_exact(4), b"one ");
    let asked = Client::ask(&live.server, "HEAD", "/seg.m4s", "");
    assert_eq!((asked.status, asked.field("content-length")), (200, None));
    upload.send_chunk(b"two");
    live.end(upload, 201);
    assert_eq!(old.read_exact(3), b"two");
    assert!(old.is_closed());
}

#[test]
fn a_file_reached_by_another_path_is_followed_too() {
    let tree = Tree::new();
    let server = Server::start([
        format!("--rdirs={},{}", tree.text("www"), tree.text("other")),
        format!("--wdir={}", tree.text("www")),
        "--reqlog=REC".to_owned(),
    ]);
    let mut upload = Client::connect(&server);
    upload.send("PUT /sub/seg.m4s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    server.wait_for_log("Opening output sub/seg.m4s");
    upload.send_chunk(b"media");
    for path in ["/www/sub/seg.m4s", "/www/inside-directory/seg.m4s"] {
        let mut reader = Client::connect(&server);
        reader.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(reader.read_head().status, 200, "{path}");
        reader.read_chunks("media");
    }
    assert_eq!(Client::get(&server, "/other/sub/seg.m4s").status, 404);
    assert_eq!(Client::get(&server, "/sub/seg.m4s").status, 404);
}
