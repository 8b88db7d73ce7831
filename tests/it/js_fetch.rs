//! `fetch` of scripts: other servers, which option `plugin_allow` grants.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use crate::fetch::Other;
use crate::support::{Client, Server, Tree};

const FETCH: &str = include_str!("../data/js/fetch.js");

const JSON: &str = "HTTP/1.1 200 OK\r\nX-Given: g\r\nContent-Length: 7\r\n\r\n{\"a\":1}";

/// A server whose script asks the other one, with these options.
fn serve(tree: &Tree, other: &Other, options: &[&str]) -> Server {
    tree.write("my.js", FETCH.as_bytes());
    let script = format!("{}?other=http://{}", tree.text("my.js"), other.address);
    Server::start(["--js", &script].iter().chain(options))
}

/// The same with the grant.
fn granted(tree: &Tree, other: &Other, options: &[&str]) -> Server {
    let grant = format!("--plugin_allow={}", other.address);
    serve(tree, other, &[&[&*grant], options].concat())
}

#[test]
fn a_granted_server_is_asked() {
    let (tree, other) = (Tree::new(), Other::saying(JSON));
    let server = granted(&tree, &other, &[]);
    let get = |target: &str| Client::get(&server, target);
    assert_eq!(get("/get").text(), r#"[200,true,"g","{\"a\":1}",true]"#);
    let head = other.head();
    assert!(
        head.starts_with("GET /asked?a=b HTTP/1.1\r\n") && head.contains("\r\nx-sent: yes\r\n"),
        "{head}"
    );
    assert_eq!(get("/json").text(), r#"{"inner":{"a":1}}"#);
    assert_eq!(get("/bytes").text(), r#""a":1}"#);
    assert_eq!(get("/pieces").text(), r#"<{"a":1}>"#);
    assert_eq!(get("/all").text(), "200,200,200");
}

#[test]
fn a_response_of_another_server_is_passed_on() {
    let tree = Tree::new();
    let other = Other::saying(
        "HTTP/1.1 203 OK\r\nX-Given: g\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
    );
    let server = granted(&tree, &other, &[]);
    let passed = Client::get(&server, "/proxy");
    assert_eq!(
        (passed.status, passed.field("x-given"), passed.text()),
        (203, Some("g"), "abcdef")
    );
    assert!(!server.log().contains("WARN"), "{}", server.log());
}

#[test]
fn a_body_goes_to_another_server() {
    let tree = Tree::new();
    let other = Other::start(|socket| {
        let mut body = vec![0; 300_000];
        let answer = match socket.read_exact(&mut body) {
            Ok(()) if body.iter().all(|byte| *byte == b'x') => "fine",
            _ => "cut!",
        };
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
        let _ = socket.write_all(format!("{head}{answer}").as_bytes());
    });
    let server = granted(&tree, &other, &[]);
    let put = Client::put(&server, "/post", "", &[b'x'; 300_000]);
    assert_eq!(put.text(), "fine");
    let head = other.head();
    assert!(
        head.starts_with("POST / HTTP/1.1\r\n")
            && head.contains("content-length: 300000\r\n")
            && head.contains("content-type: text/plain;charset=UTF-8\r\n"),
        "{head}"
    );
}

#[test]
fn what_is_not_granted_is_told_to_the_script() {
    let (tree, other) = (Tree::new(), Other::saying(JSON));
    let address = other.address;
    let expected =
        format!("TypeError: fetch: http://{address}/: it is not granted: plugin_allow={address}");
    for options in [&[][..], &["--plugin_allow=example.invalid"]] {
        let server = serve(&tree, &other, options);
        assert_eq!(Client::get(&server, "/told").text(), expected);
        assert_eq!(Client::get(&server, "/uncaught").status, 500);
        server.wait_for_log(&expected);
        let told = Client::get(&server, "/scheme");
        assert!(
            told.text().contains("only `http:` and `https:`"),
            "{}",
            told.text()
        );
    }
    assert!(!other.was_asked());
    let server = granted(&tree, &other, &[]);
    let told = Client::get(&server, "/field");
    assert!(
        told.text().contains("`host` cannot be sent"),
        "{}",
        told.text()
    );
}

#[test]
fn redirects_are_followed_to_what_is_granted() {
    let tree = Tree::new();
    let upstream = Other::saying(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/to\r\nContent-Length: 0\r\n\r\n",
    );
    let server = granted(&tree, &upstream, &[]);
    assert_eq!(Client::get(&server, "/manual").text(), "302");
    // Each is given up before the next one is asked.
    let circle = Other::start(|socket| {
        let _ = socket.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 9\r\n\r\nredirects",
        );
        let _ = socket.read(&mut [0]);
    });
    let round = granted(&tree, &circle, &["--plugin_fetches=3"]);
    let told = Client::get(&round, "/told");
    assert!(
        told.text().ends_with("/again: it redirects too often"),
        "{}",
        told.text()
    );
    assert_eq!(
        Client::get(&server, "/told").text(),
        "TypeError: fetch: http://127.0.0.1:1/to: it is not granted: plugin_allow=127.0.0.1:1"
    );
    let listed = Tree::new();
    listed.write("www/to", b"reached");
    let other = Server::start([&*listed.text("www")]);
    let location = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        other.url("/to")
    );
    let upstream = Other::start(move |socket| {
        let _ = socket.write_all(location.as_bytes());
    });
    let allow = format!("--plugin_allow={},{}", upstream.address, other.address);
    let server = serve(&tree, &upstream, &[&allow]);
    assert_eq!(Client::get(&server, "/followed").text(), "true 200 /to");
}

#[test]
fn a_fetch_ends_where_it_is_aborted_or_takes_too_long() {
    let tree = Tree::new();
    let (other, left) = Other::silent();
    let server = granted(&tree, &other, &["--timeout=2"]);
    for (target, told) in [
        ("/timeout", "TimeoutError: it took too long"),
        ("/abort", "AbortError: it was aborted"),
    ] {
        assert_eq!(Client::get(&server, target).text(), told);
        left.recv_timeout(Duration::from_secs(60))
            .expect("it was left");
    }
    let late = Client::get(&server, "/told");
    assert!(
        late.status == 504 || late.text().ends_with("it does not answer in time"),
        "{} {}",
        late.status,
        late.text()
    );
}

#[test]
fn a_response_that_is_too_large_or_cut_is_an_error() {
    let tree = Tree::new();
    let large = "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\nbeginning";
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut";
    for answer in [large, cut, "SSH-2.0-OpenSSH\r\n"] {
        let other = Other::saying(answer);
        let server = granted(&tree, &other, &["--plugin_fetch_size=1M"]);
        let told = Client::get(&server, "/told");
        assert!(
            told.text().starts_with("TypeError: fetch: "),
            "{}",
            told.text()
        );
    }
}

#[test]
fn an_instance_that_is_used_again_asks_again() {
    let (tree, other) = (Tree::new(), Other::saying(JSON));
    let server = granted(&tree, &other, &["--plugin_reuse=50"]);
    for _ in 0..20 {
        assert_eq!(Client::get(&server, "/json").text(), r#"{"inner":{"a":1}}"#);
        assert_eq!(Client::get(&server, "/manual").text(), "200");
    }
    assert!(!server.log().contains("is not reused"), "{}", server.log());
}

#[test]
fn a_script_asks_nobody_while_it_is_loaded() {
    let tree = Tree::new();
    tree.write("my.js", b"await fetch('http://127.0.0.1:1/');");
    let output = crate::support::server::run(["--port=0", "--js", &tree.text("my.js")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("my.js:1:6: TypeError: fetch: other servers can be asked for a request only"),
        "{said}"
    );
}
