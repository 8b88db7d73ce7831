//! Plugins that are replaced while the server runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{Client, Server, Tree, guest};

/// What a server says of a plugin that it has replaced, and of one that it could not.
const LOADED: &str = "is loaded anew";
const STAYS: &str = "goes on as it was loaded before: ";

/// A copy of a guest at this name, in the way that compilers write files.
fn install(tree: &Tree, name: &str, guest_name: &str) {
    fs::copy(guest(guest_name), tree.path("new")).expect("there is room");
    fs::rename(tree.path("new"), tree.path(name)).expect("there is room");
}

/// Adds `x-gpac: foo` if it is the guest `headers`, counts below `/counter/` if it is the guest `counter`.
fn start(tree: &Tree, name: &str) -> Server {
    let plugin = tree.text(name) + "?x-gpac=foo";
    Server::start([&tree.text("www"), "--plugin", &plugin, "--log=debug"])
}

fn is_headers(server: &Server) -> bool {
    Client::get(server, "/hello.txt").field("x-gpac") == Some("foo")
}

fn is_counter(server: &Server) -> bool {
    Client::get(server, "/counter/count").text() == "1"
}

#[test]
fn a_file_that_changes_is_loaded_anew_however_it_is_replaced() {
    let tree = Tree::new();
    install(&tree, "real.wasm", "headers");
    tree.link("real.wasm", "plugin.wasm");
    let server = start(&tree, "plugin.wasm");
    assert!(is_headers(&server) && !is_counter(&server));
    // Another file of that name.
    install(&tree, "real.wasm", "counter");
    server.wait_for_times(LOADED, 1);
    assert!(is_counter(&server) && !is_headers(&server));
    // The same file, written over.
    fs::copy(guest("headers"), tree.path("real.wasm")).expect("there is room");
    server.wait_for_times(LOADED, 2);
    assert!(is_headers(&server));
    // Another target of the link.
    install(&tree, "other.wasm", "counter");
    symlink("other.wasm", tree.path("link")).expect("is new");
    fs::rename(tree.path("link"), tree.path("plugin.wasm")).expect("is ours");
    server.wait_for_times(LOADED, 3);
    assert!(is_counter(&server));
    assert!(!server.log().contains(STAYS), "{}", server.log());
}

#[test]
fn a_file_that_cannot_be_loaded_leaves_the_plugin_as_it_was() {
    let tree = Tree::new();
    install(&tree, "plugin.wasm", "headers");
    let server = start(&tree, "plugin.wasm");
    tree.write("plugin.wasm", b"no plugin at all");
    let log = server.wait_for_log(STAYS);
    assert!(log.contains("is not a WebAssembly component"), "{log}");
    assert!(is_headers(&server));
    fs::remove_file(tree.path("plugin.wasm")).expect("is ours");
    let log = server.wait_for_times(STAYS, 2);
    assert!(log.contains("cannot read plugin"), "{log}");
    assert!(is_headers(&server));
    install(&tree, "plugin.wasm", "counter");
    server.wait_for_log(LOADED);
    assert!(is_counter(&server));
    // Each was tried once.
    assert_eq!(server.log().matches(STAYS).count(), 2);
}

#[test]
fn a_plugin_whose_init_fails_does_not_replace_another() {
    let tree = Tree::new();
    install(&tree, "plugin.wasm", "headers");
    let plugin = tree.text("plugin.wasm") + "?init=error";
    let server = Server::start([&tree.text("www"), "--plugin", &plugin]);
    install(&tree, "plugin.wasm", "faulty");
    let log = server.wait_for_log(STAYS);
    assert!(log.contains("refuses to start: told to fail"), "{log}");
    let field = |server: &Server| {
        Client::get(server, "/hello.txt")
            .field("init")
            .map(str::to_owned)
    };
    assert_eq!(field(&server).as_deref(), Some("error"));
}

#[test]
fn requests_that_are_under_way_keep_the_plugin_that_they_had() {
    let tree = Tree::new();
    install(&tree, "plugin.wasm", "probe");
    let plugin = tree.text("plugin.wasm");
    let server = Server::start([&tree.text("www"), "--plugin", &plugin, "--log=debug"]);
    // It closes what it began, in the instance that it began with.
    let mut client = Client::connect(&server);
    client.send("GET /probe/wait HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_log("the reply comes later");
    install(&tree, "plugin.wasm", "counter");
    server.wait_for_log(LOADED);
    assert!(is_counter(&server));
    drop(client);
    server.wait_for_log("closed with -43");
}

#[test]
fn sighup_loads_all_plugins_of_all_servers() {
    let tree = Tree::new();
    let plugin = guest("counter");
    let www = tree.text("www");
    let server = Server::start([
        &format!("httpout:rdirs={www}:port=0:ifce=127.0.0.1"),
        &format!("httpout:rdirs={www}:port=0:ifce=127.0.0.1"),
        "--plugin",
        &plugin,
    ]);
    server.wait_for_times("init runs", 2);
    server.signal("HUP");
    let log = server.wait_for_log("SIGHUP: done");
    assert_eq!(log.matches(LOADED).count(), 2);
    assert_eq!(log.matches("init runs").count(), 4);
    assert!(is_counter(&server));
}

#[test]
fn sighup_does_no_harm_where_there_is_nothing_to_load() {
    let tree = Tree::new();
    let server = Server::start([tree.text("www")]);
    for times in 1..=2 {
        server.signal("HUP");
        server.wait_for_times("SIGHUP: done", times);
        assert_eq!(Client::get(&server, "/hello.txt").status, 200);
    }
}

#[test]
fn a_file_that_is_being_written_is_not_tried() {
    let tree = Tree::new();
    install(&tree, "plugin.wasm", "headers");
    let server = start(&tree, "plugin.wasm");
    // It grows from look to look, as it does where a compiler or a copy is slow.
    let whole = fs::read(guest("counter")).expect("is built");
    let write = |path: &Path, bytes: &[u8]| {
        use std::io::Write as _;
        let mut file = fs::File::create(path).expect("is ours");
        for part in bytes.chunks(bytes.len() / 15) {
            file.write_all(part).expect("there is room");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    };
    write(&tree.path("plugin.wasm"), &whole);
    server.wait_for_log(LOADED);
    assert!(is_counter(&server));
    assert!(!server.log().contains(STAYS), "{}", server.log());
}

#[test]
fn a_request_that_waits_in_the_old_plugin_is_woken_from_the_new_one() {
    let server = Server::start(["--plugin", &guest("later")]);
    let mut client = Client::connect(&server);
    client.send("GET /later/wait HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_log("waits for /later/wake/1");
    server.signal("HUP");
    server.wait_for_log(LOADED);
    assert_eq!(
        Client::get(&server, "/later/wake/1").text(),
        "it is awake\n"
    );
    assert_eq!(client.read_response("GET").text(), "somebody came\n");
}
