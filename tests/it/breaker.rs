//! A plugin that fails again and again.

use std::fs;

use crate::support::{Client, Response, Server, Tree, guest};

/// Faults in a row that begin a rest.
const FAULTS: usize = 10;

const RESTS: &str = "has failed again and again: for 1 s ";

fn start(tree: &Tree, more: &[&str]) -> Server {
    let mut arguments = vec![tree.text("www"), "--log=debug".to_owned()];
    arguments.extend(["--plugin".to_owned(), guest("counter") + "?close=panic"]);
    arguments.extend(more.iter().map(|&text| text.to_owned()));
    Server::start(arguments)
}

fn panics(server: &Server, times: usize) {
    for _ in 0..times {
        assert_eq!(Client::get(server, "/counter/panic").status, 500);
    }
}

/// Asks until the plugin does.
fn ask_until(server: &Server, target: &str, status: u16) -> Response {
    loop {
        let response = Client::get(server, target);
        if response.status == status {
            return response;
        }
        assert_eq!(response.status, 503);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_plugin_that_keeps_failing_is_left_alone_for_a_while() {
    let tree = Tree::new();
    let server = start(&tree, &[]);
    panics(&server, FAULTS);
    let log = server.wait_for_log(RESTS);
    assert!(
        log.contains("requests are answered 503, then one tries it"),
        "{log}"
    );
    let refused = Client::get(&server, "/hello.txt");
    assert_eq!(
        (refused.status, refused.field("retry-after")),
        (503, Some("1"))
    );
    assert!(refused.text().contains("a plugin of the server failed"));
    // The one that tries it fails.
    ask_until(&server, "/counter/panic", 500);
    server.wait_for_log("still fails: for 2 s requests are answered 503");
    // The next one does not.
    assert_eq!(ask_until(&server, "/counter/count", 200).text(), "1");
    server.wait_for_log("works again: requests are given to it");
    panics(&server, FAULTS - 1);
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
    // As many lines as faults: what is refused fills no log.
    let log = server.wait_for_times("WARN plugin: trap", 2 * FAULTS);
    assert_eq!(log.matches("WARN plugin: trap").count(), 2 * FAULTS);
}

#[test]
fn a_success_between_faults_keeps_the_plugin_at_work() {
    let tree = Tree::new();
    let server = start(&tree, &[]);
    for _ in 0..3 {
        panics(&server, FAULTS - 1);
        assert_eq!(Client::get(&server, "/counter/count").status, 200);
    }
    assert!(!server.log().contains(RESTS));
}

#[test]
fn with_plugin_fail_open_requests_go_on_without_the_plugin() {
    let tree = Tree::new();
    let server = start(&tree, &["--plugin_fail=open"]);
    // One fault is that request's, here as well.
    panics(&server, FAULTS);
    let log = server.wait_for_log(RESTS);
    assert!(log.contains("requests go on without it"), "{log}");
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    ask_until_open(&server);
}

/// Asks until the plugin is at work: without it the server knows no such file.
fn ask_until_open(server: &Server) {
    loop {
        let response = Client::get(server, "/counter/count");
        match response.status {
            200 => return assert_eq!(response.text(), "1"),
            status => assert_eq!(status, 404),
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn faults_in_close_count_too() {
    let tree = Tree::new();
    let server = start(&tree, &[]);
    for times in 1..=FAULTS {
        assert_eq!(Client::get(&server, "/counter/close").status, 200);
        server.wait_for_times("this guest panics in close", times);
    }
    server.wait_for_log(RESTS);
    assert_eq!(Client::get(&server, "/hello.txt").status, 503);
}

#[test]
fn one_plugin_rests_and_the_others_work() {
    let tree = Tree::new();
    let headers = guest("headers") + "?x-gpac=foo";
    let server = start(&tree, &["--plugin_fail=open", "--plugin", &headers]);
    panics(&server, FAULTS);
    server.wait_for_log(RESTS);
    let response = Client::get(&server, "/hello.txt");
    assert_eq!(
        (response.status, response.field("x-gpac")),
        (200, Some("foo"))
    );
}

#[test]
fn a_plugin_that_is_loaded_anew_begins_anew() {
    let tree = Tree::new();
    fs::copy(guest("faulty"), tree.path("plugin.wasm")).expect("there is room");
    let server = Server::start([&tree.text("www"), "--plugin", &tree.text("plugin.wasm")]);
    for _ in 0..FAULTS {
        assert_eq!(Client::get(&server, "/faulty/panic").status, 500);
    }
    server.wait_for_log(RESTS);
    server.signal("HUP");
    server.wait_for_log("is loaded anew");
    assert_eq!(Client::get(&server, "/hello.txt").status, 200);
}

#[test]
fn a_client_that_uploads_slowly_keeps_no_plugin_at_rest() {
    let tree = Tree::new();
    let server = Server::start([&tree.text("www"), "--plugin", &guest("calls")]);
    for _ in 0..FAULTS {
        assert_eq!(Client::get(&server, "/calls?on=trap").status, 500);
    }
    // The one that tries the plugin brings no byte of its body.
    let slow = loop {
        let mut client = Client::connect(&server);
        client.send("PUT /calls?use=write HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
        match client.read_head().status {
            100 => break client,
            status => assert_eq!(status, 503),
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
    drop(slow);
}

#[test]
fn a_client_that_leaves_is_no_fault() {
    let tree = Tree::new();
    let server = start(&tree, &[]);
    for times in 1..=FAULTS + 1 {
        let mut client = Client::connect(&server);
        client.send("GET /counter/wait HTTP/1.1\r\nHost: test\r\n\r\n");
        server.wait_for_times("the reply comes later", times);
    }
    assert_eq!(Client::get(&server, "/counter/count").text(), "1");
    assert!(!server.log().contains(RESTS));
}

#[test]
fn a_request_waits_for_a_free_instance_and_is_refused_in_the_end() {
    let tree = Tree::new();
    let server = start(&tree, &["--plugin_instances=2", "--plugin_wait=60000"]);
    let busy = || {
        let mut client = Client::connect(&server);
        client.send("GET /counter/wait HTTP/1.1\r\nHost: test\r\n\r\n");
        client
    };
    let both = [busy(), busy()];
    server.wait_for_times("the reply comes later", 2);
    let mut waiting = Client::connect(&server);
    waiting.send("GET /counter/count HTTP/1.1\r\nHost: test\r\n\r\n");
    // One leaves, and its instance is free.
    drop(both);
    assert_eq!(waiting.read_response("GET").text(), "1");

    let server = start(&tree, &["--plugin_instances=1", "--plugin_wait=1"]);
    let mut busy = Client::connect(&server);
    busy.send("GET /counter/wait HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_log("the reply comes later");
    // However often: a full pool is no fault of the plugin.
    for _ in 0..=FAULTS {
        let refused = Client::get(&server, "/counter/count");
        assert_eq!(
            (refused.status, refused.field("retry-after")),
            (503, Some("1"))
        );
        let said = "503 Service Unavailable: too many requests are being worked on\n";
        assert_eq!(refused.text(), said);
    }
    server.wait_for_times("no free instance within 1 ms", FAULTS + 1);
    // Plugins are loaded all the same.
    server.signal("HUP");
    server.wait_for_log("is loaded anew");
    drop(busy);
    assert_eq!(ask_until(&server, "/counter/count", 200).text(), "1");
}
