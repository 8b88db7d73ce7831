//! What scripts find beside the documented API: the language up to ES2023, and the web's interfaces.

use crate::support::{Client, Server, Tree};

const LANGUAGE: &str = include_str!("../data/js/es2023.js");
const WEB: &str = include_str!("../data/js/web.js");

fn with_script(tree: &Tree, script: &str, more: &[&str]) -> Server {
    tree.write("my.js", script.as_bytes());
    let js = tree.text("my.js");
    Server::start(["--js", &*js].iter().chain(more))
}

#[test]
fn the_language_is_es2023() {
    let tree = Tree::new();
    let server = with_script(&tree, LANGUAGE, &[]);
    assert_eq!(Client::get(&server, "/").text(), "129 checks");
}

#[test]
fn the_interfaces_of_the_web_are_as_their_standards_have_them() {
    let tree = Tree::new();
    let server = with_script(&tree, WEB, &[]);
    assert_eq!(Client::get(&server, "/").text(), "94 checks");
}

#[test]
fn no_two_requests_share_random_numbers_also_of_one_instance() {
    const SCRIPT: &str = "
        import { Sys } from 'gpaccore';
        const at_load = [Math.random(), crypto.randomUUID()];
        httpout.on_request = (request) => {
            request.reply = 200;
            request.body = [Math.random(), Sys.rand(), crypto.randomUUID(), crypto.getRandomValues(new Uint32Array(1))].join('\\n');
            request.send();
        };";
    for more in [&[][..], &["--plugin_reuse=1000"]] {
        let tree = Tree::new();
        let server = with_script(&tree, SCRIPT, more);
        let mut seen: Vec<String> = Vec::new();
        for _ in 0..25 {
            let numbers = Client::get(&server, "/");
            seen.extend(numbers.text().lines().map(str::to_owned));
        }
        seen.sort();
        seen.dedup();
        // Of so many, two of 32 bits are the same once in a hundred thousand runs.
        assert_eq!(seen.len(), 100, "{more:?}");
    }
}

#[test]
fn console_writes_into_the_log() {
    const SCRIPT: &str = "
        httpout.on_request = (request) => {
            console.log('plain', 1, null, undefined, Symbol('s'), 2n, { a: [1] }, '\\ud800');
            const self = {}; self.self = self;
            console.info('itself', self);
            console.count('it'); console.count('it');
            console.time('t'); console.timeEnd('t'); console.timeEnd('none');
            console.assert(true, 'unseen'); console.assert(false, 'seen');
            console.table([1]); console.error(new RangeError('r'));
            print(GF_LOG_WARNING, 'warned'); print(0, 'quiet'); print(); print(-1, 'below');
            request.send();
        };";
    let tree = Tree::new();
    let server = with_script(&tree, SCRIPT, &[]);
    assert_eq!(Client::get(&server, "/").status, 404);
    let log = server.wait_for_log("WARN plugin: warned");
    for line in [
        "plain 1 null undefined Symbol(s) 2 {\"a\":[1]} \u{fffd}",
        "itself [object]",
        "it: 2",
        "none: was not started",
        "ERROR plugin: assertion failed seen",
        "RangeError: r\\n",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    assert!(!log.contains("quiet") && !log.contains("unseen") && !log.contains("below"));
}
