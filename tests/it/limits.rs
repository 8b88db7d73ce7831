//! What plugins may spend, each with an option: a fault costs its own request, and the log says what it was.

use crate::support::server::run;
use crate::support::{Client, Server, Tree, guest};

/// A server with the plugin `faulty`, which has time unless a test says otherwise: the machine may be busy.
fn serve(tree: &Tree, arguments: &[&str]) -> Server {
    let (www, plugin) = (tree.text("www"), guest("faulty"));
    let first = [&www[..], "--plugin_timeout=60000", "--plugin", &plugin];
    Server::start(first.iter().chain(arguments))
}

/// Asks for a fault, then on the same connection for a file.
fn suffer(server: &Server, fault: &str) -> (u16, String) {
    let mut client = Client::connect(server);
    client.send(&format!(
        "GET /faulty/{fault} HTTP/1.1\r\nHost: test\r\n\r\n"
    ));
    let response = client.read_response("GET");
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n", "{fault}");
    (response.status, response.text().to_owned())
}

#[test]
fn what_a_guest_takes_too_much_of_costs_its_own_request() {
    let tree = Tree::new();
    let server = serve(&tree, &["--plugin_memory=48M"]);
    for (fault, said) in [
        ("handles", "(option `plugin_handles`)"),
        ("string", "(option `plugin_body`)"),
        ("stack", "faulty::deep"),
        ("memory", "memory allocation of"),
        ("random", "exceeds limit 1048576"),
    ] {
        assert_eq!(suffer(&server, fault).0, 500, "{fault}");
        let log = server.wait_for_log(said);
        assert!(log.contains("plugin=\"faulty\""), "{log}");
    }
    assert_eq!(
        suffer(&server, "churn"),
        (200, "dropped in time".to_owned())
    );
}

#[test]
fn a_guest_that_waits_in_the_server_is_ended_in_time() {
    let tree = Tree::new();
    let server = serve(&tree, &["--plugin_timeout=500"]);
    assert_eq!(suffer(&server, "poll").0, 500);
    server.wait_for_log("`on-request` took longer than 500 ms");
}

#[test]
fn long_strings_are_refused_where_they_do_not_belong() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let (status, said) = suffer(&server, "strings");
    assert_eq!((status, &*said), (200, "false false false None None None"));
    let log = server.wait_for_log("set-body-file refused");
    let longest = log.lines().map(str::len).max().expect("there is a line");
    assert!(longest < 10_000, "{longest}");
}

#[test]
fn a_line_of_the_log_is_as_long_as_it_is_written() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    for fault in ["controls", "reason"] {
        suffer(&server, fault);
    }
    let log = server.wait_for_times(" …", 2);
    assert!(log.contains("WARN plugin: because because "), "{log}");
    let longest = log.lines().map(str::len).max().expect("there is a line");
    assert!((8000..10_000).contains(&longest), "{longest}");
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let tree = Tree::new();
    let server = serve(&tree, &["--plugin_body=1M"]);
    assert_eq!(suffer(&server, "body"), (200, "taken=false".to_owned()));
    server.wait_for_log("1100000 bytes are more than 1000000 (option `plugin_body`)");
    let server = serve(&tree, &["--plugin_body=1100000"]);
    assert_eq!(suffer(&server, "body"), (200, "taken=true".to_owned()));
}

#[test]
fn attributes_are_bounded_and_can_be_set_again() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let expected = "1000 Some(\"again\")".to_owned();
    assert_eq!(suffer(&server, "attributes"), (200, expected));
    server.wait_for_log("set-attribute refused: more than 1000 attributes");
}

#[test]
fn fields_are_bounded_by_number_and_size() {
    let tree = Tree::new();
    let (www, probe) = (tree.text("www"), guest("probe"));
    for (option, taken) in [
        ("--plugin_fields=100", "100 fields"),
        ("--plugin_fields=7", "7 fields"),
        // Names of 3 and 4 bytes, values of 1.
        ("--plugin_fields_size=50", "12 fields"),
    ] {
        let server = Server::start([&www, "--plugin", &probe, option]);
        let response = Client::get(&server, "/probe/flood");
        // The type did not fit any more, where the limit was reached before.
        assert_eq!(response.text(), taken, "{option}");
    }
}

#[test]
fn a_flood_of_log_lines_is_cut_and_counted() {
    let tree = Tree::new();
    let server = serve(&tree, &["--plugin_log=1000"]);
    suffer(&server, "flood");
    server
        .wait_for_log("more than 1000 bytes in a second: lines are dropped (option `plugin_log`)");
    // Whoever writes later is told how many there were.
    loop {
        suffer(&server, "flood");
        if server
            .log()
            .contains(" lines were dropped (option `plugin_log`)")
        {
            break;
        }
    }
    let lines = server.log().matches("flood ").count();
    assert!(lines < 1000, "{lines}");
}

#[test]
fn a_trap_in_the_constructor_costs_its_request() {
    let tree = Tree::new();
    let (www, plugin) = (tree.text("www"), guest("faulty") + "?constructor=panic");
    let server = Server::start([&www, "--plugin", &plugin]);
    for _ in 0..3 {
        assert_eq!(Client::get(&server, "/hello.txt").status, 500);
    }
    let log = server.wait_for_times("told to panic in the constructor", 3);
    assert!(log.contains("[constructor]request"), "{log}");
}

#[test]
fn a_fault_in_init_refuses_the_plugin() {
    for (fault, limit, said) in [
        ("panic", 60_000, "told to panic"),
        ("loop", 200, "`init` took longer than 200 ms"),
        ("error", 60_000, "told to fail"),
    ] {
        let limit = format!("--plugin_timeout={limit}");
        let plugin = format!("{}?init={fault}", guest("faulty"));
        let output = run(["--port=0", &limit, "--plugin", &plugin]);
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), log.lines().count()),
            (Some(2), 1),
            "{log}"
        );
        assert!(log.contains(said), "{log}");
    }
}

#[test]
fn what_needs_more_than_it_may_have_is_refused_at_start() {
    for (option, smallest) in [("plugin_table", "1"), ("plugin_memory", "65536")] {
        let limit = format!("--{option}={smallest}");
        let output = run(["--port=0", &limit, "--plugin", &guest("faulty")]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(2), 1),
            "{said}"
        );
        assert!(said.contains(&format!("`{option}`")), "{said}");
    }
}

#[test]
fn the_stack_is_as_large_as_the_option_says() {
    let tree = Tree::new();
    let depth = |stack: &str| {
        let server = serve(&tree, &[stack]);
        let (status, _) = suffer(&server, "stack");
        assert_eq!(status, 500, "{stack}");
        server.wait_for_log("faulty::deep");
    };
    for stack in ["--plugin_stack=65536", "--plugin_stack=8M"] {
        depth(stack);
    }
}

#[test]
fn limits_that_cannot_be_are_refused() {
    for (option, value) in [
        ("plugin_table", "0"),
        ("plugin_handles", "0"),
        ("plugin_stack", "0"),
        ("plugin_stack", "1000"),
        ("plugin_stack", "1G"),
        ("plugin_fields", "0"),
        ("plugin_fields_size", "0"),
        ("plugin_body", "0"),
        ("plugin_log", "0"),
        ("plugin_fetches", "0"),
        ("plugin_fetch_size", "0"),
        ("plugin_allow", "*"),
        ("plugin_allow", "ftp://example.org"),
    ] {
        let plugin = guest("faulty");
        let output = run([
            "--port=0",
            "--plugin",
            &plugin,
            &format!("--{option}={value}"),
        ]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(2), 1),
            "{said}"
        );
        assert!(said.contains(&format!("option `{option}`")), "{said}");
    }
}
