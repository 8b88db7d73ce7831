//! Files in memory (documents: httpout, HTTP server file sink, `gmem`).

use crate::support::tree::pattern;
use crate::support::{Client, Live, Server, Tree, curl, server};

fn put(server: &Server, target: &str, body: &[u8]) -> u16 {
    Client::put(server, target, "", body).status
}

fn status(server: &Server, target: &str) -> u16 {
    Client::get(server, target).status
}

#[test]
fn a_file_in_memory_is_answered_as_one_on_disk() {
    let live = Live::in_memory(&["--dlist"]);
    let server = &live.server;
    let media = pattern(300_000);
    assert_eq!(put(server, "/a/b/film.mp4", &media), 201);
    assert_eq!(put(server, "/a/text.txt", &b"word ".repeat(1000)), 201);

    let whole = Client::get(server, "/a/b/film.mp4");
    assert!(whole.body == media);
    let etag = whole.field("etag").expect("has a tag");
    let modified = whole.field("last-modified").expect("has a date");
    assert_eq!(whole.field("content-type"), Some("video/mp4"));
    for (field, status) in [
        (format!("If-None-Match: {etag}\r\n"), 304),
        (format!("If-Modified-Since: {modified}\r\n"), 304),
        ("If-Match: \"other\"\r\n".to_owned(), 412),
    ] {
        let answer = Client::ask(server, "GET", "/a/b/film.mp4", &field);
        assert_eq!(answer.status, status, "{field}");
    }
    let part = Client::ask(server, "GET", "/a/b/film.mp4", "Range: bytes=5-9,-3\r\n");
    let expected = [&media[5..10], &media[media.len() - 3..]].concat();
    assert_eq!((part.status, part.body), (206, expected));
    let head = Client::ask(server, "HEAD", "/a/b/film.mp4", "");
    assert_eq!(head.field("content-length"), Some("300000"));
    let coded = Client::ask(server, "GET", "/a/text.txt", "Accept-Encoding: gzip\r\n");
    assert_eq!(coded.field("content-encoding"), Some("gzip"));
    assert!(coded.body.len() < 200);

    let list = Client::ask(server, "GET", "/a/", "Accept: application/json\r\n");
    for entry in [r#""name":"b","href":"b/""#, r#""size":5000"#] {
        assert!(list.text().contains(entry), "{}", list.text());
    }
    for (target, expected) in [
        ("/a/b/", 200),
        ("/a", 301),
        ("/a/text.txt/", 404),
        ("/x/", 404),
    ] {
        assert_eq!(status(server, target), expected, "{target}");
    }
    // What replaces has another tag.
    assert_eq!(put(server, "/a/b/film.mp4", b"other"), 200);
    let other = Client::get(server, "/a/b/film.mp4");
    assert_eq!(other.text(), "other");
    assert_ne!(other.field("etag"), Some(etag));
    assert!(!std::path::Path::new("gmem").exists());
}

#[test]
fn over_http2_too() {
    let live = Live::in_memory(&[]);
    let media = pattern(3_000_000);
    assert_eq!(put(&live.server, "/film.mp4", &media), 201);
    let copy = live.tree.text("copy");
    let url = live.server.url("/film.mp4");
    curl(&["--http2-prior-knowledge", "-o", &copy, &url]);
    assert!(std::fs::read(&copy).expect("is written") == media);
}

#[test]
fn names_that_cannot_be_are_refused() {
    let live = Live::in_memory(&[]);
    let server = &live.server;
    assert_eq!(put(server, "/a/b", b"file"), 201);
    for (target, status) in [
        ("/a", 409),
        ("/a/", 409),
        ("/a/b/c", 409),
        ("/.httpout-tmp/x", 404),
        ("/../x", 404),
    ] {
        assert_eq!(put(server, target, b"x"), status, "{target}");
    }
    let delete = |target: &str| Client::ask(server, "DELETE", target, "").status;
    assert_eq!(delete("/a"), 409);
    assert_eq!(delete("/a/b"), 200);
    assert_eq!((delete("/a/b"), put(server, "/a", b"free")), (404, 201));
}

#[test]
fn parts_are_written_in_place() {
    let live = Live::in_memory(&["--gmem_max=100k"]);
    let server = &live.server;
    let part = |fields: &str, body: &[u8]| Client::put(server, "/a.txt", fields, body).status;
    assert_eq!(part("Range: bytes=0-1\r\n", b"xx"), 404);
    assert_eq!(put(server, "/a.txt", b"0123456789"), 201);
    assert_eq!(part("Range: bytes=2-3,8-9\r\n", b"abcd"), 200);
    assert_eq!(part("Content-Range: bytes 10-12/13\r\n", b"end"), 200);
    assert_eq!(part("Content-Range: bytes 20-21/22\r\n", b"xx"), 416);
    assert_eq!(Client::get(server, "/a.txt").text(), "01ab4567cdend");
    let large = pattern(200_000);
    assert_eq!(
        part("Content-Range: bytes 13-200012/200013\r\n", &large),
        507
    );
}

#[test]
fn who_reads_reads_on_when_the_file_is_removed() {
    let live = Live::in_memory(&[]);
    let media = pattern(30_000_000);
    assert_eq!(put(&live.server, "/a.mp4", &media), 201);
    let (mut reader, head) = live.follow("a.mp4", "");
    assert_eq!(head.field("content-length"), Some("30000000"));
    assert_eq!(
        Client::ask(&live.server, "DELETE", "/a.mp4", "").status,
        200
    );
    assert_eq!(status(&live.server, "/a.mp4"), 404);
    assert!(reader.read_exact(media.len()) == media);
}

#[test]
fn a_growing_file_is_followed_and_its_manifest_is_never_torn() {
    let live = Live::in_memory(&[]);
    let mut upload = live.begin("v/seg.m4s");
    let (mut reader, head) = live.follow("v/seg.m4s", "");
    assert_eq!(head.field("transfer-encoding"), Some("chunked"));
    for chunk in ["styp", "moof", "mdat"] {
        upload.send_chunk(chunk.as_bytes());
        reader.read_chunks(chunk);
    }
    let (mut late, head) = live.follow("v/seg.m4s", "Range: bytes=4-\r\n");
    assert_eq!(head.field("content-range"), Some("bytes 4-11/*"));
    assert_eq!(late.read_exact(8), b"moofmdat");
    live.end(upload, 201);
    assert_eq!(reader.read_chunk(), None);

    assert_eq!(put(&live.server, "/v/live.mpd", b"old"), 201);
    let mut upload = live.begin("v/live.mpd");
    upload.send_chunk(b"new");
    assert_eq!(Client::get(&live.server, "/v/live.mpd").text(), "old");
    live.end(upload, 200);
    assert_eq!(Client::get(&live.server, "/v/live.mpd").text(), "new");

    // What breaks off leaves nothing.
    let mut upload = live.begin("v/other.m4s");
    upload.send_chunk(b"styp");
    drop(upload);
    live.server.wait_for_log("Aborting output v/other.m4s");
    assert_eq!(status(&live.server, "/v/other.m4s"), 404);
}

#[test]
fn memory_is_bounded_before_it_is_spent() {
    let live = Live::in_memory(&["--gmem_max=1M"]);
    let server = &live.server;
    let body = pattern(600_000);
    assert_eq!(put(server, "/a", &body), 201);
    // By the length alone, before the client sends.
    let mut client = Client::connect(server);
    client.send(
        "PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 600000\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(client.read_response("PUT").status, 507);
    // By what comes.
    let mut upload = live.begin("b");
    for _ in 0..6 {
        upload.send_chunk(&body[..100_000]);
    }
    upload.send_chunk(b"");
    assert_eq!(upload.read_response("PUT").status, 507);
    server.wait_for_log("`gmem_max`");
    assert_eq!(status(server, "/b"), 404);
    // Where it is removed there is room again, though not before its readers have gone.
    assert_eq!(Client::ask(server, "DELETE", "/a", "").status, 200);
    assert_eq!(put(server, "/b", &body), 201);
    // What is given up gives back what it took.
    for _ in 0..5 {
        let mut upload = live.begin("c");
        upload.send_chunk(&body[..300_000]);
        drop(upload);
    }
    server.wait_for_times("Aborting output c", 5);
    assert_eq!(put(server, "/c", &body[..300_000]), 201);
    // Empty files cost something too.
    let tiny = (0..2000).map(|number| put(server, &format!("/tiny/{number}"), b""));
    assert!(tiny.into_iter().any(|status| status == 507));
}

#[test]
fn servers_of_a_line_share_the_memory() {
    let mut both = server::command(["httpout:port=0:wdir=gmem", "httpout:port=0:rdirs=gmem"]);
    let mut server = Server::spawn(both.arg("--ifce=127.0.0.1"));
    let (_, reading) = server.next_listener();
    assert_eq!(put(&server, "/live/a.ts", b"media"), 201);
    assert_eq!(status(&server, "/live/a.ts"), 405);
    let mut client = Client::connect_to(reading);
    client.send("GET /live/a.ts HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "media");
}

#[test]
fn memory_stands_beside_directories() {
    let tree = Tree::new();
    let server = Server::start([
        format!("--rdirs=gmem,{}", tree.text("www")),
        "--wdir=gmem".to_owned(),
    ]);
    assert_eq!(put(&server, "/a.txt", b"in memory"), 201);
    assert_eq!(Client::get(&server, "/gmem/a.txt").text(), "in memory");
    assert_eq!(Client::get(&server, "/www/hello.txt").text(), "hello\n");
    assert_eq!(status(&server, "/a.txt"), 404);
}

#[test]
fn what_is_read_has_to_come_from_somewhere() {
    let output = server::run(["--rdirs=gmem"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("add `--wdir=gmem`"), "{said}");
}

/// A live manifest as encoders write it, with segments of 2 s.
fn mpd(depth: &str) -> String {
    format!(
        r#"<MPD type="dynamic" {depth}><Period><AdaptationSet><SegmentTemplate timescale="10" duration="20"
        media="$RepresentationID$-$Number%05d$.m4s" initialization="$RepresentationID$-init.m4s"/>
        <Representation id="v"/><Representation id="a"/></AdaptationSet></Period></MPD>"#
    )
}

fn there(server: &Server, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let is_there = |name: &String| status(server, &format!("/live/{name}")) == 200;
    names.into_iter().filter(is_there).collect()
}

#[test]
fn the_latest_segments_of_each_quality_stay() {
    for (option, depth, kept) in [
        ("--max_cache_segs=5", r#"timeShiftBufferDepth="PT1M""#, 5),
        ("--max_cache_segs=5", r#"timeShiftBufferDepth="PT4S""#, 3),
        ("--max_cache_segs=-4", "", 4),
        ("--max_cache_segs=0", "", 1),
    ] {
        let live = Live::in_memory(&[option]);
        let server = &live.server;
        put(server, "/live/ll.mpd", mpd(depth).as_bytes());
        put(server, "/live/v-init.m4s", b"init");
        put(server, "/live/notes-1.txt", b"kept");
        let segments = |quality: &str| -> Vec<String> {
            (1..=9)
                .map(|number| format!("{quality}-{number:05}.m4s"))
                .collect()
        };
        for segment in segments("v").iter().chain(&segments("a")[..2]) {
            assert_eq!(put(server, &format!("/live/{segment}"), b"media"), 201);
        }
        assert_eq!(
            there(server, segments("v")),
            segments("v")[9 - kept..],
            "{option} {depth}"
        );
        let audio = segments("a")[2 - kept.min(2)..2].to_vec();
        assert_eq!(there(server, segments("a")), audio, "{option} {depth}");
        for name in ["ll.mpd", "v-init.m4s", "notes-1.txt"] {
            assert_eq!(status(server, &format!("/live/{name}")), 200, "{name}");
        }
    }
}

#[test]
fn segments_that_have_left_a_playlist_go_and_those_of_an_event_stay() {
    let live = Live::in_memory(&["--max_cache_segs=4"]);
    let server = &live.server;
    let names = || (0..8).map(|number| format!("{number}.ts"));
    let playlist = |first: usize, count: usize, line: &str| {
        let mut text = format!("#EXTM3U\n{line}\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
        names()
            .skip(first)
            .take(count)
            .for_each(|name| text += &format!("#EXTINF:2,\n{name}\n"));
        put(server, "/live/a.m3u8", text.as_bytes());
    };
    for (number, name) in names().enumerate() {
        put(server, &format!("/live/{name}"), b"media");
        playlist(number.saturating_sub(2), 3, "");
    }
    assert_eq!(there(server, names()), ["5.ts", "6.ts", "7.ts"]);
    assert!(!server.log().contains("offers"));
    // More is offered than is kept: that is said.
    for name in names() {
        put(server, &format!("/live/{name}"), b"media");
    }
    playlist(0, 8, "");
    assert_eq!(there(server, names()), ["4.ts", "5.ts", "6.ts", "7.ts"]);
    server.wait_for_log("offers 8 segments of a quality, and 4 are kept");
    for name in names() {
        put(server, &format!("/live/{name}"), b"media");
    }
    playlist(0, 8, "#EXT-X-PLAYLIST-TYPE:EVENT");
    assert_eq!(there(server, names()).len(), 8);
}

#[test]
fn who_holds_a_segment_keeps_it() {
    let live = Live::in_memory(&["--max_cache_segs=1"]);
    let server = &live.server;
    put(server, "/live/ll.mpd", mpd("").as_bytes());
    let media = pattern(30_000_000);
    assert_eq!(put(server, "/live/v-00001.m4s", &media), 201);
    let (mut reader, head) = live.follow("live/v-00001.m4s", "");
    assert_eq!(head.status, 200);
    assert_eq!(put(server, "/live/v-00002.m4s", b"next"), 201);
    assert_eq!(status(server, "/live/v-00001.m4s"), 404);
    assert!(reader.read_exact(media.len()) == media);
}
