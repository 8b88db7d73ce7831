//! Option `js`: scripts for GPAC's httpout (documents: howto-js-server), run by the engine that is part of the binary.

use crate::support::tree::pattern;
use crate::support::{Client, Response, Server, Tree, guest, server};

const SAMPLE_1: &str = include_str!("../data/js/sample1.js");
const SAMPLE_2: &str = include_str!("../data/js/sample2.js");
const FEATURES: &str = include_str!("../data/js/features.js");
const REPLIES: &str = include_str!("../data/js/replies.js");
const FAULTS: &str = include_str!("../data/js/faults.js");

/// A server of the standard tree with a script in front.
fn with_script(tree: &Tree, script: &str) -> Server {
    tree.write("my.js", script.as_bytes());
    Server::start([&*tree.text("www"), "--js", &tree.text("my.js")])
}

fn is_failed(response: &Response) -> bool {
    response.status == 500 && response.text().contains("a plugin of the server failed")
}

#[test]
fn the_first_sample_of_the_document_runs_as_it_stands() {
    let tree = Tree::new();
    let server = with_script(&tree, SAMPLE_1);
    let response = Client::get(&server, "/hello.txt");
    assert_eq!((response.status, response.text()), (200, "hello\n"));
    assert_eq!(response.field("x-gpac"), Some("foo"));
    let log = server.wait_for_log("closed with code end of stream");
    assert!(log.contains(
        r#"Got request {"method":"GET","url":"/hello.txt","auth_code":200,"tls":false,"netid":"#
    ));
    let missing = Client::get(&server, "/missing.txt");
    assert_eq!(
        (missing.status, missing.field("x-gpac")),
        (404, Some("foo"))
    );
}

#[test]
fn the_slips_of_the_second_sample_are_told() {
    let tree = Tree::new();
    tree.write("av1.mp4", b"media");
    let server = with_script(&tree, SAMPLE_2);
    let mut client = Client::connect(&server);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    client.read_all();
    let log = server.wait_for_log("closed with code");
    assert!(
        log.contains("`request.read` is set twice: was `request.write` meant?"),
        "{log}"
    );
    assert!(
        log.contains("ReferenceError: ab is not defined in <anonymous> (my.js:20:"),
        "{log}"
    );
}

#[test]
fn the_second_sample_runs_without_its_slips() {
    let tree = Tree::new();
    let media = pattern(300_000);
    tree.write("av1.mp4", &media);
    let (head, rest) = SAMPLE_2
        .split_once("//our write")
        .expect("it is the sample");
    let (head, rest) = (
        head.replace("(ab)", "(buf)"),
        rest.replace("ab.byte", "buf.byte"),
    );
    let server = with_script(
        &tree,
        &format!(
            "{head}//our write{}",
            rest.replace("request.read", "request.write")
        ),
    );
    let get = Client::get(&server, "/anything");
    assert_eq!((get.status, get.body == media), (200, true));
    server.wait_for_log("closed with code end of stream");
    let put = Client::put(&server, "/anything", "", b"12345");
    // Its `read` is for GET.
    assert_eq!((put.status, put.text()), (200, ""));
    let log = server.wait_for_times("closed with code end of stream", 2);
    assert!(log.contains("Got new bytes: 5"), "{log}");
}

#[test]
fn a_session_binds_its_logic_to_the_server() {
    let tree = Tree::new();
    let script = "
        let req_handler = {
            on_request: function(request) { request.reply = 200; request.body = 'bound ' + (this === req_handler); request.send(); }
        };
        session.set_new_filter_fun( (f) => {
            print(\"new filter \" + f.name);
            if (f.name == \"httpout\") { f.bind(req_handler); }
        } );
        session.set_del_filter_fun( (f) => { print('end'); } );
    ";
    let server = with_script(&tree, script);
    assert_eq!(Client::get(&server, "/").text(), "bound true");
    assert!(server.log().contains("new filter httpout"));
}

#[test]
fn a_script_without_imports_may_be_sloppy() {
    let tree = Tree::new();
    let script = "x = 5; httpout.on_request = function(r) { r.reply = 200; r.body = 'x is ' + x; r.send(); }";
    let server = with_script(&tree, script);
    assert_eq!(Client::get(&server, "/").text(), "x is 5");
}

#[test]
fn the_language_and_the_documented_objects_are_there() {
    let tree = Tree::new();
    tree.write(
        "lib/greet.js",
        b"export const greet = (name) => `hello ${name}`;",
    );
    let server = with_script(&tree, FEATURES);
    assert_eq!(Client::get(&server, "/").text(), "28 checks");
}

#[test]
fn scripts_reply_as_the_document_says() {
    let tree = Tree::new();
    let server = with_script(&tree, REPLIES);
    let get = |target: &str| Client::get(&server, target);
    assert_eq!(get("/hello.txt").text(), "hello\n");
    assert_eq!(
        get("/query?a=%20b").text(),
        "/query?a= b\n/query\n/query?a=%20b"
    );
    let fields = Client::ask(&server, "GET", "/fields", "X-One: 1\r\nx-two: 2\r\n");
    assert_eq!(fields.text(), "x-one=1,x-two=2");
    assert_eq!(
        (fields.field("x-a"), fields.field("x-latin1")),
        (Some("1"), Some("caf\u{fffd}"))
    );
    for refused in ["x-only-a-name", "x-bad", "x-forged", "connection"] {
        assert_eq!(fields.field(refused), None, "{refused}");
    }
    let bytes = get("/bytes");
    assert_eq!((bytes.status, &*bytes.body), (201, &[0, 255, 10][..]));
    assert_eq!(get("/buffer").body, [1, 2, 3]);
    assert_eq!(get("/empty").status, 204);
    for (target, body) in [
        ("/timer", "after a timer"),
        ("/promise", "after promises"),
        ("/interval", "after 3 intervals"),
        ("/order", "at once,microtask,first,second"),
        ("/task", "after 3 tasks"),
        ("/pieces", "BBBDDDFFF"),
        ("/length", "AAAA"),
        ("/slow", "paced"),
        ("/levels", "logged"),
    ] {
        assert_eq!(get(target).text(), body, "{target}");
    }
    assert_eq!(get("/length").field("content-length"), Some("4"));
    server.wait_for_log("closed 1 after 7 calls");
    let log = server.wait_for_log("two\\nlines");
    assert!(
        log.contains("WARN plugin: a warning 1")
            && log.contains("ERROR plugin: an error {\"a\":1}"),
        "{log}"
    );
    assert!(log.contains("throttle 0 of 5"), "{log}");
}

#[test]
fn write_takes_the_body_before_the_reply_leaves() {
    let tree = Tree::new();
    let server = with_script(&tree, REPLIES);
    let put = Client::put(&server, "/upload", "", b"abc");
    assert_eq!((put.status, put.field("x-after")), (201, Some("the body")));
    assert_eq!(put.text(), "a9993e364706816aba3e25717850c26c9cd0d89d");
    let refused = Client::put(&server, "/refuse", "", b"more than ten bytes");
    assert_eq!((refused.status, refused.text()), (413, "19 bytes"));
    let taken = Client::put(&server, "/refuse", "", b"few");
    assert_eq!((taken.status, taken.text()), (201, "3 bytes"));
}

#[test]
fn no_two_requests_share_random_numbers() {
    let tree = Tree::new();
    let server = with_script(&tree, REPLIES);
    let mut seen: Vec<String> = (0..20)
        .map(|_| Client::get(&server, "/random").text().to_owned())
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 20);
}

#[test]
fn a_fault_costs_its_own_request_and_says_where() {
    let tree = Tree::new();
    let server = with_script(&tree, FAULTS);
    let type_error =
        "TypeError: cannot read property 'field' of undefined in inner (my.js:5:10) < ";
    for (target, told) in [
        ("/throw", format!("{type_error}/throw (my.js:11:")),
        ("/value", "{\"code\":1} was thrown".to_owned()),
        ("/rejected", type_error.to_owned()),
        ("/unhandled", "RangeError: nobody looks".to_owned()),
        ("/timer", format!("{type_error}tick (my.js:")),
        ("/never", "`send()` was not called".to_owned()),
        ("/twice", "Error: send() was called already".to_owned()),
        (
            "/status",
            "RangeError: request.reply cannot be 99".to_owned(),
        ),
        ("/reply", "TypeError: request.reply is fine".to_owned()),
        (
            "/recursion",
            "RangeError: Maximum call stack size exceeded in deeper (my.js:".to_owned(),
        ),
        ("/buffers", "out of memory".to_owned()),
        ("/string", "string too long".to_owned()),
    ] {
        let response = Client::get(&server, target);
        assert!(is_failed(&response), "{target}: {response:?}");
        server.wait_for_log(&told);
        assert_eq!(
            Client::get(&server, "/clean").text(),
            "undefined 0",
            "after {target}"
        );
    }
}

#[test]
fn what_would_never_end_is_stopped_where_it_is() {
    let tree = Tree::new();
    let server = with_script(&tree, FAULTS);
    for (target, told) in [
        (
            "/loop",
            "it took too long (option `plugin_timeout`) in /loop (my.js:",
        ),
        ("/redos", "it took too long"),
        ("/objects", "memory"),
        ("/jobs", ""),
    ] {
        let response = Client::get(&server, target);
        assert!(is_failed(&response), "{target}: {response:?}");
        server.wait_for_log(told);
        assert_eq!(
            Client::get(&server, "/clean").text(),
            "undefined 0",
            "after {target}"
        );
    }
}

#[test]
fn what_a_script_can_catch_costs_nothing() {
    let tree = Tree::new();
    let server = with_script(&tree, FAULTS);
    for (target, body) in [
        ("/late", "once"),
        ("/caught", "RangeError true"),
        ("/json", "RangeError"),
        ("/prototype", "true"),
        ("/clean", "undefined 0"),
        (
            "/import",
            "Error: cannot import `./faults-missing.js`: files can be imported only at start",
        ),
        ("/close", "sent whole"),
    ] {
        assert_eq!(Client::get(&server, target).text(), body, "{target}");
    }
    server.wait_for_log("caught Error: send() was called already");
    server.wait_for_log("of undefined in inner (my.js:5:10)");
}

#[test]
fn a_body_whose_callback_fails_is_cut() {
    let tree = Tree::new();
    let server = with_script(&tree, FAULTS);
    for (target, told) in [
        (
            "/read",
            "TypeError: cannot read property 'field' of undefined in inner",
        ),
        (
            "/too-much",
            "TypeError: request.read returned 65537, not how many of 65536 bytes",
        ),
        ("/promised", "TypeError: request.read returned a promise"),
        (
            "/throttle",
            "TypeError: cannot read property 'field' of undefined in inner",
        ),
    ] {
        let mut client = Client::connect(&server);
        client.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        let response = client.read_all();
        assert!(!response.ends_with("0\r\n\r\n"), "{target}: {response}");
        server.wait_for_log(told);
    }
    server.wait_for_log("closed -8");
}

#[test]
fn files_are_read_where_the_server_reads_and_written_where_clients_write() {
    let tree = Tree::new();
    std::fs::create_dir(tree.path("in")).expect("is new");
    let script = r#"
        import { File, Sys } from 'gpaccore';
        const tried = (run) => { try { return run(); } catch (error) { return String(error); } };
        const CASES = {
            '/served': () => Sys.load_file('www/hello.txt', true),
            '/absolute': () => Sys.load_file(Sys.enum_directory('www').find(({ name }) => name === 'hello.txt').path, true),
            '/outside': () => Sys.load_file('www/../../../../../../../etc/passwd', true),
            '/system': () => Sys.load_file('/etc/passwd', true),
            '/link': () => Sys.load_file('/etc/../etc/hostname', true),
            '/read-only': () => new File('www/new.txt', 'wb').puts('x'),
            '/list': () => Sys.enum_directory('www/sub', 'dir').map(({ name, directory, size }) => [name, directory]).join(),
            '/known': () => [Sys.file_exists('www/hello.txt'), Sys.dir_exists('www'), Sys.file_exists('www'), Sys.file_exists('none')].join(),
            '/write': () => {
                const file = new File('in/a.txt', 'w+b');
                file.puts('one\ntwo\n'); file.puts('th');
                file.seek(0);
                const read = [file.gets(), file.gets(), file.gets(), file.gets(), file.size, file.pos].join('|');
                file.close();
                Sys.move('in/a.txt', 'in/b.txt'); Sys.mkdir('in/c');
                return read + tried(() => file.gets());
            },
            '/remove': () => { Sys.del('in/b.txt'); Sys.rmdir('in/c'); return 'removed'; },
        };
        httpout.on_request = (request) => {
            if (request.path === '/body') { request.body = 'www/hello.txt'; return request.send(); }
            if (request.path === '/passwd') { request.body = '/etc/passwd'; return request.send(); }
            request.reply = 200;
            request.body = String(tried(CASES[request.path]));
            request.send();
        };
    "#;
    tree.write("my.js", script.as_bytes());
    let (www, own, uploads) = (tree.text("www"), tree.text("my.js"), tree.text("in"));
    let server = Server::start(["--rdirs", &www, "--js", &own, "--wdir", &uploads]);
    let refused = "Permission denied";
    for (target, body) in [
        ("/served", "hello\n"),
        ("/absolute", "hello\n"),
        ("/list", "deep,true"),
        ("/known", "true,true,false,false"),
        ("/write", "one\n|two\n|th||10|10Error: the file is closed"),
    ] {
        assert_eq!(Client::get(&server, target).text(), body, "{target}");
    }
    assert_eq!(
        std::fs::read(tree.path("in/b.txt")).expect("is written"),
        b"one\ntwo\nth"
    );
    assert_eq!(Client::get(&server, "/remove").text(), "removed");
    assert!(!tree.path("in/b.txt").exists() && !tree.path("in/c").exists());
    for target in ["/outside", "/system", "/link"] {
        let response = Client::get(&server, target);
        assert!(
            response.text().contains(refused),
            "{target}: {}",
            response.text()
        );
    }
    assert!(
        Client::get(&server, "/read-only")
            .text()
            .contains("Operation not permitted")
    );
    assert!(!tree.path("www/new.txt").exists());
    assert_eq!(Client::get(&server, "/body").text(), "hello\n");
    assert_eq!(Client::get(&server, "/passwd").status, 404);
}

#[test]
fn what_a_plugin_refuses_does_not_come_to_the_script() {
    let tree = Tree::new();
    tree.write(
        "my.js",
        b"httpout.on_request = (r) => { r.reply = 200; r.body = 'script'; r.send(); }",
    );
    let auth = guest("auth") + "?path=/private/&user=alice&password=x";
    let js = tree.text("my.js");
    let server = Server::start([
        "--js",
        &js,
        "--plugin",
        &guest("headers"),
        "--plugin",
        &auth,
    ]);
    assert_eq!(Client::get(&server, "/private/x").status, 401);
    assert_eq!(Client::get(&server, "/x").text(), "script");
}

#[test]
fn a_script_that_cannot_run_is_refused_with_its_place() {
    let tree = Tree::new();
    tree.write("inner.js", b"export const a = 1;\n  undefined_name();\n");
    for (script, told) in [
        (
            "let a = 1;\nlet b = ;\n",
            "my.js:2:9: SyntaxError: unexpected token in expression: ';'",
        ),
        (
            "function f() {\n  throw new TypeError('at load');\n}\nf();\n",
            "my.js:2:13: TypeError: at load",
        ),
        ("await 1; throw 7;", "my.js: 7 was thrown"),
        ("let x = 1;", "my.js: it sets no `httpout.on_request`"),
        (
            "import './missing.js';",
            "my.js:1:8: Error: cannot import `./missing.js`: No such file or directory",
        ),
        (
            "\nimport fs from \"fs\";",
            "my.js:2:16: Error: cannot import `fs`: there are `gpaccore`, `os`, `std`, and files",
        ),
        (
            "import '../outside.js';",
            "my.js:1:8: Error: cannot import `../outside.js`: there are",
        ),
        (
            "import { nope } from 'gpaccore';",
            "my.js: SyntaxError: Could not find export 'nope' in module 'gpaccore'",
        ),
        (
            "import { a } from './inner.js';",
            "inner.js:2:3: ReferenceError: undefined_name is not defined",
        ),
        (
            "await new Promise(() => {});",
            "my.js: it awaits what never comes",
        ),
        (
            "\nfor (;;);\n",
            "it took too long (option `plugin_timeout`)",
        ),
    ] {
        tree.write("my.js", script.as_bytes());
        let output = server::run(["--port=0", "--js", &tree.text("my.js")]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.starts_with("httpout: option `js`: ") && said.contains(told),
            "{script}: {said}"
        );
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(2), 1),
            "{said}"
        );
    }
    let missing = server::run(["--port=0", "--js", &tree.text("none.js")]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn the_same_script_starts_from_the_cache() {
    let tree = Tree::new();
    let cache = tree.text("cache");
    tree.write("my.js", REPLIES.as_bytes());
    let start = || {
        let server = Server::start(["--js", &*tree.text("my.js"), "--plugin_cache", &cache]);
        assert_eq!(Client::get(&server, "/timer").text(), "after a timer");
        std::fs::read_dir(&cache).expect("was made").count()
    };
    let first = start();
    assert_eq!(start(), first);
}

#[test]
fn a_changed_script_takes_over_and_a_broken_one_does_not() {
    let tree = Tree::new();
    let script = |text: &str| {
        let script = format!(
            "httpout.on_request = (r) => {{ r.reply = 200; r.body = '{text}'; r.send(); }}"
        );
        tree.write("my.js", script.as_bytes());
    };
    script("the first");
    let server = Server::start(["--js", &*tree.text("my.js")]);
    assert_eq!(Client::get(&server, "/").text(), "the first");
    script("the second, which is longer");
    server.wait_for_log("is loaded anew");
    assert_eq!(
        Client::get(&server, "/").text(),
        "the second, which is longer"
    );
    tree.write("my.js", b"this is no script");
    server.wait_for_log("goes on as it was loaded before: my.js:1:6: SyntaxError");
    assert_eq!(
        Client::get(&server, "/").text(),
        "the second, which is longer"
    );
}

#[test]
fn an_instance_that_is_used_again_serves_one_request_after_another() {
    let tree = Tree::new();
    tree.write("my.js", REPLIES.as_bytes());
    let server = Server::start(["--js", &*tree.text("my.js"), "--plugin_reuse=100"]);
    for _ in 0..20 {
        for (target, body) in [
            ("/timer", "after a timer"),
            ("/promise", "after promises"),
            ("/pieces", "BBBDDDFFF"),
            ("/order", "at once,microtask,first,second"),
        ] {
            assert_eq!(Client::get(&server, target).text(), body, "{target}");
        }
    }
}
