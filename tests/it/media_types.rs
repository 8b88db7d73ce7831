//! Media types by name, and by content where the name says nothing.

use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree, serve};

#[test]
fn a_name_without_a_type_has_that_of_its_content() {
    let tree = Tree::new();
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &pattern(30_000)].concat();
    let page = "<!DOCTYPE html><script>alert(1)</script>\n";
    for (name, content, expected) in [
        (
            "notes",
            b"caf\xc3\xa9".as_slice(),
            "text/plain; charset=utf-8",
        ),
        ("page", page.as_bytes(), "text/plain; charset=utf-8"),
        (
            "long-page",
            page.repeat(2_000).as_bytes(),
            "text/plain; charset=utf-8",
        ),
        ("picture", &png[..100], "image/png"),
        ("picture.unheardof", &png, "image/png"),
        ("init.init", b"\0\0\0\x18ftypiso6\0", "video/mp4"),
        ("bytes", b"\x01\x02\xff", "application/octet-stream"),
        (
            "many-bytes",
            &pattern(30_000)[4..],
            "application/octet-stream",
        ),
        ("nothing", b"", "application/octet-stream"),
        // The name goes before.
        ("picture.txt", &png, "text/plain; charset=utf-8"),
        (
            "real.html",
            b"\x89PNG\r\n\x1a\n",
            "text/html; charset=utf-8",
        ),
    ] {
        tree.write(&format!("www/{name}"), content);
        let server = serve(&tree);
        let response = Client::get(&server, &format!("/{name}"));
        assert_eq!(response.field("content-type"), Some(expected), "{name}");
        assert!(response.body == content, "{name}");
        std::fs::remove_file(tree.path(&format!("www/{name}"))).expect("is there");
    }
}

#[test]
fn browsers_are_told_not_to_guess() {
    let tree = Tree::new();
    let www = tree.text("www");
    let server = Server::start([&www, "--dlist"]);
    for (target, fields) in [
        ("/hello.txt", ""),
        ("/hello.txt", "Range: bytes=0-1\r\n"),
        ("/", ""),
        ("/missing.txt", ""),
    ] {
        let response = Client::ask(&server, "GET", target, fields);
        let options = response.field("x-content-type-options");
        assert_eq!(options, Some("nosniff"), "{target} {fields}");
    }
    let redirected = Client::get(&server, "/sub");
    assert_eq!(redirected.field("x-content-type-options"), None);
    let server = Server::start([&www, "--hdrs=X-Content-Type-Options,own"]);
    let own = Client::get(&server, "/hello.txt");
    assert_eq!(own.field("x-content-type-options"), Some("own"));
}

#[test]
fn the_type_follows_the_content() {
    let tree = Tree::new();
    let server = serve(&tree);
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &pattern(60_000)].concat();
    let text = "a line of text\n".repeat(5_000);
    let text = &text.as_bytes()[..png.len()];
    for _ in 0..20 {
        for (content, expected) in [
            (png.as_slice(), "image/png"),
            (text, "text/plain; charset=utf-8"),
        ] {
            tree.write("www/changing", content);
            let response = Client::get(&server, "/changing");
            assert_eq!(response.field("content-type"), Some(expected));
        }
    }
}

#[test]
fn media_have_their_registered_types() {
    let tree = Tree::new();
    let server = serve(&tree);
    for (name, expected) in [
        ("a.mpd", "application/dash+xml"),
        ("a.m3u8", "application/vnd.apple.mpegurl"),
        ("a.m4s", "video/iso.segment"),
        ("a.mp4", "video/mp4"),
        ("a.ts", "video/mp2t"),
        ("a.aac", "audio/aac"),
        ("a.mp3", "audio/mpeg"),
        ("a.vtt", "text/vtt; charset=utf-8"),
        ("a.webm", "video/webm"),
        ("a.mkv", "video/matroska"),
        ("a.ogv", "video/ogg"),
        ("a.ec3", "audio/eac3"),
        ("a.svg", "image/svg+xml"),
        ("a.avif", "image/avif"),
    ] {
        tree.write(&format!("www/{name}"), b"x");
        let response = Client::get(&server, &format!("/{name}"));
        assert_eq!(response.field("content-type"), Some(expected), "{name}");
    }
}
