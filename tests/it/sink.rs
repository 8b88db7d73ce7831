//! Live streams for clients (documents: httpout, HTTP server sink).

use std::io::Write as _;
use std::process::Stdio;

use crate::support::media::{fifo, listen, make, rest, some};
use crate::support::server::command;
use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree, curl};

/// A server of one input at `/live.EXT`.
fn serve(input: &str, options: &[&str]) -> Server {
    let extension = if input.contains(".ts") { "ts" } else { "mp3" };
    let url = format!("http://localhost/live.{extension}");
    let line = ["-i", input, "-o", &url].map(str::to_owned);
    let options = options.iter().map(|option| (*option).to_owned());
    Server::start(line.into_iter().chain(options))
}

/// A server whose input is written by the test.
fn serve_stdin(options: &[&str]) -> Server {
    let mut command = command(["--port=0", "--maxp=0", "-i", "-"]);
    command
        .args(["-o", "http://localhost/live.mp3"])
        .args(options);
    Server::spawn(command.stdin(Stdio::piped()))
}

/// `gpac -i MP3_SOURCE -o http://localhost/live.mp3 --hold`
#[test]
fn hold_waits_for_the_first_client_and_loses_nothing() {
    let tree = Tree::new();
    for name in ["a.mp3", "a.ts"] {
        let (path, bytes) = make(&tree, name, "2");
        let server = serve(&path, &["--hold"]);
        let live = format!("/live.{}", &name[2..]);
        // Whoever only asks about it is not waited for.
        let head = Client::ask(&server, "HEAD", &live, "");
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.field("content-length"), None, "it has none");
        let body = rest(&mut listen(&server, &live));
        assert!(
            body == bytes,
            "{name}: {} of {} bytes",
            body.len(),
            bytes.len()
        );
        // Once one complete file is sent, it is no longer available. Serving goes on.
        let again = Client::get(&server, &live);
        assert_eq!(
            (again.status, again.text()),
            (404, "404 Not Found: this stream is over\n")
        );
    }
}

/// `gpac -i MP3_SOURCE reframer:rt=on -o http://localhost/live.mp3`
#[test]
fn with_a_reframer_all_clients_get_whole_frames_as_they_are_due() {
    let tree = Tree::new();
    for (name, sync) in [("a.mp3", &[0xff][..]), ("a.ts", &[0x47])] {
        let (path, bytes) = make(&tree, name, "2");
        let live = format!("/live.{}", &name[2..]);
        let server = serve(&path, &["reframer:rt=on", "--hold"]);
        let mut first = listen(&server, &live);
        let mut start = some(&mut first, 2000);
        // It comes by its time: the rest is not there yet, so that who comes now is late.
        let mut second = listen(&server, &live);
        start.extend(rest(&mut first));
        let late = rest(&mut second);
        assert!(
            bytes.ends_with(&start),
            "{name}: nothing is lost or changed"
        );
        assert!(start.len() * 10 > bytes.len() * 9, "{name}: all frames");
        assert!(!late.is_empty() && late.len() < start.len(), "{name}");
        assert!(start.ends_with(&late), "{name}: both got the same bytes");
        assert!(late.starts_with(sync), "{name}: it begins with a frame");
        if name == "a.ts" {
            assert_eq!((start.len() % 188, late.len() % 188), (0, 0));
        }
    }
}

#[test]
fn without_a_client_the_data_is_dropped() {
    let tree = Tree::new();
    let (path, _) = make(&tree, "a.mp3", "2");
    let server = serve(&path, &[]);
    server.wait_for_log("is over");
    assert_eq!(Client::get(&server, "/live.mp3").status, 404);
    assert_eq!(Client::get(&server, "/other.mp3").status, 404);
}

#[test]
fn all_clients_get_the_same_bytes_as_they_come() {
    let mut server = serve_stdin(&[]);
    let mut input = server.stdin();
    let [mut one, mut two] = [(); 2].map(|()| listen(&server, "/live.mp3"));
    for round in 0..5 {
        let piece = pattern(1000 + round);
        input.write_all(&piece).expect("the server reads");
        // Each has the piece before the next is written.
        assert_eq!(some(&mut one, piece.len()), piece);
        assert_eq!(some(&mut two, piece.len()), piece);
    }
    drop(input);
    assert_eq!((one.read_chunk(), two.read_chunk()), (None, None));
    // The connection is kept.
    one.send("GET /live.mp3 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(one.read_response("GET").status, 404);
}

#[test]
fn a_slow_client_is_cut_and_neither_slows_others_nor_takes_memory() {
    let mut server = serve_stdin(&["--max_async_buf=300000"]);
    let mut input = server.stdin();
    let mut slow = listen(&server, "/live.mp3");
    let mut fast = listen(&server, "/live.mp3");
    let piece = pattern(200_000);
    let before = memory(&server);
    for _ in 0..200 {
        input.write_all(&piece).expect("the server reads");
        assert!(some(&mut fast, piece.len()) == piece);
    }
    let grown = memory(&server).saturating_sub(before);
    assert!(
        grown < 20_000_000,
        "grown by {grown} bytes while 40 MB were sent"
    );
    server.wait_for_log("127.0.0.1 was cut off `/live.mp3`: it was more than 300000 bytes behind");
    assert!(slow.is_reset_after_data(), "no client takes it for the end");
}

/// Bytes of the process in memory.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/statm", server.id()));
    let pages = status.expect("it runs");
    let pages = pages
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("is a number") * 4096
}

#[test]
fn with_blockio_the_input_waits_for_slow_clients() {
    let tree = Tree::new();
    tree.write("big.mp3", &pattern(12_000_000));
    let path = tree.text("big.mp3");
    let fifo = fifo(&tree, "in.mp3");
    let server = serve(&fifo, &["--blockio", "--timeout=3"]);
    let mut slow = listen(&server, "/live.mp3");
    let mut fast = listen(&server, "/live.mp3");
    let writer = std::thread::spawn(move || std::fs::copy(path, fifo));
    let read = std::thread::spawn(move || some(&mut fast, 12_000_000));
    // The fast one can be ahead only by what is under way to the slow one.
    let content = some(&mut slow, 12_000_000);
    assert!(content == pattern(12_000_000));
    assert!(read.join().expect("reads on") == content);
    writer.join().expect("ends").expect("the server reads");
}

#[test]
fn a_file_goes_as_fast_as_the_fastest_client() {
    let tree = Tree::new();
    tree.write("big.mp3", &pattern(12_000_000));
    let server = serve(&tree.text("big.mp3"), &["--hold"]);
    let body = rest(&mut listen(&server, "/live.mp3"));
    assert!(body == pattern(12_000_000), "{} bytes", body.len());
}

/// `gpac -i source.mp3:#ice-Genre=CoolRock -o http://IP/live.mp3 --ice`
#[test]
fn ice_metadata_are_fields_of_the_response() {
    let tree = Tree::new();
    let (path, _) = make(&tree, "source.mp3", "2");
    let input = format!("{path}:#ice-Genre=CoolRock:#ServiceName=Radio One");
    let server = serve(&input, &["--ice", "--hold"]);
    let head = Client::ask(&server, "HEAD", "/live.mp3", "");
    for (name, value) in [
        ("ice-genre", "CoolRock"),
        ("ice-audio-info", "samplerate=44100;channels=1;bitrate=64"),
        ("icy-br", "64"),
        ("icy-pub", "1"),
        ("icy-name", "Radio One"),
        ("content-type", "audio/mpeg"),
        ("cache-control", "no-cache, no-store"),
    ] {
        assert_eq!(head.field(name), Some(value), "{name}");
    }
    assert_eq!(head.field("icy-metaint"), None, "nobody asked for it");
    // Only with the option.
    let server = serve(&input, &["--hold"]);
    let head = Client::ask(&server, "HEAD", "/live.mp3", "Icy-MetaData: 1\r\n");
    let is_ice = |(name, _): &(String, String)| name.starts_with("ic");
    assert!(!head.fields.iter().any(is_ice), "{:?}", head.fields);
}

#[test]
fn ice_clients_get_the_title_between_the_bytes() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mp3", "6");
    let server = serve(&path, &["--ice", "--hold"]);
    let answer = Client::ask(&server, "GET", "/live.mp3", "Icy-MetaData: 1\r\n");
    assert_eq!(answer.field("icy-metaint"), Some("16000"));
    let (mut media, mut titles) = (Vec::new(), Vec::new());
    let mut rest = &answer.body[..];
    while rest.len() > 16_000 {
        let (part, behind) = rest.split_at(16_000);
        media.extend_from_slice(part);
        let (length, behind) = behind.split_first().expect("is there");
        let (title, behind) = behind.split_at(usize::from(*length) * 16);
        titles.push(
            String::from_utf8_lossy(title)
                .trim_end_matches('\0')
                .to_owned(),
        );
        rest = behind;
    }
    media.extend_from_slice(rest);
    assert!(media == bytes, "without the metadata it is the file");
    assert_eq!(titles[0], "StreamTitle='Sine - Tone';");
    assert!(
        titles[1..].iter().all(String::is_empty),
        "only news is told"
    );
}

#[test]
fn players_of_all_kinds_are_answered_with_the_stream() {
    let mut server = serve_stdin(&[]);
    let mut input = server.stdin();
    // A range of what has no end is the whole, and a query belongs to nobody.
    let mut ranged = Client::connect(&server);
    ranged.send("GET /live.mp3?x=1 HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n");
    let head = ranged.read_head();
    assert_eq!((head.status, head.field("content-range")), (200, None));
    // VLC asks so once it has seen an `icy-` field.
    let mut old = Client::connect(&server);
    old.send("GET /live.mp3 HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n");
    let head = old.read_head();
    let framing = ["transfer-encoding", "content-length"].map(|name| head.field(name));
    assert_eq!((head.status, framing), (200, [None, None]));
    assert_eq!(head.field("connection"), Some("close"));
    input.write_all(b"frames").expect("the server reads");
    drop(input);
    assert_eq!(rest(&mut ranged), b"frames");
    assert_eq!(old.read_all(), "frames");
}

#[test]
fn a_live_stream_is_only_read() {
    let server = serve_stdin(&[]);
    for method in ["PUT", "POST", "DELETE"] {
        let answer = Client::ask(&server, method, "/live.mp3", "Content-Length: 0\r\n");
        let allow = answer.field("allow");
        assert_eq!(
            (answer.status, allow),
            (405, Some("GET, HEAD, OPTIONS")),
            "{method}"
        );
    }
    let options = Client::ask(&server, "OPTIONS", "/live.mp3", "");
    assert_eq!(options.field("allow"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn without_chunked_coding_the_end_of_the_connection_ends_the_stream() {
    let mut server = serve_stdin(&["--cte=false"]);
    let mut client = Client::connect(&server);
    client.send("GET /live.mp3 HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = client.read_head();
    let framing = ["transfer-encoding", "content-length"].map(|name| head.field(name));
    assert_eq!((head.status, framing), (200, [None, None]));
    let mut input = server.stdin();
    input.write_all(b"frames").expect("the server reads");
    drop(input);
    assert_eq!(client.read_all(), "frames");
}

#[test]
fn http2_clients_get_the_stream_too() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.ts", "2");
    let server = serve(&path, &["--hold"]);
    let copy = tree.text("copy.ts");
    let url = server.url("/live.ts");
    curl(&["--http2-prior-knowledge", "--fail", "-o", &copy, &url]);
    assert!(std::fs::read(copy).expect("is written") == bytes);
}

#[test]
fn the_media_type_is_that_of_an_option_of_the_name_or_of_the_media() {
    let tree = Tree::new();
    let (path, _) = make(&tree, "a.mp3", "1");
    for (url, options, expected) in [
        ("http://localhost/live", &[][..], "audio/mpeg"),
        ("http://localhost/live.ts", &[], "video/mp2t"),
        ("http://localhost/live.ts", &["--ext=aac"], "audio/aac"),
        (
            "http://localhost/live",
            &["--mime=audio/x-mine"],
            "audio/x-mine",
        ),
    ] {
        let line = ["-i", &path, "-o", url, "--hold"];
        let server = Server::start(line.iter().chain(options));
        let target = url.trim_start_matches("http://localhost");
        let head = Client::ask(&server, "HEAD", target, "");
        assert_eq!(
            head.field("content-type"),
            Some(expected),
            "{url} {options:?}"
        );
    }
}

#[test]
fn a_burst_gives_new_clients_what_was_sent_before() {
    let mut server = serve_stdin(&["--burst=1000"]);
    let mut input = server.stdin();
    let mut first = listen(&server, "/live.mp3");
    for piece in [pattern(900), pattern(600), pattern(300)] {
        input.write_all(&piece).expect("the server reads");
        assert_eq!(some(&mut first, piece.len()), piece);
    }
    // Whole pieces, as many as are within it.
    let mut second = listen(&server, "/live.mp3");
    assert_eq!(
        some(&mut second, 900),
        [pattern(600), pattern(300)].concat()
    );
    input.write_all(b"next").expect("the server reads");
    assert_eq!(some(&mut second, 4), b"next");
}

#[test]
fn clients_stay_while_the_input_is_gone_for_a_while() {
    let tree = Tree::new();
    let path = fifo(&tree, "in.mp3");
    let server = serve(&path, &[]);
    let mut client = listen(&server, "/live.mp3");
    std::fs::write(&path, b"first").expect("the server reads");
    assert_eq!(some(&mut client, 5), b"first");
    server.wait_for_log("has ended, waiting for more");
    std::fs::write(&path, b"second").expect("the server reads");
    assert_eq!(some(&mut client, 6), b"second");
}

#[test]
fn reopen_answers_between_two_files_of_an_input() {
    let tree = Tree::new();
    let path = fifo(&tree, "in.mp3");
    let server = serve(&path, &["--timeout=1", "--reopen"]);
    let mut client = listen(&server, "/live.mp3");
    std::fs::write(&path, b"first").expect("the server reads");
    // After the time of option `timeout` the file is over.
    assert_eq!(rest(&mut client), b"first");
    let mut again = listen(&server, "/live.mp3");
    std::fs::write(&path, b"second").expect("the server reads");
    assert_eq!(some(&mut again, 6), b"second");
}

#[test]
fn without_reopen_an_input_that_stays_away_is_over() {
    let tree = Tree::new();
    let path = fifo(&tree, "in.mp3");
    let server = serve(&path, &["--timeout=1"]);
    let mut client = listen(&server, "/live.mp3");
    std::fs::write(&path, b"first").expect("the server reads");
    assert_eq!(rest(&mut client), b"first");
    assert_eq!(Client::get(&server, "/live.mp3").status, 404);
}

#[test]
fn quit_ends_the_server_once_all_is_sent_and_the_clients_have_left() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mp3", "1");
    let mut server = serve(&path, &["--quit", "--hold"]);
    let mut client = listen(&server, "/live.mp3");
    assert!(rest(&mut client) == bytes);
    // A client that has been answered in full is still one.
    client.send("GET /live.mp3 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.read_response("GET").status, 404);
    drop(client);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_stop_ends_streams_cleanly() {
    let mut server = serve_stdin(&[]);
    let mut input = server.stdin();
    let mut client = listen(&server, "/live.mp3");
    input.write_all(b"frames").expect("the server reads");
    assert_eq!(some(&mut client, 6), b"frames");
    server.signal("TERM");
    assert_eq!(client.read_chunk(), None);
    assert_eq!(server.wait().code(), Some(0));
}
