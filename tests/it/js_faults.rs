//! Scripts that fail in every way, and those that attack their engine: each costs its own request and nothing else.

use crate::support::{Client, Response, Server, Tree};

const HOSTILE: &str = include_str!("../data/js/hostile.js");

/// Time for a call, in ms: enough for a machine that is busy.
const TIMEOUT: &str = "--plugin_timeout=700";

const REUSE: &str = "--plugin_reuse=1000";

fn with_script(tree: &Tree, script: &str, more: &[&str]) -> Server {
    tree.write("my.js", script.as_bytes());
    let (www, js) = (tree.text("www"), tree.text("my.js"));
    Server::start([&*www, "--js", &js].iter().chain(more))
}

fn hostile(tree: &Tree, more: &[&str]) -> Server {
    with_script(tree, HOSTILE, more)
}

/// The targets whose names begin so.
fn names(server: &Server, prefixes: &[&str]) -> Vec<String> {
    let names = Client::get(server, "/names");
    let names = names.text().lines().map(str::to_owned);
    let found: Vec<String> = names
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    assert!(!found.is_empty(), "{prefixes:?}");
    found
}

fn is_failed(response: &Response) -> bool {
    response.status == 500 && response.text().contains("a plugin of the server failed")
}

/// The next request finds the engine as the script left it at load.
fn is_clean(server: &Server, after: &str) {
    let clean = Client::get(server, "/clean");
    assert_eq!(clean.text(), "clean undefined false", "after {after}");
}

const FAILING: &[&str] = &[
    "/throw/", "/end/", "/memory/", "/deep/", "/reply/", "/fields/", "/send/", "/body/",
];

#[test]
fn what_fails_costs_its_own_request() {
    for more in [&[TIMEOUT][..], &[TIMEOUT, REUSE]] {
        let tree = Tree::new();
        let server = hostile(&tree, more);
        for name in names(&server, FAILING) {
            let response = Client::get(&server, &name);
            assert!(is_failed(&response), "{name}: {response:?}");
            is_clean(&server, &name);
        }
    }
}

#[test]
fn what_fails_in_a_body_cuts_it() {
    for more in [&[TIMEOUT][..], &[TIMEOUT, REUSE]] {
        let tree = Tree::new();
        let server = hostile(&tree, more);
        for name in names(&server, &["/read/", "/throttle/"]) {
            let mut client = Client::connect(&server);
            client.send(&format!("GET {name} HTTP/1.1\r\nHost: test\r\n\r\n"));
            let response = client.read_all();
            assert!(!response.ends_with("0\r\n\r\n"), "{name}: {response}");
            is_clean(&server, &name);
        }
    }
}

#[test]
fn what_is_strange_but_allowed_costs_nothing() {
    for more in [&[][..], &[REUSE]] {
        let tree = Tree::new();
        let server = hostile(&tree, more);
        for name in names(&server, &["/fine/"]) {
            let response = Client::get(&server, &name);
            assert_eq!(response.status, 200, "{name}: {response:?}");
            is_clean(&server, &name);
        }
        let text = |name: &str| Client::get(&server, name).text().to_owned();
        assert_eq!(text("/fine/file"), "none");
        assert!(!text("/fine/objects").contains("no"));
        assert_eq!(
            [text("/fine/view"), text("/fine/resizable")],
            ["BC", "C"],
            "what a view has when it is sent"
        );
        assert_eq!([text("/fine/after"), text("/fine/species")], ["E", "G"]);
    }
}

#[test]
fn what_never_comes_has_an_end() {
    let tree = Tree::new();
    let server = hostile(&tree, &["--timeout=1"]);
    for name in names(&server, &["/stall/"]) {
        let mut client = Client::connect(&server);
        client.send(&format!("GET {name} HTTP/1.1\r\nHost: test\r\n\r\n"));
        let response = client.read_all();
        match name.as_str() {
            "/stall/read" => assert!(!response.ends_with("0\r\n\r\n"), "{response}"),
            _ => assert!(response.starts_with("HTTP/1.1 504 "), "{name}: {response}"),
        }
        is_clean(&server, &name);
    }
}

#[test]
fn the_engine_goes_on_where_a_script_replaces_the_language() {
    let tree = Tree::new();
    let fresh = hostile(&tree, &[]);
    for name in names(&fresh, &["/used/"]) {
        // There the next request finds the language as this one leaves it.
        let reused = hostile(&tree, &[REUSE]);
        for server in [&fresh, &reused] {
            for target in [&*name, "/plain"] {
                let response = Client::get(server, target);
                assert_eq!(response.text(), format!("used {target}"), "{name}");
                assert_eq!(response.field("x-set"), Some("true"), "{name}");
            }
        }
        is_clean(&fresh, &name);
    }
}

#[test]
fn the_engine_goes_on_where_a_script_replaces_the_language_at_load() {
    let pollute = "
        const evil = () => { throw new Error('evil'); };
        for (const object of [Object, JSON, Math, Reflect, Promise, Number, String.prototype, Map.prototype, Promise.prototype]) {
            for (const name of Object.getOwnPropertyNames(object)) if (name !== 'constructor' && name !== 'getOwnPropertyNames') try { object[name] = evil; } catch {}
        }
        for (const name of ['slice', 'map', 'push', 'splice', 'filter', 'join', 'findIndex', Symbol.iterator]) Array.prototype[name] = evil;
        Object.prototype.then = evil; Object.prototype.get = evil; Object.prototype.length = 7;
        globalThis.Promise = globalThis.JSON = globalThis.Array = globalThis.Uint8Array = undefined;
        httpout.on_request = (request) => {
            print('seen', { a: 1 });
            request.headers_out[0] = { name: 'x-set', value: request.headers_in.length > 0 };
            setTimeout(() => { request.reply = 200; request.body = 'whole'; request.send(); }, 1);
        };";
    let tree = Tree::new();
    let server = with_script(&tree, pollute, &[]);
    let response = Client::get(&server, "/");
    assert_eq!(
        (response.text(), response.field("x-set")),
        ("whole", Some("true"))
    );
    server.wait_for_log("seen {\"a\":1}");
}

#[test]
fn fields_cannot_be_forged() {
    const SCRIPT: &str = r"
        const bad = ['a\r\nx-forged: 1', 'a\nx-forged: 1', 'a\rx-forged: 1', 'a\0b', '\u2713', '\ud800', 'a\u010a\u010dx-forged: 1'];
        const names = ['x a', 'x:a', 'x\r\nx-forged', '', 'x\u00e9', ':status', 'Content-Length', 'transfer-encoding', 'Connection'];
        httpout.on_request = (request) => {
            for (const value of bad) request.headers_out.push({ name: 'x-bad', value });
            for (const name of names) request.headers_out.push({ name, value: '7' });
            request.headers_out.push(null, 5, {}, { name: 'x-only' }, { value: 'only' }, { name: 'x-good', value: 'caf\u00e9' });
            request.reply = 200;
            request.body = 'body';
            request.send();
        };";
    let tree = Tree::new();
    let server = with_script(&tree, SCRIPT, &[]);
    let mut client = Client::connect(&server);
    client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    let all = client.read_all();
    let lower = all.to_ascii_lowercase();
    assert!(
        lower.contains("\r\nx-good: caf") && all.ends_with("\r\n\r\nbody"),
        "{all}"
    );
    assert!(lower.contains("\r\ncontent-length: 4\r\n"), "{all}");
    for absent in ["x-forged", "x-bad", "x-only", "transfer-encoding"] {
        assert!(!lower.contains(absent), "{absent}: {all}");
    }
}

#[test]
fn a_flood_of_lines_is_bounded() {
    let tree = Tree::new();
    let server = hostile(&tree, &["--plugin_log=10"]);
    assert_eq!(Client::get(&server, "/fine/log").text(), "logged");
    is_clean(&server, "/fine/log");
    assert!(server.log().matches("flood").count() < 1000);
}

#[test]
fn a_hundred_faults_leave_no_memory_behind() {
    const FAULTS: [&str; 10] = [
        "/throw/async",
        "/memory/string",
        "/memory/caught",
        "/memory/fields",
        "/memory/zip",
        "/deep/recursion",
        "/deep/json",
        "/reply/99",
        "/send/other",
        "/end/array",
    ];
    for more in [&[][..], &[REUSE]] {
        let tree = Tree::new();
        let server = hostile(&tree, more);
        let fail_in_all_ways = || {
            for name in FAULTS {
                assert!(is_failed(&Client::get(&server, name)), "{name}");
                is_clean(&server, name);
            }
        };
        fail_in_all_ways();
        let before = resident(&server);
        for _ in 0..10 {
            fail_in_all_ways();
        }
        let after = resident(&server);
        // One instance alone may have 64 MiB.
        assert!(after < before + 32 * 1024, "{before} KiB, then {after} KiB");
        assert_eq!(instances_at_once(&server), 100, "{more:?}");
    }
}

/// The memory of the server, in KiB.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id()));
    let status = status.expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("is a number")
}

/// How many of a hundred requests that are open at a time are answered.
fn instances_at_once(server: &Server) -> usize {
    let mut clients: Vec<Client> = (0..100).map(|_| Client::connect(server)).collect();
    for client in &mut clients {
        client.send("GET /plain HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    let answers = clients.iter_mut().map(|client| client.read_response("GET"));
    answers.filter(|answer| answer.status == 200).count()
}
