//! Inputs that are written to files (documents: httpout, HTTP server file sink).

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc;

use crate::support::media::{fifo, listen, make, rest, some};
use crate::support::server::{command, run};
use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree, content, curl, ffmpeg, is_empty, try_curl};

/// A server that writes its standard input to `/live/a.ts`.
fn record(directory: &str, options: &[&str]) -> (Server, ChildStdin) {
    let rdirs = format!("--rdirs={directory}");
    let line = ["--port=0", "--maxp=0", "--maxc=0", "--reqlog=*", "-i", "-"];
    let output = ["-o", "http://127.0.0.1/live/a.ts", &rdirs];
    let mut command = command(line.iter().chain(&output).chain(options));
    let mut server = Server::spawn(command.stdin(Stdio::piped()));
    let input = server.stdin();
    (server, input)
}

/// The two kinds of places, of which the first is made by the server.
fn places(tree: &Tree) -> [String; 2] {
    [tree.text("temp"), "gmem".to_owned()]
}

#[test]
fn a_file_is_read_while_it_is_written_and_is_an_ordinary_one_afterwards() {
    let tree = Tree::new();
    for place in places(&tree) {
        let (server, mut input) = record(&place, &[]);
        // Before there is any byte.
        let mut early = listen(&server, "/live/a.ts");
        let mut all = pattern(5000);
        input.write_all(&all).expect("the server reads");
        assert_eq!(some(&mut early, 5000), all);
        // What is there, at once.
        let [mut one, mut two] = [(); 2].map(|()| listen(&server, "/live/a.ts"));
        assert_eq!(some(&mut one, 5000), all);
        assert_eq!(some(&mut two, 5000), all);
        for round in 1..5 {
            let piece = pattern(1000 * round);
            input.write_all(&piece).expect("the server reads");
            // Each has it before the next is written.
            for reader in [&mut early, &mut one, &mut two] {
                assert_eq!(some(reader, piece.len()), piece, "{place}");
            }
            all.extend(piece);
        }
        let head = Client::ask(&server, "HEAD", "/live/a.ts", "");
        assert_eq!((head.status, head.field("content-length")), (200, None));
        assert_eq!(head.field("content-type"), Some("video/mp2t"));
        drop(input);
        for reader in [&mut early, &mut one, &mut two] {
            assert_eq!(reader.read_chunk(), None, "{place}");
        }
        // The connection is kept.
        one.send("GET /live/a.ts HTTP/1.1\r\nHost: a\r\n\r\n");
        let whole = one.read_response("GET");
        assert!(whole.status == 200 && whole.body == all, "{place}");
        assert_eq!(whole.field("content-length"), Some("15000"));
        assert_eq!(whole.field("transfer-encoding"), None);
        let etag = whole.field("etag").expect("has a tag");
        let known = Client::ask(
            &server,
            "GET",
            "/live/a.ts",
            &format!("If-None-Match: {etag}\r\n"),
        );
        assert_eq!(known.status, 304);
        let part = Client::ask(&server, "GET", "/live/a.ts", "Range: bytes=5-9,-2\r\n");
        let expected = [&all[5..10], &all[14_998..]].concat();
        assert_eq!((part.status, part.body), (206, expected));
        server.wait_for_log("Closing output live/a.ts");
        if place != "gmem" {
            assert!(content(&tree, "temp/live/a.ts") == all);
            assert!(is_empty(&tree.path("temp/.httpout-tmp")));
            // What else lies there is sent as any file.
            tree.write("temp/other.txt", b"other");
            assert_eq!(Client::get(&server, "/other.txt").text(), "other");
        }
    }
    assert!(!Path::new("gmem").exists());
}

#[test]
fn ranges_of_what_is_written_are_of_what_is_there_or_awaited() {
    let tree = Tree::new();
    for place in places(&tree) {
        let (server, mut input) = record(&place, &[]);
        let mut reader = listen(&server, "/live/a.ts");
        let start = pattern(5000);
        input.write_all(&start).expect("the server reads");
        some(&mut reader, 5000);
        for (range, field, expected) in [
            ("0-99", "bytes 0-99/*", &start[..100]),
            ("4990-", "bytes 4990-4999/*", &start[4990..]),
            ("-3", "bytes 4997-4999/*", &start[4997..]),
        ] {
            let fields = format!("Range: bytes={range}\r\n");
            let part = Client::ask(&server, "GET", "/live/a.ts", &fields);
            assert_eq!(
                (part.status, part.field("content-range")),
                (206, Some(field))
            );
            assert_eq!(part.body, expected, "{range}");
        }
        let ask = |range: &str| {
            let mut client = Client::connect(&server);
            client.send(&format!(
                "GET /live/a.ts HTTP/1.1\r\nHost: a\r\nRange: bytes={range}\r\n\r\n"
            ));
            let head = client.read_head();
            (client, head.status)
        };
        // Players ask so, and follow.
        let (mut player, status) = ask("0-");
        assert_eq!((status, some(&mut player, 5000) == start), (200, true));
        let (mut awaited, status) = ask("4999-5001");
        assert_eq!(
            (status, some(&mut awaited, 1)),
            (206, start[4999..].to_vec())
        );
        input.write_all(b"abcd").expect("the server reads");
        assert_eq!(some(&mut awaited, 2), b"ab");
        assert_eq!(awaited.read_chunk(), None);
        assert_eq!(some(&mut player, 4), b"abcd");
    }
}

/// `gpac -i SOURCE reframer:rt=on -o http://localhost:8080/live.ts --rdirs=temp`
#[test]
fn with_a_reframer_it_is_written_as_it_is_due_and_late_readers_miss_nothing() {
    let tree = Tree::new();
    for name in ["a.ts", "a.mp3", "a.wav"] {
        let (path, bytes) = make(&tree, name, "2");
        for place in places(&tree) {
            let target = format!("/{name}");
            let output = format!("http://127.0.0.1{target}:rdirs={place}");
            let server = Server::start(["-i", &path, "reframer:rt=on", "-o", &output]);
            let mut first = listen(&server, &target);
            let start = some(&mut first, 3000);
            // The rest is not there yet: it comes by its time.
            let mut late = listen(&server, &target);
            let all = [start, rest(&mut first)].concat();
            assert!(rest(&mut late) == all, "{place} {name}");
            assert!(Client::get(&server, &target).body == all, "{place} {name}");
            let tail = &bytes[bytes.len() - 1000..];
            assert!(all.ends_with(tail) && all.len() * 10 > bytes.len() * 9);
        }
    }
}

#[test]
fn players_play_it_while_it_is_written() {
    let tree = Tree::new();
    let (path, _) = make(&tree, "a.ts", "3");
    let output = format!("http://127.0.0.1/live/a.ts:rdirs={}", tree.text("temp"));
    let server = Server::start(["-i", &path, "reframer:rt=on", "-o", &output, "--hold"]);
    // It asks with `Range: bytes=0-`, and the input waits for it.
    assert_eq!(ffmpeg::play(&server.url("/live/a.ts"), 60), 75);
    let copy = tree.text("copy.ts");
    let url = server.url("/live/a.ts");
    curl(&["--http2-prior-knowledge", "--fail", "-o", &copy, &url]);
    assert!(content(&tree, "copy.ts") == content(&tree, "temp/live/a.ts"));
}

#[test]
fn a_listing_shows_what_is_being_written() {
    let tree = Tree::new();
    for place in places(&tree) {
        let (server, mut input) = record(&place, &["--dlist"]);
        let mut reader = listen(&server, "/live/a.ts");
        input.write_all(&pattern(5000)).expect("the server reads");
        some(&mut reader, 5000);
        let json = "Accept: application/json\r\n";
        let list = |target| Client::ask(&server, "GET", target, json);
        let shown = r#"{"name":"a.ts","href":"a.ts","kind":"file","size":5000"#;
        let root = list("/");
        assert!(root.text().contains(r#""href":"live/""#), "{}", root.text());
        assert!(list("/live/").text().contains(shown), "{place}");
        drop(input);
        rest(&mut reader);
        let listed = list("/live/");
        assert_eq!(listed.text().matches(shown).count(), 1, "{place}");
    }
}

#[test]
fn hold_waits_for_the_first_reader() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mp3", "1");
    let output = format!("http://127.0.0.1/a.mp3:rdirs={}", tree.text("temp"));
    let server = Server::start(["-i", &path, "-o", &output, "--hold"]);
    // Whoever only asks about it is not waited for.
    let head = Client::ask(&server, "HEAD", "/a.mp3", "");
    assert_eq!((head.status, head.field("content-length")), (200, None));
    assert!(!server.log().contains("is over"));
    assert!(rest(&mut listen(&server, "/a.mp3")) == bytes);
    assert!(Client::get(&server, "/a.mp3").body == bytes);
}

#[test]
fn an_existing_name_is_followed_and_replaced_in_one_step() {
    let tree = Tree::new();
    tree.write("temp/live/a.ts", b"the last one");
    let (server, mut input) = record(&tree.text("temp"), &[]);
    let mut reader = listen(&server, "/live/a.ts");
    input.write_all(b"this one").expect("the server reads");
    assert_eq!(some(&mut reader, 8), b"this one");
    // On disk it is not torn.
    assert_eq!(content(&tree, "temp/live/a.ts"), b"the last one");
    drop(input);
    assert_eq!(reader.read_chunk(), None);
    assert_eq!(content(&tree, "temp/live/a.ts"), b"this one");
}

#[test]
fn an_existing_manifest_is_replaced_once_it_is_whole() {
    let tree = Tree::new();
    tree.write("temp/live.m3u8", b"#EXTM3U\nold.ts\n");
    let path = fifo(&tree, "in.m3u8");
    let output = format!("http://127.0.0.1/live.m3u8:rdirs={}", tree.text("temp"));
    let options = ["--timeout=2", "--reqlog=REC"];
    let server = Server::start(["-i", &path, "-o", &output].iter().chain(&options));
    let text = || Client::get(&server, "/live.m3u8").text().to_owned();
    let mut input = std::fs::File::create(&path).expect("the server reads");
    input.write_all(b"#EXTM3U\n").expect("the server reads");
    assert_eq!(text(), "#EXTM3U\nold.ts\n");
    input.write_all(b"new.ts\n").expect("the server reads");
    drop(input);
    server.wait_for_log("Closing output live.m3u8\n");
    assert_eq!(text(), "#EXTM3U\nnew.ts\n");
}

#[test]
fn an_input_that_gives_nothing_leaves_what_was_there() {
    let tree = Tree::new();
    tree.write("temp/live/a.ts", b"the last one");
    let (server, input) = record(&tree.text("temp"), &[]);
    drop(input);
    server.wait_for_log("`/live/a.ts` stays as it was");
    server.wait_for_log("Aborting output live/a.ts");
    assert_eq!(Client::get(&server, "/live/a.ts").text(), "the last one");
}

#[test]
fn a_failing_input_cuts_its_readers_and_leaves_what_was_there() {
    let tree = Tree::new();
    tree.write("temp/a.ts", b"the last one");
    let origin = TcpListener::bind("127.0.0.1:0").expect("is free");
    let place = origin.local_addr().expect("is bound");
    let (go_on, told) = mpsc::channel::<()>();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = origin.accept().expect("the server connects");
        let _ = stream.read(&mut [0; 1000]);
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n";
        stream.write_all(head).expect("the server reads");
        stream.write_all(&pattern(5000)).expect("the server reads");
        // Until the reader has that. Nobody comes back for the rest.
        let _ = told.recv();
    });
    let input = format!("http://{place}/a.ts");
    let output = format!("http://127.0.0.1/a.ts:rdirs={}", tree.text("temp"));
    let server = Server::start(["-i", &input, "-o", &output, "--timeout=2"]);
    let mut reader = listen(&server, "/a.ts");
    assert_eq!(some(&mut reader, 5000), pattern(5000));
    drop(go_on);
    serving.join().expect("ends");
    assert!(reader.is_reset(), "nobody takes it for the end");
    server.wait_for_log("`/a.ts` is not kept: its input has failed; 5000 bytes had come");
    assert_eq!(Client::get(&server, "/a.ts").text(), "the last one");
    assert!(is_empty(&tree.path("temp/.httpout-tmp")));
}

#[test]
fn a_full_disk_cuts_the_readers_loses_no_finished_file_and_is_said() {
    let tree = Tree::new();
    tree.write("temp/live/a.ts", b"the last one");
    let binary = env!("CARGO_BIN_EXE_httpout");
    // A limit on the size of files stands for a disk that is full: the write fails in the middle.
    let temp = tree.text("temp");
    let line = format!(
        "trap '' XFSZ; ulimit -f 2000; exec '{binary}' -i - -o http://127.0.0.1/live/a.ts --rdirs='{temp}' --port=0"
    );
    let mut shell = std::process::Command::new("sh");
    let mut server = Server::spawn(shell.args(["-c", &line]).stdin(Stdio::piped()));
    let mut input = server.stdin();
    let mut reader = listen(&server, "/live/a.ts");
    let _ = input.write_all(&pattern(3_000_000));
    assert!(reader.is_reset_after_data());
    server.wait_for_log(
        "ERROR httpout::input::file_sink: `/live/a.ts` cannot be written: there is no room left: the disk of option \
         `rdirs` is full",
    );
    assert_eq!(Client::get(&server, "/live/a.ts").text(), "the last one");
    // The input is not held up.
    input
        .write_all(&pattern(200_000))
        .expect("the server reads");
    drop(input);
    server.wait_for_log("input `-` is over");
    assert_eq!(content(&tree, "temp/live/a.ts"), b"the last one");
}

#[test]
fn memory_is_bounded() {
    let (server, mut input) = record("gmem", &["--gmem_max=1M"]);
    let mut reader = listen(&server, "/live/a.ts");
    let _ = input.write_all(&pattern(1_500_000));
    assert!(reader.is_reset_after_data());
    server.wait_for_log("option `gmem_max` sets the limit");
    assert_eq!(Client::get(&server, "/live/a.ts").status, 404);
}

#[test]
fn readers_stay_while_the_input_is_gone_for_a_while() {
    let tree = Tree::new();
    let path = fifo(&tree, "in.ts");
    let output = format!("http://127.0.0.1/a.ts:rdirs={}", tree.text("temp"));
    let server = Server::start(["-i", &path, "-o", &output, "--timeout=3"]);
    let mut reader = listen(&server, "/a.ts");
    std::fs::write(&path, b"first").expect("the server reads");
    assert_eq!(some(&mut reader, 5), b"first");
    server.wait_for_log("has ended, waiting for more");
    std::fs::write(&path, b"second").expect("the server reads");
    assert_eq!(some(&mut reader, 6), b"second");
    // When it stays away the file is over: a stream has no end that could be missing.
    assert_eq!(reader.read_chunk(), None);
    assert_eq!(content(&tree, "temp/a.ts"), b"firstsecond");
}

#[test]
fn an_input_that_comes_back_later_begins_the_file_anew() {
    let tree = Tree::new();
    let path = fifo(&tree, "in.ts");
    // The stream lets it come back; without one, the input would be over.
    let (live, rdirs) = ("http://127.0.0.1/live.ts:rdirs=", tree.text("temp"));
    let file = format!("http://127.0.0.1/a.ts:rdirs={rdirs}");
    let line = ["-i", &path, "-o", live, "-o", &file];
    let server = Server::start(line.iter().chain(&["--timeout=1", "--reopen"]));
    let mut reader = listen(&server, "/a.ts");
    std::fs::write(&path, b"first").expect("the server reads");
    assert_eq!(rest(&mut reader), b"first");
    assert_eq!(content(&tree, "temp/a.ts"), b"first");
    std::fs::write(&path, b"second").expect("the server reads");
    let is_new = |_: &u32| Client::get(&server, "/a.ts").text() == "second";
    assert!((0..1000).any(|round| is_new(&round)), "it stays the first");
    assert_eq!(content(&tree, "temp/a.ts"), b"second");
}

#[test]
fn a_stop_finishes_what_has_no_end_and_gives_up_what_has_one() {
    let tree = Tree::new();
    let (mut server, mut input) = record(&tree.text("temp"), &[]);
    let mut reader = listen(&server, "/live/a.ts");
    input.write_all(b"frames").expect("the server reads");
    assert_eq!(some(&mut reader, 6), b"frames");
    server.signal("TERM");
    assert_eq!(reader.read_chunk(), None);
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(content(&tree, "temp/live/a.ts"), b"frames");

    let (path, _) = make(&tree, "film.ts", "60");
    tree.write("temp/film.ts", b"the last one");
    let output = format!("http://127.0.0.1/film.ts:rdirs={}", tree.text("temp"));
    let mut server = Server::start(["-i", &path, "reframer:rt=on", "-o", &output]);
    let mut reader = listen(&server, "/film.ts");
    some(&mut reader, 3000);
    server.signal("TERM");
    assert!(reader.is_reset_after_data(), "it is not whole");
    assert_eq!(server.wait().code(), Some(0));
    server.wait_for_log("`/film.ts` is not kept: the server stops before its input has ended");
    assert_eq!(content(&tree, "temp/film.ts"), b"the last one");
    assert!(is_empty(&tree.path("temp/.httpout-tmp")));
}

#[test]
fn a_crash_leaves_the_old_file_and_the_next_start_cleans_up() {
    let tree = Tree::new();
    tree.write("temp/live/a.ts", b"the last one");
    let (server, mut input) = record(&tree.text("temp"), &[]);
    let mut reader = listen(&server, "/live/a.ts");
    input.write_all(b"frames").expect("the server reads");
    some(&mut reader, 6);
    // SIGKILL.
    drop(server);
    assert_eq!(content(&tree, "temp/live/a.ts"), b"the last one");
    assert!(!is_empty(&tree.path("temp/.httpout-tmp")));
    let (server, input) = record(&tree.text("temp"), &[]);
    drop(input);
    server.wait_for_log("Aborting output");
    assert!(is_empty(&tree.path("temp/.httpout-tmp")));
    assert_eq!(Client::get(&server, "/live/a.ts").text(), "the last one");
}

#[test]
fn quit_ends_the_server_once_the_file_is_whole() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mp3", "1");
    let output = format!("http://127.0.0.1/deep/er/a.mp3:rdirs={}", tree.text("temp"));
    let mut server = Server::start(["-i", &path, "-o", &output, "--quit"]);
    assert_eq!(server.wait().code(), Some(0));
    assert!(content(&tree, "temp/deep/er/a.mp3") == bytes);
}

#[test]
fn without_chunked_coding_it_is_there_once_it_is_whole() {
    let tree = Tree::new();
    let (server, mut input) = record(&tree.text("temp"), &["--cte=false"]);
    input.write_all(b"frames").expect("the server reads");
    assert_eq!(Client::get(&server, "/live/a.ts").status, 404);
    drop(input);
    server.wait_for_log("Closing output live/a.ts");
    assert_eq!(Client::get(&server, "/live/a.ts").text(), "frames");
}

#[test]
fn what_clients_write_or_delete_meanwhile_counts() {
    let tree = Tree::new();
    let wdir = format!("--wdir={}", tree.text("temp"));
    let (server, mut input) = record(&tree.text("temp"), &[&wdir]);
    let mut reader = listen(&server, "/live/a.ts");
    input.write_all(b"frames").expect("the server reads");
    some(&mut reader, 6);
    let deleted = Client::ask(&server, "DELETE", "/live/a.ts", "");
    assert_eq!(deleted.status, 200);
    assert_eq!(Client::get(&server, "/live/a.ts").status, 404);
    // Who reads it reads on.
    input.write_all(b"more").expect("the server reads");
    assert_eq!(some(&mut reader, 4), b"more");
    let put = Client::put(&server, "/live/a.ts", "", b"upload");
    assert_eq!(put.status, 201);
    drop(input);
    assert_eq!(reader.read_chunk(), None);
    server.wait_for_log("`/live/a.ts` is not kept: it has been deleted, or written anew");
    assert_eq!(Client::get(&server, "/live/a.ts").text(), "upload");
}

#[test]
fn the_media_type_is_that_of_an_option_or_of_the_name() {
    let tree = Tree::new();
    let (path, _) = make(&tree, "a.mp3", "1");
    for (name, option, expected) in [
        ("a", ":mime=audio/x-mine", "audio/x-mine"),
        ("b.ts", ":ext=mp3", "audio/mpeg"),
        ("c.mp3", "", "audio/mpeg"),
    ] {
        let rdirs = tree.text("temp");
        let output = format!("http://127.0.0.1/{name}:rdirs={rdirs}{option}");
        let server = Server::start(["-i", &path, "-o", &output, "--hold"]);
        let target = format!("/{name}");
        let growing = Client::ask(&server, "HEAD", &target, "");
        assert_eq!(growing.field("content-type"), Some(expected));
        rest(&mut listen(&server, &target));
        let whole = Client::get(&server, &target);
        assert_eq!(whole.field("content-type"), Some(expected));
        assert!(whole.field("content-length").is_some());
    }
}

#[test]
fn an_output_lies_where_its_directory_is_mounted() {
    let tree = Tree::new();
    let (path, bytes) = make(&tree, "a.mp3", "1");
    let (temp, www) = (tree.text("temp"), tree.text("www"));
    tree.write("rules.txt", format!("[{www}]\nname=tv\n").as_bytes());
    for (rdirs, output, file, targets) in [
        // The URL leads there, and so does that of the mount point.
        (
            format!("{temp},{www}"),
            "/live/a.mp3",
            "temp/live/a.mp3",
            &["/live/a.mp3", "/temp/live/a.mp3"][..],
        ),
        (
            format!("{temp},{www}"),
            "/temp/b.mp3",
            "temp/b.mp3",
            &["/temp/b.mp3"],
        ),
        (
            tree.text("rules.txt"),
            "/tv/c.mp3",
            "www/c.mp3",
            &["/tv/c.mp3"],
        ),
        (
            tree.text("rules.txt"),
            "/d.mp3",
            "www/d.mp3",
            &["/d.mp3", "/tv/d.mp3"],
        ),
    ] {
        let url = format!("http://127.0.0.1{output}");
        let rdirs = format!("--rdirs={rdirs}");
        let server = Server::start(["-i", &path, "-o", &url, &rdirs, "--hold"]);
        assert!(rest(&mut listen(&server, targets[targets.len() - 1])) == bytes);
        for target in targets {
            assert!(Client::get(&server, target).body == bytes, "{target}");
        }
        assert!(content(&tree, file) == bytes, "{file}");
    }
}

#[test]
fn a_line_that_cannot_be_run_is_refused_in_one_line() {
    let tree = Tree::new();
    let (one, _) = make(&tree, "one.mp3", "1");
    let www = tree.text("www");
    let url = "http://127.0.0.1/a.mp3";
    for (line, expected) in [
        (
            &["-o", url, "--rdirs=/proc/none"][..],
            &["`rdirs`", "/proc/none"][..],
        ),
        (
            &["-o", url, "--rdirs=/sys"],
            &["`/a.mp3`", "`/sys`", "may not write"],
        ),
        (
            &["-o", "http://127.0.0.1/sub", "--rdirs", &www],
            &["`/sub`", "a directory has this name"],
        ),
        (
            &["-o", "http://127.0.0.1/hello.txt/x", "--rdirs", &www],
            &["`/hello.txt/x`", "a file stands"],
        ),
        (
            &["-o", url, "-o", "http://127.0.0.2/a.mp3", "--rdirs", &www],
            &["another output writes the same file"],
        ),
    ] {
        let output = run(["--port=0", "-i", &one].iter().chain(line));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{line:?}: {said}");
        for part in expected {
            assert!(said.contains(part), "{part:?} is not in {said:?}");
        }
    }
    // It would have no end, and nothing that holds it up.
    let input = format!("{one}:loop");
    let output = run(["--port=0", "-i", &input, "-o", url, "--rdirs", &www]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("add `reframer:rt=on`"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn check_tells_where_inputs_are_written_and_makes_nothing() {
    let tree = Tree::new();
    let (one, _) = make(&tree, "one.mp3", "1");
    let temp = tree.text("temp");
    let rdirs = format!("--rdirs={temp}");
    let output = run([
        "check",
        "-i",
        &one,
        "-o",
        "http://localhost:8080/x/a.mp3",
        &rdirs,
    ]);
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = format!("ok `/x/a.mp3` is input `{one}`, written to `{temp}/x/a.mp3`\n");
    assert!(
        output.status.success() && said.contains(&expected),
        "{said}"
    );
    assert!(!tree.path("temp").exists());
}

#[test]
fn over_tls_it_is_the_same() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    tree.write_certificate();
    let (cert, pkey) = (tree.text("cert.pem"), tree.text("pkey.pem"));
    let output = format!("https://127.0.0.1/live.mp3:cert={cert}:pkey={pkey}:rdirs=gmem");
    let server = Server::start(["-i", &one, "-o", &output, "--hold"]);
    let url = server.url("/live.mp3");
    for _ in ["while it is written", "afterwards"] {
        let got = try_curl(&["--insecure", "--fail", &url]);
        assert!(got.status.success() && got.stdout == sound);
    }
}
