//! The contract of `wit/`, held by a guest of each language that answers alike below `/conform/`.
//!
//! A language joins by a row in `GUESTS`, a promise by a row in `CASES`.

use crate::support::{Client, Server, Tree, guest};

/// Its language, and the file that is built of it.
type Guest = (&'static str, fn() -> String);

/// A promise, and what holds where it is kept.
type Case = (&'static str, fn(&Server));

/// The guests that are held to the contract.
const GUESTS: &[Guest] = &[
    ("Rust", || guest("conform")),
    ("JavaScript", || {
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/data/js/conform.js"
        )
        .to_owned()
    }),
];

/// What each of them is held to. All ask the same server.
const CASES: &[Case] = &[
    ("all facts of a request can be seen", facts),
    ("fields come in order, also those beyond ASCII", fields),
    ("the configuration comes in order", config),
    ("what cannot be is refused", setters),
    ("codes have texts", error_string),
    ("reply 0 passes a request on, with fields", pass),
    ("reply 0 may name another file", file),
    ("an own reply may have bytes", bytes),
    ("attributes are kept", attribute),
    ("send counts once", send_twice),
    ("state outlives a request", state),
    ("a body can be read from the guest", read),
    ("a body of known length has that length", length),
    ("a body can come later", pending),
    ("HEAD reads nothing", head),
    (
        "a body can be written to the guest, and decide the reply",
        write,
    ),
    ("a body can be refused on its way", refuse),
    ("what is written can be read", echo),
    ("blocks can be delayed, and the end is told", throttle),
    ("a reply can come by a timer", timer),
    ("a reply can come by another request", wake),
    ("a client that leaves is told, once", leave),
    ("a reply that never comes is a 504", never),
    ("a fault costs its request", fault),
    ("a fault in a body breaks it off", fault_in_read),
];

#[test]
fn every_guest_holds_the_contract() {
    for (language, plugin) in GUESTS {
        let tree = Tree::new();
        let plugin = plugin() + "?a=1&b=%3D&a=2";
        let server = Server::start([
            &tree.text("www"),
            "--plugin",
            &plugin,
            "--timeout=2",
            "--log=debug",
        ]);
        for (promise, holds) in CASES {
            // Shown where one fails.
            eprintln!("{language}: {promise}");
            holds(&server);
        }
    }
}

fn get(server: &Server, name: &str) -> String {
    Client::get(server, &format!("/conform/{name}"))
        .text()
        .to_owned()
}

fn facts(server: &Server) {
    let target = "/conform/%66acts?a=%20b";
    let facts = Client::ask(server, "GET", target, "");
    assert_eq!(
        facts.text(),
        "method=GET\nurl=/conform/%66acts?a=%20b\npath=/conform/facts\nscheme=http\nauthority=test\n\
         protocol=HTTP/1.1\npeer=127.0.0.1\nlocal=127.0.0.1\nauth-code=200\nuser=\nbody-length=0\n"
    );
    let with_body = Client::put(server, "/conform/facts", "", b"12345");
    let facts = with_body.text();
    assert!(facts.contains("\nbody-length=5\n"), "{facts}");
}

fn fields(server: &Server) {
    let fields = "X-Twice: caf\u{c3}\u{a9}\r\nx-twice: second\r\n";
    let response = Client::ask(server, "GET", "/conform/fields", fields);
    // The bytes of the value as code points of ISO-8859-1.
    let value: String = "caf\u{c3}\u{a9}".bytes().map(char::from).collect();
    assert_eq!(
        response.text(),
        format!("x-twice={value}\nx-twice=second\n")
    );
    assert_eq!(response.field("x-out"), Some("caf\u{c3}\u{a9}"));
}

fn config(server: &Server) {
    assert_eq!(get(server, "config"), "a=1\nb==\na=2\n");
}

fn setters(server: &Server) {
    let response = Client::get(server, "/conform/setters");
    let text = response.text();
    for refused in ["status 99", "name", "line break", "beyond latin1", "file"] {
        assert!(text.contains(&format!("{refused}=false\n")), "{text}");
    }
    assert!(text.ends_with("field=true\n"), "{text}");
    assert_eq!(response.field("x-mixed-case"), Some("fine"));
    // What else a guest says is no part of the response, also where the language has no word for that.
    assert_eq!((response.field("x-a"), response.field("b")), (None, None));
    let length = text.len().to_string();
    assert_eq!(response.field("content-length"), Some(&*length));
}

fn error_string(server: &Server) {
    assert_eq!(get(server, "error-string"), "connection closed");
}

fn pass(server: &Server) {
    for (target, status) in [("/hello.txt", 200), ("/missing.txt", 404)] {
        let response = Client::get(server, target);
        assert_eq!(response.status, status);
        assert_eq!(response.field("x-conform"), Some("passed"));
    }
}

fn file(server: &Server) {
    let fields = "Range: bytes=1-2\r\n";
    let response = Client::ask(server, "GET", "/conform/file", fields);
    assert_eq!((response.status, response.text()), (206, "el"));
}

fn bytes(server: &Server) {
    let response = Client::get(server, "/conform/bytes");
    assert_eq!((response.status, &*response.body), (201, &[0, 255, 10][..]));
}

fn attribute(server: &Server) {
    assert_eq!(get(server, "attribute"), "conform");
}

fn send_twice(server: &Server) {
    assert_eq!(get(server, "twice"), "once");
    server.wait_for_log("sent true then false");
}

fn state(server: &Server) {
    assert_eq!([get(server, "count"), get(server, "count")], ["1", "2"]);
}

fn read(server: &Server) {
    let response = Client::get(server, "/conform/read");
    assert_eq!(response.field("transfer-encoding"), Some("chunked"));
    assert_eq!(response.text(), "block 0\nblock 1\nblock 2\n");
}

fn length(server: &Server) {
    let response = Client::get(server, "/conform/length");
    assert_eq!(response.field("content-length"), Some("24"));
    assert_eq!(response.text(), "block 0\nblock 1\nblock 2\n");
    server.wait_for_log("closed with 1, status 200, 24 bytes");
}

fn pending(server: &Server) {
    assert_eq!(get(server, "pending"), "block 0\nblock 1\nblock 2\n");
}

fn head(server: &Server) {
    let mut client = Client::connect(server);
    client.send("HEAD /conform/length HTTP/1.1\r\nHost: test\r\n\r\n");
    let response = client.read_response("HEAD");
    assert_eq!(response.field("content-length"), Some("24"));
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
    server.wait_for_log("closed with 1, status 200, 0 bytes");
}

fn write(server: &Server) {
    let body = vec![b'x'; 200_000];
    let response = Client::put(server, "/conform/write", "", &body);
    assert_eq!((response.status, response.text()), (201, "200000 bytes"));
    let mut client = Client::connect(server);
    client.send("POST /conform/write HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send_chunk(b"one");
    client.send_chunk(b"two");
    client.send_chunk(b"");
    assert_eq!(client.read_response("POST").text(), "6 bytes");
}

fn refuse(server: &Server) {
    let response = Client::put(server, "/conform/refuse", "", b"more than ten bytes");
    assert_eq!((response.status, response.text()), (413, "too large"));
    let response = Client::put(server, "/conform/refuse", "", b"few");
    assert_eq!((response.status, response.text()), (201, "3 bytes"));
}

fn echo(server: &Server) {
    let response = Client::put(server, "/conform/echo", "", b"there and back");
    assert_eq!(response.text(), "there and back");
}

fn throttle(server: &Server) {
    assert_eq!(get(server, "throttle"), "hello\n");
    let log = server.wait_for_log("closed with 1, status 200, 6 bytes");
    assert!(log.contains("throttle 0 of 6"), "{log}");
}

fn timer(server: &Server) {
    assert_eq!(get(server, "timer"), "resumed");
}

fn wake(server: &Server) {
    let mut waiting = Client::connect(server);
    let before = server.log().matches("waiting as ").count();
    waiting.send("GET /conform/wait HTTP/1.1\r\nHost: test\r\n\r\n");
    let id = id_of_the_waiting(server, before);
    assert_eq!(get(server, &format!("wake?id={id}")), "true");
    assert_eq!(waiting.read_response("GET").text(), "resumed");
    assert_eq!(get(server, "wake?id=999999"), "false");
}

fn leave(server: &Server) {
    let mut client = Client::connect(server);
    let before = server.log().matches("waiting as ").count();
    client.send("GET /conform/wait HTTP/1.1\r\nHost: test\r\n\r\n");
    id_of_the_waiting(server, before);
    drop(client);
    let log = server.wait_for_log("closed with -43, status 0, 0 bytes");
    assert_eq!(log.matches("closed with -43").count(), 1, "{log}");
}

/// The number that the latest waiting request has logged, once there are more of them than `before`.
fn id_of_the_waiting(server: &Server, before: usize) -> u64 {
    const SAID: &str = "waiting as ";
    let log = server.wait_for_times(SAID, before + 1);
    let said = log.rsplit(SAID).next().unwrap_or_default();
    let digits: String = said.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("is a number")
}

fn never(server: &Server) {
    assert_eq!(Client::get(server, "/conform/never").status, 504);
}

fn fault(server: &Server) {
    let mut client = Client::connect(server);
    client.send("GET /conform/fault HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_response("GET").status, 500);
    client.send("GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_response("GET").text(), "hello\n");
}

fn fault_in_read(server: &Server) {
    let mut client = Client::connect(server);
    client.send("GET /conform/fault-in-read HTTP/1.1\r\nHost: test\r\n\r\n");
    // The reset may take back what has come.
    let all = client.read_all();
    assert!(!all.ends_with("0\r\n\r\n"), "{all}");
    assert_eq!(get(server, "attribute"), "conform");
}
