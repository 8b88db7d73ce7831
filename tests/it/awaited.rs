//! Requests for files that are about to come.

use crate::support::cmaf::{fragment, init};
use crate::support::{Client, Live};

/// Segments of ten seconds: no wait ends before what it is for.
fn manifest(template: &str) -> String {
    format!(
        "<MPD type=\"dynamic\" availabilityStartTime=\"2026-01-01T00:00:00Z\"><Period><AdaptationSet \
         contentType=\"video\" mimeType=\"video/mp4\"><Representation id=\"v\"><SegmentTemplate timescale=\"100\" \
         duration=\"1000\" startNumber=\"1\" initialization=\"i.mp4\" {template}</SegmentTemplate></Representation>\
         </AdaptationSet></Period></MPD>"
    )
}

const NUMBERS: &str = "media=\"v-$Number$.m4s\">";

fn put(live: &Live, name: &str, body: &[u8]) {
    let status = Client::put(&live.server, &format!("/{name}"), "", body).status;
    assert!(matches!(status, 200 | 201), "{name}: {status}");
}

/// Begins a request, which the server has seen when this returns.
fn ask(live: &Live, method: &str, name: &str, fields: &str) -> Client {
    let started = format!("{method} {name}");
    let times = live.server.log().matches(&started).count();
    let mut client = Client::connect(&live.server);
    client.send(&format!(
        "{method} /{name} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"
    ));
    live.server.wait_for_times(&started, times + 1);
    client
}

fn status(live: &Live, name: &str) -> u16 {
    Client::get(&live.server, &format!("/{name}")).status
}

fn both() -> [Live; 2] {
    [Live::start(&[]), Live::in_memory(&["--max_cache_segs=9"])]
}

#[test]
fn what_a_manifest_announces_is_waited_for_and_sent_as_it_comes() {
    for live in both() {
        put(&live, "a.mpd", manifest(NUMBERS).as_bytes());
        let mut first = ask(&live, "GET", "i.mp4", "");
        let mut many: Vec<Client> = (0..20).map(|_| ask(&live, "GET", "v-1.m4s", "")).collect();
        let mut part = ask(&live, "GET", "v-1.m4s", "Range: bytes=2-3\r\n");
        let mut head = ask(&live, "HEAD", "v-1.m4s", "");
        let mut refused = ask(&live, "GET", "v-1.m4s", "If-Match: \"a\"\r\n");
        // What comes after it is not announced yet.
        assert_eq!(status(&live, "v-2.m4s"), 404);
        put(&live, "i.mp4", &init(1, 100, 0));
        assert_eq!(first.read_response("GET").body, init(1, 100, 0));
        let mut upload = live.begin("v-1.m4s");
        assert_eq!(refused.read_response("GET").status, 412);
        let head = head.read_response("HEAD");
        assert_eq!(
            (head.status, head.field("content-type")),
            (200, Some("video/iso.segment"))
        );
        // It has begun: so the one behind it is the next.
        let mut next = ask(&live, "GET", "v-2.m4s", "");
        assert_eq!(status(&live, "v-3.m4s"), 404);
        for client in &mut many {
            assert_eq!(
                client.read_head().field("transfer-encoding"),
                Some("chunked")
            );
        }
        upload.send_chunk(b"012345");
        many.iter_mut()
            .for_each(|client| client.read_chunks("012345"));
        let part = part.read_response("GET");
        assert_eq!((part.status, part.text()), (206, "23"));
        assert_eq!(part.field("content-range"), Some("bytes 2-3/*"));
        live.end(upload, 201);
        put(&live, "v-2.m4s", b"next");
        assert_eq!(next.read_response("GET").text(), "next");
    }
}

#[test]
fn without_chunks_it_is_waited_for_to_its_end() {
    let live = Live::start(&["--cte=false"]);
    put(&live, "a.mpd", manifest(NUMBERS).as_bytes());
    let mut reader = ask(&live, "GET", "v-1.m4s", "");
    let mut upload = live.begin("v-1.m4s");
    upload.send_chunk(b"01234");
    let mut late = ask(&live, "GET", "v-1.m4s", "");
    live.end(upload, 201);
    for client in [&mut reader, &mut late] {
        let answer = client.read_response("GET");
        assert_eq!(
            (answer.field("content-length"), answer.text()),
            (Some("5"), "01234")
        );
    }
}

#[test]
fn times_in_names_are_those_of_the_next() {
    let live = Live::start(&[]);
    let template = "media=\"v-$Time$.m4s\"><SegmentTimeline><S t=\"5000\" d=\"1000\" r=\"1\"/></SegmentTimeline>";
    put(&live, "a.mpd", manifest(template).as_bytes());
    put(&live, "i.mp4", &init(1, 100, 0));
    // The timeline tells it already.
    let mut told = ask(&live, "GET", "v-6000.m4s", "");
    put(
        &live,
        "v-6000.m4s",
        &fragment(1, 6000, &[(1000, true)], b""),
    );
    assert_eq!(told.read_response("GET").status, 200);
    let mut next = ask(&live, "GET", "v-7000.m4s", "");
    assert_eq!(status(&live, "v-9000.m4s"), 404);
    assert_eq!(status(&live, "v-4000.m4s"), 404);
    put(&live, "v-7000.m4s", b"media");
    assert_eq!(next.read_response("GET").text(), "media");
}

#[test]
fn what_an_uploaded_playlist_hints_at_is_waited_for() {
    for live in both() {
        let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXT-X-PART:DURATION=1,URI=\"1.0.ts\"\n\
                        #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"1.1.ts\"\n";
        put(&live, "a.m3u8", playlist.as_bytes());
        for name in ["i.mp4", "1.0.ts", "1.1.ts"] {
            let mut reader = ask(&live, "GET", name, "");
            put(&live, name, name.as_bytes());
            assert_eq!(reader.read_response("GET").text(), name);
        }
        assert_eq!(status(&live, "1.2.ts"), 404);
        // What is complete announces nothing.
        put(
            &live,
            "a.m3u8",
            format!("{playlist}#EXT-X-ENDLIST\n").as_bytes(),
        );
        let deleted = Client::ask(&live.server, "DELETE", "/1.1.ts", "");
        assert_eq!((deleted.status, status(&live, "1.1.ts")), (200, 404));
    }
}

#[test]
fn what_does_not_come_is_not_found() {
    let live = Live::start(&["--timeout=1"]);
    put(&live, "a.mpd", manifest(NUMBERS).as_bytes());
    assert_eq!(status(&live, "v-1.m4s"), 404);
    // So is what begins, and fails before anybody has read it.
    let live = Live::start(&["--cte=false", "--timeout=2"]);
    put(&live, "a.mpd", manifest(NUMBERS).as_bytes());
    let mut reader = ask(&live, "GET", "v-1.m4s", "");
    let upload = live.begin("v-1.m4s");
    drop(upload);
    assert_eq!(reader.read_response("GET").status, 404);
}

#[test]
fn a_manifest_that_is_over_announces_nothing() {
    let live = Live::start(&["--splice=no"]);
    put(&live, "a.mpd", manifest(NUMBERS).as_bytes());
    let ended = manifest(NUMBERS).replace("dynamic", "static");
    put(&live, "a.mpd", ended.as_bytes());
    assert_eq!(status(&live, "v-1.m4s"), 404);
    put(&live, "b.mpd", manifest(NUMBERS).as_bytes());
    let deleted = Client::ask(&live.server, "DELETE", "/b.mpd", "");
    assert_eq!((deleted.status, status(&live, "v-1.m4s")), (200, 404));
}

#[test]
fn an_encoder_that_starts_anew_begins_with_its_first_segment() {
    let live = Live::start(&[]);
    put(&live, "a.mpd", manifest(NUMBERS).as_bytes());
    for number in 1..=3 {
        put(&live, &format!("v-{number}.m4s"), b"old");
    }
    let deleted = Client::ask(&live.server, "DELETE", "/v-1.m4s", "");
    assert_eq!((deleted.status, status(&live, "v-1.m4s")), (200, 404));
    let later = manifest(NUMBERS).replace("2026-01-01", "2026-01-02");
    put(&live, "a.mpd", later.as_bytes());
    let mut first = ask(&live, "GET", "v-1.m4s", "");
    put(&live, "v-1.m4s", b"new");
    assert_eq!(first.read_response("GET").text(), "new");
}

#[test]
fn clients_that_leave_wait_no_longer() {
    let live = Live::start(&[]);
    put(&live, "a.mpd", manifest(NUMBERS).as_bytes());
    drop(ask(&live, "GET", "v-1.m4s", ""));
    live.server.wait_for_log("GET v-1.m4s aborted!");
    put(&live, "v-1.m4s", b"media");
    assert_eq!(status(&live, "v-1.m4s"), 200);
}
