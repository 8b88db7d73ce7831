//! Uploads as encoders really send them, to disk and to memory: ffmpeg itself, and curl. What was recorded of others is in
//! `recordings.rs`.

use crate::support::{Client, Live, curl, ffmpeg};

/// Live DASH with low latency, as `docs/live.md` has it. A player keeps as long behind as a segment is: where a busy machine
/// lets the encoder fall back by more, ffmpeg as player asks for what is not there yet, and does not come back.
const DASH: &str = "-c:v mpeg4 -f dash -ldash 1 -streaming 1 -use_template 1 -use_timeline 0 -seg_duration 2 -frag_type duration \
                    -frag_duration 0.2 -target_latency 1 -window_size 5 -extra_window_size 5 -remove_at_exit 0 -method PUT";

const HLS: &str =
    "-c:v mpeg2video -f hls -hls_time 1 -hls_list_size 3 -hls_flags delete_segments -method PUT";

/// A picture and a tone of so many seconds.
fn source(seconds: u32, pace: &str) -> Vec<String> {
    let line = format!(
        "{pace} -f lavfi -i testsrc2=size=160x90:rate=25:duration={seconds} {pace} -f lavfi -i \
         sine=frequency=440:duration={seconds} -map 0:v -map 1:a -g 25 -c:a aac"
    );
    line.split_whitespace().map(str::to_owned).collect()
}

fn encode(live: &Live, seconds: u32, pace: &str, muxer: &str, target: &str) -> ffmpeg::Running {
    let mut arguments = source(seconds, pace);
    arguments.extend(muxer.split_whitespace().map(str::to_owned));
    arguments.push(live.server.url(target));
    ffmpeg::start(&arguments)
}

#[test]
fn ffmpeg_pushes_dash_and_plays_it_to_disk_and_memory() {
    for (persistent, live) in [
        ("1", Live::start(&["--maxs=0"])),
        ("0", Live::in_memory(&["--maxs=0"])),
    ] {
        let muxer = format!("{DASH} -http_persistent {persistent}");
        // It is live: played while it is made. A player that starts late has some left: it waits for ever for segments
        // behind the last.
        let encoder = encode(&live, 12, "-re", &muxer, "/live/ll.mpd");
        live.server
            .wait_for_log("Closing output live/chunk-stream0-00002.m4s");
        let played = ffmpeg::play(&live.server.url("/live/ll.mpd"), 2);
        encoder.wait();
        assert!(played > 20, "{played} frames");
        let log = live
            .server
            .wait_for_log("Closing output live/chunk-stream0-00004.m4s");
        assert!(
            !log.contains("failed") && !log.contains("Aborting"),
            "{log}"
        );
        let manifest = Client::get(&live.server, "/live/ll.mpd");
        assert!(manifest.text().contains("</MPD>"));
    }
}

#[test]
fn ffmpeg_pushes_hls_and_plays_it_from_disk_and_memory() {
    for persistent in ["0", "1"] {
        for live in [Live::start(&["--maxs=0"]), Live::in_memory(&["--maxs=0"])] {
            let muxer = format!("{HLS} -http_persistent {persistent}");
            // With a pace: on a kept connection ffmpeg closes at its end with answers unread, which resets the connection,
            // and its kernel throws away what the server has had no time to take.
            let encoder = encode(&live, 8, "-readrate 4", &muxer, "/live/live.m3u8");
            encoder.wait();
            let log = live.server.wait_for_log("Closing output live/live7.ts");
            assert!(
                !log.contains("failed") && !log.contains("Aborting"),
                "{log}"
            );
            let played = ffmpeg::play(&live.server.url("/live/live.m3u8"), 60);
            assert!((50..=100).contains(&played), "{played} frames");
            // What it has deleted is gone, though it left without waiting for the answer.
            live.server.wait_for_log("DELETE live/live0.ts");
            assert_eq!(Client::get(&live.server, "/live/live0.ts").status, 404);
        }
    }
}

#[test]
fn ffmpeg_plays_hls_while_ffmpeg_pushes_it() {
    for live in [Live::start(&["--maxs=0"]), Live::in_memory(&["--maxs=0"])] {
        let muxer = format!("{HLS} -http_persistent 1");
        let encoder = encode(&live, 7, "-re", &muxer, "/live/live.m3u8");
        live.server
            .wait_for_times("Closing output live/live.m3u8", 2);
        let played = ffmpeg::play(&live.server.url("/live/live.m3u8"), 3);
        assert!((70..=80).contains(&played), "{played} frames");
        encoder.wait();
    }
}

#[test]
fn readers_are_one_chunk_behind_and_get_the_same() {
    for live in [Live::start(&[]), Live::in_memory(&[])] {
        let mut upload = live.begin("seg.m4s");
        let (mut one, _) = live.follow("seg.m4s", "");
        let (mut other, _) = live.follow("seg.m4s", "");
        let mut all = String::new();
        for number in 0..50 {
            let chunk = format!("[chunk {number}]");
            upload.send_chunk(chunk.as_bytes());
            // Nothing more is sent before both have it.
            one.read_chunks(&chunk);
            other.read_chunks(&chunk);
            all += &chunk;
            if number % 10 == 0 {
                let (mut late, _) = live.follow("seg.m4s", "");
                late.read_chunks(&all);
            }
        }
        live.end(upload, 201);
        assert_eq!(Client::get(&live.server, "/seg.m4s").text(), all);
    }
}

#[test]
fn curl_uploads_with_and_without_a_length() {
    for live in [Live::start(&[]), Live::in_memory(&[])] {
        live.tree.write("file.txt", b"0123456789");
        let (file, url) = (live.tree.text("file.txt"), live.server.url("/a.txt"));
        curl(&["--fail", "-T", &file, &url]);
        assert_eq!(curl(&["--fail", &url]), "0123456789");
        curl(&[
            "--fail",
            "-H",
            "Transfer-Encoding: chunked",
            "-T",
            &file,
            &url,
        ]);
        curl(&["--fail", "-C", "4", "-T", &file, &url]);
        assert_eq!(curl(&["--fail", &url]), "0123456789");
        curl(&["--fail", "-X", "DELETE", &url]);
        assert_eq!(Client::get(&live.server, "/a.txt").status, 404);
    }
}

/// As ffmpeg does at its end: it sends several requests, and closes with answers unread, which resets the connection.
#[test]
fn what_a_client_has_sent_is_done_though_it_takes_no_answer() {
    for live in [Live::start(&[]), Live::in_memory(&[])] {
        let mut encoder = Client::connect(&live.server);
        let put = |name: &str| {
            format!(
                "PUT /{name} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nmedia\r\n0\r\n\r\n"
            )
        };
        encoder.send(&put("first.ts"));
        live.server.wait_for_log("PUT first.ts done");
        assert!(encoder.has_answer());
        let all: Vec<String> = (1..=50).map(|number| format!("{number}.ts")).collect();
        let rest: String = all.iter().map(|name| put(name)).collect();
        encoder.send(&rest);
        drop(encoder);
        live.server.wait_for_log("Closing output 50.ts");
        for name in all {
            assert_eq!(
                Client::get(&live.server, &format!("/{name}")).text(),
                "media"
            );
        }
    }
}
