//! Text in a content coding (documents: httpout, option `zmax`; RFC 9110 8.4, 12.5.3).

use crate::support::tree::{pattern, settle};
use crate::support::{Client, Response, Server, Tree, curl, guest, serve};

const GZIP: &str = "Accept-Encoding: gzip\r\n";

/// Text that gets smaller; each number gives another of the same length.
fn text(length: usize, number: usize) -> String {
    let lines = (0..).flat_map(|line| format!("{line:05} segment {number:05}\n").into_bytes());
    String::from_utf8(lines.take(length).collect()).expect("is text")
}

/// One file in memory, one that is sent from disk.
fn tree() -> Tree {
    let tree = Tree::new();
    tree.write("www/small.mpd", text(5_000, 0).as_bytes());
    tree.write("www/large.json", text(50_000, 0).as_bytes());
    tree
}

/// What a client that accepts this coding gets, decoded.
fn decoded(server: &Server, target: &str, coding: &str) -> String {
    let field = format!("Accept-Encoding: {coding}");
    curl(&["--compressed", "--header", &field, &server.url(target)])
}

fn etag(response: &Response) -> &str {
    response.field("etag").expect("has an ETag")
}

#[test]
fn text_is_sent_in_the_coding_that_the_client_likes_best() {
    let tree = tree();
    let server = serve(&tree);
    for target in ["/small.mpd", "/large.json"] {
        let plain = Client::get(&server, target);
        assert_eq!(plain.field("content-encoding"), None);
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", Some("gzip")),
            ("deflate", Some("deflate")),
            ("gzip;q=0.2, deflate;q=0.3", Some("deflate")),
            ("x-gzip", Some("gzip")),
            ("*", Some("gzip")),
            ("gzip;q=0", None),
            ("identity;q=1, *;q=0", None),
            ("br", None),
            ("", None),
        ] {
            let fields = format!("Accept-Encoding: {accepted}\r\n");
            let response = Client::ask(&server, "GET", target, &fields);
            assert_eq!(response.status, 200, "{accepted}");
            assert_eq!(response.field("content-encoding"), coding, "{accepted}");
            assert!(response.list("vary").contains("accept-encoding"));
            assert_eq!(response.field("accept-ranges"), Some("bytes"));
            for name in ["content-type", "last-modified"] {
                assert_eq!(response.field(name), plain.field(name), "{accepted}");
            }
            assert_eq!(etag(&response) == etag(&plain), coding.is_none());
            let shorter = response.body.len() < plain.body.len() / 2;
            assert_eq!(shorter, coding.is_some(), "{accepted}");
        }
        for coding in ["gzip", "deflate"] {
            assert_eq!(decoded(&server, target, coding), plain.text(), "{coding}");
        }
        let url = server.url(target);
        let second = curl(&["--compressed", "--http2-prior-knowledge", &url]);
        assert_eq!(second, plain.text());
    }
    let tags = ["gzip", "deflate"].map(|coding| {
        let fields = format!("Accept-Encoding: {coding}\r\n");
        etag(&Client::ask(&server, "GET", "/small.mpd", &fields)).to_owned()
    });
    assert_ne!(tags[0], tags[1]);
    assert!(tags.iter().all(|tag| tag.starts_with('"')), "{tags:?}");
}

#[test]
fn what_is_no_text_or_too_long_or_gets_no_smaller_stays_as_it_is() {
    let tree = Tree::new();
    let nearly = |length: usize| [text(length, 0).as_bytes(), b"\xff"].concat();
    tree.write("www/longest.txt", text(50_000, 0).as_bytes());
    tree.write("www/longer.txt", text(50_001, 0).as_bytes());
    tree.write("www/small.bin", &pattern(5_000));
    tree.write("www/large.bin", &pattern(20_000));
    tree.write("www/small-nearly.txt", &nearly(5_000));
    tree.write("www/large-nearly.txt", &nearly(20_000));
    tree.write("www/tiny.txt", b"x");
    let server = serve(&tree);
    for (target, coding, varies) in [
        ("/longest.txt", Some("gzip"), true),
        ("/longer.txt", None, false),
        ("/small.bin", None, false),
        ("/large.bin", None, false),
        ("/small-nearly.txt", None, false),
        // That it is no text shows at its end only.
        ("/large-nearly.txt", None, true),
        ("/tiny.txt", None, true),
        ("/empty.txt", None, false),
        ("/missing.txt", None, false),
    ] {
        for _ in 0..2 {
            let response = Client::ask(&server, "GET", target, GZIP);
            assert_eq!(response.field("content-encoding"), coding, "{target}");
            let vary = response.list("vary");
            assert_eq!(vary.contains("accept-encoding"), varies, "{target}");
            let plain = Client::get(&server, target);
            assert_eq!(plain.list("vary"), vary, "{target}");
            assert!(coding.is_some() || response.body == plain.body, "{target}");
        }
    }
}

#[test]
fn zmax_is_the_largest_text_that_is_compressed() {
    let tree = tree();
    for (zmax, small, large) in [(0, None, None), (5_000, Some("gzip"), None)] {
        let server = Server::start([tree.text("www"), format!("--zmax={zmax}")]);
        for (target, coding) in [("/small.mpd", small), ("/large.json", large)] {
            let response = Client::ask(&server, "GET", target, GZIP);
            assert_eq!(response.field("content-encoding"), coding, "{zmax}");
            let varies = response.list("vary").contains("accept-encoding");
            assert_eq!(varies, coding.is_some(), "{zmax}");
        }
    }
    tree.write("www/book.txt", text(3_000_000, 0).as_bytes());
    let server = Server::start([tree.text("www"), "--zmax=3000000".to_owned()]);
    assert!(decoded(&server, "/book.txt", "gzip") == text(3_000_000, 0));
}

#[test]
fn conditions_are_those_of_the_representation_that_would_be_sent() {
    let tree = tree();
    let server = serve(&tree);
    for target in ["/small.mpd", "/large.json"] {
        let plain = Client::get(&server, target);
        let date = plain.field("last-modified").expect("has a date");
        let plain = etag(&plain);
        let gzip = Client::ask(&server, "GET", target, GZIP);
        let gzip = etag(&gzip);
        for (fields, status, tag) in [
            (format!("{GZIP}If-None-Match: {gzip}\r\n"), 304, gzip),
            (format!("{GZIP}If-None-Match: W/{gzip}\r\n"), 304, gzip),
            (format!("{GZIP}If-None-Match: \"x\", {gzip}\r\n"), 304, gzip),
            (format!("{GZIP}If-None-Match: *\r\n"), 304, gzip),
            (format!("{GZIP}If-Modified-Since: {date}\r\n"), 304, gzip),
            (format!("{GZIP}If-None-Match: {plain}\r\n"), 200, gzip),
            (format!("If-None-Match: {plain}\r\n"), 304, plain),
            (format!("If-None-Match: {gzip}\r\n"), 200, plain),
            (
                format!("Accept-Encoding: deflate\r\nIf-None-Match: {plain}, {gzip}\r\n"),
                200,
                "",
            ),
            (format!("{GZIP}If-Match: {gzip}\r\n"), 200, gzip),
        ] {
            for method in ["GET", "HEAD"] {
                let response = Client::ask(&server, method, target, &fields);
                assert_eq!(response.status, status, "{fields}");
                assert!(tag.is_empty() || etag(&response) == tag, "{fields}");
                assert!(response.list("vary").contains("accept-encoding"));
                if status == 304 {
                    assert_eq!(response.field("content-encoding"), None, "{fields}");
                }
            }
        }
        for fields in [
            format!("{GZIP}If-Match: {plain}\r\n"),
            format!("If-Match: {gzip}\r\n"),
            format!("{GZIP}If-Match: {plain}\r\nIf-None-Match: {gzip}\r\n"),
        ] {
            assert_eq!(Client::ask(&server, "GET", target, &fields).status, 412);
        }
    }
    let server = Server::start([&tree.text("www"), "--cache_control=none"]);
    let fields = format!("{GZIP}If-None-Match: *\r\n");
    let response = Client::ask(&server, "GET", "/small.mpd", &fields);
    assert_eq!((response.status, response.field("etag")), (200, None));
    assert_eq!(response.field("content-encoding"), Some("gzip"));
}

#[test]
fn ranges_are_those_of_the_file_as_it_is() {
    let tree = tree();
    let server = serve(&tree);
    let content = text(50_000, 0);
    let ask = |fields: &str| {
        let fields = format!("{GZIP}{fields}");
        Client::ask(&server, "GET", "/large.json", &fields)
    };
    let plain = Client::get(&server, "/large.json");
    let gzip = ask("");
    let part = ask("Range: bytes=10-99\r\n");
    assert_eq!((part.status, part.text()), (206, &content[10..100]));
    assert_eq!(part.field("content-encoding"), None);
    assert_eq!(part.field("content-range"), Some("bytes 10-99/50000"));
    assert_eq!(etag(&part), etag(&plain));
    assert!(part.list("vary").contains("accept-encoding"));
    let same = ask(&format!(
        "Range: bytes=10-99\r\nIf-Range: {}\r\n",
        etag(&plain)
    ));
    assert_eq!((same.status, same.text()), (206, &content[10..100]));
    assert_eq!(ask("Range: bytes=50000-\r\n").status, 416);
    let have = format!("Range: bytes=10-99\r\nIf-None-Match: {}\r\n", etag(&gzip));
    assert_eq!(ask(&have).status, 206);
    // Such a part would not fit to the rest.
    for fields in [
        format!("Range: bytes=10-99\r\nIf-Range: {}\r\n", etag(&gzip)),
        "Range: nonsense\r\n".to_owned(),
    ] {
        let whole = ask(&fields);
        assert_eq!(whole.status, 200, "{fields}");
        assert!(whole.body == gzip.body, "{fields}");
    }
    let head = Client::ask(
        &server,
        "HEAD",
        "/large.json",
        &format!("{GZIP}Range: bytes=10-99\r\n"),
    );
    assert_eq!((head.status, etag(&head)), (200, etag(&gzip)));
    let server = Server::start([&tree.text("www"), "--norange"]);
    let fields = format!("{GZIP}Range: bytes=0-1\r\n");
    let whole = Client::ask(&server, "GET", "/large.json", &fields);
    assert_eq!(whole.field("content-encoding"), Some("gzip"));
}

#[test]
fn head_gives_the_fields_of_the_compressed_get() {
    let tree = tree();
    let server = serve(&tree);
    for target in ["/small.mpd", "/large.json"] {
        let head = Client::ask(&server, "HEAD", target, GZIP);
        let get = Client::ask(&server, "GET", target, GZIP);
        assert_eq!(head.status, get.status);
        let without_date = |response: &Response| {
            let mut fields = response.fields.clone();
            fields.retain(|(name, _)| name != "date");
            fields.sort();
            fields
        };
        assert_eq!(without_date(&head), without_date(&get));
        let length = get.body.len().to_string();
        assert_eq!(head.field("content-length"), Some(length.as_str()));
    }
}

#[test]
fn every_change_of_a_compressed_file_shows_at_once() {
    let tree = tree();
    let server = serve(&tree);
    for (file, length) in [("small.mpd", 5_000), ("large.json", 50_000)] {
        let (path, target) = (format!("www/{file}"), format!("/{file}"));
        let etag_now = || {
            let response = Client::ask(&server, "GET", &target, GZIP);
            etag(&response).to_owned()
        };
        // Same length, in place: only the times differ, and those count in steps.
        for number in 1..40 {
            tree.write(&path, text(length, number).as_bytes());
            let shown = decoded(&server, &target, "gzip");
            assert!(shown == text(length, number), "{file} {number}");
        }
        settle(&tree, &path);
        let kept = etag_now();
        for _ in 0..3 {
            assert!(decoded(&server, &target, "gzip") == text(length, 39));
        }
        for number in 40..60 {
            tree.write("new.txt", text(length, number).as_bytes());
            std::fs::rename(tree.path("new.txt"), tree.path(&path)).expect("is there");
            assert_ne!(etag_now(), kept);
            let shown = decoded(&server, &target, "gzip");
            assert!(shown == text(length, number), "{file} {number}");
        }
        // Text becomes something else.
        tree.write(&path, &pattern(length));
        let response = Client::ask(&server, "GET", &target, GZIP);
        assert_eq!(response.field("content-encoding"), None);
        assert!(response.body == pattern(length));
        std::fs::remove_file(tree.path(&path)).expect("is there");
        assert_eq!(Client::ask(&server, "GET", &target, GZIP).status, 404);
    }
}

#[test]
fn a_file_that_a_plugin_chose_is_compressed_too() {
    let tree = tree();
    let plugin = guest("probe") + "?file=self";
    let server = Server::start([&tree.text("www"), "--plugin", &plugin]);
    let response = Client::ask(&server, "GET", "/small.mpd", GZIP);
    assert_eq!(response.field("content-encoding"), Some("gzip"));
    assert!(decoded(&server, "/small.mpd", "gzip") == text(5_000, 0));
}

#[test]
fn many_clients_at_once_get_the_same_bytes() {
    let tree = tree();
    settle(&tree, "www/large.json");
    let server = serve(&tree);
    let mut clients: Vec<Client> = (0..30).map(|_| Client::connect(&server)).collect();
    for client in &mut clients {
        client.send(&format!(
            "GET /large.json HTTP/1.1\r\nHost: test\r\n{GZIP}\r\n"
        ));
    }
    let mut answers = clients
        .iter_mut()
        .map(|client| client.read_response("GET").body);
    let first = answers.next().expect("there are 30");
    assert!(first.len() < 25_000 && answers.all(|body| body == first));
    assert!(decoded(&server, "/large.json", "gzip") == text(50_000, 0));
}

/// What browsers know of a text is the tag of its coding.
#[test]
fn the_tag_of_a_coding_stands_for_the_file_in_writes() {
    let tree = tree();
    let www = tree.text("www");
    let server = Server::start([format!("--rdirs={www}"), format!("--wdir={www}")]);
    let known = |fields: &str| {
        let response = Client::ask(&server, "GET", "/small.mpd", fields);
        format!("If-Match: {}\r\n", etag(&response))
    };
    let old = known(GZIP);
    assert!(old.contains("-gzip"), "{old}");
    let write = |fields: &str| Client::put(&server, "/small.mpd", fields, &[b'x'; 5_000]).status;
    assert_eq!(write(&old), 200);
    assert_eq!(write(&old), 412);
    let delete = |fields: &str| Client::ask(&server, "DELETE", "/small.mpd", fields).status;
    assert_eq!(delete(&old), 412);
    assert_eq!(delete(&known("Accept-Encoding: deflate\r\n")), 200);
}
