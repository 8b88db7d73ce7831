//! What scripts have beside the documented API: fields, bodies, answers in one call, state, metrics, configuration.

use crate::support::tree::pattern;
use crate::support::{Client, Response, Server, Tree};

const CONVENIENCES: &str = include_str!("../data/js/conveniences.js");
const TYPES: &str = include_str!("../../sdk/js/httpout.d.ts");

/// A server with the script of these tests in front of the standard tree.
fn serve(tree: &Tree, options: &[&str]) -> Server {
    tree.write("my.js", CONVENIENCES.as_bytes());
    let (www, script) = (tree.text("www"), tree.text("my.js"));
    Server::start([&*www, "--js", &script].iter().chain(options))
}

fn put(server: &Server, target: &str, body: &str) -> Response {
    Client::put(server, target, "", body.as_bytes())
}

/// The head of an answer and all that came of its body, though not its end.
fn cut(server: &Server, target: &str) -> String {
    let mut client = Client::connect(server);
    client.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
    let all = client.read_all();
    assert!(!all.ends_with("0\r\n\r\n"), "{target}: {all}");
    all
}

#[test]
fn fields_are_found_by_names_in_any_case() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let fields = "X-One: 1\r\nx-two: a\r\nX-TWO: b\r\n";
    let response = Client::ask(&server, "GET", "/headers", fields);
    assert_eq!(
        response.text(),
        r#"{"one":"1","both":"a, b","none":null,"has":true,"listed":[["x-one","1"],["x-two","a, b"]],"same":true}"#
    );
    let made = Client::get(&server, "/fields");
    assert_eq!((made.status, made.field("x-a")), (203, Some("1, 3")));
    assert_eq!(
        (made.field("x-b"), made.text()),
        (None, r#"["a=1, b","c=2"]"#)
    );
    let head = cut_head(&server, "/fields");
    assert!(
        head.contains("set-cookie: a=1, b\r\nset-cookie: c=2\r\n"),
        "{head}"
    );
    assert_eq!(Client::get(&server, "/bad-field").status, 500);
    server.wait_for_log(
        "TypeError: the value of a field stands on one line, of characters up to U+00FF in /bad-field (my.js:",
    );
}

fn cut_head(server: &Server, target: &str) -> String {
    let mut client = Client::connect(server);
    client.send(&format!(
        "GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    ));
    client.read_all()
}

#[test]
fn the_body_of_a_request_is_awaited() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    assert_eq!(put(&server, "/text", "abcdefg").text(), "PUT 7 abcde");
    assert_eq!(put(&server, "/text", "").text(), "PUT 0 ");
    assert_eq!(Client::get(&server, "/text").text(), "GET 0 ");
    let json = put(&server, "/json", r#"{"a":1}"#);
    assert_eq!(
        (json.text(), json.field("content-type")),
        (r#"{"a":2}"#, Some("application/json"))
    );
    let large = pattern(1_000_000);
    let bytes = Client::put(&server, "/bytes", "", &large);
    assert_eq!((bytes.status, bytes.body == large), (201, true));
    assert_eq!(put(&server, "/afterwards", "x").text(), "after a timer");
    assert_eq!(put(&server, "/json", "{").status, 500);
    server.wait_for_log("SyntaxError: ");
}

#[test]
fn the_body_of_a_request_comes_by_pieces_and_its_rest_can_be_refused() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let large = pattern(1_000_000);
    let pieces = Client::put(&server, "/pieces", "", &large);
    assert_eq!(pieces.text(), "true 1000000");
    let refused = Client::put(&server, "/refuse", "", &large);
    assert_eq!((refused.status, refused.text()), (403, "true"));
}

#[test]
fn a_body_is_bounded_by_maxs_and_by_memory() {
    let tree = Tree::new();
    let server = serve(&tree, &["--maxs=100000"]);
    let bomb = pattern(200_000);
    assert_eq!(Client::put(&server, "/bomb", "", &bomb).status, 413);
    let server = serve(&tree, &["--plugin_memory=8M"]);
    let bomb = pattern(16_000_000);
    assert_eq!(Client::put(&server, "/bomb", "", &bomb).status, 500);
    server.wait_for_log("WARN plugin: ");
    assert_eq!(put(&server, "/text", "more").text(), "PUT 4 more");
}

#[test]
fn a_body_that_cannot_be_taken_is_told() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    for (target, told) in [
        (
            "/passed-on",
            "request.reply is 0, but the server cannot handle a request whose body the script has taken",
        ),
        ("/both", "the body of the request goes to request.write"),
        (
            "/too-late",
            "the body of the request was not asked for before send()",
        ),
    ] {
        assert_eq!(put(&server, target, "abc").status, 500, "{target}");
        server.wait_for_log(told);
    }
}

#[test]
fn respond_sends_all_of_a_reply_once() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let get = |target: &str| Client::get(&server, target);
    assert_eq!(get("/empty").status, 204);
    let text = get("/string");
    assert_eq!(
        (text.text(), text.field("content-type")),
        ("h\u{e9}", Some("text/plain;charset=UTF-8"))
    );
    let view = get("/view");
    assert_eq!(
        (&*view.body, view.field("content-type")),
        (&[2, 3][..], None)
    );
    assert_eq!(get("/html").field("content-type"), Some("text/html"));
    assert_eq!(get("/twice").text(), "once");
    server.wait_for_log("caught Error: the reply was sent already");
    for (target, told) in [
        ("/object", "TypeError: an object (Object) is no body"),
        ("/status", "RangeError: 99 is no status of a reply"),
    ] {
        assert_eq!(get(target).status, 500, "{target}");
        server.wait_for_log(told);
    }
    assert_eq!(get("/hello.txt").text(), "hello\n");
}

#[test]
fn generators_make_bodies_as_they_are_taken() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let all = "piece 1\npiece 2\npiece 3\npiece 4\npiece 5\n";
    let made = Client::get(&server, "/generator");
    assert_eq!((made.text(), made.field("content-length")), (all, None));
    server.wait_for_log("cleaned up after 5");
    let known = Client::get(&server, "/length");
    assert_eq!(
        (known.text(), known.field("content-length")),
        (all, Some("40"))
    );
    assert_eq!(Client::get(&server, "/iterator").text(), "abc");
    let large = Client::get(&server, "/large").body;
    let expected: Vec<u8> = (0..800_000)
        .map(|at: u32| b'A' + (at / 100_000) as u8)
        .collect();
    assert!(large == expected, "{} bytes", large.len());
}

#[test]
fn a_generator_waits_for_its_client_and_ends_with_it() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let mut client = Client::connect(&server);
    client.send("GET /endless HTTP/1.1\r\nHost: test\r\n\r\n");
    client.read_exact(200_000);
    drop(client);
    server.wait_for_log("left after true");
    // Also one that awaits what has not come.
    let mut client = Client::connect(&server);
    client.send("GET /watch HTTP/1.1\r\nHost: test\r\n\r\n");
    client.read_head();
    client.read_chunks(": begun\n\n");
    drop(client);
    let log = server.wait_for_log("the watcher has cleaned up");
    assert!(!log.contains("WARN"), "{log}");
}

#[test]
fn a_generator_that_fails_or_waits_for_nothing_cuts_its_body() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    for (target, told) in [
        ("/broken", "RangeError: half way in <anonymous> (my.js:"),
        ("/number", "TypeError: a number is no part of a body"),
        ("/stuck", "the body waits for what never comes"),
    ] {
        cut(&server, target);
        server.wait_for_log(told);
    }
}

#[test]
fn a_handler_may_give_a_response() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let given = Client::get(&server, "/response");
    assert_eq!(
        (given.status, given.field("x-a"), given.text()),
        (202, Some("1"), "given")
    );
    assert_eq!(
        Client::get(&server, "/promised").text(),
        r#"{"given":true}"#
    );
    assert_eq!(
        Client::get(&server, "/streamed").text(),
        "piece 1\npiece 2\n"
    );
    assert_eq!(Client::get(&server, "/other").status, 500);
    server.wait_for_log("`send()` was not called");
}

#[test]
fn state_outlives_a_request() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let get = |target: &str| Client::get(&server, target);
    assert_eq!(
        get("/state").text(),
        r#"["one",[0,255],true,0,true,true,true,"two",["a/1","a/2"],true,false,true]"#
    );
    assert_eq!(get("/many").text(), "2500 many/0000 many/2499");
    assert_eq!(get("/count").text(), "1 -2");
    assert_eq!(get("/count").text(), "2 -4");
    assert_eq!(get("/expires").text(), "0 undefined");
    assert_eq!(get("/no-number").status, 500);
    server.wait_for_log("state `word`: the value is no decimal number of 64 bits in /no-number");
}

#[test]
fn a_change_of_state_wakes_who_awaits_it() {
    let tree = Tree::new();
    // Without reuse, and with it: what one request awaits is nothing to the next one of its instance.
    for reuse in ["--plugin_reuse=0", "--plugin_reuse=50"] {
        let server = serve(&tree, &[reuse]);
        let mut waiting = Client::connect(&server);
        waiting.send("GET /wait HTTP/1.1\r\nHost: test\r\n\r\n");
        server.wait_for_log("begins to wait");
        let mut events = Client::connect(&server);
        events.send("GET /watch HTTP/1.1\r\nHost: test\r\n\r\n");
        events.read_head();
        events.read_chunks(": begun\n\n");
        assert_eq!(put(&server, "/tell", "great").status, 200);
        assert_eq!(waiting.read_response("GET").text(), "great");
        for value in ["one", "two"] {
            put(&server, "/feed", value);
            events.read_chunks(&format!("data: {value}\n\n"));
        }
        put(&server, "/feed", "end");
        assert_eq!(events.read_chunk(), None);
        for _ in 0..10 {
            assert_eq!(put(&server, "/text", "x").text(), "PUT 1 x");
        }
    }
}

#[test]
fn figures_stand_on_the_page_of_metrics() {
    let tree = Tree::new();
    let server = serve(&tree, &["--metrics=/figures"]);
    let said = Client::get(&server, "/metrics");
    assert_eq!(said.text(), "RangeError: a counter cannot grow by -1");
    let page = Client::get(&server, "/figures");
    for line in [
        "httpout_plugin_asked_total{plugin=\"my\",path=\"a\"} 3",
        "httpout_plugin_level{plugin=\"my\"} -1.5",
        "httpout_plugin_took_count{plugin=\"my\"} 1",
    ] {
        assert!(page.text().contains(line), "{line}: {}", page.text());
    }
}

#[test]
fn a_script_has_a_configuration() {
    let tree = Tree::new();
    tree.write("my.js", CONVENIENCES.as_bytes());
    let script = tree.text("my.js") + "?a=1&b=x%26y&a=2";
    let expected = r#"{"a":"1","b":"x&y","frozen":true,"proto":true}"#;
    let server = Server::start(["--js", &script]);
    assert_eq!(Client::get(&server, "/config").text(), expected);
    tree.write("conf.toml", b"js = 'my.js?a=1&b=x%26y'\n");
    let config = format!("--config={}", tree.text("conf.toml"));
    let server = Server::start([&config]);
    assert_eq!(Client::get(&server, "/config").text(), expected);
}

#[test]
fn a_script_may_stand_among_the_plugins() {
    let tree = Tree::new();
    tree.write("my.js", CONVENIENCES.as_bytes());
    tree.write(
        "conf.toml",
        b"[[plugin]]\nfile = 'my.js'\nname = 'first'\npaths = ['/config']\nconfig = { a = 1, b = ['x&y', 'z'] }\n",
    );
    let config = format!("--config={}", tree.text("conf.toml"));
    let server = Server::start([&*tree.text("www"), &config]);
    assert_eq!(
        Client::get(&server, "/config").text(),
        r#"{"a":"1","b":"x&y","frozen":true,"proto":true}"#
    );
    // It is asked about its path only.
    assert_eq!(Client::get(&server, "/string").status, 404);
}

#[test]
fn what_the_types_declare_is_there() {
    let tree = Tree::new();
    let server = serve(&tree, &[]);
    let declared = TYPES.lines().filter_map(|line| {
        let (kind, rest) = line.strip_prefix("declare ")?.split_once(' ')?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        (kind != "module").then_some(&rest[..end])
    });
    let names: Vec<&str> = declared.collect();
    assert!(names.len() > 60 && names.contains(&"fetch"), "{names:?}");
    assert_eq!(put(&server, "/missing", &names.join(",")).text(), "");
    assert_eq!(put(&server, "/missing", "fetch,nothing").text(), "nothing");
}
