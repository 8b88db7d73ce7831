//! Inputs that are pulled from other servers (`-i http://…`, `-i https://…`).

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::support::media::{listen, make, rest, some};
use crate::support::server::command;
use crate::support::{Server, Tree};

/// Answers one request; the connection.
fn answer(origin: &TcpListener, answer: &str) -> (TcpStream, String) {
    let (mut socket, _) = origin.accept().expect("the server connects");
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).expect("a whole request");
        request.extend(byte);
    }
    socket.write_all(answer.as_bytes()).expect("is read");
    let request = String::from_utf8(request).expect("is text");
    (socket, request.to_ascii_lowercase())
}

#[test]
fn a_stream_that_breaks_off_is_pulled_again_and_the_clients_stay() {
    let origin = TcpListener::bind("127.0.0.1:0").expect("is free");
    let place = origin.local_addr().expect("is bound");
    let url = format!("http://relay:p%40ss@{place}/radio/live.mp3?id=1");
    let server = Server::start(["-i", &url, "-o", "http://localhost/live.mp3"]);
    let mut client = listen(&server, "/live.mp3");

    let (socket, request) = answer(&origin, "HTTP/1.0 200 OK\r\n\r\nfirst");
    assert!(request.starts_with("get /radio/live.mp3?id=1 http/1.1\r\n"));
    assert!(request.contains(&format!("\r\nhost: {place}\r\n")));
    assert!(request.contains("\r\nicy-metadata: 1\r\n"));
    // `relay:p@ss`, in lower case as all of it.
    assert!(request.contains("\r\nauthorization: basic cmvsyxk6cebzcw==\r\n"));
    drop(socket);
    assert_eq!(some(&mut client, 5), b"first");
    // A refusal is no end either.
    answer(&origin, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    let log = server.wait_for_log("the server answers 503");
    assert!(!log.contains("p%40ss"), "{log}");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n";
    let (socket, _) = answer(&origin, chunked);
    assert_eq!(some(&mut client, 6), b"second");
    // In the middle of a chunk.
    drop(socket);
    let moved = "HTTP/1.1 302 Found\r\nLocation: /other.mp3\r\nContent-Length: 0\r\n\r\n";
    answer(&origin, moved);
    let (_socket, request) = answer(&origin, "HTTP/1.0 200 OK\r\n\r\nthird");
    assert!(request.starts_with("get /other.mp3 "));
    assert_eq!(some(&mut client, 5), b"third");
}

#[test]
fn a_shoutcast_server_is_understood() {
    let origin = TcpListener::bind("127.0.0.1:0").expect("is free");
    let url = format!("http://{}/", origin.local_addr().expect("is bound"));
    let server = Server::start(["-i", &url, "-o", "http://localhost/live.mp3"]);
    let mut client = listen(&server, "/live.mp3");
    let icy = "ICY 200 OK\r\nicy-name:Radio\r\nicy-metaint:10\r\n\r\n0123456789\0abcdefghij\0";
    let (mut socket, _) = answer(&origin, icy);
    assert_eq!(some(&mut client, 20), b"0123456789abcdefghij");
    socket.write_all(b"k").expect("is read");
    assert_eq!(some(&mut client, 1), b"k");
}

#[test]
fn a_stream_is_pulled_by_tls_from_whom_the_system_trusts() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.ts", "1");
    tree.write_certificate();
    let (cert, key) = (tree.text("cert.pem"), tree.text("pkey.pem"));
    let output = format!("https://localhost/live.ts:cert={cert}:pkey={key}");
    let origin = Server::start(["-i", &path, "-o", &output, "--hold"]);
    let (_, port) = origin
        .url("")
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .expect("has a port");
    let url = format!("https://localhost:{port}/live.ts");

    let line = ["--port=0", "-i", &url, "-o", "http://localhost/relay.ts"];
    let stranger = Server::start(&line[1..]);
    stranger.wait_for_log("invalid peer certificate");
    let mut relay = command(line);
    relay.args(["--hold", "--timeout=1"]);
    let relay = Server::spawn(relay.env("SSL_CERT_FILE", &cert));
    assert!(rest(&mut listen(&relay, "/relay.ts")) == bytes);
}
