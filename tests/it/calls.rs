//! The calls of the contract: which, in which order, and what they bring about.

use std::io::Read as _;

use crate::support::tree::pattern;
use crate::support::{Client, Http2, Response, Server, Tree, curl, guest, try_curl};

/// A server with this plugin in front of the standard tree.
fn serve(tree: &Tree, arguments: &[&str]) -> Server {
    let plugin = format!("--plugin={}", guest("calls"));
    let www = tree.text("www");
    Server::start([&www[..], &plugin].iter().chain(arguments))
}

/// The calls until now, in their order.
fn calls(server: &Server) -> Vec<String> {
    let log = server.log();
    let calls = log.split("call: ").skip(1);
    calls
        .map(|rest| {
            rest.split(". plugin=")
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

/// The calls up to the end of an exchange.
fn closed(server: &Server) -> Vec<String> {
    server.wait_for_log("call: close");
    calls(server)
}

fn ask(method: &str, query: &str) -> (Response, Vec<String>) {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let response = Client::ask(&server, method, &format!("/calls?{query}"), "");
    (response, closed(&server))
}

fn send(server: &Server, query: &str) -> Client {
    let mut client = Client::connect(server);
    client.send(&format!(
        "GET /calls?{query} HTTP/1.1\r\nHost: test\r\n\r\n"
    ));
    client
}

/// A server over TLS, and the file of its certificate.
fn serve_securely(tree: &Tree, plugin: &str) -> (Server, String) {
    tree.write_certificate();
    let server = Server::start([
        tree.text("www"),
        format!("--cert={}", tree.text("cert.pem")),
        format!("--pkey={}", tree.text("pkey.pem")),
        format!("--plugin={plugin}"),
    ]);
    (server, tree.text("cert.pem"))
}

// ---- read ----

#[test]
fn a_body_is_read_block_by_block_until_it_ends() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = send(&server, "use=read,close&read=ab,-,-,cde");
    let head = client.read_head();
    assert_eq!(head.field("transfer-encoding"), Some("chunked"));
    assert_eq!(client.read_chunk().as_deref(), Some(&b"ab"[..]));
    assert_eq!(client.read_chunk().as_deref(), Some(&b"cde"[..]));
    assert_eq!(client.read_chunk(), None);
    assert_eq!(
        closed(&server),
        [
            "on-request",
            "read",
            "read",
            "read",
            "read",
            "read",
            "close 1: 200, 5 sent, 0 received"
        ]
    );
    // The connection goes on.
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
}

#[test]
fn a_promised_length_is_that_of_the_response() {
    let (response, calls) = ask("GET", "use=read,close&length=5&read=ab,cde,more");
    assert_eq!(response.field("content-length"), Some("5"));
    assert_eq!(response.text(), "abcde");
    let expected = [
        "on-request",
        "read",
        "read",
        "close 1: 200, 5 sent, 0 received",
    ];
    assert_eq!(calls, expected);
}

#[test]
fn without_a_length_the_connection_ends_the_body_of_http_1_0() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = Client::connect(&server);
    client.send("GET /calls?use=read&read=ab,cd HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let response = client.read_response("GET");
    assert_eq!(
        (response.text(), response.field("transfer-encoding")),
        ("abcd", None)
    );
    assert_eq!(response.field("connection"), Some("close"));
}

#[test]
fn bodies_cross_http_2_and_tls() {
    let tree = Tree::new();
    let (server, ca) = serve_securely(&tree, &guest("calls"));
    let url = server.url("/calls?use=read,write,throttle,close&read=full,-,ab");
    let expected = "x".repeat(64 << 10) + "ab";
    let body = "b".repeat(200_000);
    tree.write("body", body.as_bytes());
    let body = format!("@{}", tree.text("body"));
    for version in ["--http1.1", "--http2"] {
        let said = curl(&["--cacert", &ca, version, "--data-binary", &body, "-i", &url]);
        assert!(said.ends_with(&expected), "{version}");
        assert!(said.contains("x-written: 200000"), "{version}");
    }
    server.wait_for_times("close 1: 200, 65538 sent, 200000 received", 2);
    let plain = serve(&tree, &[]);
    let url = plain.url("/calls?use=read,write,close&read=ab,cd");
    let said = curl(&["--http2-prior-knowledge", "-d", "abc", "-i", &url]);
    assert!(
        said.ends_with("abcd") && said.contains("x-written: 3"),
        "{said}"
    );
}

#[test]
fn a_plugin_knows_that_the_request_came_over_tls() {
    let tree = Tree::new();
    let (server, ca) = serve_securely(&tree, &guest("probe"));
    for (option, version) in [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2")] {
        let facts = curl(&["--cacert", &ca, option, &server.url("/probe/facts")]);
        assert!(facts.contains("scheme=\"https\""), "{facts}");
        assert!(
            facts.contains(&format!("protocol=\"{version}\"")),
            "{facts}"
        );
        let authority = format!("authority=Some(\"{}\")", server.address);
        assert!(facts.contains(&authority), "{facts}");
    }
}

#[test]
fn a_plugin_knows_the_address_of_a_client_of_ip_version_6() {
    let tree = Tree::new();
    let mut command = crate::support::server::command([
        &tree.text("www"),
        "--port=0",
        "--ifce=::1",
        "--plugin",
        &guest("probe"),
    ]);
    let server = Server::spawn(&mut command);
    let facts = Client::get(&server, "/probe/facts");
    let facts = facts.text();
    assert!(
        facts.contains("peer=(\"::1\", true)\nlocal=\"::1\""),
        "{facts}"
    );
}

#[test]
fn nothing_is_read_for_head_and_for_what_has_no_body() {
    let (head, calls) = ask("HEAD", "use=read,throttle,close&length=5&read=abcde");
    assert_eq!(
        (head.status, head.field("content-length")),
        (200, Some("5"))
    );
    assert_eq!(calls, ["on-request", "close 1: 200, 0 sent, 0 received"]);
    let (head, _) = ask("HEAD", "use=read,close&read=abcde");
    assert_eq!((head.status, head.field("content-length")), (200, None));
    for status in [204, 304] {
        let (empty, calls) = ask("GET", &format!("use=read,close&reply={status}&read=ab"));
        assert_eq!(empty.status, status);
        let close = format!("close 1: {status}, 0 sent, 0 received");
        assert_eq!(calls, ["on-request", &close]);
    }
}

#[test]
fn nothing_is_read_before_the_client_takes_it() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = send(&server, "use=read,close&read=endless");
    client.read_head();
    client.read_chunk();
    for _ in 0..100 {
        Client::get(&server, "/hello.txt");
    }
    // What fits the buffers of both sockets, and no more.
    let reads = calls(&server).iter().filter(|call| *call == "read").count();
    assert!(reads < 1000, "{reads} blocks");
    drop(client);
    let calls = closed(&server);
    assert!(
        calls
            .last()
            .is_some_and(|last| last.starts_with("close -43"))
    );
}

#[test]
fn a_body_that_fails_is_cut_and_its_plugin_told() {
    let tree = Tree::new();
    let server = serve(&tree, &["--plugin_timeout=300", "--timeout=1"]);
    for (query, code, said) in [
        ("read=ab,none", -8, "`read` gave 0 bytes, not 1 to 65536"),
        (
            "read=ab,long",
            -8,
            "`read` gave 65537 bytes, not 1 to 65536",
        ),
        (
            "read=ab&length=9",
            -8,
            "not the 9 bytes that `use-read` promised",
        ),
        (
            "read=ab,cdef&length=5",
            -8,
            "not the 5 bytes that `use-read` promised",
        ),
        ("read=ab,~", -46, "`read` brought nothing within 1 s"),
        ("read=ab,spin", -46, "`read` brought nothing within 1 s"),
        ("read=ab,trap", 0, "told to"),
        ("read=ab,hang", 0, "`read` took longer than 300 ms"),
    ] {
        let closes = server.log().matches("call: close").count();
        let mut client = send(&server, &format!("use=read,close&{query}"));
        assert!(client.is_reset(), "{query}");
        server.wait_for_log(said);
        if code != 0 {
            server.wait_for_times("call: close", closes + 1);
            let last = calls(&server).pop();
            let close = format!("close {code}: 200, 2 sent, 0 received");
            assert_eq!(last, Some(close), "{query}");
        }
        assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
        let still = server.log().matches("call: close").count();
        assert_eq!(still, closes + usize::from(code != 0), "{query}");
    }
    let url = server.url("/calls?use=read&read=ab,trap");
    let cut = try_curl(&["--http2-prior-knowledge", &url]);
    assert!(
        !cut.status.success() && b"ab".starts_with(&cut.stdout),
        "{cut:?}"
    );
}

#[test]
fn a_plugin_that_waits_for_what_is_ready_does_not_hold_up_others() {
    let tree = Tree::new();
    let server = serve(&tree, &["--timeout=2"]);
    // More of them than there are worker threads.
    let spinning: Vec<Client> = (0..4)
        .map(|number| match number % 2 {
            0 => send(&server, "use=read,close&read=spin"),
            _ => send(&server, "use=close&send=spin"),
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    }
    drop(spinning);
}

#[test]
fn what_needs_an_own_reply_is_ignored_without_one() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let response = Client::get(&server, "/calls?reply=0&use=read,write,close&read=ab");
    assert_eq!(response.status, 404);
    server.wait_for_log("the body is ignored: `read` needs a reply of its own");
    server.wait_for_log("`write` is not called: it needs a reply of its own");
    assert_eq!(closed(&server).len(), 2);
}

// ---- write ----

#[test]
fn a_body_is_written_in_pieces_and_its_end_once() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let body = pattern(300_000);
    let response = Client::put(&server, "/calls?use=write,close&write=timer", "", &body);
    assert_eq!(
        (response.status, response.field("x-written")),
        (200, Some("300000"))
    );
    let calls = closed(&server);
    let sizes: Vec<usize> = calls
        .iter()
        .filter_map(|call| call.strip_prefix("write ")?.parse().ok())
        .collect();
    let (end, pieces) = sizes.split_last().expect("was written");
    assert_eq!((*end, pieces.iter().sum::<usize>()), (0, 300_000));
    assert!(
        pieces.iter().all(|size| (1..=64 << 10).contains(size)),
        "{pieces:?}"
    );
    assert_eq!(
        calls.last().map(String::as_str),
        Some("close 1: 200, 0 sent, 300000 received")
    );
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n";
    let response = Client::ask(&server, "POST", "/calls?use=write", chunked);
    assert_eq!(response.field("x-written"), Some("3"));
    let empty = Client::ask(&server, "GET", "/calls?use=write", "");
    assert_eq!(empty.field("x-written"), Some("0"));
}

#[test]
fn a_client_is_told_to_go_on_when_its_first_bytes_are_wanted() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let head = "PUT /calls?use=write HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    let mut client = Client::connect(&server);
    client.send(head);
    assert_eq!(client.read_head().status, 100);
    client.send("abc");
    assert_eq!(client.read_response("PUT").field("x-written"), Some("3"));
    // A plugin that wants none of it answers at once.
    let mut client = Client::connect(&server);
    client.send(&head.replace("use=write", "use=write&reply=403"));
    assert_eq!(client.read_head().status, 403);
}

#[test]
fn the_next_bytes_are_taken_when_the_plugin_is_ready() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = Client::connect(&server);
    client.send("PUT /calls?use=write,close&write=wait HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc");
    server.wait_for_log("write 3");
    client.send("def");
    for _ in 0..20 {
        Client::get(&server, "/hello.txt");
    }
    assert_eq!(calls(&server), ["on-request", "write 3"]);
    let id = request_of(&server, "call: write 3");
    assert_eq!(
        Client::get(&server, &format!("/calls?wake={id}")).text(),
        "true"
    );
    server.wait_for_times("write 3", 2);
    assert_eq!(
        Client::get(&server, &format!("/calls?wake={id}")).text(),
        "true"
    );
    assert_eq!(client.read_response("PUT").field("x-written"), Some("6"));
}

#[test]
fn a_plugin_refuses_the_rest_of_a_body() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = Client::connect(&server);
    client.send("PUT /calls?use=write,close&write=refuse HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc");
    // Though the client has not sent all.
    let refused = client.read_response("PUT");
    assert_eq!((refused.status, refused.text()), (418, "no more"));
    client.send("def");
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
    let expected = ["on-request", "write 3", "close 1: 418, 7 sent, 3 received"];
    assert_eq!(closed(&server), expected);
}

#[test]
fn a_body_that_was_begun_is_not_passed_on() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let response = Client::put(&server, "/calls?use=write&write=pass", "", b"abc");
    assert_eq!(
        (response.status, response.field("x-zero")),
        (200, Some("false"))
    );
    server.wait_for_log("set-reply refused: 0 comes too late");
}

#[test]
fn a_client_that_breaks_off_ends_the_writes() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = Client::connect(&server);
    client
        .send("PUT /calls?use=write,close HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc");
    server.wait_for_log("write 3");
    drop(client);
    let calls = closed(&server);
    assert_eq!(calls[..2], ["on-request", "write 3"]);
    assert!(calls[2].starts_with("close -43: "), "{calls:?}");
}

#[test]
fn a_body_that_a_plugin_takes_has_at_most_maxs_bytes() {
    let tree = Tree::new();
    let server = serve(&tree, &["--maxs=5"]);
    let taken = Client::put(&server, "/calls?use=write", "", b"abcde");
    assert_eq!(taken.status, 200);
    let refused = Client::put(&server, "/calls?use=write,close", "", b"abcdef");
    assert_eq!(refused.status, 413);
    let chunked = "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n";
    let refused = Client::ask(&server, "POST", "/calls?use=write", chunked);
    assert_eq!(refused.status, 413);
    // The plugin has seen neither an end nor what is too much.
    assert!(!calls(&server).contains(&"write 6".to_owned()));
    let unlimited = serve(&tree, &["--maxs=0"]);
    let taken = Client::put(&unlimited, "/calls?use=write", "", b"abcdef");
    assert_eq!(taken.field("x-written"), Some("6"));
}

#[test]
fn a_body_is_written_before_the_response_is_read() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let response = Client::put(&server, "/calls?use=write,read,close&read=ab", "", b"xyz");
    assert_eq!(
        (response.text(), response.field("x-written")),
        ("ab", Some("3"))
    );
    let expected = [
        "on-request",
        "write 3",
        "write 0",
        "read",
        "read",
        "close 1: 200, 2 sent, 3 received",
    ];
    assert_eq!(closed(&server), expected);
}

#[test]
fn a_body_is_written_before_send_too() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let response = Client::put(&server, "/calls?use=write,close&send=no", "", b"xyz");
    assert_eq!(response.field("x-written"), Some("3"));
    assert_eq!(response.field("x-resumed"), Some("yes"));
    let expected = [
        "on-request",
        "write 3",
        "write 0",
        "resume",
        "close 1: 200, 0 sent, 3 received",
    ];
    assert_eq!(closed(&server), expected);
}

#[test]
fn a_body_that_nobody_wants_is_read_away() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = Client::connect(&server);
    client.send("PUT /calls?body=mine HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n");
    assert_eq!(client.read_response("PUT").text(), "mine");
    client.send("abcdefGET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
}

#[test]
fn a_fault_in_write_costs_its_own_request_only() {
    let tree = Tree::new();
    let server = serve(&tree, &["--plugin_timeout=300", "--timeout=1"]);
    for (what, status, said) in [
        ("trap", 500, "told to"),
        ("hang", 500, "`write` took longer than 300 ms"),
        ("wait", 500, "`write` brought nothing within 1 s"),
    ] {
        let target = format!("/calls?use=write,close&write={what}");
        assert_eq!(Client::put(&server, &target, "", b"abc").status, status);
        server.wait_for_log(said);
    }
    assert_eq!(
        closed(&server).pop().as_deref(),
        Some("close 1: 500, 57 sent, 3 received")
    );
}

// ---- throttle ----

#[test]
fn a_file_of_the_server_goes_as_its_plugin_says() {
    let tree = Tree::new();
    let file = pattern(150_000);
    tree.write("www/calls", &file);
    let server = serve(&tree, &[]);
    let response = Client::get(&server, "/calls?reply=0&use=throttle,close&throttle=1000");
    assert_eq!(response.body, file);
    let expected = [
        "on-request",
        "throttle 0/150000",
        "throttle 65536/150000",
        "throttle 131072/150000",
        "close 1: 200, 150000 sent, 0 received",
    ];
    assert_eq!(closed(&server), expected);
    let given = serve(&tree, &["--block_size=100000"]);
    let part = Client::ask(
        &given,
        "GET",
        "/calls?reply=0&use=throttle,close",
        "Range: bytes=10-120009\r\n",
    );
    assert_eq!(part.body, file[10..120_010]);
    assert_eq!(
        closed(&given)[1..3],
        ["throttle 0/120000", "throttle 100000/120000"]
    );
    let h2 = curl(&[
        "--http2-prior-knowledge",
        &given.url("/calls?reply=0&use=throttle"),
    ]);
    assert_eq!(h2.len(), String::from_utf8_lossy(&file).len());
}

#[test]
fn all_bodies_with_bytes_are_throttled_and_no_others() {
    for (method, query, throttled) in [
        ("GET", "body=text", &["throttle 0/4"][..]),
        (
            "GET",
            "use=read,throttle,close&length=4&read=ab,cd",
            &["throttle 0/4", "throttle 2/4"],
        ),
        (
            "GET",
            "use=read,throttle,close&read=ab,cd",
            &["throttle 0/0", "throttle 2/0"],
        ),
        ("GET", "body=", &[]),
        ("GET", "reply=204&body=text", &[]),
        ("HEAD", "body=text", &[]),
    ] {
        let (_, calls) = ask(method, &format!("use=throttle,close&{query}"));
        let called: Vec<&str> = calls
            .iter()
            .map(String::as_str)
            .filter(|call| call.starts_with("throttle"))
            .collect();
        assert_eq!(called, throttled, "{method} {query}");
    }
}

#[test]
fn a_throttle_that_fails_cuts_the_body() {
    let tree = Tree::new();
    let server = serve(&tree, &["--plugin_timeout=300", "--timeout=1"]);
    for (what, said) in [
        ("1000001", "`throttle` asks for 1000001 µs, more than 1 s"),
        ("trap", "told to"),
        ("hang", "`throttle` took longer than 300 ms"),
    ] {
        let mut client = send(
            &server,
            &format!("use=throttle,close&body=text&throttle={what}"),
        );
        assert!(client.is_reset(), "{what}");
        server.wait_for_log(said);
        assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    }
    // The first alone was still sound.
    let closes: Vec<String> = closed(&server);
    let closes: Vec<&String> = closes
        .iter()
        .filter(|call| call.starts_with("close"))
        .collect();
    assert_eq!(closes, ["close -8: 200, 0 sent, 0 received"]);
}

// ---- chain ----

#[test]
fn of_a_chain_the_largest_throttle_counts_and_the_last_is_closed_first() {
    let (a, b) = (guest("calls") + "?name=a", guest("calls") + "?name=b");
    let server = Server::start(["--plugin", &a, "--plugin", &b, "--timeout=1"]);
    // Passed on by the first.
    let target = "/calls?use=throttle,close&body=text";
    let response = Client::get(&server, &(target.to_owned() + "&only=b&throttle=20000"));
    assert_eq!(response.text(), "text");
    server.wait_for_times("call: close", 2);
    let log = server.log();
    let order: Vec<String> = log
        .lines()
        .filter_map(|line| {
            let (call, plugin) = line.split_once("call: ")?.1.split_once(". plugin=\"")?;
            let call = call.split(' ').next()?;
            Some(format!("{call} {}", plugin.split('"').next()?))
        })
        .collect();
    assert_eq!(
        order,
        [
            "on-request calls",
            "on-request calls-2",
            "throttle calls",
            "throttle calls-2",
            "close calls-2",
            "close calls"
        ]
    );
}

// ---- send later ----

/// The number of the request that a log line is about.
fn request_of(server: &Server, text: &str) -> u64 {
    let log = server.log();
    let line = log.lines().find(|line| line.contains(text));
    let number = line.and_then(|line| line.rsplit_once("request=")?.1.trim().parse().ok());
    number.unwrap_or_else(|| panic!("no {text:?} in {log}"))
}

#[test]
fn a_request_that_waits_is_woken_by_another() {
    let tree = Tree::new();
    for (query, begun) in [
        ("send=wait", "the reply comes later"),
        ("use=read&read=~,ab", "call: read"),
        // While it runs: the call is kept for its next wait.
        ("send=wait&on=id,sleep", "call: on-request"),
    ] {
        let server = serve(&tree, &["--log=debug"]);
        let mut client = send(&server, query);
        server.wait_for_log(begun);
        // It may be a moment until it waits.
        let wake = || Client::get(&server, "/calls?wake=1").text().to_owned();
        let woken = (0..1000).any(|_| wake() == "true");
        assert!(woken, "{query}");
        let response = client.read_response("GET");
        match query.contains("read") {
            true => assert_eq!(response.text(), "ab"),
            false => assert_eq!(response.field("x-resumed"), Some("yes")),
        }
        // Its answer may be there a moment before its end.
        let over = (0..1000).any(|_| wake() == "false");
        assert!(over, "{query}");
    }
}

#[test]
fn a_request_that_never_replies_is_answered_504_and_told() {
    let tree = Tree::new();
    let server = serve(&tree, &["--timeout=1"]);
    for what in ["never", "spin"] {
        let response = Client::get(&server, &format!("/calls?use=close&send={what}"));
        let said = "504 Gateway Timeout: a plugin of the server did not answer in time\n";
        assert_eq!((response.status, response.text()), (504, said));
    }
    server.wait_for_times("call: close 1: 504, ", 2);
}

// ---- the client leaves ----

#[test]
fn a_client_that_leaves_is_told_once_whatever_runs() {
    let tree = Tree::new();
    tree.write("www/calls", &pattern(200_000));
    for (query, during, ends) in [
        ("on=sleep", "on-request", "slept"),
        ("send=wait", "on-request", "on-request"),
        ("use=read,close&read=sleep", "read", "slept"),
        ("use=read,close&read=~", "read", "read"),
        (
            "use=throttle,close&body=text&throttle=29000000",
            "throttle",
            "throttle 0/4",
        ),
        (
            "use=throttle,close&body=text&throttle=sleep",
            "throttle",
            "slept",
        ),
    ] {
        // Asked for before anything else is done.
        let server = serve(&tree, &[]);
        let client = send(&server, &format!("use=close&{query}"));
        server.wait_for_log(&format!("call: {during}"));
        drop(client);
        let calls = closed(&server);
        let [.., last, close] = &calls[..] else {
            panic!("{query}: {calls:?}");
        };
        assert_eq!(last, ends, "{query}");
        assert!(close.starts_with("close -43: "), "{query}: {close}");
        // Nothing comes behind it.
        Client::get(&server, "/hello.txt");
        assert_eq!(self::calls(&server), calls, "{query}");
    }
}

#[test]
fn a_client_that_leaves_while_its_body_is_written_is_told_once() {
    let tree = Tree::new();
    for (method, what, ends) in [
        ("PUT", "sleep", "slept"),
        ("GET", "sleep", "slept"),
        ("PUT", "pause", "write 3"),
        ("GET", "pause", "write 3"),
    ] {
        let server = serve(&tree, &[]);
        let mut client = Client::connect(&server);
        client.send(&format!(
            "{method} /calls?use=write,close&write={what} HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc"
        ));
        server.wait_for_log("call: write 3");
        drop(client);
        let calls = closed(&server);
        let [.., last, close] = &calls[..] else {
            panic!("{method} {what}: {calls:?}");
        };
        assert_eq!(last, ends, "{method} {what}");
        assert!(close.starts_with("close -43: "), "{method} {what}: {close}");
    }
}

#[test]
fn an_empty_answer_to_a_client_that_has_left_is_not_sent_whole() {
    let tree = Tree::new();
    for method in ["PUT", "GET"] {
        let server = serve(&tree, &[]);
        let mut client = Client::connect(&server);
        client.send(&format!(
            "{method} /calls?use=close&on=sleep HTTP/1.1\r\nHost: test\r\n\r\n"
        ));
        server.wait_for_log("call: on-request");
        drop(client);
        let calls = closed(&server);
        let close = calls.last().expect("has just been waited for");
        assert!(close.starts_with("close -43: "), "{method}: {close}");
    }
}

#[test]
fn a_large_text_that_the_client_does_not_take_is_not_sent_whole() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let target = "/calls?use=close&bytes=16000000";
    let mut client = Client::connect(&server);
    client.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
    client.read_head();
    drop(client);
    server.wait_for_log("call: close -43: 200, ");
    let whole = Client::get(&server, target);
    assert_eq!(whole.body.len(), 16_000_000);
    server.wait_for_log("call: close 1: 200, 16000000 sent");
}

#[test]
fn an_exchange_that_is_given_up_is_answered_500_at_once() {
    let server = Server::start(["--plugin", &guest("dropped")]);
    for target in ["/", "/write"] {
        assert_eq!(Client::put(&server, target, "", b"abc").status, 500);
    }
    server.wait_for_times("the exchange was dropped without `send`", 2);
    server.wait_for_times("call: close 1.", 2);
}

#[test]
fn a_client_that_leaves_http_2_is_told_once() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = Http2::connect(&server);
    for (number, query) in ["on=sleep", "read=sleep", "read=~"].iter().enumerate() {
        let before = server.log().matches("call: read").count();
        let stream = client.ask("GET", &format!("/calls?use=read,close&{query}"));
        match number {
            0 => drop(server.wait_for_log("call: on-request")),
            _ => drop(server.wait_for_times("call: read", before + 1)),
        }
        client.reset(stream);
        server.wait_for_times("call: close -43: ", number + 1);
    }
    assert_eq!(server.log().matches("call: close").count(), 3);
}

#[test]
fn a_plugin_is_told_of_a_request_that_a_stop_has_cut() {
    let tree = Tree::new();
    let mut server = serve(&tree, &[]);
    let _waits = send(&server, "use=close&send=wait");
    let mut client = Http2::connect(&server);
    client.ask("GET", "/calls?use=close&send=wait");
    server.wait_for_times("call: on-request", 2);
    server.signal("TERM");
    server.wait_for_times("call: close -43: ", 2);
    assert!(server.wait().success());
}

// ---- many ----

#[test]
fn a_thousand_slow_responses_leave_room_for_others() {
    const MANY: usize = 1000;
    let tree = Tree::new();
    let server = serve(&tree, &["--plugin_instances=1100", "--plugin_log=100M"]);
    let before = resident(&server);
    // 100 streams on each connection.
    let mut clients: Vec<Http2> = (0..MANY / 100).map(|_| Http2::connect(&server)).collect();
    for client in &mut clients {
        for _ in 0..100 {
            client.ask("GET", "/calls?use=read,close&read=ab,~,cd");
        }
    }
    // Each has given a block and waits for the next.
    server.wait_for_times("call: read", 2 * MANY);
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    let grown = resident(&server) - before;
    assert!(grown < MANY << 19, "{grown} bytes for {MANY} responses");
    assert!(!server.log().contains("call: close"));
    drop(clients);
    server.wait_for_times("call: close -43: ", MANY);
}

/// The memory of the process that is in use, in bytes.
fn resident(server: &Server) -> usize {
    let mut status = String::new();
    std::fs::File::open(format!("/proc/{}/status", server.id()))
        .and_then(|mut file| file.read_to_string(&mut status))
        .expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kibibytes.map(|count: usize| count << 10).expect("is told")
}

// ---- the samples ----

#[test]
fn the_sample_upload_answers_with_what_came() {
    let server = Server::start(["--plugin", &(guest("upload") + "?limit=5&rate=1000")]);
    let answer = Client::put(&server, "/a", "", b"abc");
    assert_eq!(
        answer.text(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3 bytes\n"
    );
    let long = Client::put(&server, "/a", "", b"abcdef");
    assert_eq!(
        (long.status, long.text()),
        (413, "at most 5 bytes are taken here\n")
    );
    let chunked = "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n";
    assert_eq!(Client::ask(&server, "POST", "/a", chunked).status, 413);
}

#[test]
fn the_sample_generate_makes_its_body_while_it_is_sent() {
    let plugin = guest("generate") + "?path=/bytes&size=200000&rate=10000000&pattern=lines";
    let server = Server::start(["--plugin", &plugin]);
    let body = Client::get(&server, "/bytes");
    assert_eq!(body.field("content-length"), Some("200000"));
    let line = |number: usize| format!("{:015}\n", number * 16);
    let expected: String = (0..200_000 / 16).map(line).collect();
    assert_eq!(body.text(), expected);
    assert_eq!(Client::get(&server, "/else").status, 404);
}

#[test]
fn the_sample_later_answers_when_it_is_time() {
    let server = Server::start(["--plugin", &guest("later")]);
    assert_eq!(
        Client::get(&server, "/later/timer/10").text(),
        "it is time\n"
    );
    let mut client = Client::connect(&server);
    client.send("GET /later/wait HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_log("waits for /later/wake/2");
    assert_eq!(
        Client::get(&server, "/later/wake/2").text(),
        "it is awake\n"
    );
    assert_eq!(client.read_response("GET").text(), "somebody came\n");
    assert_eq!(Client::get(&server, "/later/wake/2").status, 404);
}
