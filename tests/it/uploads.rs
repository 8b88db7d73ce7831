//! PUT, POST and DELETE (documents: httpout, Simple HTTP server; option `wdir`).

use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree, content, curl, is_empty, read_write};

#[test]
fn a_file_is_created_replaced_and_removed() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);

    let created = Client::put(&server, "/new/dir/a%20b.txt", "", b"one");
    assert_eq!(created.status, 201);
    assert_eq!(
        created.field("content-location"),
        Some("/new/dir/a%20b.txt")
    );
    assert_eq!(content(&tree, "www/new/dir/a b.txt"), b"one");
    let read = Client::get(&server, "/new/dir/a%20b.txt");
    assert_eq!(read.text(), "one");
    assert_eq!(read.field("etag"), created.field("etag"));
    assert_eq!(
        read.field("content-type"),
        Some("text/plain; charset=utf-8")
    );

    let replaced = Client::put(&server, "/new/dir/a%20b.txt?query", "", b"another");
    assert_eq!(replaced.status, 200);
    assert_eq!(Client::get(&server, "/new/dir/a%20b.txt").text(), "another");

    let removed = Client::ask(&server, "DELETE", "/new/dir/a%20b.txt", "");
    assert_eq!(removed.status, 200);
    assert_eq!(Client::get(&server, "/new/dir/a%20b.txt").status, 404);
    assert_eq!(
        Client::ask(&server, "DELETE", "/new/dir/a%20b.txt", "").status,
        404
    );
    assert!(is_empty(&tree.path("www/.httpout-tmp")));
}

#[test]
fn a_write_directory_alone_is_write_only() {
    let tree = Tree::new();
    tree.write("incoming/old.txt", b"old");
    let server = Server::start([format!("--wdir={}", tree.text("incoming"))]);
    assert_eq!(Client::put(&server, "/a.txt", "", b"new").status, 201);
    for (method, target) in [("GET", "/old.txt"), ("HEAD", "/a.txt"), ("GET", "/")] {
        let refused = Client::ask(&server, method, target, "");
        assert_eq!(refused.status, 405, "{method} {target}");
        assert_eq!(refused.field("allow"), Some("PUT, POST, DELETE, OPTIONS"));
    }
    let options = Client::ask(&server, "OPTIONS", "/anything", "");
    assert_eq!(
        (options.status, options.field("allow")),
        (200, Some("PUT, POST, DELETE, OPTIONS"))
    );
}

#[test]
fn the_write_directory_is_made_if_it_is_not_there() {
    let tree = Tree::new();
    let new = tree.text("some/new");
    let server = Server::start([format!("--rdirs={new}"), format!("--wdir={new}")]);
    assert_eq!(Client::put(&server, "/a.txt", "", b"a").status, 201);
    assert_eq!(Client::get(&server, "/a.txt").text(), "a");
}

/// Recorded from gpac, GStreamer and shaka-packager.
#[test]
fn encoders_upload_in_their_ways() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    // gpac offers HTTP/2 with each request.
    let mut gpac = Client::connect(&server);
    for name in ["live_init.mp4", "live_1.m4s"] {
        gpac.send(&format!(
            "PUT /{name} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: GPAC/26.08-DEV\r\n\
             Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\
             Transfer-Encoding: chunked\r\nContent-Type: video/mp4\r\n\r\n"
        ));
        gpac.send_chunk(name.as_bytes());
        gpac.send_chunk(b"");
        assert_eq!(gpac.read_response("PUT").status, 201);
        assert_eq!(content(&tree, &format!("www/{name}")), name.as_bytes());
    }
    // GStreamer's souphttpclientsink: a PUT with its length for each buffer, each on a new connection.
    for buffer in [&b"first"[..], b"second"] {
        let fields =
            "User-Agent: GStreamer souphttpclientsink 1.22.0\r\nConnection: Keep-Alive\r\n";
        let answer = Client::put(&server, "/stream.ts", fields, buffer);
        assert!(matches!(answer.status, 200 | 201));
        assert_eq!(content(&tree, "www/stream.ts"), buffer);
    }
    // shaka-packager names no type, and curl inside it expects to be told to go on.
    let mut shaka = Client::connect(&server);
    shaka.send(
        "PUT /v/seg-1.m4s HTTP/1.1\r\nHost: a\r\nUser-Agent: shaka-packager/2.6\r\nAccept: */*\r\n\
         Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(shaka.read_head().status, 100);
    shaka.send_chunk(b"segment");
    shaka.send_chunk(b"");
    assert_eq!(shaka.read_response("PUT").status, 201);
    let read = Client::get(&server, "/v/seg-1.m4s");
    assert_eq!(read.field("content-type"), Some("video/iso.segment"));
}

#[test]
fn without_a_write_directory_nothing_is_written() {
    let tree = Tree::new();
    let server = Server::start([tree.text("www")]);
    let refused = Client::put(&server, "/a.txt", "", b"new");
    assert_eq!(
        (refused.status, refused.field("allow")),
        (405, Some("GET, HEAD, OPTIONS"))
    );
    assert_eq!(Client::ask(&server, "DELETE", "/hello.txt", "").status, 405);
    assert!(!tree.path("www/a.txt").exists());
}

#[test]
fn reading_and_writing_may_be_different_directories() {
    let tree = Tree::new();
    tree.write("incoming/x/keep", b"");
    let server = Server::start([
        format!("--rdirs={}", tree.text("www")),
        format!("--wdir={}", tree.text("incoming")),
    ]);
    assert_eq!(Client::put(&server, "/a.txt", "", b"new").status, 201);
    assert_eq!(content(&tree, "incoming/a.txt"), b"new");
    assert_eq!(Client::get(&server, "/a.txt").status, 404);
    assert_eq!(Client::ask(&server, "DELETE", "/hello.txt", "").status, 404);

    // The write directory lies below the one for read, so what is uploaded is readable there.
    let server = Server::start([
        format!("--rdirs={}", tree.text("")),
        format!("--wdir={}", tree.text("incoming")),
    ]);
    assert_eq!(Client::put(&server, "/x/b.txt", "", b"new").status, 201);
    assert_eq!(Client::get(&server, "/incoming/x/b.txt").text(), "new");
    assert_eq!(Client::get(&server, "/incoming/.httpout-tmp/").status, 404);
}

#[test]
fn post_to_a_path_is_put() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    let body = tree.text("www/big.bin");
    let answer = curl(&[
        "--data-binary",
        &format!("@{body}"),
        "-w",
        "%{http_code}",
        &server.url("/posted.bin"),
    ]);
    assert_eq!(answer, "201");
    assert_eq!(
        content(&tree, "www/posted.bin"),
        content(&tree, "www/big.bin")
    );
}

#[test]
fn curl_uploads_with_expect_chunked_and_resumed() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    let big = content(&tree, "www/big.bin");
    let source = tree.text("www/big.bin");
    let status = |arguments: &[&str]| {
        curl(&[&["-o", "/dev/null", "-w", "%{http_code}"], arguments].concat())
    };
    assert_eq!(status(&["-T", &source, &server.url("/expect.bin")]), "201");
    assert_eq!(content(&tree, "www/expect.bin"), big);
    // Chunked, and over HTTP/2.
    let chunked = "Transfer-Encoding: chunked";
    assert_eq!(
        status(&["-T", &source, "-H", chunked, &server.url("/chunked.bin")]),
        "201"
    );
    assert_eq!(content(&tree, "www/chunked.bin"), big);
    assert_eq!(
        status(&[
            "--http2-prior-knowledge",
            "-T",
            &source,
            &server.url("/h2.bin")
        ]),
        "201"
    );
    assert_eq!(content(&tree, "www/h2.bin"), big);
    // `-C` sends `Content-Range: bytes 1000-2999999/3000000` and the rest.
    tree.write("www/resumed.bin", &big[..1000]);
    assert_eq!(
        status(&["-C", "1000", "-T", &source, &server.url("/resumed.bin")]),
        "200"
    );
    assert_eq!(content(&tree, "www/resumed.bin"), big);
}

#[test]
fn empty_and_chunked_bodies_with_trailers_are_files() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    assert_eq!(Client::put(&server, "/none.bin", "", b"").status, 201);
    assert_eq!(content(&tree, "www/none.bin"), b"");
    // Neither a length nor chunks: no body, and no 411.
    assert_eq!(Client::ask(&server, "PUT", "/none2.bin", "").status, 201);
    let mut client = Client::connect(&server);
    client.send(
        "PUT /t.bin HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n",
    );
    client.send("5;note=x\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n");
    assert_eq!(client.read_response("PUT").status, 201);
    assert_eq!(content(&tree, "www/t.bin"), b"hello!");
    client.send("GET /t.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello!");
}

#[test]
fn of_two_that_create_a_name_one_wins() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--reqlog=REC"]);
    let mut first = Client::connect(&server);
    let head = "PUT /once.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\nContent-Length: 5\r\n\r\n";
    first.send(head);
    server.wait_for_log("Opening output once.txt");
    assert_eq!(
        Client::put(&server, "/once.txt", "If-None-Match: *\r\n", b"other").status,
        201
    );
    first.send("first");
    assert_eq!(first.read_response("PUT").status, 412);
    assert_eq!(content(&tree, "www/once.txt"), b"other");
}

#[test]
fn an_upload_that_is_discarded_has_no_tag() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--reqlog=REC"]);
    let mut early = Client::connect(&server);
    early.send("PUT /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    server.wait_for_log("Opening output a.txt");
    let late = Client::put(&server, "/a.txt", "", b"late");
    assert!(late.status == 201 && late.field("etag").is_some());
    early.send("early");
    let discarded = early.read_response("PUT");
    assert_eq!((discarded.status, discarded.field("etag")), (200, None));
    assert_eq!(content(&tree, "www/a.txt"), b"late");

    let silent = read_write(&tree, &["--cache_control=none"]);
    assert_eq!(Client::put(&silent, "/b.txt", "", b"b").field("etag"), None);
}

#[test]
fn an_upload_that_breaks_off_leaves_the_old_file_or_none_and_is_said() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--reqlog=*"]);
    for (name, old) in [("hello.txt", Some("hello\n")), ("fresh.txt", None)] {
        let mut client = Client::connect(&server);
        client.send(&format!(
            "PUT /{name} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf"
        ));
        server.wait_for_log(&format!("Opening output {name}"));
        drop(client);
        server.wait_for_log(&format!("Aborting output {name}"));
        server.wait_for_log(&format!("PUT {name} aborted!"));
        let read = Client::get(&server, &format!("/{name}"));
        match old {
            Some(old) => assert_eq!(read.text(), old),
            None => assert_eq!(read.status, 404),
        }
        assert!(is_empty(&tree.path("www/.httpout-tmp")));
    }
    server.wait_for_log("PUT /hello.txt of 127.0.0.1 failed: the body ended early");
}

#[test]
fn what_a_crash_has_left_is_removed_at_the_next_start() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--reqlog=REC"]);
    let mut client = Client::connect(&server);
    client.send("PUT /a.bin HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
    server.wait_for_log("Opening output a.bin");
    // What a server that runs is writing stays.
    let other = read_write(&tree, &[]);
    assert!(!is_empty(&tree.path("www/.httpout-tmp")));
    drop(other);
    server.signal("KILL");
    drop(server);
    assert!(!is_empty(&tree.path("www/.httpout-tmp")));
    let server = read_write(&tree, &[]);
    assert!(is_empty(&tree.path("www/.httpout-tmp")));
    assert_eq!(Client::get(&server, "/a.bin").status, 404);
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
}

/// ffmpeg's hls and dash muxers remove old segments so.
#[test]
fn a_request_that_changes_something_runs_to_its_end_though_the_client_is_gone() {
    let tree = Tree::new();
    let server = read_write(&tree, &["--reqlog=*"]);
    for number in 0..20 {
        tree.write(&format!("www/seg-{number}.m4s"), b"segment");
    }
    for number in 0..20 {
        let mut client = Client::connect(&server);
        client.send(&format!(
            "DELETE /seg-{number}.m4s HTTP/1.1\r\nTransfer-Encoding: chunked\r\nUser-Agent: Lavf/59.27.100\r\n\
             Accept: */*\r\nConnection: close\r\nHost: 127.0.0.1\r\nIcy-MetaData: 1\r\n\r\n0\r\n\r\n"
        ));
        drop(client);
    }
    for number in 0..20 {
        server.wait_for_log(&format!("Deleting output seg-{number}.m4s"));
        assert!(!tree.path(&format!("www/seg-{number}.m4s")).exists());
    }
    let mut client = Client::connect(&server);
    client.send("PUT /last.mpd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<MPD>\r\n0\r\n\r\n");
    drop(client);
    server.wait_for_log("Closing output last.mpd");
    assert_eq!(content(&tree, "www/last.mpd"), b"<MPD>");
}

/// ffmpeg with `-http_persistent 1` sends the next head before it reads the reply to the last one.
#[test]
fn pipelined_uploads_are_answered_in_order() {
    let tree = Tree::new();
    let server = read_write(&tree, &[]);
    let mut client = Client::connect(&server);
    let head = |name: &str| {
        format!(
            "PUT /{name} HTTP/1.1\r\nTransfer-Encoding: chunked\r\nUser-Agent: Lavf/59.27.100\r\nAccept: */*\r\n\
             Connection: keep-alive\r\nHost: 127.0.0.1:8080\r\nIcy-MetaData: 1\r\n\r\n"
        )
    };
    client.send(&head("init.m4s"));
    // The size of a chunk and its data arrive in packets of their own.
    client.send("18\r\n");
    client.send_bytes(&pattern(24));
    client.send("\r\n0\r\n\r\n");
    client.send(&head("sub"));
    client.send_chunk(b"refused");
    client.send_chunk(b"");
    client.send(&head("media.m4s"));
    client.send_chunk(&pattern(3000));
    client.send_chunk(b"");
    let statuses = [(); 3].map(|()| client.read_response("PUT").status);
    assert_eq!(statuses, [201, 409, 201]);
    assert_eq!(content(&tree, "www/init.m4s"), pattern(24));
    assert_eq!(content(&tree, "www/media.m4s"), pattern(3000));
}
