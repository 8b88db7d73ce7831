//! Lines with several outputs, some of them files, and what stays of the files of inputs (documents: httpout, Multiple
//! destinations on single server; HTTP server file sink, `max_cache_segs`).

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;

use crate::support::media::{listen, make, rest};
use crate::support::server::command;
use crate::support::tree::pattern;
use crate::support::{Client, Server, Tree, content};

#[test]
fn live_streams_a_file_and_directories_share_a_server() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    let (two, picture) = make(&tree, "two.ts", "1");
    let record = format!(
        "http://127.0.0.1/rec/b.ts:SID=P:rdirs={}:dlist:sutc",
        tree.text("temp")
    );
    let server = Server::start([
        &format!("httpout:rdirs={}", tree.text("www")),
        "-i",
        &format!("{one}:FID=S"),
        "-i",
        &format!("{two}:FID=P"),
        "-o",
        "http://127.0.0.1/a.mp3:SID=S",
        "-o",
        "http://127.0.0.1/b.ts:SID=P",
        "-o",
        &record,
        "--hold",
    ]);
    // The options of the first hold, and it is said what is not done.
    server.wait_for_log(
        "output `http://127.0.0.1/rec/b.ts` shares a server whose own options hold: what it says of `dlist`, `sutc` is \
         ignored",
    );
    assert!(rest(&mut listen(&server, "/a.mp3")) == sound);
    // The input waits for both of its outputs.
    let mut live = listen(&server, "/b.ts");
    assert!(rest(&mut listen(&server, "/rec/b.ts")) == picture);
    assert!(rest(&mut live) == picture);
    assert_eq!(Client::get(&server, "/b.ts").status, 404, "it is over");
    assert!(Client::get(&server, "/rec/b.ts").body == picture);
    assert!(content(&tree, "temp/rec/b.ts") == picture);
    let hello = Client::get(&server, "/hello.txt");
    assert_eq!((hello.text(), hello.field("server-utc")), ("hello\n", None));
    assert_eq!(Client::get(&server, "/rec/").status, 404);
}

/// `-o http://localhost:80/live.mpd:SID=D1:rdirs=dash -o http://localhost:80/live_rw.mpd:SID=D2`
#[test]
fn an_output_without_directories_does_as_the_first_of_its_server() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    let first = format!("http://127.0.0.1/a.mp3:rdirs={}", tree.text("temp"));
    let second = "http://127.0.0.1/b.mp3";
    let live = "http://127.0.0.1/c.mp3:rdirs=";
    let server = Server::start(["-i", &one, "-o", &first, "-o", second, "-o", live, "--hold"]);
    let mut readers = ["/a.mp3", "/b.mp3", "/c.mp3"].map(|target| listen(&server, target));
    for reader in &mut readers {
        assert!(rest(reader) == sound);
    }
    for name in ["a.mp3", "b.mp3"] {
        assert!(content(&tree, &format!("temp/{name}")) == sound);
        assert!(Client::get(&server, &format!("/{name}")).body == sound);
    }
    assert_eq!(Client::get(&server, "/c.mp3").status, 404);
    assert!(!tree.path("temp/c.mp3").exists());
    assert!(!server.log().contains("is ignored"));
}

#[test]
fn a_file_can_come_after_a_live_stream() {
    let tree = Tree::new();
    let (one, sound) = make(&tree, "one.mp3", "1");
    let file = format!("http://127.0.0.1/b.mp3:rdirs={}", tree.text("temp"));
    let live = "http://127.0.0.1/a.mp3";
    let server = Server::start(["-i", &one, "-o", live, "-o", &file, "--hold"]);
    let mut readers = ["/a.mp3", "/b.mp3"].map(|target| listen(&server, target));
    for reader in &mut readers {
        assert!(rest(reader) == sound);
    }
    assert!(Client::get(&server, "/b.mp3").body == sound);
    // Its directory is where it goes. What else lies there is not exposed.
    tree.write("temp/secret.txt", b"secret");
    assert_eq!(Client::get(&server, "/secret.txt").status, 404);
}

#[test]
fn servers_of_a_line_see_what_the_others_write() {
    let tree = Tree::new();
    let temp = tree.text("temp");
    let input = tree.text("www/hello.txt");
    for directory in [&temp[..], "gmem"] {
        let writing = format!("http://127.0.0.1/a.txt:rdirs={directory}:hold");
        let reading = format!("httpout:rdirs={directory}:port=0:ifce=127.0.0.2");
        let mut both = command(["--port=0", &reading, "-i", &input, "-o", &writing]);
        let server = Server::spawn(&mut both);
        // The filter is the first.
        assert!(server.address.ip().to_string().ends_with(".2"));
        assert_eq!(rest(&mut listen(&server, "/a.txt")), b"hello\n");
        assert_eq!(Client::get(&server, "/a.txt").text(), "hello\n");
    }
}

/// A server that answers when it is told.
struct Origin {
    address: SocketAddr,
    asked: mpsc::Receiver<(String, TcpStream)>,
    waiting: HashMap<String, TcpStream>,
}

impl Origin {
    fn start() -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("is free");
        let address = listener.local_addr().expect("is bound");
        let (asking, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut head = [0; 2000];
                let count = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..count]);
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                if asking.send((path, stream)).is_err() {
                    return;
                }
            }
        });
        Origin {
            address,
            asked,
            waiting: HashMap::new(),
        }
    }

    fn answer(&mut self, path: &str, body: &[u8]) {
        while !self.waiting.contains_key(path) {
            let (path, stream) = self.asked.recv().expect("the server asks");
            self.waiting.insert(path, stream);
        }
        let mut stream = self.waiting.remove(path).expect("is there");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).expect("the server reads");
        stream.write_all(body).expect("the server reads");
    }
}

/// A live manifest, with segments of 2 s.
fn mpd(depth: &str) -> String {
    format!(
        r#"<MPD type="dynamic" {depth}><Period><AdaptationSet><SegmentTemplate timescale="10" duration="20"
        media="v-$Number$.m4s" initialization="init.mp4"/><Representation id="v"/></AdaptationSet></Period></MPD>"#
    )
}

#[test]
fn of_the_segments_that_inputs_write_the_latest_stay() {
    const FOUR: &str = r#"timeShiftBufferDepth="PT4S""#;
    let names = [
        "live.mpd", "init.mp4", "v-1.m4s", "v-2.m4s", "v-3.m4s", "v-4.m4s", "v-5.m4s",
    ];
    for (place, option, depth, kept) in [
        ("disk", "--max_cache_segs=-2", FOUR, 2),
        ("disk", "--max_cache_segs=-2", "", 2),
        // The larger of the two: a time-shift buffer of 4 s is in 3 segments.
        ("disk", "--max_cache_segs=2", FOUR, 3),
        ("disk", "--max_cache_segs=4", FOUR, 4),
        // Nothing bounds the time-shift buffer.
        ("disk", "--max_cache_segs=2", "", 5),
        ("disk", "--max_cache_segs=0", FOUR, 5),
        // The smaller of the two.
        ("gmem", "--max_cache_segs=2", FOUR, 2),
        ("gmem", "--max_cache_segs=4", FOUR, 3),
        ("gmem", "--max_cache_segs=-2", "", 2),
        ("gmem", "--max_cache_segs=0", FOUR, 1),
    ] {
        let tree = Tree::new();
        let mut origin = Origin::start();
        let mut line = vec![option.to_owned(), "--reqlog=REC".to_owned()];
        for (number, name) in names.iter().enumerate() {
            let address = origin.address;
            line.extend([
                "-i".to_owned(),
                format!("http://{address}/{name}:FID={number}"),
            ]);
            let output = format!("http://127.0.0.1/live/{name}:SID={number}");
            line.extend(["-o".to_owned(), output]);
        }
        let directory = match place {
            "disk" => tree.text("temp"),
            place => place.to_owned(),
        };
        line.extend(["rdirs", "wdir"].map(|option| format!("--{option}={directory}")));
        let server = Server::start(line);
        let uploaded = Client::put(&server, "/live/v-0.m4s", "", b"of a client");
        assert_eq!(uploaded.status, 201);
        // It is large: the connection takes a part of it only.
        let media = pattern(20_000_000);
        let mut reader = None;
        for name in names {
            let body = match name {
                "live.mpd" => mpd(depth).into_bytes(),
                "v-1.m4s" => media.clone(),
                _ => b"media".to_vec(),
            };
            origin.answer(&format!("/{name}"), &body);
            server.wait_for_log(&format!("Closing output live/{name}\n"));
            if name == "v-1.m4s" {
                let mut client = Client::connect(&server);
                client.send("GET /live/v-1.m4s HTTP/1.1\r\nHost: a\r\n\r\n");
                assert_eq!(client.read_head().status, 200);
                reader = Some(client);
            }
        }
        let is_there = |name: &&&str| Client::get(&server, &format!("/live/{name}")).status == 200;
        let stay: Vec<&&str> = names.iter().filter(is_there).collect();
        let (others, segments) = names.split_at(2);
        let expected: Vec<&&str> = others.iter().chain(&segments[5 - kept..]).collect();
        assert_eq!(stay, expected, "{place} {option} {depth}");
        // Who reads one that goes reads on, and what clients have uploaded to a disk is theirs.
        let mut reader = reader.expect("has asked");
        assert!(reader.read_exact(media.len()) == media);
        assert_eq!(is_there(&&"v-0.m4s"), place == "disk", "{place} {option}");
    }
}

#[test]
fn a_segment_that_a_client_has_replaced_is_the_client_s() {
    let tree = Tree::new();
    let temp = tree.text("temp");
    let mut origin = Origin::start();
    let names = ["live.mpd", "v-1.m4s", "v-2.m4s"];
    let mut line = vec!["--max_cache_segs=-1".to_owned(), "--reqlog=REC".to_owned()];
    for (number, name) in names.iter().enumerate() {
        let address = origin.address;
        line.extend([
            "-i".to_owned(),
            format!("http://{address}/{name}:FID={number}"),
        ]);
        let output = format!("http://127.0.0.1/{name}:SID={number}");
        line.extend(["-o".to_owned(), output]);
    }
    line.extend(["rdirs", "wdir"].map(|option| format!("--{option}={temp}")));
    let server = Server::start(line);
    origin.answer("/live.mpd", mpd("").as_bytes());
    server.wait_for_log("Closing output live.mpd\n");
    origin.answer("/v-1.m4s", b"media");
    server.wait_for_log("Closing output v-1.m4s\n");
    assert_eq!(
        Client::put(&server, "/v-1.m4s", "", b"of a client").status,
        200
    );
    origin.answer("/v-2.m4s", b"media");
    server.wait_for_log("Closing output v-2.m4s\n");
    assert_eq!(Client::get(&server, "/v-1.m4s").text(), "of a client");
}
