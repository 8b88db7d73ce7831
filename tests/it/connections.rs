//! Connections: versions, persistence, limits (RFC 9112; documents: options `close`, `timeout`, `maxc`, `maxp`,
//! `max_client_errors`, `block_size`, `quit`).

use std::process::Command;

use crate::support::server::command;
use crate::support::tree::pattern;
use crate::support::{Client, Http2, Server, Tree, curl, guest, serve};

#[test]
fn pipelined_requests_are_answered_in_order() {
    let tree = Tree::new();
    let server = serve(&tree);
    let mut client = Client::connect(&server);
    let targets = [
        "/hello.txt",
        "/big.bin",
        "/missing.txt",
        "/empty.txt",
        "/hello.txt",
    ];
    let requests: Vec<String> = targets
        .iter()
        .map(|target| format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"))
        .collect();
    client.send(&requests.concat());
    let lengths: Vec<usize> = targets
        .iter()
        .map(|_| client.read_response("GET").body.len())
        .collect();
    let missing = Client::get(&server, "/missing.txt").body.len();
    assert_eq!(lengths, [6, 3_000_000, missing, 0, 6]);
}

#[test]
fn http_1_0_closes_unless_it_is_asked_to_stay() {
    let tree = Tree::new();
    let server = serve(&tree);
    let mut plain = Client::connect(&server);
    plain.send("GET /hello.txt HTTP/1.0\r\n\r\n");
    assert_eq!(plain.read_response("GET").text(), "hello\n");
    assert!(plain.is_closed());
    let mut staying = Client::connect(&server);
    for _ in 0..2 {
        staying.send("GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(staying.read_response("GET").text(), "hello\n");
    }
}

#[test]
fn connection_close_is_honoured_from_both_sides() {
    let tree = Tree::new();
    let server = serve(&tree);
    let mut client = Client::connect(&server);
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
    assert!(client.is_closed());
    let server = Server::start([&tree.text("www"), "--close"]);
    let mut client = Client::connect(&server);
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    let response = client.read_response("GET");
    assert_eq!(
        (response.text(), response.field("connection")),
        ("hello\n", Some("close"))
    );
    assert!(client.is_closed());
}

#[test]
fn what_is_no_request_is_refused() {
    let tree = Tree::new();
    let server = serve(&tree);
    for request in [
        "GET /hello.txt HTTP/1.1\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /hello.txt\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    ] {
        let mut client = Client::connect(&server);
        client.send(request);
        assert_eq!(client.read_response("GET").status, 400, "{request:?}");
    }
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
}

#[test]
fn connections_beyond_maxp_and_maxc_get_503() {
    let tree = Tree::new();
    for option in ["--maxp=2", "--maxc=2"] {
        let server = Server::start([&tree.text("www"), option]);
        let mut first = Client::connect(&server);
        let mut second = Client::connect(&server);
        for client in [&mut first, &mut second] {
            client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
            assert_eq!(client.read_response("GET").status, 200);
        }
        let mut third = Client::connect(&server);
        third.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
        let refused = third.read_response("GET");
        assert_eq!(
            (refused.status, refused.field("retry-after")),
            (503, Some("1"))
        );
        assert!(third.is_closed());
        // Which limit it was, and what mends it: a player is the first to meet it.
        let option_name = &option[2..6];
        let text = refused.text();
        for said in [option_name, "2 connections already", "0 for none"] {
            assert!(text.contains(said), "{text}");
        }
        server.wait_for_log(option_name);
        drop(first);
        // The place is free as soon as the server has seen the end of the first.
        while Client::get(&server, "/hello.txt").status != 200 {}
    }
}

#[test]
fn a_connection_that_makes_no_progress_is_closed() {
    let tree = Tree::new();
    let server = Server::start([&tree.text("www"), "--timeout=1"]);
    let mut silent = Client::connect(&server);
    let mut idle = Client::connect(&server);
    idle.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(idle.read_response("GET").status, 200);
    let mut half = Client::connect(&server);
    half.send("GET /hello.txt HTTP/1.1\r\nHost: te");
    assert!(silent.is_closed() && idle.is_closed() && half.is_closed());
}

#[test]
fn a_log_that_is_not_read_holds_nobody_up() {
    let tree = Tree::new();
    let (reader, writer) = std::io::pipe().expect("there are descriptors");
    let mut command = command([&tree.text("www"), "--port=0", "--ifce=127.0.0.1"]);
    command.arg("--reqlog=*");
    let mut server = Server::spawn_with_stderr(&mut command, writer.into());
    let mut client = Client::connect(&server);
    // Far more than a pipe holds.
    let target = format!("/hello.txt?{}", "x".repeat(1000));
    for _ in 0..500 {
        client.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        assert_eq!(client.read_response("GET").text(), "hello\n");
    }
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    drop(reader);
}

#[test]
fn a_log_that_nobody_reads_any_more_does_not_end_the_server() {
    let tree = Tree::new();
    let (reader, writer) = std::io::pipe().expect("there are descriptors");
    drop(reader);
    let mut command = command([&tree.text("www"), "--port=0", "--ifce=127.0.0.1"]);
    command.args(["--reqlog=*", "--log=debug"]);
    let mut server = Server::spawn_with_stderr(&mut command, writer.into());
    for _ in 0..3 {
        assert_eq!(Client::get(&server, "/hello.txt").status, 200);
        assert_eq!(Client::get(&server, "/missing.txt").status, 404);
    }
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn the_libraries_do_not_fill_the_log() {
    let tree = Tree::new();
    let server = Server::start([&tree.text("www"), "--log=debug"]);
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        curl(&[version, &server.url("/hello.txt")]);
        curl(&[version, &server.url("/missing.txt")]);
    }
    let log = server.wait_for_times("404 Not Found", 2);
    let others = log.lines().filter(|line| !line.contains(" httpout"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// What changes something runs on though its stream is reset: a client must not pile it up.
#[test]
fn streams_that_are_reset_count_until_their_work_is_done() {
    let tree = Tree::new();
    let plugin = guest("probe");
    let server = Server::start([&tree.text("www"), "--plugin", &plugin]);
    let mut client = Http2::connect(&server);
    for _ in 0..100 {
        let stream = client.ask("DELETE", "/probe/wait");
        client.ping();
        client.reset(stream);
    }
    let refused = client.ask("DELETE", "/probe/wait");
    let said = client.read_body(refused);
    assert!(said.starts_with("503 Service Unavailable: "), "{said}");
    let read = client.ask("GET", "/hello.txt");
    assert_eq!(client.read_body(read), "hello\n");
    let elsewhere = Client::ask(&server, "DELETE", "/probe/bytes", "");
    assert_eq!(elsewhere.status, 201);
}

#[test]
fn errors_in_a_row_end_the_connection() {
    let tree = Tree::new();
    let ask = |client: &mut Client, target: &str| {
        client.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        let answer = client.read_response("GET");
        (answer.status, answer.field("connection").map(str::to_owned))
    };
    let missing = (404, None);
    let server = Server::start([&tree.text("www"), "--max_client_errors=3"]);
    let mut client = Client::connect(&server);
    for _ in 0..2 {
        assert_eq!(ask(&mut client, "/missing"), missing);
        assert_eq!(ask(&mut client, "/missing"), missing);
        assert_eq!(ask(&mut client, "/hello.txt"), (200, None));
    }
    assert_eq!(ask(&mut client, "/missing"), missing);
    assert_eq!(ask(&mut client, "/missing"), missing);
    let last = (404, Some("close".to_owned()));
    assert_eq!(ask(&mut client, "/missing"), last);
    assert!(client.is_closed());
    for (option, count) in [("--max_client_errors=0", 50), ("--log=info", 19)] {
        let server = Server::start([&tree.text("www"), option]);
        let mut client = Client::connect(&server);
        for _ in 0..count {
            assert_eq!(ask(&mut client, "/missing"), missing);
        }
    }
}

#[test]
fn quit_ends_the_server_when_the_last_client_has_left() {
    let tree = Tree::new();
    let mut server = Server::start([&tree.text("www"), "--quit"]);
    let mut first = Client::connect(&server);
    first.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(first.read_response("GET").status, 200);
    let mut second = Client::connect(&server);
    second.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(second.read_response("GET").status, 200);
    drop(first);
    second.send("GET /big.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(second.read_response("GET").body.len(), 3_000_000);
    drop(second);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_block_size_changes_nothing_in_what_is_sent() {
    let tree = Tree::new();
    for size in ["1024", "10000", "16M"] {
        let server = Server::start([&tree.text("www"), &format!("--block_size={size}")]);
        let whole = pattern(3_000_000);
        assert!(Client::get(&server, "/big.bin").body == whole, "{size}");
        let (url, got) = (server.url("/big.bin"), tree.text("got.bin"));
        curl(&["--http2-prior-knowledge", "-o", &got, &url]);
        assert!(std::fs::read(got).expect("is written") == whole, "{size}");
    }
}

#[test]
fn a_server_without_descriptors_recovers() {
    let tree = Tree::new();
    let mut command = Command::new("sh");
    // The shell's limit is hard too, so that the server cannot raise it.
    command.args(["-c", "ulimit -n 40; exec \"$@\"", "sh"]);
    command.args([env!("CARGO_BIN_EXE_httpout"), &tree.text("www")]);
    command.args(["--port=0", "--ifce=127.0.0.1", "--maxc=0", "--maxp=0"]);
    let server = Server::spawn(&mut command);
    let mut first = Client::connect(&server);
    let mut others: Vec<Client> = (0..60).map(|_| Client::connect(&server)).collect();
    server.wait_for_log("cannot accept connections");
    first.send("GET /big.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    let answer = first.read_response("GET");
    assert_eq!(
        (answer.status, answer.field("retry-after")),
        (503, Some("1"))
    );
    server.wait_for_log("WARN");
    // The last ones have been waiting to be accepted.
    let mut last = others.pop().expect("there are 60");
    last.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    drop(others);
    assert_eq!(last.read_response("GET").text(), "hello\n");
    first.send("GET /big.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(first.read_response("GET").body.len(), 3_000_000);
}

#[test]
fn the_limit_on_descriptors_is_raised() {
    let tree = Tree::new();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -S -n 64; exec \"$@\"", "sh"]);
    command.args([env!("CARGO_BIN_EXE_httpout"), &tree.text("www")]);
    command.args(["--port=0", "--ifce=127.0.0.1"]);
    let server = Server::spawn(&mut command);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id()));
    let limits = limits.expect("the server runs");
    let line = limits.lines().find(|line| line.contains("open files"));
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    // `Max open files  SOFT  HARD  files`.
    assert_eq!(words[3], words[4], "{limits}");
}
