//! How scripts live (option `js`): what they do beside requests, what they remember, how they are replaced and checked, and
//! how long they may take.

use std::os::unix::fs::MetadataExt as _;
use std::process::Output;

use crate::support::server::{self, command};
use crate::support::{Client, Server, Tree};

/// What a server says of a script that it has replaced, and of one that it could not.
const LOADED: &str = "is loaded anew";
const STAYS: &str = "goes on as it was loaded before: ";

fn with_script(tree: &Tree, script: &str, more: &[&str]) -> Server {
    tree.write("my.js", script.as_bytes());
    let script = tree.text("my.js");
    Server::start(["--js", &*script].iter().chain(more))
}

/// A script that answers with a text.
fn saying(text: &str) -> String {
    format!("httpout.on_request = (r) => {{ r.reply = 200; r.body = '{text}'; r.send(); }};\n")
}

/// Exit code, report and errors.
fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(["check"]).args(arguments).output().expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn timers_tasks_and_promises_of_the_load_run_beside_requests() {
    let tree = Tree::new();
    let script = "
        let count = 0;
        const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
        const stopped = setInterval(() => print('must not run'), 1);
        clearInterval(stopped);
        const twice = setInterval(() => { print(`interval ${++count}`); if (count === 3) clearInterval(twice); }, 5);
        session.post_task(() => { print('task'); return false; }, 'once', 1);
        (async () => { await sleep(50); print(`promise after ${count}`); await sleep(1); print('the end of the work'); })();
    ";
    let server = with_script(&tree, &(script.to_owned() + &saying("${count}")), &[]);
    let log = server.wait_for_log("the end of the work");
    for line in [
        "task",
        "interval 1",
        "interval 2",
        "interval 3",
        "promise after 3",
    ] {
        let line = format!("plugin: {line} plugin=\"my\"\n");
        assert_eq!(log.matches(&line).count(), 1, "{line} in {log}");
    }
    assert!(!log.contains("must not run"), "{log}");
}

#[test]
fn requests_see_neither_the_timers_nor_the_globals_of_the_work_beside_them() {
    let tree = Tree::new();
    let script = "
        let count = 0;
        setTimeout(() => { count += 1; print(`worked ${count}`); }, 1);
        httpout.on_request = (r) => {
            r.reply = 200;
            setTimeout(() => { r.body = `count ${count}`; r.send(); }, 20);
        };
    ";
    for reuse in ["--plugin_reuse=0", "--plugin_reuse=50"] {
        let server = with_script(&tree, script, &[reuse]);
        server.wait_for_log("worked 1");
        for _ in 0..5 {
            assert_eq!(Client::get(&server, "/").text(), "count 0");
        }
        assert_eq!(server.log().matches("worked").count(), 1);
    }
}

#[test]
fn requests_see_the_work_beside_them_in_state() {
    let tree = Tree::new();
    let script = "
        setInterval(() => state.increment('beats'), 5);
        setTimeout(async () => {
            for await (const { value } of state.watch('asked')) state.set('answer', `heard ${value}`);
        }, 0);
        httpout.on_request = async (r) => {
            if (r.path === '/beats') {
                await state.changed('beats');
                return r.respond({ body: 'a beat' });
            }
            const { version } = state.entry('answer');
            // It is heard as soon as the work has begun to listen.
            const again = setInterval(() => state.set('asked', r.target), 5);
            const { value } = await state.changed('answer', version);
            clearInterval(again);
            r.respond({ body: value });
        };
    ";
    let server = with_script(&tree, script, &[]);
    assert_eq!(Client::get(&server, "/beats").text(), "a beat");
    assert_eq!(Client::get(&server, "/one").text(), "heard /one");
}

#[test]
fn timers_set_while_the_script_awaits_at_load_keep_their_order() {
    let tree = Tree::new();
    let script = "
        import 'gpaccore';
        setTimeout(() => print('second'), 40);
        setTimeout(() => print('at load'), 5);
        await new Promise((done) => setTimeout(done, 20));
        setTimeout(() => print('first'), 1);
        setTimeout(() => print('last'), 60);
    ";
    let server = with_script(&tree, &(script.to_owned() + &saying("ok")), &[]);
    let log = server.wait_for_log("last");
    let at = |text: &str| log.find(&format!("plugin: {text} ")).expect("is told");
    let order = [at("at load"), at("first"), at("second"), at("last")];
    assert!(order.is_sorted(), "{log}");
}

#[test]
fn work_that_fails_begins_anew_and_requests_go_on() {
    let tree = Tree::new();
    let faults = [
        (
            "throw new TypeError('no luck')",
            "TypeError: no luck in <anonymous> (my.js:1:",
        ),
        (
            "for (;;);",
            "it took too long (option `plugin_timeout`) in <anonymous> (my.js:1:",
        ),
        (
            "const all = []; for (;;) all.push(new Uint8Array(1 << 20))",
            "out of memory",
        ),
    ];
    for (fault, told) in faults {
        let script = format!("setTimeout(() => {{ print('begins'); {fault} }}, 1);");
        let limit = "--plugin_timeout=500";
        let server = with_script(&tree, &(script + &saying("served")), &[limit]);
        server.wait_for_times("plugin: begins", 2);
        let log = server.wait_for_log("its work beside requests begins anew in 2 s: ");
        assert!(
            log.contains("its work beside requests begins anew in 1 s: ") && log.contains(told),
            "{told} in {log}"
        );
        assert_eq!(Client::get(&server, "/").text(), "served");
    }
}

#[test]
fn work_that_is_always_due_leaves_the_processor_to_requests() {
    let tree = Tree::new();
    let script =
        "session.post_task(() => true); const again = () => setTimeout(again, 0); again();";
    let server = with_script(&tree, &(script.to_owned() + &saying("served")), &[]);
    for _ in 0..20 {
        assert_eq!(Client::get(&server, "/").text(), "served");
    }
}

#[test]
fn a_new_script_begins_its_work_when_that_of_the_old_one_has_ended() {
    let tree = Tree::new();
    let working = |name: &str| format!("setInterval(() => print('{name}'), 5);") + &saying(name);
    let server = with_script(&tree, &working("the-old"), &[]);
    server.wait_for_log("plugin: the-old");
    tree.write("my.js", working("the-new").as_bytes());
    server.wait_for_log("plugin: the-new");
    let log = server.wait_for_times("plugin: the-new", 20);
    let (_, after) = log.split_once("plugin: the-new").expect("is told");
    assert!(!after.contains("plugin: the-old"), "{log}");
    assert_eq!(Client::get(&server, "/").text(), "the-new");
}

#[test]
fn globals_that_a_request_writes_are_told_once() {
    let tree = Tree::new();
    tree.write(
        "lib.js",
        b"export const sessions = new Map();\nlet hits = 0;\nexport const hit = () => ++hits;\n",
    );
    let script = "
import { sessions, hit } from './lib.js';
const list = [];
let calm = 0;
globalThis.total = 0;
httpout.on_request = (r) => {
    calm = 0;
    if (r.path !== '/calm') { sessions.set(r.path, 1); list.push(1); hit(); total += 1; globalThis.fresh = 1; }
    r.reply = 200; r.body = 'ok'; r.send();
};
";
    let server = with_script(&tree, script, &[]);
    for path in ["/calm", "/calm", "/a", "/b", "/c"] {
        assert_eq!(Client::get(&server, path).text(), "ok");
    }
    let log = server.wait_for_log("a request has written ");
    assert_eq!(log.matches("a request has written ").count(), 1, "{log}");
    let (_, line) = log.split_once("a request has written ").expect("is told");
    let (names, _) = line.split_once(", which is gone").expect("is told");
    let mut names: Vec<&str> = names.split(", ").collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["`fresh`", "`hits`", "`list`", "`sessions`", "`total`"]
    );
    assert!(line.contains("request=3"), "{line}");
}

#[test]
fn globals_are_the_scripts_own_where_instances_are_used_again() {
    let tree = Tree::new();
    let script = "let count = 0;\nhttpout.on_request = (r) => { r.reply = 200; r.body = String(++count); r.send(); };";
    let server = with_script(&tree, script, &["--plugin_reuse=100"]);
    for _ in 0..5 {
        Client::get(&server, "/");
    }
    assert!(!server.log().contains("has written"), "{}", server.log());
    let server = with_script(&tree, script, &[]);
    for _ in 0..2 {
        assert_eq!(Client::get(&server, "/").text(), "1");
    }
    server.wait_for_log("a request has written `count`");
}

#[test]
fn what_looks_like_a_variable_and_is_none_changes_nothing() {
    let tree = Tree::new();
    let script = "
/*
let commented = 1;
*/
const text = `
let quoted = 2;
var 3 = 4;
`;
const { length, ...rest } = text, last = 5; // let x
"
    .to_owned()
        + &saying("ok")
        + "// the last line has no end";
    let server = with_script(&tree, &script, &[]);
    assert_eq!(Client::get(&server, "/").text(), "ok");
    assert!(!server.log().contains("has written"), "{}", server.log());
}

#[test]
fn an_imported_file_that_changes_is_loaded_anew() {
    let tree = Tree::new();
    let lib = |text: &str| tree.write("lib/a.js", text.as_bytes());
    tree.write("lib/b.js", b"export const b = 'b1';");
    lib("import { b } from './b.js'; export const a = 'a1 ' + b;");
    let script = "import { a } from './lib/a.js';\nhttpout.on_request = (r) => { r.reply = 200; r.body = a; r.send(); };";
    let server = with_script(&tree, script, &[]);
    let said = || Client::get(&server, "/").text().to_owned();
    assert_eq!(said(), "a1 b1");
    lib("import { b } from './b.js'; export const a = 'a2 is longer ' + b;");
    server.wait_for_times(LOADED, 1);
    assert_eq!(said(), "a2 is longer b1");
    // One that is imported by an imported one.
    tree.write("lib/b.js", b"export const b = 'b2 is longer';");
    server.wait_for_times(LOADED, 2);
    assert_eq!(said(), "a2 is longer b2 is longer");
    // A broken one: told once, with its place; mended where it was broken.
    lib("export const a = 1;\n  broken(;\n");
    let log = server.wait_for_log(STAYS);
    assert!(log.contains("lib/a.js:2:10: SyntaxError"), "{log}");
    assert_eq!(said(), "a2 is longer b2 is longer");
    lib("export const a = 'a3';");
    server.wait_for_times(LOADED, 3);
    assert_eq!(said(), "a3");
    // One that is not there yet.
    let script = script.replace("lib/a.js", "lib/c.js");
    tree.write("my.js", script.as_bytes());
    server.wait_for_log("cannot import `./lib/c.js`: No such file or directory");
    assert_eq!(said(), "a3");
    tree.write("lib/c.js", b"export const a = 'c1';");
    let log = server.wait_for_times(LOADED, 4);
    assert_eq!(said(), "c1");
    assert_eq!(log.matches(STAYS).count(), 2, "{log}");
}

#[test]
fn sighup_loads_a_script_again() {
    let tree = Tree::new();
    tree.write("data.txt", b"one");
    let script = "import { Sys } from 'gpaccore';\nconst text = Sys.load_file('data.txt', true);\nhttpout.on_request = (r) => { r.reply = 200; r.body = text; r.send(); };";
    let server = with_script(&tree, script, &[]);
    assert_eq!(Client::get(&server, "/").text(), "one");
    tree.write("data.txt", b"two");
    server.signal("HUP");
    server.wait_for_log("SIGHUP: done");
    assert_eq!(Client::get(&server, "/").text(), "two");
}

#[test]
fn a_reply_that_is_never_sent_is_504_and_a_body_that_brings_nothing_is_cut() {
    let tree = Tree::new();
    let script = "
        httpout.on_request = (r) => {
            r.close = (code) => print(`closed ${code} ${r.path}`);
            if (r.path === '/never') { setInterval(() => {}, 20); return; }
            r.reply = 200;
            r.read = () => -1;
            r.send();
            setInterval(() => {}, 20);
        };
    ";
    let server = with_script(&tree, script, &["--timeout=1"]);
    assert_eq!(Client::get(&server, "/never").status, 504);
    server.wait_for_log("no `send` within 1 s (option `timeout`)");
    let mut client = Client::connect(&server);
    client.send("GET /stalls HTTP/1.1\r\nHost: test\r\n\r\n");
    let response = client.read_all();
    assert!(
        response.contains("200 OK") && !response.ends_with("0\r\n\r\n"),
        "{response}"
    );
    server.wait_for_log("`read` brought nothing within 1 s (option `timeout`)");
    server.wait_for_log("closed -46 /stalls");
}

#[test]
fn a_script_that_lives_long_says_so_by_bytes_or_asks_for_a_longer_time() {
    let tree = Tree::new();
    let script = "
        httpout.on_request = (r) => {
            r.reply = 200;
            if (r.path === '/poll') {
                r.timeout = 30;
                r.body = 'news';
                setTimeout(() => r.send(), 1500);
                return;
            }
            if (r.path === '/rare') r.timeout = 30;
            const due = r.path === '/rare' ? [1500] : [500, 1000, 1500];
            const ready = [];
            due.forEach((ms, index) => setTimeout(() => ready.push(`data: ${index}\\n\\n`), ms));
            let left = due.length;
            r.read = (buffer) => {
                if (left === 0) return 0;
                if (ready.length === 0) return -1;
                left -= 1;
                return new TextEncoder().encodeInto(ready.shift(), new Uint8Array(buffer)).written;
            };
            r.headers_out.push({ name: 'content-type', value: 'text/event-stream' });
            r.send();
        };
    ";
    let server = with_script(&tree, script, &["--timeout=1"]);
    assert_eq!(Client::get(&server, "/poll").text(), "news");
    assert_eq!(Client::get(&server, "/rare").text(), "data: 0\n\n");
    assert_eq!(
        Client::get(&server, "/events").text(),
        "data: 0\n\ndata: 1\n\ndata: 2\n\n"
    );
}

#[test]
fn the_longest_time_that_a_script_can_ask_for_is_an_option() {
    let tree = Tree::new();
    let script = "
        httpout.on_request = (r) => {
            r.timeout = 100;
            setInterval(() => {}, 50);
        };
    ";
    let server = with_script(&tree, script, &["--timeout=30", "--plugin_patience=1"]);
    assert_eq!(Client::get(&server, "/").status, 504);
    let log = server.wait_for_log("no `send` within 1 s");
    assert!(
        log.contains("set-timeout refused: 100 s are not 1 to 1 (option `plugin_patience`)"),
        "{log}"
    );
    let script = "httpout.on_request = (r) => { r.timeout = 'soon'; };";
    let server = with_script(&tree, script, &[]);
    assert_eq!(Client::get(&server, "/").status, 500);
    server.wait_for_log("RangeError: request.timeout cannot be soon");
}

#[test]
fn a_script_suffices_to_start_with_and_what_it_leaves_is_404() {
    let tree = Tree::new();
    let script = "httpout.on_request = (r) => { if (r.path === '/own') { r.reply = 200; r.body = 'own'; } r.send(); };";
    tree.write("my.js", script.as_bytes());
    let filter = format!(
        "httpout:port=0:ifce=127.0.0.1:js={}",
        tree.text("my.js").replace(':', "\\:")
    );
    let server = Server::spawn(&mut command([&filter]));
    assert_eq!(Client::get(&server, "/own").text(), "own");
    assert_eq!(Client::get(&server, "/other").status, 404);
}

#[test]
fn each_server_of_a_line_has_its_own_script() {
    let tree = Tree::new();
    for name in ["one", "two"] {
        let script = format!("setTimeout(() => print('works {name}'), 1);") + &saying(name);
        tree.write(&format!("{name}.js"), script.as_bytes());
    }
    let filter = |name: &str| {
        let file = tree.text(&format!("{name}.js"));
        format!("httpout:port=0:ifce=127.0.0.1:js={file}")
    };
    let mut server = Server::spawn(&mut command([filter("one"), filter("two")]));
    assert_eq!(Client::get(&server, "/").text(), "one");
    let (_, second) = server.next_listener();
    let mut client = Client::connect_to(second);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "two");
    server.wait_for_log("works one");
    server.wait_for_log("works two");
    // The same script twice.
    let server = Server::spawn(&mut command([filter("one"), filter("one")]));
    assert_eq!(Client::get(&server, "/").text(), "one");
    server.wait_for_times("works one", 2);
}

#[test]
fn the_script_that_is_given_last_counts_and_that_of_the_file_is_beside_it() {
    let tree = Tree::new();
    tree.write("etc/one.js", saying("one").as_bytes());
    tree.write("etc/two.js", saying("two").as_bytes());
    tree.write("etc/httpout.toml", b"js = 'one.js'\n");
    let (one, two) = (tree.text("etc/one.js"), tree.text("etc/two.js"));
    let said = |arguments: &[&str]| {
        let server = Server::start(arguments);
        Client::get(&server, "/").text().to_owned()
    };
    assert_eq!(said(&["--js", &one, "--js", &two]), "two");
    let config = tree.text("etc/httpout.toml");
    assert_eq!(said(&["--config", &config]), "one");
    assert_eq!(said(&["--config", &config, "--js", &two]), "two");
    tree.write("etc/two.js", b"let x = 1;\n let = ;\n");
    tree.write("etc/httpout.toml", b"\njs = 'two.js'\n");
    let output = server::run(["--port=0", "--config", &config]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("httpout.toml:2: option `js`: two.js:2:"),
        "{said}"
    );
}

#[test]
fn the_check_of_a_script_shows_what_it_would_answer() {
    let tree = Tree::new();
    let script = "
        import { File } from 'gpaccore';
        httpout.on_request = (r) => {
            r.headers_out.push({ name: 'x-method', value: r.method });
            if (r.path === '/page') { r.reply = 201; r.body = 'two\\nlines'; }
            if (r.path === '/read') {
                r.reply = 200;
                let left = 3;
                r.read = (buffer) => { if (left-- === 0) return 0; new Uint8Array(buffer)[0] = 65; return 1; };
            }
            if (r.path === '/file') r.body = 'hello.txt';
            if (r.path === '/fails') r.nothing.there();
            if (r.path === '/never') { r.close = () => {}; return; }
            if (r.path === '/asks') { return fetch('http://127.0.0.1/'); }
            if (r.path === '/writes') { new File('in/a.txt', 'wb').puts('x'); }
            r.send();
        };
    ";
    tree.write("my.js", script.as_bytes());
    tree.write("hello.txt", b"hello");
    let script = tree.text("my.js");
    let (code, report, said) = check(&[&script]);
    assert_eq!((code, &*said), (Some(0), ""), "{report}");
    for line in [
        format!("ok script `my` from `{script}`, asked about all methods; reads "),
        "ok `GET /` is answered by the server (reply 0)\n".to_owned(),
        "ok `GET /` gets field `x-method: GET`\n".to_owned(),
    ] {
        assert!(report.contains(&line), "{line} in {report}");
    }
    for (request, told) in [
        (
            "POST /page?a=b",
            "ok `POST /page?a=b` is answered by the script: 201, a body of 9 bytes: `two\\nlines`\n",
        ),
        (
            "GET /read",
            "ok `GET /read` is answered by the script: 200, a body of 3 bytes: `AAA`\n",
        ),
        ("GET /file", "is answered by the server: file `"),
    ] {
        let (code, report, said) = check(&[&script, "--request", request]);
        assert_eq!((code, &*said), (Some(0), ""), "{report}");
        assert!(report.contains(told), "{told} in {report}");
    }
    for (request, told) in [
        (
            "GET /fails",
            "httpout: option `js`: a dry run of `GET /fails` fails: TypeError: cannot read property 'there' of undefined in <anonymous> (my.js:",
        ),
        ("GET /never", "`send()` was not called"),
        (
            "GET",
            "option `request`: `GET` is no request such as `GET /`",
        ),
        ("BREW /", "option `request`: `BREW /` is no request"),
    ] {
        let (code, _, said) = check(&[&script, "--request", request]);
        assert!(code == Some(2) && said.contains(told), "{told} in {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // Nobody is asked, also where it is granted.
    let request = ["--request", "GET /asks", "--plugin_allow=127.0.0.1"];
    let (code, _, said) = check(&[&[&*script], &request[..]].concat());
    let told = "TypeError: fetch: http://127.0.0.1/: no other server is asked in a dry run";
    assert!(code == Some(2) && said.contains(told), "{said}");
    // Nothing is written, also where the server would let it.
    std::fs::create_dir(tree.path("in")).expect("is new");
    let uploads = tree.text("in");
    let (code, ..) = check(&[&script, "--wdir", &uploads, "--request=GET /writes"]);
    assert_eq!(code, Some(2));
    assert_eq!(std::fs::read_dir(uploads).expect("is there").count(), 0);
}

#[test]
fn the_check_refuses_what_the_server_would() {
    let tree = Tree::new();
    tree.write("my.js", b"let a = 1;\nlet b = ;\n");
    let script = tree.text("my.js");
    let told = "my.js:2:9: SyntaxError: unexpected token in expression: ';'";
    let (code, report, said) = check(&[&script]);
    assert_eq!((code, &*report), (Some(2), ""));
    assert_eq!(said, format!("httpout: option `js`: {told}\n"));
    tree.write("httpout.toml", b"js = 'my.js'\n");
    let config = tree.text("httpout.toml");
    let (code, _, said) = check(&[&config]);
    assert!(
        code == Some(2) && said.contains(&format!("httpout.toml:1: option `js`: {told}")),
        "{said}"
    );
    tree.write("my.js", saying("fine").as_bytes());
    let (code, report, _) = check(&[&config]);
    assert_eq!(code, Some(0));
    assert!(
        report.contains("ok `GET /` is answered by the script: 200, a body of 4 bytes: `fine`"),
        "{report}"
    );
}

#[test]
fn the_check_shows_no_answer_to_what_comes_to_no_script() {
    let tree = Tree::new();
    tree.write("my.js", saying("fine").as_bytes());
    let config = "[[plugin]]\nfile = 'my.js'\npaths = ['/api/']\nmethods = ['GET']\n";
    tree.write("httpout.toml", config.as_bytes());
    let config = tree.text("httpout.toml");
    for (request, told) in [
        ("GET /api/a", "is answered by the script: 200"),
        ("GET /", "comes to no script: "),
        ("PUT /api/a", "comes to no script: "),
    ] {
        let (code, report, said) = check(&[&config, "--request", request]);
        assert_eq!((code, &*said), (Some(0), ""), "{report}");
        let told = format!("ok `{request}` {told}");
        assert!(report.contains(&told), "{told} in {report}");
    }
}

#[test]
fn the_check_runs_no_work_beside_requests() {
    let tree = Tree::new();
    tree.write(
        "my.js",
        ("setTimeout(() => print('works'), 0);".to_owned() + &saying("ok")).as_bytes(),
    );
    let (code, _, said) = check(&[&tree.text("my.js"), "--log=debug"]);
    assert!(code == Some(0) && !said.contains("works"), "{said}");
}

#[test]
fn what_a_request_leaves_behind_ends_with_it_where_instances_are_used_again() {
    let tree = Tree::new();
    let script = "
        let ran = 0;
        globalThis.kept = [];
        httpout.on_request = (r) => {
            r.reply = 200;
            if (r.path === '/leaves') {
                for (let i = 0; i < 1000; i++) {
                    setInterval(() => { ran += 1; }, 1);
                    new Promise((done) => setTimeout(done, 1)).then(() => { ran += 1; });
                }
            }
            if (r.path === '/grows') kept.push(new Uint8Array(30 << 20));
            r.body = `ran ${ran} kept ${kept.length}`;
            r.path === '/waits' ? setTimeout(() => r.send(), 30) : r.send();
        };
    ";
    let server = with_script(&tree, script, &["--plugin_reuse=1000"]);
    for _ in 0..20 {
        assert_eq!(Client::get(&server, "/leaves").text(), "ran 0 kept 0");
        assert_eq!(Client::get(&server, "/waits").text(), "ran 0 kept 0");
    }
    // Memory that one request takes is no other one's fault.
    for _ in 0..10 {
        assert_eq!(Client::get(&server, "/grows").status, 200);
    }
    assert!(!server.log().contains("memory"), "{}", server.log());
}

#[test]
fn a_script_with_timers_starts_from_the_cache_and_never_from_what_it_was() {
    let tree = Tree::new();
    let cache = tree.text("cache");
    tree.write("lib.js", b"export const name = 'first';");
    let script = "
        import { name } from './lib.js';
        setInterval(() => {}, 1000);
        await new Promise((done) => setTimeout(done, 10));
        setTimeout(() => print('works'), 1);
        httpout.on_request = (r) => { r.reply = 200; r.body = name; r.send(); };
    ";
    tree.write("my.js", script.as_bytes());
    let start = || {
        let server = Server::start(["--js", &*tree.text("my.js"), "--plugin_cache", &cache]);
        server.wait_for_log("works");
        let entries = std::fs::read_dir(&cache).expect("was made").count();
        (entries, Client::get(&server, "/").text().to_owned())
    };
    // The engine, the script, the functions of both, and the seed.
    assert_eq!(start(), (4, "first".to_owned()));
    assert_eq!(start(), (4, "first".to_owned()));
    tree.write("lib.js", b"export const name = 'other';");
    assert_eq!(start(), (5, "other".to_owned()));
    for entry in std::fs::read_dir(&cache).expect("was made") {
        let found = entry.and_then(|entry| entry.metadata()).expect("is there");
        assert_eq!(found.mode() & 0o777, 0o600);
    }
}

#[test]
fn functions_on_disk_that_are_broken_are_compiled_again() {
    let tree = Tree::new();
    let cache = tree.text("cache");
    let start = |text: &str| {
        tree.write("my.js", saying(text).as_bytes());
        let server = Server::start(["--js", &*tree.text("my.js"), "--plugin_cache", &cache]);
        assert_eq!(Client::get(&server, "/").text(), text);
    };
    start("whole");
    for entry in std::fs::read_dir(&cache).expect("was made") {
        let path = entry.expect("is there").path();
        let bytes = std::fs::read(&path).expect("is a file");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("is ours");
    }
    start("broken");
}

#[test]
fn the_check_takes_compiled_code_and_leaves_none() {
    let tree = Tree::new();
    tree.write("my.js", saying("ok").as_bytes());
    let (script, cache) = (tree.text("my.js"), tree.text("cache"));
    let check = || check(&[&script, "--plugin_cache", &cache]);
    assert_eq!(check().0, Some(0));
    assert!(!tree.path("cache").exists());
    drop(Server::start(["--js", &*script, "--plugin_cache", &cache]));
    let entries = || -> Vec<_> {
        let entries = std::fs::read_dir(&cache).expect("was made").flatten();
        let mut names: Vec<_> = entries
            .map(|entry| {
                (
                    entry.file_name(),
                    entry.metadata().expect("is there").mtime(),
                )
            })
            .collect();
        names.sort();
        names
    };
    let before = entries();
    assert_eq!((check().0, entries()), (Some(0), before));
}
