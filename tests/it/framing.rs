//! What is no request, or too much of one, costs its own client only (RFC 9112; RFC 9113 10).

use crate::support::server::command;
use crate::support::{Client, Server, Tree, serve, try_curl};

/// What a server answers to these bytes and then closes. Another client is served all the same.
fn refusal(server: &Server, bytes: &str) -> String {
    let mut client = Client::connect(server);
    client.try_send(bytes.as_bytes());
    let said = client.read_all();
    assert_eq!(Client::get(server, "/hello.txt").status, 200);
    said
}

/// The status of the only answer.
fn only_status(said: &str) -> &str {
    assert_eq!(said.matches("HTTP/1.").count(), 1, "{said}");
    said.split(' ').nth(1).unwrap_or_default()
}

const SMUGGLED: &str = "GET /sub/deep/page.html HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn two_lengths_are_refused_not_resolved() {
    let tree = Tree::new();
    let server = serve(&tree);
    let coding = "Transfer-Encoding: chunked\r\n";
    for method in ["GET", "PUT", "OPTIONS"] {
        for fields in [
            format!("{coding}Content-Length: 5\r\n"),
            format!("Content-Length: 5\r\n{coding}"),
            "content-length: 0\r\nA: b\r\ntransfer-encoding: chunked\r\n".to_owned(),
            format!("{coding}Content-Length: nonsense\r\n"),
        ] {
            let head = format!("{method} /hello.txt HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
            let said = refusal(&server, &format!("{head}0\r\n\r\n{SMUGGLED}"));
            assert_eq!(only_status(&said), "400", "{head}");
        }
    }
    // Behind requests that are in order, whose bodies look like heads.
    let body = "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (size, hex) = (body.len(), format!("{:x}", body.len()));
    let mut client = Client::connect(&server);
    for head in [
        format!("Content-Length: {size}\r\n\r\n{body}"),
        format!("{coding}\r\n{hex};name=value\r\n{body}\r\n0\r\n\r\n"),
        format!("{coding}\r\n{hex:0>2000}\r\n{body}\r\n{:0>300}\r\n\r\n", 0),
        format!("{coding}Content-Length: 5\r\n\r\n0\r\n\r\n"),
    ] {
        client.send(&format!("GET /hello.txt HTTP/1.1\r\nHost: test\r\n{head}"));
    }
    let statuses = [(); 4].map(|()| client.read_response("GET").status);
    assert_eq!(statuses, [200, 200, 200, 400]);
    assert!(client.is_closed());
}

#[test]
fn lengths_and_codings_that_are_not_clear_are_refused() {
    let tree = Tree::new();
    let server = serve(&tree);
    for fields in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length:\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ] {
        let head = format!("PUT /new.txt HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
        let said = refusal(&server, &format!("{head}0\r\n\r\n{SMUGGLED}"));
        assert_eq!(only_status(&said), "400", "{fields:?}");
    }
    let old = "PUT /new.txt HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(only_status(&refusal(&server, old)), "400");
}

#[test]
fn a_coding_beside_chunked_is_not_known() {
    let tree = Tree::new();
    let server = serve(&tree);
    for coding in [
        "gzip, chunked",
        "gzip\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: chunked",
    ] {
        let fields = format!("Transfer-Encoding: {coding}\r\nConnection: close\r\n");
        for method in ["GET", "PUT"] {
            let head = format!("{method} /hello.txt HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
            let said = refusal(&server, &format!("{head}0\r\n\r\n{SMUGGLED}"));
            assert_eq!(only_status(&said), "501", "{head}");
        }
    }
    let fields = "Transfer-Encoding: Chunked\r\n\r\n0\r\n";
    let answer = Client::ask(&server, "GET", "/hello.txt", fields);
    assert_eq!(answer.status, 200);
}

#[test]
fn chunks_that_are_not_in_order_end_the_connection() {
    let tree = Tree::new();
    let server = serve(&tree);
    let long = "a".repeat(20_000);
    let bodies = [
        "x\r\n\r\n".to_owned(),
        "-1\r\n\r\n".to_owned(),
        "5 5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "fffffffffffffffff\r\n".to_owned(),
        "5\r\nhello!\r\n0\r\n\r\n".to_owned(),
        "5\nhello\r\n0\r\n\r\n".to_owned(),
        format!("5;{long}\r\nhello\r\n0\r\n\r\n"),
        format!("0\r\nA: {long}\r\n\r\n"),
    ];
    for body in bodies {
        let head = "GET /hello.txt HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
        let said = refusal(&server, &format!("{head}{body}{SMUGGLED}"));
        assert!(!said.contains("deep"), "{body:.40}: {said}");
        assert!(said.matches("HTTP/1.1 ").count() <= 1, "{body:.40}: {said}");
    }
}

#[test]
fn heads_that_are_not_in_order_are_refused() {
    let tree = Tree::new();
    let server = serve(&tree);
    for head in [
        "GET /hello.txt HTTP/1.1\r\nHost: test\r\nA: b\r\n folded\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\nHost : test\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\n Host: test\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\nHost: test\r\nA: b\0c\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\nHost: test\r\nA: b\rc\r\n\r\n",
        "GET /hello\0.txt HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\nHost: test\r\n: nameless\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\nHost: test\r\nno colon\r\n\r\n",
        "GET /hello.txt HTTP/3.0\r\nHost: test\r\n\r\n",
        "GET  /hello.txt  HTTP/1.1\r\nHost: test\r\n\r\n",
        "\u{1}\u{2}\u{3}\u{4}\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let said = refusal(&server, head);
        assert_eq!(only_status(&said), "400", "{head:?}");
    }
}

#[test]
fn hosts_and_targets_that_are_none_are_refused() {
    let tree = Tree::new();
    let server = serve(&tree);
    for host in ["x y", "a/b", "user@host", "a:b:c"] {
        let head = format!("GET /hello.txt HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(only_status(&refusal(&server, &head)), "400", "{host}");
    }
    for target in ["hello.txt", "test:80", "*"] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        assert_eq!(only_status(&refusal(&server, &head)), "400", "{target}");
    }
    for host in ["", "test", "test:80", "[::1]:8080", "127.0.0.1"] {
        let mut client = Client::connect(&server);
        client.send(&format!("GET /hello.txt HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(client.read_response("GET").status, 200, "{host}");
    }
}

/// RFC 9112 2.2 allows a bare LF as the end of a line.
#[test]
fn lines_may_end_with_lf_and_requests_begin_with_empty_lines() {
    let tree = Tree::new();
    let server = serve(&tree);
    let mut client = Client::connect(&server);
    client.send("\r\n\r\nGET /hello.txt HTTP/1.1\nHost: test\n\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
}

#[test]
fn heads_that_are_too_long_are_refused() {
    let tree = Tree::new();
    let server = serve(&tree);
    let target = "a".repeat(70_000);
    let said = refusal(
        &server,
        &format!("GET /{target} HTTP/1.1\r\nHost: test\r\n\r\n"),
    );
    assert_eq!(only_status(&said), "414");
    let field = format!("A: {}\r\n", "b".repeat(500_000));
    let said = refusal(&server, &format!("GET / HTTP/1.1\r\nHost: test\r\n{field}"));
    assert_eq!(only_status(&said), "431");
    let many = "A: b\r\n".repeat(200);
    let said = refusal(
        &server,
        &format!("GET / HTTP/1.1\r\nHost: test\r\n{many}\r\n"),
    );
    assert_eq!(only_status(&said), "431");
}

#[test]
fn the_absolute_form_names_the_same_file() {
    let tree = Tree::new();
    let server = serve(&tree);
    let answer = Client::get(&server, "http://elsewhere.test/hello.txt");
    assert_eq!((answer.status, answer.text()), (200, "hello\n"));
}

/// gpac asks for HTTP/2 with each request (h2c); an answer in HTTP/1.1 is what it understands as no.
#[test]
fn an_upgrade_is_answered_as_http_1_1() {
    let tree = Tree::new();
    let server = serve(&tree);
    let mut client = Client::connect(&server);
    let fields = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    for _ in 0..2 {
        client.send(&format!(
            "GET /hello.txt HTTP/1.1\r\nHost: test\r\n{fields}\r\n"
        ));
        let answer = client.read_response("GET");
        assert_eq!(
            (answer.version.as_str(), answer.text()),
            ("HTTP/1.1", "hello\n")
        );
    }
}

#[test]
fn a_head_that_trickles_in_is_cut() {
    let tree = Tree::new();
    let server = Server::start([&tree.text("www"), "--timeout=1"]);
    let mut client = Client::connect(&server);
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n");
    // Each field arrives in time, the end of the head never does.
    let mut sent = 0;
    while client.is_open_after(b"A: b\r\n") {
        sent += 1;
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(sent < 600, "the connection is not cut");
    }
}

#[test]
fn a_client_that_does_not_read_is_cut() {
    let tree = Tree::new();
    tree.write("www/huge.bin", &vec![7; 50_000_000]);
    let server = Server::start([&tree.text("www"), "--timeout=1", "--maxc=1"]);
    let mut client = Client::connect(&server);
    client.send("GET /huge.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    // The only place is free when the first connection is cut.
    while Client::get(&server, "/hello.txt").status != 200 {}
    assert!(client.read_cut_body() < 50_000_000);
}

/// RFC 9113 10.5.1.
#[test]
fn heads_of_http_2_are_limited_too() {
    let tree = Tree::new();
    let server = serve(&tree);
    let url = server.url("/hello.txt");
    let ask = |length: usize| {
        let field = format!("A: {}", "b".repeat(length));
        try_curl(&["--http2-prior-knowledge", "-H", &field, &url])
    };
    assert_eq!(ask(40_000).stdout, b"hello\n");
    assert_eq!(ask(80_000).stdout, b"");
    assert_eq!(ask(1).stdout, b"hello\n");
}

#[test]
fn the_smallest_block_size_limits_no_head() {
    let tree = Tree::new();
    let mut command = command([&tree.text("www"), "--port=0", "--ifce=127.0.0.1"]);
    let server = Server::spawn(command.arg("--block_size=1024"));
    let fields = format!("A: {}\r\n", "b".repeat(50_000));
    let answer = Client::ask(&server, "GET", "/hello.txt", &fields);
    assert_eq!(answer.text(), "hello\n");
}
