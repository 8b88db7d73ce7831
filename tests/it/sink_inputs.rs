//! Where live streams come from (documents: httpout, HTTP server sink; options `-i` and `reframer`).

use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use crate::support::media::{fifo, listen, make, rest, some};
use crate::support::server::command;
use crate::support::{Client, Server, Tree};

fn serve(input: &str, output: &str, options: &[&str]) -> Server {
    let line = ["-i", input, "-o", output];
    Server::start(line.iter().chain(options))
}

#[test]
fn media_go_by_their_own_timestamps_and_stay_as_they_are() {
    let tree = Tree::new();
    for name in ["a.aac", "a.ogg", "a.opus", "a.wav", "a.mp3"] {
        let (path, bytes) = make(&tree, name, "1");
        let server = serve(
            &path,
            &format!("http://localhost/{name}"),
            &["reframer:rt=on", "--hold"],
        );
        let body = rest(&mut listen(&server, &format!("/{name}")));
        assert!(
            bytes.ends_with(&body),
            "{name}: {} of {}",
            body.len(),
            bytes.len()
        );
        assert!(name == "a.mp3" || body.len() == bytes.len(), "{name}");
    }
}

#[test]
fn a_client_that_comes_late_gets_the_head_without_which_it_cannot_play() {
    let tree = Tree::new();
    for (name, head) in [
        ("a.ogg", &b"OggS"[..]),
        ("a.flac", b"fLaC"),
        ("a.wav", b"RIFF"),
    ] {
        let (path, bytes) = make(&tree, name, "3");
        let target = format!("/{name}");
        let server = serve(
            &path,
            &format!("http://localhost{target}"),
            &["reframer:rt=on", "--hold"],
        );
        let mut first = listen(&server, &target);
        let start = some(&mut first, 5000);
        let late = rest(&mut listen(&server, &target));
        let all = [start, rest(&mut first)].concat();
        assert!(all.starts_with(head) && late.starts_with(head), "{name}");
        assert!(late.len() < all.len(), "{name}");
        // The last samples are those of the file.
        let tail = |bytes: &[u8]| bytes[bytes.len() - 1000..].to_vec();
        assert!(
            tail(&late) == tail(&bytes) && tail(&all) == tail(&bytes),
            "{name}"
        );
    }
}

#[test]
fn what_httpout_cannot_pace_itself_goes_through_ffmpeg() {
    let tree = Tree::new();
    let (path, _) = make(&tree, "a.m4a", "1");
    let server = serve(
        &path,
        "http://localhost/live.ts",
        &["reframer:rt=on", "--hold"],
    );
    let body = rest(&mut listen(&server, "/live.ts"));
    assert!(!body.is_empty() && body.len().is_multiple_of(188) && body[0] == 0x47);
}

#[test]
fn a_file_begins_again_with_loop() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.aac", "1");
    let input = format!("{path}:loop");
    let server = serve(
        &input,
        "http://localhost/live.aac",
        &["reframer:rt=on", "--hold"],
    );
    let mut client = listen(&server, "/live.aac");
    let body = some(&mut client, bytes.len() * 2);
    assert!(body.starts_with(&[&bytes[..], &bytes].concat()));
}

#[test]
fn a_loop_that_nothing_holds_up_takes_no_core() {
    let tree = Tree::new();
    tree.write("empty.ts", b"");
    tree.write("small.ts", b"frames");
    for name in ["empty.ts", "small.ts"] {
        let input = format!("{}:loop", tree.text(name));
        let server = serve(&input, "http://localhost/live.ts", &[]);
        // Requests give it time to begin again many times.
        let spent = |server: &Server| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.id()));
            let stat = stat.expect("it runs");
            let times = stat.rsplit(')').next().expect("a name ends");
            let times = times.split_whitespace().skip(11).take(2);
            times
                .map(|ticks| ticks.parse::<u64>().expect("is a number"))
                .sum::<u64>()
        };
        let before = spent(&server);
        let begun = std::time::Instant::now();
        while begun.elapsed().as_secs() < 2 {
            assert_eq!(Client::ask(&server, "HEAD", "/live.ts", "").status, 200);
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        // Of the 200 ticks of those two seconds.
        assert!(spent(&server) - before < 50, "{name}");
        if name == "small.ts" {
            let mut client = listen(&server, "/live.ts");
            assert!(some(&mut client, 60).starts_with(b"framesframes"));
        }
    }
}

#[test]
fn a_stream_of_another_server_is_pulled_and_its_end_is_no_error() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.ts", "2");
    let origin = serve(&path, "http://localhost/live.ts", &["--hold"]);
    let url = origin.url("/live.ts");
    // The origin begins as soon as it is asked, which is before there is a client.
    let relay = serve(
        &url,
        "http://localhost/relay.ts",
        &["--hold", "--timeout=2"],
    );
    let body = rest(&mut listen(&relay, "/relay.ts"));
    assert!(body == bytes, "{} of {} bytes", body.len(), bytes.len());
    // A file with a length is over at its end.
    let files = Server::start([tree.text("")]);
    let url = files.url("/a.ts");
    let relay = serve(&url, "http://localhost/relay.ts", &["--hold"]);
    let body = rest(&mut listen(&relay, "/relay.ts"));
    assert!(body == bytes);
    assert_eq!(Client::get(&relay, "/relay.ts").status, 404);
}

#[test]
fn inputs_come_by_tcp_udp_and_unix_sockets() {
    let tree = Tree::new();
    let tcp = TcpListener::bind("127.0.0.1:0").expect("is free");
    let place = tcp.local_addr().expect("is bound");
    let server = serve(&format!("tcp://{place}"), "http://localhost/live.ts", &[]);
    let mut client = listen(&server, "/live.ts");
    let (mut sender, _) = tcp.accept().expect("the server connects");
    sender.write_all(b"frames").expect("the server reads");
    assert_eq!(some(&mut client, 6), b"frames");

    let path = tree.text("in.sock");
    let unix = UnixListener::bind(&path).expect("is new");
    let server = serve(&format!("unix:{path}"), "http://localhost/live.ts", &[]);
    let mut client = listen(&server, "/live.ts");
    let (mut sender, _) = unix.accept().expect("the server connects");
    sender.write_all(b"frames").expect("the server reads");
    assert_eq!(some(&mut client, 6), b"frames");

    let free = UdpSocket::bind("127.0.0.1:0").expect("is free");
    let place = free.local_addr().expect("is bound");
    drop(free);
    let server = serve(&format!("udp://{place}"), "http://localhost/live.ts", &[]);
    let mut client = listen(&server, "/live.ts");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("is free");
    // Nobody says when a datagram has come: they are sent until one has.
    let ended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = ended.clone();
    let sending = std::thread::spawn(move || {
        while !told.load(std::sync::atomic::Ordering::Relaxed) {
            let _ = sender.send_to(b"frames", place);
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    });
    assert!(some(&mut client, 6).starts_with(b"frames"));
    ended.store(true, std::sync::atomic::Ordering::Relaxed);
    sending.join().expect("ends");
}

#[test]
fn what_only_ffmpeg_can_time_goes_through_it_wherever_it_comes_from() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mkv", "1");
    let is_mp3 = |body: &[u8], from: &str| {
        let start = body.get(..2).expect("something comes");
        assert!(
            start[0] == 0xff && start[1] & 0xe0 == 0xe0,
            "{from}: {start:?}"
        );
    };
    let paced = ["reframer:rt=on", "--hold", "--timeout=5"];
    let output = "http://localhost/live.mp3";
    let server = serve(&path, output, &paced);
    is_mp3(&rest(&mut listen(&server, "/live.mp3")), "a file");

    let mut command = command(["--port=0", "-i", "-", "-o", output]);
    let mut server = Server::spawn(command.args(paced).stdin(Stdio::piped()));
    let mut client = listen(&server, "/live.mp3");
    let mut input = server.stdin();
    input.write_all(&bytes).expect("the server reads");
    drop(input);
    is_mp3(&rest(&mut client), "standard input");

    let pipe = fifo(&tree, "in.mkv");
    let server = serve(&pipe, output, &paced);
    let mut client = listen(&server, "/live.mp3");
    std::fs::write(&pipe, &bytes).expect("the server reads");
    is_mp3(&some(&mut client, 1000), "a FIFO");
    server.wait_for_log("has ended, waiting for more");
    // It may come again.
    std::fs::write(&pipe, &bytes).expect("the server reads");
    is_mp3(&some(&mut client, 1000), "a FIFO again");
}
