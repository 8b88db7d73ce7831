//! Live DASH manifests of an encoder that is started again: players go on where they are.

use crate::support::{Client, Live, ffmpeg};

fn manifest(begin: &str, update: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<MPD type=\"dynamic\" minimumUpdatePeriod=\"{update}\" availabilityStartTime=\"{begin}\">\n\
         <Period id=\"0\" start=\"PT0.0S\"><AdaptationSet/></Period></MPD>\n"
    )
}

/// Uploads a manifest, and gives what readers get.
fn put(live: &Live, content: &str) -> String {
    let answer = Client::put(&live.server, "/live/a.mpd", "", content.as_bytes());
    assert!(matches!(answer.status, 200 | 201), "{}", answer.status);
    let answer = Client::get(&live.server, "/live/a.mpd");
    let length = answer.field("content-length").map(str::to_owned);
    assert_eq!(length, Some(answer.text().len().to_string()));
    answer.text().to_owned()
}

const FIRST: &str = "2026-11-21T20:09:10.340Z";
const SECOND: &str = "2026-11-21T20:10:10.590Z";

#[test]
fn the_time_line_goes_on_and_the_log_says_so_once() {
    for live in [Live::start(&[]), Live::in_memory(&[])] {
        let first = manifest(FIRST, "PT1S");
        assert_eq!(put(&live, &first), first);
        let expected = first.replace("PT0.0S", "PT60.250S");
        for _ in 0..2 {
            assert_eq!(put(&live, &manifest(SECOND, "PT1S")), expected);
        }
        let line =
            "`live/a.mpd`: its encoder has begun anew; its time line goes on 60.2 s from its begin";
        let log = live.server.wait_for_log(line);
        assert_eq!(log.matches(line).count(), 1, "{log}");
    }
}

#[test]
fn it_goes_on_where_the_server_was_started_again_too() {
    let live = Live::start(&[]);
    let first = put(&live, &manifest(FIRST, "PT1S"));
    let Live { tree, server } = live;
    drop(server);
    let server = crate::support::read_write(&tree, &[]);
    let live = Live { tree, server };
    let second = put(&live, &manifest(SECOND, "PT1S"));
    assert_eq!(second, first.replace("PT0.0S", "PT60.250S"));
}

#[test]
fn players_ask_for_it_every_two_seconds() {
    let live = Live::start(&[]);
    let expected = manifest(FIRST, "PT2S");
    assert_eq!(put(&live, &manifest(FIRST, "PT500S")), expected);
    // Chunked, as encoders send it.
    let mut upload = live.begin("live/b.mpd");
    let content = manifest(FIRST, "PT500S");
    let (start, end) = content.split_at(50);
    upload.send_chunk(start.as_bytes());
    let mut reader = Client::connect(&live.server);
    reader.send("GET /live/b.mpd HTTP/1.1\r\nHost: a\r\n\r\n");
    upload.send_chunk(end.as_bytes());
    live.end(upload, 201);
    assert_eq!(reader.read_response("GET").text(), expected);
}

#[test]
fn without_the_option_and_elsewhere_it_is_kept_as_it_came() {
    let live = Live::start(&["--splice=no"]);
    for begin in [FIRST, SECOND] {
        let content = manifest(begin, "PT500S");
        assert_eq!(put(&live, &content), content);
    }
    let live = Live::start(&["--maxs=20M"]);
    put(&live, &manifest(FIRST, "PT1S"));
    let large = "x".repeat(9 << 20);
    let torn = manifest(SECOND, "PT500S").replace("</MPD>", "</Period>");
    for content in [&large, &torn, &String::new()] {
        assert!(put(&live, content) == *content);
    }
}

#[test]
fn an_end_is_told_when_no_encoder_has_come_back() {
    let live = Live::start(&[]);
    let first = manifest(FIRST, "PT1S");
    let end = manifest(SECOND, "PT500S").replace("dynamic", "static");
    assert_eq!(put(&live, &first), first);
    // It may be started again at once.
    assert_eq!(put(&live, &end), first);
    let second = put(&live, &manifest(SECOND, "PT1S"));
    assert_eq!(second, first.replace("PT0.0S", "PT60.250S"));
    // The end before that is none any more; this one is.
    assert_eq!(put(&live, &end), second);
    let Live { tree, mut server } = live;
    server.signal("TERM");
    server.wait();
    assert_eq!(
        crate::support::content(&tree, "www/live/a.mpd"),
        end.as_bytes()
    );
}

#[test]
fn an_end_of_what_was_not_live_is_told_at_once() {
    let live = Live::start(&[]);
    let end = manifest(SECOND, "PT500S").replace("dynamic", "static");
    for _ in 0..2 {
        assert_eq!(put(&live, &end), end);
    }
}

#[test]
fn an_encoder_that_is_killed_and_started_again_goes_on() {
    let live = Live::in_memory(&["--maxs=0"]);
    let start = || {
        let line = "-re -f lavfi -i testsrc2=size=160x90:rate=25:duration=30 -g 25 -c:v mpeg4 -f dash -ldash 1 -streaming 1 \
                    -use_template 1 -use_timeline 0 -seg_duration 1 -frag_type duration -frag_duration 0.2 -method PUT";
        let mut arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        arguments.push(live.server.url("/live/ll.mpd"));
        ffmpeg::start(&arguments)
    };
    let begin_of = |manifest: &str| {
        let (_, rest) = manifest.split_once("availabilityStartTime=\"")?;
        Some(rest.split('"').next()?.to_owned())
    };
    let segment = "Closing output live/chunk-stream0-00002.m4s";
    let encoder = start();
    live.server.wait_for_log(segment);
    drop(encoder);
    let first = Client::get(&live.server, "/live/ll.mpd");
    let encoder = start();
    live.server.wait_for_times(segment, 2);
    drop(encoder);
    let second = Client::get(&live.server, "/live/ll.mpd");
    assert!(begin_of(first.text()).is_some());
    assert_eq!(begin_of(first.text()), begin_of(second.text()));
    assert!(
        first.text().contains("start=\"PT0.0S\""),
        "{}",
        first.text()
    );
    assert!(
        !second.text().contains("start=\"PT0.0S\""),
        "{}",
        second.text()
    );
    live.server
        .wait_for_log("`live/ll.mpd`: its encoder has begun anew");
}
