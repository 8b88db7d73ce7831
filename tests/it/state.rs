//! State of plugins: the interface `state` of the contract, and options `plugin_state` and `plugin_state_size`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::server::run;
use crate::support::{Client, Server, Tree, guest};

/// A server with the guest that does with its state what it is told.
fn store(options: &[&str]) -> Server {
    let plugin = guest("store");
    let arguments = ["--plugin", &plugin, "--log=debug"];
    Server::start(arguments.iter().chain(options))
}

/// What the guest says to a command.
fn tell(server: &Server, command: &str) -> String {
    let response = Client::get(server, &format!("/store/{command}"));
    assert_eq!(response.status, 200, "{command}");
    response.text().to_owned()
}

/// The version in `value at 7`.
fn version(shown: &str) -> u64 {
    let version = shown.split(" at ").nth(1).expect("there is an entry");
    version.parse().expect("is a number")
}

#[test]
fn a_value_outlives_its_request_and_has_versions_that_grow() {
    let server = store(&[]);
    assert_eq!(tell(&server, "get/a"), "none");
    let set: u64 = tell(&server, "set/a/1").parse().expect("is a version");
    assert_eq!(tell(&server, "get/a"), format!("1 at {set}"));
    tell(&server, "set/a/2");
    let second = tell(&server, "get/a");
    assert!(second.starts_with("2 at ") && version(&second) > set);
    assert_eq!(tell(&server, "delete/a"), "true");
    assert_eq!(tell(&server, "delete/a"), "false");
    assert_eq!(tell(&server, "get/a"), "none");
    tell(&server, "set/a/3");
    assert!(version(&tell(&server, "get/a")) > version(&second));
}

#[test]
fn increments_are_numbers_within_64_bits() {
    let server = store(&[]);
    assert_eq!(tell(&server, "increment/n/5"), "5");
    assert_eq!(tell(&server, "increment/n/-7"), "-2");
    assert!(tell(&server, "get/n").starts_with("-2 at "));
    tell(&server, "set/n/9223372036854775806");
    assert_eq!(tell(&server, "increment/n/1"), "9223372036854775807");
    let overflow = tell(&server, "increment/n/1");
    assert_eq!(overflow, "the sum does not fit into 64 bits");
    tell(&server, "set/n/one");
    let no_number = tell(&server, "increment/n/1");
    assert_eq!(no_number, "the value is no decimal number of 64 bits");
    assert!(tell(&server, "get/n").starts_with("one at "));
}

#[test]
fn compare_and_set_changes_what_it_knows_only() {
    let server = store(&[]);
    assert_eq!(tell(&server, "cas/a/7/x"), "stands at 0");
    assert_eq!(tell(&server, "cas/a/0/x"), "set");
    let first = tell(&server, "get/a");
    let stands = format!("stands at {}", version(&first));
    assert_eq!(tell(&server, "cas/a/0/y"), stands);
    assert_eq!(tell(&server, "get/a"), first);
    let command = format!("cas/a/{}/y", version(&first));
    assert_eq!(tell(&server, &command), "set");
    assert_ne!(tell(&server, &command), "set");
    assert!(tell(&server, "get/a").starts_with("y at "));
}

#[test]
fn keys_come_in_order_and_in_bounded_numbers() {
    let server = store(&[]);
    for key in ["b2", "a", "b1", "b", "c"] {
        tell(&server, &format!("set/{key}/x"));
    }
    assert_eq!(tell(&server, "keys/b/-"), "b b1 b2");
    assert_eq!(tell(&server, "keys/b/b1"), "b2");
    assert_eq!(tell(&server, "keys/-/b1"), "b2 c");
    assert_eq!(tell(&server, "many/1500"), "1500");
    let some = tell(&server, "keys/many/-");
    assert_eq!(some.split(' ').count(), 1000);
    assert_eq!(tell(&server, "all-keys/many"), "1500");
}

#[test]
fn many_increments_at_a_time_lose_nothing() {
    let server = store(&[]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = Client::connect(&server);
                for _ in 0..50 {
                    client.send("GET /store/increment/n/1 HTTP/1.1\r\nHost: test\r\n\r\n");
                    assert_eq!(client.read_response("GET").status, 200);
                }
            });
        }
    });
    assert!(tell(&server, "get/n").starts_with("400 at "));
}

#[test]
fn servers_of_a_line_share_the_state_of_a_plugin_and_other_plugins_do_not() {
    let plugin = guest("store");
    let copy = Tree::new();
    std::fs::copy(&plugin, copy.path("other.wasm")).expect("there is room");
    let filter = |plugin: &str| format!("httpout:port=0:ifce=127.0.0.1:plugin={plugin}");
    let mut server = Server::spawn(&mut crate::support::server::command([
        filter(&plugin),
        filter(&plugin),
        filter(&copy.text("other.wasm")),
    ]));
    let second = server.next_listener().1;
    let third = server.next_listener().1;
    tell(&server, "set/a/shared");
    let ask = |address| {
        let mut client = Client::connect_to(address);
        client.send("GET /store/get/a HTTP/1.1\r\nHost: test\r\n\r\n");
        client.read_response("GET").text().to_owned()
    };
    assert!(ask(second).starts_with("shared at "));
    assert_eq!(ask(third), "none");
}

#[test]
fn a_request_that_waits_is_answered_by_what_another_changes() {
    let server = store(&[]);
    let watch = |version: u64| {
        let mut client = Client::connect(&server);
        client.send(&format!(
            "GET /store/watch/a/{version} HTTP/1.1\r\nHost: test\r\n\r\n"
        ));
        client
    };
    let mut waited = 0;
    for change in [
        "set/a/1",
        "set/a/1",
        "increment/a/1",
        "delete/a",
        "cas/a/0/new",
    ] {
        let before = tell(&server, "get/a");
        let standing = match before.as_str() {
            "none" => 0,
            entry => version(entry),
        };
        // Several, so that all of them are told.
        let mut clients = [watch(standing), watch(standing)];
        waited += clients.len();
        server.wait_for_times("the reply comes later", waited);
        tell(&server, "set/other/x");
        tell(&server, change);
        let after = tell(&server, "get/a");
        assert_ne!(before, after);
        for client in &mut clients {
            assert_eq!(client.read_response("GET").text(), after, "{change}");
        }
        // What has happened already is not waited for.
        assert_eq!(watch(standing).read_response("GET").text(), after);
        waited += 1;
    }
}

#[test]
fn the_end_of_a_time_to_live_is_a_change() {
    let server = store(&[]);
    let set: u64 = tell(&server, "set/a/x/300").parse().expect("is a version");
    assert_eq!(tell(&server, &format!("watch/a/{set}")), "none");
    assert_eq!(tell(&server, "get/a"), "none");
    assert_eq!(tell(&server, "keys/-/-"), "");
    // An increment does not prolong it, and one that finds nothing begins it.
    tell(&server, "increment/n/1/300");
    tell(&server, "increment/n/1/3600000");
    let counted = tell(&server, "get/n");
    assert_eq!(
        tell(&server, &format!("watch/n/{}", version(&counted))),
        "none"
    );
    // A value that is set again stays for ever, one that is compared and set keeps its time.
    tell(&server, "set/b/x/300");
    tell(&server, "set/b/y");
    tell(&server, "set/c/x/300");
    let command = format!("cas/c/{}/y", version(&tell(&server, "get/c")));
    assert_eq!(tell(&server, &command), "set");
    let kept = version(&tell(&server, "get/c"));
    assert_eq!(tell(&server, &format!("watch/c/{kept}")), "none");
    assert!(tell(&server, "get/b").starts_with("y at "));
}

#[test]
fn a_guest_may_wait_within_a_call_until_its_deadline() {
    let server = store(&["--plugin_timeout=300"]);
    let set: u64 = tell(&server, "set/a/x/1").parse().expect("is a version");
    assert_eq!(tell(&server, &format!("block/a/{set}")), "none");
    assert_eq!(Client::get(&server, "/store/block/a/0").status, 500);
    server.wait_for_log("`on-request` took longer than 300 ms");
}

#[test]
fn a_client_that_leaves_while_its_request_waits_costs_nothing() {
    let server = store(&["--plugin_timeout=60000"]);
    let mut client = Client::connect(&server);
    client.send("GET /store/watch/a/0 HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_log("the reply comes later");
    drop(client);
    tell(&server, "set/a/x");
    assert!(tell(&server, "get/a").starts_with("x at "));
}

#[test]
fn state_has_bounded_room_and_what_finds_none_changes_nothing() {
    let server = store(&["--plugin_state_size=1000"]);
    let full = "the state of a plugin has at most 1000 bytes (option `plugin_state_size`)";
    // One byte of key, 128 for the entry.
    assert_eq!(tell(&server, "fill/a/872"), full);
    assert_eq!(tell(&server, "get/a"), "none");
    tell(&server, "fill/a/700");
    let before = tell(&server, "get/a");
    assert_eq!(tell(&server, "fill/b/43"), full);
    assert_eq!(tell(&server, "fill/a/872"), full);
    assert_eq!(
        tell(
            &server,
            "increment/a-long-key-of-a-counter-which-therefore-does-not-fit/1"
        ),
        full
    );
    assert_eq!(tell(&server, "get/a"), before);
    assert_eq!(tell(&server, "get/b"), "none");
    tell(&server, "fill/b/42");
    assert!(tell(&server, "get/b").starts_with("xxx"));
    assert_eq!(tell(&server, "cas/c/0/x"), "refused");
    server.wait_for_log("compare-and-set refused");
    tell(&server, "delete/a");
    assert_eq!(tell(&server, "cas/c/0/x"), "set");
    // Those that have expired give their room back.
    let keys = ["d", "e", "f"];
    let versions = keys.map(|key| tell(&server, &format!("set/{key}/x/50")));
    for (key, version) in keys.iter().zip(&versions) {
        let target = format!("watch/{key}/{version}");
        assert_eq!(tell(&server, &target), "none");
    }
    let filled: u64 = tell(&server, "fill/g/500").parse().expect("finds room");
    assert!(filled > versions[2].parse().expect("is a version"));
}

#[test]
fn keys_have_a_bounded_length() {
    let server = store(&[]);
    let long = "the key is longer than 1024 bytes";
    assert_eq!(tell(&server, "fill/long/1"), long);
    assert_eq!(tell(&server, "cas/long/0/x"), "refused");
    assert_eq!(tell(&server, "cas/longest/0/x"), "set");
    assert_eq!(tell(&server, "watch-long/1024"), "watched");
    let trapped = Client::get(&server, "/store/watch-long/1025");
    assert_eq!(trapped.status, 500);
    server.wait_for_log("watch: the key is longer than 1024 bytes");
}

/// A server whose state is kept in a file of the tree.
fn kept(tree: &Tree) -> Server {
    store(&[&format!("--plugin_state={}", tree.text("state"))])
}

#[test]
fn state_survives_a_restart_with_its_versions_and_times() {
    let tree = Tree::new();
    let mut server = kept(&tree);
    tell(&server, "set/a/x");
    tell(&server, "set/b/x/3600000");
    tell(&server, "set/c/x/1");
    tell(&server, "many/10");
    let (a, b) = (tell(&server, "get/a"), tell(&server, "get/b"));
    server.signal("TERM");
    assert!(server.wait().success());

    let mode = std::fs::metadata(tree.path("state")).expect("is written");
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let mut server = kept(&tree);
    assert_eq!(
        (tell(&server, "get/a"), tell(&server, "get/b")),
        (a.clone(), b)
    );
    assert_eq!(tell(&server, "get/c"), "none");
    assert_eq!(tell(&server, "all-keys/many"), "10");
    tell(&server, "delete/a");
    tell(&server, "set/a/x");
    assert!(version(&tell(&server, "get/a")) > version(&a));
    server.signal("TERM");
    assert!(server.wait().success());
    // Beside it there is its lock only.
    let names = std::fs::read_dir(tree.path("")).expect("is there");
    let names = names.map(|entry| entry.expect("is there").file_name());
    let own = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("state");
    assert_eq!(names.filter(own).count(), 2);
}

/// Waits until a file is there.
fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} is missing", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn state_survives_a_kill_after_it_was_written() {
    let tree = Tree::new();
    let mut server = kept(&tree);
    tell(&server, "set/a/x");
    wait_for(&tree.path("state"));
    // What comes now is written some seconds later, also without any further change.
    tell(&server, "set/b/x");
    let before = std::fs::read(tree.path("state")).expect("is there");
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::read(tree.path("state")).expect("is there") == before {
        assert!(Instant::now() < deadline, "it is not written again");
        std::thread::sleep(Duration::from_millis(10));
    }
    let b = tell(&server, "get/b");
    server.signal("KILL");
    server.wait();
    let server = kept(&tree);
    assert!(tell(&server, "get/a").starts_with("x at "));
    assert_eq!(tell(&server, "get/b"), b);
    // No version comes twice, though the server could not say which was its last.
    tell(&server, "set/b/x");
    assert!(version(&tell(&server, "get/b")) > version(&b));
}

#[test]
fn a_file_of_state_that_is_none_is_refused_at_start() {
    let tree = Tree::new();
    let plugin = guest("store");
    let mut server = kept(&tree);
    tell(&server, "set/a/x");
    server.signal("TERM");
    server.wait();
    let mut damaged = std::fs::read(tree.path("state")).expect("is written");
    damaged.truncate(damaged.len() - 1);
    tree.write("damaged", &damaged);
    for (file, said) in [
        ("damaged", "is damaged, or no state of plugins: put back"),
        ("www/hello.txt", "is damaged, or no state of plugins"),
        ("www/empty.txt", "is damaged, or no state of plugins"),
        ("www", "cannot read `"),
        ("missing/state", "cannot write beside `"),
    ] {
        let option = format!("--plugin_state={}", tree.text(file));
        let output = run(["--port=0", "--plugin", &plugin, &option]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        let begins = error.starts_with("httpout: option `plugin_state`: ");
        assert!(begins && error.contains(said), "{error}");
    }
}

#[test]
fn the_state_of_a_plugin_that_is_not_loaded_is_kept_too() {
    let tree = Tree::new();
    let mut server = kept(&tree);
    tell(&server, "set/a/x");
    server.signal("TERM");
    assert!(server.wait().success());
    let option = format!("--plugin_state={}", tree.text("state"));
    let mut other = Server::start(["--plugin", &guest("ratelimit"), &option]);
    assert_eq!(Client::get(&other, "/").status, 404);
    other.signal("TERM");
    assert!(other.wait().success());
    assert!(tell(&kept(&tree), "get/a").starts_with("x at "));
}

#[test]
fn two_processes_do_not_share_a_file_of_state() {
    let tree = Tree::new();
    let _server = kept(&tree);
    let option = format!("--plugin_state={}", tree.text("state"));
    let output = run(["--port=0", "--plugin", &guest("store"), &option]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("another process keeps its state in"),
        "{error}"
    );
}

#[test]
fn a_disk_that_fails_is_complained_about_once_and_the_server_goes_on() {
    let tree = Tree::new();
    tree.write("disk/file", b"");
    let option = format!("--plugin_state={}", tree.text("disk/state"));
    let mut server = store(&[&option]);
    std::fs::rename(tree.path("disk"), tree.path("away")).expect("is there");
    tell(&server, "set/a/x");
    server.wait_for_log("cannot write the state of plugins to");
    tell(&server, "set/a/y");
    std::fs::rename(tree.path("away"), tree.path("disk")).expect("is there");
    let log = server.wait_for_log("the state of plugins is written again");
    assert_eq!(log.matches("cannot write the state").count(), 1, "{log}");
    assert!(tell(&server, "get/a").starts_with("y at "));
    server.signal("TERM");
    assert!(server.wait().success());
    let server = store(&[&option]);
    assert!(tell(&server, "get/a").starts_with("y at "));
}

/// A window that does not end during a test.
const EVER: &str = "window=1000000000000";

#[test]
fn ratelimit_lets_so_many_requests_through() {
    let tree = Tree::new();
    let plugin = format!("{}?limit=2&{EVER}", guest("ratelimit"));
    let server = Server::start([&tree.text("www"), "--plugin", &plugin]);
    for remaining in ["1", "0"] {
        let response = Client::get(&server, "/hello.txt");
        assert_eq!((response.status, response.text()), (200, "hello\n"));
        assert_eq!(response.field("x-ratelimit-limit"), Some("2"));
        assert_eq!(response.field("x-ratelimit-remaining"), Some(remaining));
        assert_eq!(response.field("retry-after"), None);
    }
    let refused = Client::get(&server, "/hello.txt");
    assert_eq!(
        (refused.status, refused.text()),
        (429, "too many requests\n")
    );
    assert_eq!(refused.field("x-ratelimit-remaining"), Some("0"));
    assert!(refused.field("retry-after").is_some());
    assert_eq!(
        refused.field("retry-after"),
        refused.field("x-ratelimit-reset")
    );
}

#[test]
fn ratelimit_tells_clients_apart_by_a_field() {
    let tree = Tree::new();
    let plugin = format!("{}?limit=1&{EVER}&key=X-Api-Key", guest("ratelimit"));
    let server = Server::start([&tree.text("www"), "--plugin", &plugin]);
    let status = |fields: &str| Client::ask(&server, "GET", "/hello.txt", fields).status;
    let keys = ["a", "b", "127.0.0.1"].map(|key| format!("X-Api-Key: {key}\r\n"));
    for fields in keys.iter().map(String::as_str).chain([""]) {
        assert_eq!((status(fields), status(fields)), (200, 429), "{fields}");
    }
    for (wrong, said) in [
        ("limit=0", "at least 1"),
        ("limit=x", "is not a number"),
        ("key=", "the name of a field is missing"),
        ("limt=1", "unknown key `limt`"),
    ] {
        let plugin = format!("{}?{wrong}", guest("ratelimit"));
        let output = run(["--port=0", "--plugin", &plugin]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(2) && error.contains(said),
            "{error}"
        );
    }
}
