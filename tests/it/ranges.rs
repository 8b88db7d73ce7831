//! Ranges and conditions of GET (RFC 9110 13 and 14; documents: httpout, option `norange`).

use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree, serve};

#[test]
fn a_client_that_has_the_file_gets_304() {
    let tree = Tree::new();
    let server = serve(&tree);
    let first = Client::get(&server, "/hello.txt");
    let etag = first.field("etag").expect("has an ETag");
    let date = first.field("last-modified").expect("has a date");
    for field in [
        format!("If-None-Match: {etag}\r\n"),
        format!("If-None-Match: \"x\", W/{etag}\r\n"),
        "If-None-Match: *\r\n".to_owned(),
        format!("If-Modified-Since: {date}\r\n"),
    ] {
        let again = Client::ask(&server, "GET", "/hello.txt", &field);
        assert_eq!(again.status, 304, "{field}");
        assert_eq!(again.field("etag"), Some(etag), "{field}");
        assert_eq!(again.field("content-length"), None, "{field}");
    }
    for (field, status) in [
        ("If-None-Match: \"x\"\r\n".to_owned(), 200),
        (
            format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}\r\n"),
            200,
        ),
        (
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(),
            200,
        ),
        ("If-Match: \"x\"\r\n".to_owned(), 412),
        (format!("If-Match: {etag}\r\n"), 200),
    ] {
        let again = Client::ask(&server, "GET", "/hello.txt", &field);
        assert_eq!(again.status, status, "{field}");
    }
}

#[test]
fn ranges_give_the_bytes_they_name() {
    let tree = Tree::new();
    let server = serve(&tree);
    let whole = pattern(3_000_000);
    for (range, slice, content_range) in [
        ("0-0", &whole[..1], "bytes 0-0/3000000"),
        (
            "100-299999",
            &whole[100..300_000],
            "bytes 100-299999/3000000",
        ),
        (
            "2999990-",
            &whole[2_999_990..],
            "bytes 2999990-2999999/3000000",
        ),
        ("-7", &whole[2_999_993..], "bytes 2999993-2999999/3000000"),
        (
            "2999999-4000000",
            &whole[2_999_999..],
            "bytes 2999999-2999999/3000000",
        ),
        ("0-", &whole[..], "bytes 0-2999999/3000000"),
    ] {
        let field = format!("Range: bytes={range}\r\n");
        let response = Client::ask(&server, "GET", "/big.bin", &field);
        assert_eq!(response.status, 206, "{range}");
        assert_eq!(response.field("content-range"), Some(content_range));
        assert!(response.body == slice, "{range}");
    }
    let parts = Client::ask(&server, "GET", "/hello.txt", "Range: bytes=3-4,0-1\r\n");
    assert_eq!((parts.status, parts.text()), (206, "lohe"));
    let beyond = Client::ask(&server, "GET", "/hello.txt", "Range: bytes=6-\r\n");
    assert_eq!(
        (beyond.status, beyond.field("content-range")),
        (416, Some("bytes */6"))
    );
    for field in [
        "Range: lines=1-2\r\n",
        "Range: bytes=x\r\n",
        "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n",
    ] {
        let response = Client::ask(&server, "GET", "/hello.txt", field);
        assert_eq!(
            (response.status, response.text()),
            (200, "hello\n"),
            "{field}"
        );
    }
    let etag = parts.field("etag").expect("has an ETag");
    let field = format!("Range: bytes=0-1\r\nIf-Range: {etag}\r\n");
    assert_eq!(
        Client::ask(&server, "GET", "/hello.txt", &field).text(),
        "he"
    );
}

#[test]
fn norange_sends_the_whole() {
    let tree = Tree::new();
    let server = Server::start([tree.text("www"), "--norange".to_owned()]);
    let response = Client::ask(&server, "GET", "/hello.txt", "Range: bytes=0-1\r\n");
    assert_eq!((response.status, response.text()), (200, "hello\n"));
    assert_eq!(response.field("accept-ranges"), None);
}

#[test]
fn files_of_every_size_and_range_arrive_as_they_are() {
    let tree = Tree::new();
    // Around what is kept in memory, what is corked, and what the kernel is asked for at once.
    let sizes = [
        1, 16_384, 16_385, 1_048_575, 1_048_576, 1_048_577, 5_000_000,
    ];
    for size in sizes {
        tree.write(&format!("www/{size}.bin"), &pattern(size));
    }
    let server = serve(&tree);
    let mut client = Client::connect(&server);
    for size in sizes {
        let whole = pattern(size);
        let middle = size / 2;
        for (range, expected) in [
            (String::new(), whole.clone()),
            (
                format!("Range: bytes={middle}-\r\n"),
                whole[middle..].to_vec(),
            ),
            (
                format!("Range: bytes={middle}-,0-{middle}\r\n"),
                [&whole[middle..], &whole[..=middle.min(size - 1)]].concat(),
            ),
        ] {
            client.send(&format!(
                "GET /{size}.bin HTTP/1.1\r\nHost: test\r\n{range}\r\n"
            ));
            let response = client.read_response("GET");
            assert!(
                response.body == expected,
                "{size} {range:?}: {} bytes",
                response.body.len()
            );
        }
    }
}
