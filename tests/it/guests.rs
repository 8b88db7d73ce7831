//! Plugins: the contract of `wit/`, as guests meet it.

use crate::support::{Client, Response, Server, Tree, curl, guest};

/// A server with one plugin in front of the standard tree.
fn with_plugin(tree: &Tree, plugin: &str) -> Server {
    Server::start([&tree.text("www"), "--plugin", plugin])
}

fn probe(target: &str, fields: &str) -> Response {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    Client::ask(&server, "GET", target, fields)
}

#[test]
fn headers_are_added_to_whatever_the_server_answers() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &(guest("headers") + "?x-gpac=foo&x-b=a%26b"));
    for (target, status) in [("/hello.txt", 200), ("/missing.txt", 404), ("/sub/", 403)] {
        let response = Client::get(&server, target);
        assert_eq!(response.status, status);
        assert_eq!(response.field("x-gpac"), Some("foo"));
        assert_eq!(response.field("x-b"), Some("a&b"));
    }
    let same = Client::ask(&server, "GET", "/hello.txt", "If-None-Match: *\r\n");
    assert_eq!((same.status, same.field("x-gpac")), (304, Some("foo")));
    let part = Client::ask(&server, "GET", "/hello.txt", "Range: bytes=1-2\r\n");
    assert_eq!(
        (part.status, part.text(), part.field("x-gpac")),
        (206, "el", Some("foo"))
    );
}

#[test]
fn auth_decides_who_may_see_what() {
    let tree = Tree::new();
    tree.write("www/private/secret.txt", b"secret");
    let plugin = guest("auth")
        + "?path=/private/&user=alice&password=wonder%26land&user=bob&password=b:b&realm=demo";
    let server = with_plugin(&tree, &plugin);
    assert_eq!(curl(&[&server.url("/hello.txt")]), "hello\n");
    let anonymous = Client::get(&server, "/private/secret.txt");
    assert_eq!(anonymous.status, 401);
    assert_eq!(
        anonymous.field("www-authenticate"),
        Some("Basic realm=\"demo\", charset=\"UTF-8\"")
    );
    let code = |credentials: &str, target: &str| {
        let url = server.url(target);
        curl(&[
            "--path-as-is",
            "--user",
            credentials,
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            &url,
        ])
    };
    assert_eq!(code("alice:wonder&land", "/private/secret.txt"), "200");
    assert_eq!(code("bob:b:b", "/private/secret.txt"), "200");
    for wrong in ["alice:wonder", "alice:", "bob:wonder&land", "eve:x"] {
        assert_eq!(code(wrong, "/private/secret.txt"), "401", "{wrong}");
    }
    // What names the same file meets the same rule.
    for target in [
        "/private",
        "/sub/../private/secret.txt",
        "//private//secret.txt",
        "/%70rivate/secret.txt",
        "/private%2Fsecret.txt",
    ] {
        assert_eq!(Client::get(&server, target).status, 401, "{target}");
    }
    for field in ["Bearer x", "Basic", "Basic !!!!", "Basic YWxpY2U="] {
        let field = format!("Authorization: {field}\r\n");
        assert_eq!(
            Client::ask(&server, "GET", "/private/secret.txt", &field).status,
            401,
            "{field}"
        );
    }
}

#[test]
fn a_plugin_sees_the_request_as_it_came() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    let response = Client::ask(
        &server,
        "POST",
        "/./probe/f%61cts?a=%20b",
        "Content-Length: 3\r\n\r\nabc",
    );
    assert_eq!(
        response.text(),
        "method=\"POST\"\nurl=\"/./probe/f%61cts?a=%20b\"\npath=\"/probe/facts\"\nauth-code=200\nuser=None\n\
         scheme=\"http\"\nauthority=Some(\"test\")\nprotocol=\"HTTP/1.1\"\npeer=(\"127.0.0.1\", true)\n\
         local=\"127.0.0.1\"\nbody-length=Some(3)\nids=(true, true)\nstatus=0\n"
    );
    let h2 = curl(&["--http2-prior-knowledge", &server.url("/probe/facts")]);
    assert!(
        h2.contains("protocol=\"HTTP/2\"")
            && h2.contains(&format!("authority=Some(\"{}\")", server.address)),
        "{h2}"
    );
}

#[test]
fn fields_cross_in_order_with_duplicates_and_all_bytes() {
    let response = probe("/probe/headers", "X-A: 1\r\nx-b: 2\r\nX-A: 3\r\n");
    assert_eq!(response.text(), "host: test\nx-a: 1\nx-a: 3\nx-b: 2\n");
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    let out = curl(&[
        "--include",
        "--header",
        "X-In: \u{e9}",
        &server.url("/probe/latin1"),
    ]);
    // The two bytes of the UTF-8 field come back as two code points.
    assert!(out.ends_with("\u{c3}\u{a9}"), "{out}");
    let mut client = Client::connect(&server);
    client.send("GET /probe/latin1 HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(
        client.read_response("GET").field("x-latin1"),
        Some("caf\u{fffd}")
    );
}

#[test]
fn own_replies_have_their_status_body_and_length() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    let bytes = Client::get(&server, "/probe/bytes");
    assert_eq!(
        (bytes.status, bytes.body.as_slice()),
        (201, &[0, 255, 10][..])
    );
    let empty = Client::get(&server, "/probe/empty");
    assert_eq!((empty.status, empty.field("content-length")), (204, None));
    let head = Client::ask(&server, "HEAD", "/probe/bytes", "");
    assert_eq!(
        (head.status, head.field("content-length")),
        (201, Some("3"))
    );
}

#[test]
fn reply_0_may_serve_another_file() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    let response = Client::ask(&server, "GET", "/probe/file", "Range: bytes=1-3\r\n");
    assert_eq!((response.status, response.text()), (206, "ell"));
    assert_eq!(response.field("x-found"), Some("true"));
    assert_eq!(
        response.field("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let outside = Client::get(&server, "/probe/outside");
    assert_eq!(outside.text(), "found=false");
}

#[test]
fn send_may_come_later() {
    for target in ["/probe/later", "/probe/back-off"] {
        let response = probe(target, "");
        assert_eq!(
            (response.status, response.text()),
            (200, "resumed 3 times"),
            "{target}"
        );
    }
}

#[test]
fn setters_refuse_what_cannot_be() {
    let response = probe("/probe/setters", "");
    assert_eq!(response.status, 200);
    assert_eq!(
        response.text(),
        "status 99: false\nstatus 600: false\nstatus 418: true\nname: false\nline break: false\n\
         beyond latin1: false\nframing: false\nfield: true\nread: true\nwrite: true\nthrottle: true\n"
    );
    assert_eq!(response.field("x-mixed-case"), Some("fine"));
}

#[test]
fn a_second_send_and_what_comes_after_it_is_refused() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    assert_eq!(Client::get(&server, "/probe/twice").text(), "sent once");
    server.wait_for_log("first=true second=false late=false");
}

#[test]
fn close_is_called_once_with_how_it_ended() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    assert_eq!(
        Client::get(&server, "/probe/close").text(),
        "the end is logged"
    );
    let log = server.wait_for_log("closed with 1 (end of stream), status 200, 17 bytes");
    assert_eq!(log.matches("closed with").count(), 1, "{log}");
    let head = Client::ask(&server, "HEAD", "/probe/close", "");
    assert_eq!(head.status, 200);
    server.wait_for_log("closed with 1 (end of stream), status 200, 0 bytes");
}

#[test]
fn the_chain_passes_on_adds_up_and_stops_at_a_reply() {
    let tree = Tree::new();
    let headers = guest("headers");
    let server = Server::start([
        &tree.text("www"),
        &format!("--plugin={}", guest("probe")),
        &format!("--plugin={}", guest("probe")),
        &format!("--plugin={headers}?x-last=1"),
    ]);
    let passed = Client::get(&server, "/probe/attribute");
    assert_eq!(passed.status, 404);
    let seen: Vec<&str> = passed
        .fields
        .iter()
        .filter(|(name, _)| name == "x-attribute")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(seen, ["none", "set"]);
    assert_eq!(passed.field("x-last"), Some("1"));
    assert_eq!(Client::get(&server, "/probe/bytes").field("x-last"), None);
}

#[test]
fn every_request_has_an_instance_and_random_numbers_of_its_own() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    let mut numbers: Vec<String> = (0..20)
        .map(|_| Client::get(&server, "/probe/random").text().to_owned())
        .collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 20);
}

#[test]
fn a_plugin_reads_its_configuration_and_the_options() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &(guest("probe") + "?a=1&b=%3D&a=2"));
    assert_eq!(
        Client::get(&server, "/probe/config").text(),
        "[(\"a\", \"1\"), (\"b\", \"=\"), (\"a\", \"2\")]"
    );
    assert_eq!(
        Client::get(&server, "/probe/options").text(),
        "Some(\"0\") Some(\"0\") None None"
    );
}

#[test]
fn a_plugin_cannot_write_lines_that_look_like_the_servers() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    Client::get(&server, "/probe/log");
    let log = server.wait_for_log("two");
    assert!(log.contains("two\\nlines"), "{log}");
}

#[test]
fn a_plugin_may_write_to_its_standard_error_for_ever() {
    assert_eq!(probe("/probe/stderr", "").text(), "said a lot");
    // Also after `init` has: its handles do not survive, so that it runs in each instance then.
    let tree = Tree::new();
    let server = with_plugin(&tree, &(guest("probe") + "?init=print"));
    assert_eq!(Client::get(&server, "/probe/stderr").text(), "said a lot");
}

#[test]
fn a_body_that_does_not_fit_the_reply_is_named_in_the_log() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &guest("probe"));
    assert_eq!(Client::get(&server, "/probe/useless").status, 404);
    server.wait_for_log("the body is ignored: a text needs a reply of its own");
}

#[test]
fn a_plugin_alone_is_enough_to_serve() {
    let server = Server::start(["--plugin", &guest("probe")]);
    assert_eq!(Client::get(&server, "/probe/bytes").status, 201);
    assert_eq!(Client::get(&server, "/hello.txt").status, 404);
}

#[test]
fn a_fault_costs_its_own_request_only() {
    let tree = Tree::new();
    let server = Server::start([
        &tree.text("www"),
        "--plugin",
        &guest("faulty"),
        "--plugin_timeout=300",
        "--plugin_memory=16M",
        "--timeout=1",
    ]);
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
    for (target, status, said) in [
        ("/faulty/panic", 500, "this guest panics"),
        ("/faulty/loop", 500, "`on-request` took longer than 300 ms"),
        ("/faulty/memory", 500, "trap"),
        // The guest's function stands in the log by its name.
        ("/faulty/stack", 500, "faulty::deep"),
        ("/faulty/sleep", 500, "`on-request` took longer than 300 ms"),
        ("/faulty/never", 504, "no `send` within 1 s"),
    ] {
        // One connection: the fault must not cost it either.
        let mut client = Client::connect(&server);
        client.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        assert_eq!(client.read_response("GET").status, status, "{target}");
        client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(client.read_response("GET").text(), "hello\n", "{target}");
        server.wait_for_log(said);
    }
    assert_eq!(
        Client::get(&server, "/faulty/close").text(),
        "the fault comes at the end"
    );
    server.wait_for_log("this guest panics in close");
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
}

#[test]
fn a_guest_that_loops_does_not_hold_up_others() {
    let tree = Tree::new();
    let server = Server::start([
        &tree.text("www"),
        "--plugin",
        &guest("faulty"),
        "--plugin_timeout=60000",
    ]);
    // More of them than there are worker threads.
    let mut looping: Vec<Client> = (0..4).map(|_| Client::connect(&server)).collect();
    for client in &mut looping {
        client.send("GET /faulty/loop HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    for _ in 0..20 {
        assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    }
    // All of that happened while the others were looping.
    assert!(!server.log().contains("took longer"), "{}", server.log());
}

#[test]
fn a_path_that_a_plugin_gives_is_not_decoded_again() {
    let tree = Tree::new();
    tree.write("www/private/secret.txt", b"secret");
    let server = Server::start([
        &tree.text("www"),
        "--plugin",
        &(guest("auth") + "?path=/private/&user=a&password=b"),
        "--plugin",
        &(guest("probe") + "?file=self"),
    ]);
    let response = Client::get(&server, "/public/%252e%252e/private/secret.txt");
    assert_eq!(response.status, 404);
}

#[test]
fn a_plugin_cannot_read_what_others_are_told() {
    let tree = Tree::new();
    let server = with_plugin(&tree, &(guest("probe") + "?password=x"));
    let options = Client::get(&server, "/probe/options");
    assert_eq!(options.text(), "Some(\"0\") Some(\"0\") None None");
}

#[test]
fn a_plugin_adds_a_bounded_number_of_fields() {
    assert_eq!(probe("/probe/flood", "").text(), "100 fields");
}

#[test]
fn a_plugin_that_waits_is_told_when_the_client_leaves() {
    let tree = Tree::new();
    let server = Server::start([
        &tree.text("www"),
        "--plugin",
        &guest("probe"),
        "--log=debug",
    ]);
    let mut client = Client::connect(&server);
    client.send("GET /probe/wait HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_log("the reply comes later");
    drop(client);
    server.wait_for_log("closed with -43 (connection closed), status 0, 0 bytes");
}

#[test]
fn fields_of_earlier_plugins_stay_when_a_later_one_fails() {
    let tree = Tree::new();
    let server = Server::start([
        &tree.text("www"),
        "--plugin",
        &(guest("headers") + "?access-control-allow-origin=*&server=mine"),
        "--plugin",
        &guest("faulty"),
    ]);
    let failed = Client::get(&server, "/faulty/panic");
    assert_eq!(failed.status, 500);
    assert_eq!(failed.field("access-control-allow-origin"), Some("*"));
    assert_eq!(failed.field("server"), Some("mine"));
}

#[test]
fn what_init_says_is_one_line() {
    let plugin = guest("faulty") + "?init=forge";
    let output = crate::support::server::run(["--port=0", "--plugin", &plugin]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (output.status.code(), said.lines().count()),
        (Some(2), 1),
        "{said}"
    );
}
