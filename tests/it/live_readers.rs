//! What readers see of a live session, on disk and in memory (documents: httpout, HTTP server file sink).

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::support::piped::Piped;
use crate::support::tree::pattern;
use crate::support::{Client, Live, ffmpeg};

fn both(options: &[&str]) -> [Live; 2] {
    [Live::start(options), Live::in_memory(options)]
}

#[test]
fn curl_passes_on_each_chunk_before_the_next_is_there() {
    for live in both(&[]) {
        let url = live.server.url("/live.ts");
        for (times, http) in (1..).zip(["--http1.1", "--http2-prior-knowledge"]) {
            let mut encoder = Piped::start(&["--http1.1", "-T", "-", &url]);
            encoder.write("first");
            live.server
                .wait_for_times("Opening output live.ts\n", times);
            let mut readers = [
                Piped::start(&[http, &url]),
                Piped::start(&[http, "-r", "0-", &url]),
            ];
            for chunk in ["first", "second", "third"] {
                if chunk != "first" {
                    encoder.write(chunk);
                }
                readers.iter_mut().for_each(|reader| reader.read(chunk));
            }
            assert_eq!(encoder.end(), "");
            for reader in readers {
                assert_eq!(reader.end(), "");
            }
            assert_eq!(
                Client::ask(&live.server, "DELETE", "/live.ts", "").status,
                200
            );
        }
    }
}

/// The first request is as all players', the second as VLC asks that has seen a field of a radio station.
#[test]
fn vlc_asks_again_with_http_1_0() {
    for live in both(&["--hdrs=icy-name,Tone"]) {
        let mut upload = live.begin("live.ts");
        upload.send_chunk(b"first");
        let mut player = Client::connect(&live.server);
        player.send(
            "GET /live.ts HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nUser-Agent: VLC/3.0.24 LibVLC/3.0.24\r\n\
             Range: bytes=0-\r\n\r\n",
        );
        let head = player.read_head();
        assert_eq!((head.status, head.field("icy-name")), (200, Some("Tone")));
        player.read_chunks("first");
        drop(player);

        let mut player = Client::connect(&live.server);
        player.send(
            "GET /live.ts HTTP/1.0\r\nHost: a\r\nUser-Agent: VLC/3.0.24\r\nIcy-MetaData: 1\r\n\r\n",
        );
        let head = player.read_head();
        assert_eq!((head.status, head.field("transfer-encoding")), (200, None));
        assert_eq!(player.read_exact(5), b"first");
        upload.send_chunk(b"second");
        assert_eq!(player.read_exact(6), b"second");
        live.end(upload, 201);
        assert!(player.is_closed());
    }
}

#[test]
fn a_transport_stream_is_played_while_it_is_uploaded() {
    for live in both(&["--maxs=0"]) {
        let source = "-re -f lavfi -i testsrc2=size=160x90:rate=25:duration=6 -c:v mpeg2video -f mpegts -method PUT";
        let mut arguments: Vec<String> = source.split(' ').map(str::to_owned).collect();
        let url = live.server.url("/live.ts");
        arguments.push(url.clone());
        let encoder = ffmpeg::start(&arguments);
        live.server.wait_for_log("Opening output live.ts\n");
        // Up to its end, from its first picture on.
        let played = ffmpeg::play(&url, 60);
        encoder.wait();
        assert!((145..=150).contains(&played), "{played} frames");
    }
}

#[test]
fn delete_acts_at_once_and_open_readers_finish() {
    for live in both(&[]) {
        let media = pattern(20_000_000);
        assert_eq!(
            Client::put(&live.server, "/done.m4s", "", &media).status,
            201
        );
        let mut growing = live.begin("growing.m4s");
        growing.send_chunk(b"one");
        let (mut of_done, head) = live.follow("done.m4s", "");
        assert_eq!(head.field("content-length"), Some("20000000"));
        let (mut of_growing, _) = live.follow("growing.m4s", "");
        of_growing.read_chunks("one");
        for name in ["/done.m4s", "/growing.m4s"] {
            assert_eq!(Client::ask(&live.server, "DELETE", name, "").status, 200);
            assert_eq!(Client::get(&live.server, name).status, 404);
        }
        growing.send_chunk(b"two");
        of_growing.read_chunks("two");
        live.end(growing, 200);
        assert_eq!(of_growing.read_chunk(), None);
        assert!(of_done.read_exact(media.len()) == media);
        assert_eq!(Client::get(&live.server, "/growing.m4s").status, 404);
    }
}

/// A manifest that is as long as it says, and of one version only.
fn manifest(version: usize) -> String {
    let line = format!("<S n=\"{version}\"/>\n");
    format!("<MPD>\n{}</MPD>\n", line.repeat(1 + version * 37 % 900))
}

fn check_manifest(text: &str) -> usize {
    let second = text.lines().nth(1).unwrap_or_default();
    let version = second.split('"').nth(1).and_then(|text| text.parse().ok());
    let version = version.unwrap_or_else(|| panic!("torn: {text:?}"));
    assert!(text == manifest(version), "torn: {text:?}");
    version
}

#[test]
fn manifests_are_whole_however_often_they_are_replaced() {
    for live in both(&[]) {
        let name = "/live/ll.mpd";
        let first = manifest(0);
        assert_eq!(
            Client::put(&live.server, name, "", first.as_bytes()).status,
            201
        );
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut reader = Client::connect(&live.server);
                        let (mut last, mut count) = (0, 0);
                        while !is_over.load(Relaxed) {
                            reader.send("GET /live/ll.mpd HTTP/1.1\r\nHost: a\r\n\r\n");
                            let answer = reader.read_response("GET");
                            let version = check_manifest(answer.text());
                            // Never an older one again.
                            assert!(answer.status == 200 && version >= last);
                            (last, count) = (version, count + 1);
                        }
                        count
                    })
                })
                .collect();
            let mut encoder = Client::connect(&live.server);
            for version in 1..=300 {
                let text = manifest(version);
                let (head, tail) = text.as_bytes().split_at(text.len() / 2);
                encoder.send(
                    "PUT /live/ll.mpd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                );
                encoder.send_chunk(head);
                encoder.send_chunk(tail);
                encoder.send_chunk(b"");
                assert_eq!(encoder.read_response("PUT").status, 200);
            }
            is_over.store(true, Relaxed);
            for reader in readers {
                assert!(reader.join().expect("reads whole manifests only") > 10);
            }
        });
        let last = Client::get(&live.server, name);
        assert_eq!(check_manifest(last.text()), 300);
    }
}

#[test]
fn memory_is_free_again_when_the_last_reader_has_gone() {
    let live = Live::in_memory(&["--gmem_max=24M"]);
    let media = pattern(20_000_000);
    let put = |target: &str| Client::put(&live.server, target, "", &media).status;
    assert_eq!(put("/a.ts"), 201);
    let (reader, _) = live.follow("a.ts", "");
    assert_eq!(Client::ask(&live.server, "DELETE", "/a.ts", "").status, 200);
    // It is gone, and still takes its room.
    assert_eq!(
        (Client::get(&live.server, "/a.ts").status, put("/b.ts")),
        (404, 507)
    );
    drop(reader);
    let is_free = || {
        std::thread::sleep(std::time::Duration::from_millis(10));
        put("/b.ts") == 201
    };
    assert!((0..1000).any(|_| is_free()));
}
