//! Live streams and files of inputs where something is wrong with the line, the input or a client.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::media::{listen, make, rest, some};
use crate::support::server::{command, run};
use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree};

#[test]
fn a_client_that_stalls_at_one_output_does_not_hold_up_the_other() {
    let tree = Tree::new();
    let (one, _) = make(&tree, "one.mp3", "2");
    let input = format!("{one}:loop");
    let (a, b) = ("http://127.0.0.1/a", "http://127.0.0.1/b");
    let server = Server::start(["-i", &input, "-o", a, "-o", b]);
    let mut stalled = listen(&server, "/a");
    let mut reader = listen(&server, "/b");
    // More than the system takes for one that does not read.
    assert!(some(&mut reader, 40_000_000).len() >= 40_000_000);
    server.wait_for_log("127.0.0.1 was cut off `/a`");
    assert!(stalled.is_reset_after_data());
}

#[test]
fn a_file_that_grows_beyond_the_limit_of_the_process_is_given_up() {
    let tree = Tree::new();
    let (one, bytes) = make(&tree, "one.mp3", "60");
    assert!(bytes.len() > 200 << 10, "{}", bytes.len());
    let server = command(["--port=0", "-i", &one, "-o", "http://127.0.0.1/a.mp3"]);
    let mut limited = std::process::Command::new("sh");
    // In blocks of 512 or 1024 bytes.
    let line = r#"ulimit -f 100; exec "$0" "$@""#;
    limited.args(["-c", line]).arg(server.get_program());
    limited.args(server.get_args());
    limited.arg(format!("--rdirs={}", tree.text("rec")));
    let server = Server::spawn(&mut limited);
    server.wait_for_log("the disk of option `rdirs` is full");
    assert_eq!(Client::get(&server, "/a.mp3").status, 404);
}

#[test]
fn what_has_no_timestamps_is_not_sent_without_a_pace() {
    let tree = Tree::new();
    let (path, mut bytes) = make(&tree, "one.ts", "1");
    for packet in bytes.chunks_mut(188) {
        let has_flags = packet[3] & 0x20 != 0 && packet[4] > 0;
        if has_flags {
            packet[5] &= !0x10;
        }
    }
    std::fs::write(&path, bytes).expect("is writable");
    let input = format!("{path}:loop");
    let record = format!("http://127.0.0.1/rec.ts:rdirs={}", tree.text("rec"));
    let server = Server::start(["-i", &input, "reframer:rt=on", "-o", &record]);
    server.wait_for_log("there are no timestamps in it that could pace it");
    server.wait_for_log("is over");
}

#[test]
fn a_property_that_is_no_field_is_none_of_the_response() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    let input = format!("{one}:#iceä=x:#ice-=y");
    let server = Server::start(["-i", &input, "-o", "http://127.0.0.1/a", "--ice", "--hold"]);
    let mut reader = listen(&server, "/a");
    assert!(rest(&mut reader) == sound);
}

#[test]
fn small_pieces_count_with_their_bytes() {
    let mut command = command(["--port=0", "-i", "-", "-o", "http://localhost/live.mp3"]);
    let mut server = Server::spawn(command.arg("--burst=1M").stdin(Stdio::piped()));
    let mut input = server.stdin();
    let mut first = listen(&server, "/live.mp3");
    let piece = pattern(50);
    for _ in 0..6000 {
        input.write_all(&piece).expect("the server reads");
        assert_eq!(some(&mut first, piece.len()), piece);
    }
    let mut late = listen(&server, "/live.mp3");
    assert_eq!(some(&mut late, 300_000).len(), 300_000);
}

#[test]
fn outputs_share_a_server_where_they_can_be_reached() {
    let tree = Tree::new();
    let (one, _) = make(&tree, "one.mp3", "1");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("is bound").port();
    drop(taken);
    let [all, one_of_them] = ["0.0.0.0", "127.0.0.1"].map(|host| format!("http://{host}:{port}"));
    let (a, b) = (format!("{all}/a"), format!("{one_of_them}/b"));
    let server = Server::start(["-i", &one, "-o", &a, "-o", &b, "--hold"]);
    assert_eq!(Client::ask(&server, "HEAD", "/b", "").status, 200);
    drop(server);
    let secure = b.replace("http:", "https:");
    let pair = format!("{secure}:cert=cert.pem:pkey=key.pem");
    let output = run(["-i", &one, "-o", &a, "-o", &pair]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("speaks plain HTTP"), "{said}");
}

#[test]
fn what_would_be_misread_is_refused() {
    let tree = Tree::new();
    let (one, _) = make(&tree, "one.mp3", "1");
    let url = "http://localhost/a.mp3";
    for (line, expected) in [
        (
            vec!["-i", &one, "-o", "http://localhost:99999/a.mp3"],
            "its port is none",
        ),
        (
            vec!["-i", "http://localhost:99999/a.mp3", "-o", url],
            "its port is none",
        ),
        (
            vec!["-i", &one, "-o", "http://me:word@localhost/a.mp3"],
            "protect nothing",
        ),
        (
            vec![
                "-i",
                "-",
                "-o",
                url,
                "-i",
                "-",
                "-o",
                "http://localhost/b.mp3",
            ],
            "once only",
        ),
        (
            vec!["-i", "unix:socket:tune", "-o", url],
            "`tune` of input `unix:socket`",
        ),
        (
            vec!["-i", &one, "reframer:rt=fast", "-o", url],
            "`fast` is neither `on` nor `off`",
        ),
        (
            vec!["-i", &format!("{one}:loop=7"), "-o", url],
            "`loop` is neither",
        ),
    ] {
        let output = run(["--port=0"].iter().chain(&line));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line:?}: {said}");
        assert!(said.contains(expected), "{line:?}: {said}");
    }
}
