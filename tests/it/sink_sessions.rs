//! Lines with several inputs and outputs (documents: httpout, Multiple destinations on single server).

use crate::support::media::{listen, make, rest};
use crate::support::server::run;
use crate::support::{Client, Server, Tree, try_curl};

#[test]
fn outputs_of_one_port_share_a_server_with_directories() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    let (two, picture) = make(&tree, "two.ts", "1");
    let www = tree.text("www");
    let server = Server::start([
        &format!("httpout:rdirs={www}"),
        "-i",
        &format!("{one}:FID=S"),
        "-i",
        &format!("{two}:FID=P"),
        "-o",
        "http://127.0.0.1/a/live.ts:SID=P:rdirs=",
        "-o",
        "http://127.0.0.1/live.mp3:SID=S:rdirs=",
        "--hold",
    ]);
    assert!(rest(&mut listen(&server, "/live.mp3")) == sound);
    assert!(rest(&mut listen(&server, "/a/live.ts")) == picture);
    assert_eq!(Client::get(&server, "/hello.txt").text(), "hello\n");
}

#[test]
fn without_names_an_output_takes_the_input_before_it() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    let (two, picture) = make(&tree, "two.ts", "1");
    let (a, b) = ("http://127.0.0.1/a", "http://127.0.0.1/b");
    let server = Server::start(["-i", &one, "-o", a, "-i", &two, "-o", b, "--hold"]);
    assert!(rest(&mut listen(&server, "/a")) == sound);
    assert!(rest(&mut listen(&server, "/b")) == picture);
    // One input can go to several.
    let server = Server::start(["-i", &one, "reframer:rt=on", "-o", a, "-o", b, "--hold"]);
    let mut first = listen(&server, "/a");
    let second = listen(&server, "/b");
    let body = rest(&mut first);
    assert!(body == rest(&mut { second }) && sound.ends_with(&body));
}

#[test]
fn the_options_of_the_first_output_hold_for_all_of_its_server() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    let (a, b) = ("http://127.0.0.1/a:hold:sutc", "http://127.0.0.1/b:ice");
    let server = Server::start(["-i", &one, "-o", a, "-o", b]);
    let head = Client::ask(&server, "HEAD", "/b", "");
    assert!(head.field("server-utc").is_some() && head.field("icy-pub").is_none());
    // It is held for both.
    let second = listen(&server, "/b");
    assert!(rest(&mut listen(&server, "/a")) == sound);
    assert!(rest(&mut { second }) == sound);
}

#[test]
fn an_output_is_reached_by_tls() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    tree.write_certificate();
    let (cert, pkey) = (tree.text("cert.pem"), tree.text("pkey.pem"));
    let output = format!("https://127.0.0.1/live.mp3:cert={cert}:pkey={pkey}");
    let server = Server::start(["-i", &one, "-o", &output, "--hold"]);
    let url = server.url("/live.mp3");
    assert!(url.starts_with("https://"));
    let got = try_curl(&["--insecure", "--fail", &url]);
    assert!(got.status.success() && got.stdout == sound);
}

#[test]
fn a_line_that_cannot_be_run_is_refused_in_one_line() {
    let tree = Tree::new();
    let (one, _) = make(&tree, "one.mp3", "1");
    let url = "http://localhost/live.mp3";
    for (line, expected) in [
        (
            &["-i", "missing.mp3", "-o", url][..],
            &["`missing.mp3`", "cannot be read"][..],
        ),
        (&["-i", &one], &["no output takes it", "`-o "]),
        (&["-o", url], &["no input", "`-i SOURCE`"]),
        (
            &["-i", &one, "-i", &one, "-o", url],
            &["several inputs", "SID=a"],
        ),
        (
            &["-i", &one, "-o", "http://localhost/live.mp3:SID=x"],
            &["`FID=x`"],
        ),
        (&["-i", &one, "-o", "http://localhost/"], &["names no file"]),
        (
            &["-i", &one, "-o", "https://localhost/live.mp3"],
            &["`cert`", "certificate"],
        ),
        (&["-i", &one, "-o", url, "-o", url], &["the same path"]),
        (&["-i", "ftp://a/b", "-o", url], &["`ftp://`", "`tcp://`"]),
        (&["-i", "tcp://:80", "-o", url], &["`tcp://HOST:PORT`"]),
        (&["-i", "-:loop", "-o", url], &["only a file"]),
        (
            &["-i", &one, "reframer:xs=1", "-o", url],
            &["`xs`", "not supported"],
        ),
        (
            &[
                "-i",
                &tree.text("www/hello.txt"),
                "reframer:rt=on",
                "-o",
                "http://localhost/x",
            ],
            &["timestamps"],
        ),
        (&["-i", &tree.text("www"), "-o", url], &["directory"]),
    ] {
        let output = run(["--port=0"].iter().chain(line));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{line:?}: {said}");
        for part in expected {
            assert!(said.contains(part), "{part:?} is not in {said:?}");
        }
    }
}

#[test]
fn the_port_of_an_output_goes_before_the_option() {
    let tree = Tree::new();
    let (one, _) = make(&tree, "one.mp3", "1");
    for port in ["8080", "8081"] {
        let option = format!("--port={port}");
        let url = "http://localhost:8080/live.mp3";
        let output = run(["check", "-i", &one, "-o", url, &option]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        let places: Vec<&str> = said.lines().filter(|line| line.contains("port")).collect();
        assert_eq!(
            places,
            ["ok http on port 8080 of address 127.0.0.1"],
            "{option}"
        );
    }
}

#[test]
fn check_tells_of_live_streams() {
    let tree = Tree::new();
    let (one, _) = make(&tree, "one.mp3", "1");
    let output = run(["check", "-i", &one, "-o", "http://localhost:8080/live.mp3"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = format!("ok `/live.mp3` is a live stream of input `{one}`\n");
    assert!(
        output.status.success() && said.contains(&expected),
        "{said}"
    );
}
