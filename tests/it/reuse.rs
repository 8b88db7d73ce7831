//! Instances that answer further requests (option `plugin_reuse`).

use std::fs;

use crate::support::{Client, Response, Server, Tree, guest};

fn start(tree: &Tree, reuse: &str) -> Server {
    let plugin = guest("counter");
    let reuse = format!("--plugin_reuse={reuse}");
    Server::start([
        &tree.text("www"),
        "--plugin",
        &plugin,
        &reuse,
        "--log=debug",
    ])
}

/// One request after another on one connection.
fn ask(client: &mut Client, target: &str) -> Response {
    client.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
    client.read_response("GET")
}

/// What the instances had seen, for each of so many requests.
fn seen(server: &Server, target: &str, requests: usize) -> Vec<u32> {
    let mut client = Client::connect(server);
    let answers = (0..requests).map(|_| ask(&mut client, target));
    answers
        .map(|answer| answer.text().parse().expect("a number"))
        .collect()
}

#[test]
fn without_reuse_no_instance_remembers_anything() {
    let tree = Tree::new();
    let server = start(&tree, "0");
    assert_eq!(seen(&server, "/counter/count", 50), [1; 50]);
    assert_eq!(seen(&server, "/counter/close", 50), [1; 50]);
}

#[test]
fn an_instance_answers_further_requests_up_to_its_limit() {
    let tree = Tree::new();
    let server = start(&tree, "3");
    for target in ["/counter/count", "/counter/close"] {
        let seen = seen(&server, target, 1000);
        assert!(seen.iter().all(|seen| (1..=4).contains(seen)), "{seen:?}");
        // How many it answers is chosen by chance.
        let longest = |length: u32| seen.windows(2).any(|pair| pair == [length, 1]);
        for length in 2..=4 {
            assert!(longest(length), "none answered {length}: {seen:?}");
        }
    }
}

/// A server that has one instance at a time, and a client for which that has answered before.
fn with_one_instance(tree: &Tree) -> (Server, Client) {
    let server = Server::start([
        &tree.text("www"),
        "--plugin",
        &guest("counter"),
        "--plugin_reuse=1000",
        "--plugin_instances=1",
        "--plugin_wait=60000",
        "--log=debug",
    ]);
    let mut client = Client::connect(&server);
    while ask(&mut client, "/counter/count").text() == "1" {}
    (server, client)
}

#[test]
fn an_instance_that_failed_is_never_used_again() {
    let tree = Tree::new();
    let (_server, mut client) = with_one_instance(&tree);
    for _ in 0..5 {
        assert_eq!(ask(&mut client, "/counter/panic").status, 500);
        assert_eq!(ask(&mut client, "/counter/count").text(), "1");
    }
}

#[test]
fn an_instance_whose_client_left_is_not_used_again() {
    let tree = Tree::new();
    let (server, mut client) = with_one_instance(&tree);
    client.send("GET /counter/wait HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_log("the reply comes later");
    drop(client);
    assert_eq!(seen(&server, "/counter/count", 1), [1]);
}

#[test]
fn what_holds_on_to_its_request_is_not_used_again() {
    let tree = Tree::new();
    let server = start(&tree, "1000");
    assert_eq!(seen(&server, "/counter/leak", 20), [1; 20]);
    server.wait_for_times("an instance is not reused: it holds on to its request", 20);
}

#[test]
fn requests_at_the_same_time_have_an_instance_each() {
    let tree = Tree::new();
    let server = start(&tree, "1000");
    let mut clients: Vec<Client> = (0..8).map(|_| Client::connect(&server)).collect();
    for _ in 0..50 {
        for client in &mut clients {
            client.send("GET /counter/count HTTP/1.1\r\nHost: test\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.read_response("GET").status, 200);
        }
    }
    assert!(!server.log().contains("WARN"), "{}", server.log());
}

#[test]
fn an_idle_instance_makes_room_for_another_plugin() {
    let server = Server::start([
        "--plugin",
        &guest("counter"),
        "--plugin",
        &guest("probe"),
        "--plugin_reuse=1000",
        "--plugin_instances=2",
        "--plugin_wait=60000",
    ]);
    // Each request needs one of each plugin, one after the other.
    let mut clients: Vec<Client> = (0..4).map(|_| Client::connect(&server)).collect();
    for _ in 0..25 {
        for client in &mut clients {
            client.send("GET /probe/close HTTP/1.1\r\nHost: test\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.read_response("GET").status, 200);
        }
    }
}

#[test]
fn a_plugin_that_is_loaded_anew_has_new_instances() {
    let tree = Tree::new();
    fs::copy(guest("counter"), tree.path("plugin.wasm")).expect("there is room");
    let plugin = tree.text("plugin.wasm");
    let server = Server::start(["--plugin", &plugin, "--plugin_reuse=1000"]);
    let mut client = Client::connect(&server);
    while ask(&mut client, "/counter/count").text() == "1" {}
    server.signal("HUP");
    server.wait_for_log("is loaded anew");
    assert_eq!(ask(&mut client, "/counter/count").text(), "1");
}

#[test]
fn an_instance_that_has_made_a_body_makes_others() {
    let plugin = guest("generate") + "?path=/bytes&size=100000&pattern=lines";
    let server = Server::start(["--plugin", &plugin, "--plugin_reuse=3", "--log=debug"]);
    let mut client = Client::connect(&server);
    let first = ask(&mut client, "/bytes").body;
    assert_eq!(first.len(), 100_000);
    for _ in 0..30 {
        assert!(ask(&mut client, "/bytes").body == first);
    }
    // Cut by its client: nothing of it comes to the next.
    let plugin = guest("generate") + "?path=/bytes&pattern=lines";
    let server = Server::start(["--plugin", &plugin, "--plugin_reuse=1000"]);
    for _ in 0..10 {
        let mut client = Client::connect(&server);
        client.send("GET /bytes HTTP/1.0\r\n\r\n");
        assert_eq!(client.read_head().status, 200);
        assert!(client.read_exact(50_000) == first[..50_000]);
    }
    assert!(!server.log().contains("WARN"), "{}", server.log());
}
