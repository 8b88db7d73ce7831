//! What low-latency HLS is made of, byte by byte: restarts, times in names, what comes late, and waits.

use crate::support::cmaf::{fragment, fragment_of_defaults, init, plain_box};
use crate::support::hls::{Player, Playlist, Speaks};
use crate::support::{Client, Live, Response, Server};

/// Segments of ten seconds in four fragments, of a picture with 100 units a second: no wait ends before what it is for.
const TEMPLATE: &str = "timescale=\"100\" duration=\"1000\" startNumber=\"1\" initialization=\"i.mp4\" \
                        media=\"v-$Number$.m4s\"";

fn manifest(start: &str, template: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><MPD type=\"dynamic\" availabilityStartTime=\"{start}\" timeShiftBufferDepth=\"PT300S\">\
         <Period start=\"PT0S\"><AdaptationSet contentType=\"video\" mimeType=\"video/mp4\"><SegmentTemplate {template}/>\
         <Representation id=\"v\" bandwidth=\"1000\" codecs=\"avc1.42c00c\" width=\"16\" height=\"9\"/>\
         </AdaptationSet></Period></MPD>"
    )
}

const START: &str = "2026-01-01T00:00:00Z";

fn put(live: &Live, name: &str, body: &[u8]) {
    let status = Client::put(&live.server, &format!("/{name}"), "", body).status;
    assert!(matches!(status, 200 | 201), "{name}: {status}");
}

fn put_manifest(live: &Live, name: &str, start: &str, template: &str) {
    put(live, name, manifest(start, template).as_bytes());
}

/// A fragment of 250 units.
fn quarter(time: u32, is_first: bool) -> Vec<u8> {
    fragment(
        1,
        time,
        &[(125, is_first), (125, false)],
        &time.to_be_bytes(),
    )
}

/// A segment that begins at a time.
fn segment(time: u32) -> Vec<u8> {
    let quarters = (0..4).map(|number| quarter(time + number * 250, number == 0));
    let mut all = plain_box(b"styp", b"cmfs");
    quarters.for_each(|fragment| all.extend(fragment));
    all
}

fn put_segments(live: &Live, numbers: impl Iterator<Item = u32>, first: u32) {
    for number in numbers {
        put(
            live,
            &format!("v-{number}.m4s"),
            &segment((number - first) * 1000),
        );
    }
}

fn get(server: &Server, target: &str) -> Playlist {
    let answer = Client::get(server, target);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    Playlist::parse(answer.text())
}

/// Begins a request, which the server has seen when this returns.
fn ask(live: &Live, method: &str, target: &str) -> Client {
    let name = target.trim_start_matches('/');
    let started = format!("{method} {name} start\n");
    let times = live.server.log().matches(&started).count();
    let mut client = Client::connect(&live.server);
    client.send(&format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    live.server.wait_for_times(&started, times + 1);
    client
}

fn both() -> [Live; 2] {
    [Live::start(&[]), Live::in_memory(&["--max_cache_segs=100"])]
}

#[test]
fn a_part_is_told_as_soon_as_it_is_there() {
    for live in both() {
        put_manifest(&live, "a.mpd", START, TEMPLATE);
        put(&live, "i.mp4", &init(1, 100, 0));
        put_segments(&live, 1..=1, 1);
        let mut upload = live.begin("v-2.m4s");
        let mut waiting: Vec<Client> = (0..20)
            .map(|_| ask(&live, "GET", "/a-v.m3u8?_HLS_msn=2&_HLS_part=0"))
            .collect();
        let mut head = ask(&live, "HEAD", "/a-v.m3u8?_HLS_msn=2&_HLS_part=1");
        let mut first = quarter(1000, true);
        let rest = first.split_off(first.len() - 1);
        upload.send_chunk(&first);
        // As players ask for what is hinted at (RFC 8673).
        let mut hinted = Client::connect(&live.server);
        hinted.send("GET /v-2.m4s HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9007199254740991\r\n\r\n");
        assert_eq!(hinted.read_head().status, 206);
        // All but one byte of it is nothing.
        let playlist = get(&live.server, "/a-v.m3u8");
        assert!(playlist.growing.is_empty());
        assert_eq!(playlist.hint, Some(("v-2.m4s".to_owned(), 0)));
        upload.send_chunk(&rest);
        let mut came = Vec::new();
        while came.len() < quarter(1000, true).len() {
            came.extend(hinted.read_chunk().expect("more is to come"));
        }
        assert_eq!(came, quarter(1000, true));
        for client in &mut waiting {
            let answer = client.read_response("GET");
            let playlist = Playlist::parse(answer.text());
            let [part] = &playlist.growing[..] else {
                panic!("{}", answer.text());
            };
            assert_eq!((part.offset, part.duration), (0, 2.5));
            assert!(part.is_independent);
            let end = part.length;
            assert_eq!(playlist.hint, Some(("v-2.m4s".to_owned(), end)));
            let media_type = answer.field("content-type");
            assert_eq!(media_type, Some("application/vnd.apple.mpegurl"));
            assert_eq!(answer.field("cache-control"), Some("no-cache"));
        }
        upload.send_chunk(&quarter(1250, false));
        let answer = head.read_response("HEAD");
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert!(answer.field("content-length").is_some());
        live.end(upload, 201);
        // What ends is told with what is left of it.
        let playlist = get(&live.server, "/a-v.m3u8");
        assert_eq!(
            (playlist.segments.len(), playlist.segments[1].duration),
            (2, 5.0)
        );
        assert_eq!(playlist.hint, Some(("v-3.m4s".to_owned(), 0)));
    }
}

#[test]
fn a_part_behind_the_end_of_a_segment_is_the_first_of_the_next() {
    let live = Live::start(&[]);
    put_manifest(&live, "a.mpd", START, TEMPLATE);
    put(&live, "i.mp4", &init(1, 100, 0));
    put_segments(&live, 1..=1, 1);
    let mut upload = live.begin("v-2.m4s");
    upload.send_chunk(&segment(1000));
    let mut behind = ask(&live, "GET", "/a-v.m3u8?_HLS_msn=2&_HLS_part=4");
    let mut whole = ask(&live, "GET", "/a-v.m3u8?_HLS_msn=2");
    live.end(upload, 201);
    let playlist = Playlist::parse(whole.read_response("GET").text());
    assert_eq!(playlist.segments.len(), 2);
    let mut upload = live.begin("v-3.m4s");
    upload.send_chunk(&quarter(2000, true));
    let playlist = Playlist::parse(behind.read_response("GET").text());
    assert_eq!((playlist.segments.len(), playlist.growing.len()), (2, 1));
}

/// On another connection the beginning of a segment may come before the end of the last.
#[test]
fn a_segment_waits_for_the_end_of_the_one_before() {
    let live = Live::start(&[]);
    put_manifest(&live, "a.mpd", START, TEMPLATE);
    put(&live, "i.mp4", &init(1, 100, 0));
    put_segments(&live, 1..=1, 1);
    let mut early = live.begin("v-2.m4s");
    early.send_chunk(&quarter(1000, true));
    let mut player = Player::start(Speaks::Http1, &live.server.url("/a-v.m3u8"));
    let mut late = live.begin("v-3.m4s");
    let (mut reader, _) = live.follow("v-3.m4s", "");
    late.send_chunk(&quarter(2000, true));
    reader.read_chunk();
    let playlist = get(&live.server, "/a-v.m3u8");
    assert_eq!((playlist.segments.len(), playlist.growing.len()), (1, 1));
    early.send_chunk(&quarter(1250, false));
    player.reload(false);
    live.end(early, 201);
    player.reload(false);
    let playlist = &player.playlist;
    assert_eq!((playlist.segments.len(), playlist.growing.len()), (2, 1));
    assert_eq!(playlist.segments[1].duration, 5.0);
    live.end(late, 201);
    assert_eq!(get(&live.server, "/a-v.m3u8").segments.len(), 3);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let live = Live::start(&["--timeout=2"]);
    put_manifest(&live, "a.mpd", START, TEMPLATE);
    put(&live, "i.mp4", &init(1, 100, 0));
    put_segments(&live, 1..=3, 1);
    let status = |query: &str| Client::get(&live.server, &format!("/a-v.m3u8?{query}")).status;
    for query in [
        "_HLS_part=1",
        "_HLS_msn=x",
        "_HLS_msn=-1",
        "_HLS_msn=3&_HLS_part=",
        "_HLS_msn=6",
        "_HLS_skip=NO",
    ] {
        assert_eq!(status(query), 400, "{query}");
    }
    for query in [
        "",
        "a=b",
        "_HLS_msn=0",
        "_HLS_msn=3&_HLS_part=3",
        "_HLS_skip=v2",
    ] {
        assert_eq!(status(query), 200, "{query}");
    }
    // Nobody pushes any more.
    let late = Client::get(&live.server, "/a-v.m3u8?_HLS_msn=4");
    assert_eq!((late.status, late.field("retry-after")), (503, Some("1")));
    assert_eq!(
        Client::get(&live.server, "/b-v.m3u8?_HLS_msn=4").status,
        404
    );
}

#[test]
fn updates_leave_out_what_players_have() {
    let live = Live::start(&[]);
    put_manifest(&live, "a.mpd", START, TEMPLATE);
    put(&live, "i.mp4", &init(1, 100, 0));
    put_segments(&live, 1..=10, 1);
    let mut player = Player::start(Speaks::Http1, &live.server.url("/a-v.m3u8"));
    assert_eq!(player.playlist.segments.len(), 10);
    put_segments(&live, 11..=11, 1);
    player.reload(true);
    let merged = player.playlist.segments.clone();
    let delta = get(&live.server, "/a-v.m3u8?_HLS_skip=YES");
    assert_eq!((delta.skipped, delta.segments.len()), (4, 7));
    let whole = get(&live.server, "/a-v.m3u8");
    let names = |all: &[crate::support::hls::Segment]| -> Vec<_> {
        all.iter()
            .map(|one| (one.uri.clone(), one.map.clone()))
            .collect()
    };
    assert_eq!(names(&merged), names(&whole.segments));
}

/// Players do not take a playlist that has parts only.
#[test]
fn something_is_listed_though_the_only_segment_is_written_anew() {
    for live in both() {
        put_manifest(&live, "a.mpd", START, TEMPLATE);
        put(&live, "i.mp4", &init(1, 100, 0));
        put_segments(&live, 1..=1, 1);
        let mut player = Player::start(Speaks::Http1, &live.server.url("/a-v.m3u8"));
        put_manifest(&live, "a.mpd", "2026-01-01T00:01:00Z", TEMPLATE);
        let mut upload = live.begin("v-1.m4s");
        upload.send_chunk(&quarter(0, true));
        player.reload(false);
        let playlist = &player.playlist;
        assert_eq!((playlist.segments.len(), playlist.growing.len()), (1, 1));
        assert!(playlist.segments[0].is_gap);
        upload.send_chunk(&quarter(250, false));
        live.end(upload, 200);
        player.reload(false);
        let playlist = get(&live.server, "/a-v.m3u8");
        assert_eq!((playlist.sequence, playlist.segments.len()), (2, 1));
        assert!(playlist.segments[0].is_discontinuous);
    }
}

#[test]
fn the_window_is_what_the_time_shift_buffer_has_and_six_segments_at_least() {
    let live = Live::start(&[]);
    put(&live, "i.mp4", &init(1, 100, 0));
    for (name, depth, listed) in [("a", "PT300S", 31), ("b", "PT0S", 7)] {
        let text = manifest(START, TEMPLATE).replace("PT300S", depth);
        put(&live, &format!("{name}.mpd"), text.as_bytes());
        put_segments(&live, 1..=45, 1);
        let playlist = get(&live.server, &format!("/{name}-v.m3u8"));
        assert_eq!(playlist.segments.len(), listed, "{depth}");
        assert_eq!(playlist.segments[listed - 1].uri, "v-45.m4s");
        let with_parts = playlist.segments.iter().filter(|one| !one.parts.is_empty());
        assert_eq!(with_parts.count(), 4);
        for number in 1..=45 {
            live_delete(&live, &format!("v-{number}.m4s"));
        }
    }
}

/// The representation of the last period goes on with the playlist of the one before.
#[test]
fn a_further_period_goes_on_with_the_same_playlist() {
    let live = Live::start(&[]);
    put(&live, "i.mp4", &init(1, 100, 0));
    put_manifest(&live, "a.mpd", START, TEMPLATE);
    put_segments(&live, 1..=2, 1);
    let further = TEMPLATE.replace("v-", "w-") + " presentationTimeOffset=\"2000\"";
    let (one, two) = (manifest(START, TEMPLATE), manifest(START, &further));
    let second = two
        .split_once("<Period start=\"PT0S\">")
        .expect("has one")
        .1;
    let both = one.replace(
        "</Period></MPD>",
        &format!("</Period><Period start=\"PT20S\">{second}"),
    );
    for number in 1..=2 {
        put(&live, "a.mpd", both.as_bytes());
        put(
            &live,
            &format!("w-{number}.m4s"),
            &segment(2000 + (number - 1) * 1000),
        );
    }
    let playlist = get(&live.server, "/a-v.m3u8");
    let uris: Vec<&str> = playlist.segments.iter().map(|one| &*one.uri).collect();
    assert_eq!(uris, ["v-1.m4s", "v-2.m4s", "w-1.m4s", "w-2.m4s"]);
    let dates = playlist.segments.iter().map(|one| one.date);
    assert!(
        dates.eq([0, 10_000, 20_000, 30_000].map(Some)),
        "{playlist:?}"
    );
    assert!(!playlist.segments[2].is_discontinuous);
}

#[test]
fn an_encoder_that_starts_anew_goes_on_behind_a_discontinuity() {
    for live in both() {
        put_manifest(&live, "a.mpd", START, TEMPLATE);
        put(&live, "i.mp4", &init(1, 100, 0));
        put_segments(&live, 1..=4, 1);
        let mut player = Player::start(Speaks::Http1, &live.server.url("/a-v.m3u8"));
        // It is killed in the middle of a segment.
        let mut upload = live.begin("v-5.m4s");
        upload.send_chunk(&quarter(4000, true));
        player.reload(false);
        drop(upload);
        live.server.wait_for_log("Aborting output v-5.m4s");
        let playlist = get(&live.server, "/a-v.m3u8");
        assert!(playlist.segments[4].is_gap && playlist.next() == 6);
        // The next one has the same names, and another beginning.
        let later = "2026-01-01T00:01:00Z";
        put_manifest(&live, "a.mpd", later, TEMPLATE);
        put(&live, "i.mp4", &init(1, 200, 0));
        let before = get(&live.server, "/a-v.m3u8");
        assert_eq!(before.segments.len(), 5, "old windows are kept");
        put_segments(&live, 1..=2, 1);
        let playlist = get(&live.server, "/a-v.m3u8");
        // The names of the first two have been written anew: those have left.
        assert_eq!((playlist.sequence, playlist.next()), (3, 8));
        let uris: Vec<&str> = playlist.segments.iter().map(|one| &*one.uri).collect();
        assert_eq!(
            uris,
            [
                "v-3.m4s",
                "v-4.m4s",
                "v-5.m4s",
                "v-1.m4s?v=2",
                "v-2.m4s?v=2"
            ]
        );
        let breaks: Vec<bool> = playlist
            .segments
            .iter()
            .map(|one| one.is_discontinuous)
            .collect();
        assert_eq!(breaks, [false, false, false, true, false]);
        let maps: Vec<_> = playlist
            .segments
            .iter()
            .map(|one| one.map.as_deref())
            .collect();
        assert_eq!(maps[2..4], [Some("i.mp4"), Some("i.mp4?v=2")]);
        assert_eq!(
            Client::get(&live.server, "/i.mp4?v=2").body,
            init(1, 200, 0)
        );
        assert_eq!(playlist.segments[3].date, Some(60_000));
        put_segments(&live, 3..=6, 1);
        let playlist = get(&live.server, "/a-v.m3u8");
        assert_eq!((playlist.sequence, playlist.discontinuities), (6, 0));
        assert_eq!(playlist.next(), 12);
        assert!(playlist.segments[0].is_discontinuous);
        live_delete(&live, "v-1.m4s");
        let playlist = get(&live.server, "/a-v.m3u8");
        assert_eq!((playlist.sequence, playlist.discontinuities), (7, 1));
    }
}

fn live_delete(live: &Live, name: &str) {
    let answer = Client::ask(&live.server, "DELETE", &format!("/{name}"), "");
    assert_eq!(answer.status, 200, "{name}");
}

#[test]
fn what_is_deleted_leaves_the_playlists() {
    for live in both() {
        put_manifest(&live, "a.mpd", START, TEMPLATE);
        put(&live, "i.mp4", &init(1, 100, 0));
        put_segments(&live, 1..=5, 1);
        live_delete(&live, "v-1.m4s");
        live_delete(&live, "v-3.m4s");
        let playlist = get(&live.server, "/a-v.m3u8");
        assert_eq!((playlist.sequence, playlist.segments.len()), (2, 4));
        let gaps: Vec<bool> = playlist.segments.iter().map(|one| one.is_gap).collect();
        assert_eq!(gaps, [false, true, false, false]);
        live_delete(&live, "v-2.m4s");
        assert_eq!(get(&live.server, "/a-v.m3u8").sequence, 4);
        let mut waiting = ask(&live, "GET", "/a-v.m3u8?_HLS_msn=6");
        live_delete(&live, "a.mpd");
        assert_eq!(waiting.read_response("GET").status, 404);
        for target in ["/a.m3u8", "/a-v.m3u8"] {
            assert_eq!(Client::get(&live.server, target).status, 404);
        }
    }
}

#[test]
fn the_order_of_what_is_written_makes_no_difference() {
    for live in both() {
        // Segments, what begins them, then the manifest.
        put_segments(&live, 7..=9, 1);
        put(&live, "i.mp4", &init(1, 100, 0));
        put_manifest(&live, "a.mpd", START, TEMPLATE);
        let playlist = get(&live.server, "/a-v.m3u8");
        assert_eq!((playlist.sequence, playlist.segments.len()), (7, 3));
        assert_eq!(playlist.segments[0].date, Some(60_000));
        assert_eq!(playlist.part_target, Some(2.5));
    }
    for live in both() {
        put_manifest(&live, "a.mpd", START, TEMPLATE);
        put_segments(&live, 7..=9, 1);
        put(&live, "i.mp4", &init(1, 100, 0));
        assert_eq!(get(&live.server, "/a-v.m3u8").segments.len(), 3);
    }
}

#[test]
fn numbers_go_on_when_the_server_starts_anew() {
    let live = Live::start(&[]);
    put(&live, "i.mp4", &init(1, 100, 0));
    let www = live.tree.text("www");
    let options = [format!("--rdirs={www}"), format!("--wdir={www}")];
    let server = Server::start(options);
    let put = |target: &str, body: &[u8]| Client::put(&server, target, "", body).status;
    put("/a.mpd", manifest(START, TEMPLATE).as_bytes());
    // What begins them was written to the server before.
    assert_eq!(put("/v-20.m4s", &segment(19_000)), 201);
    let playlist = get(&server, "/a-v.m3u8");
    assert_eq!((playlist.sequence, playlist.segments.len()), (20, 1));
}

#[test]
fn times_in_names_and_short_last_segments() {
    let live = Live::start(&["--splice=no"]);
    let template = TEMPLATE.replace("$Number$", "$Time$");
    put_manifest(&live, "a.mpd", START, &template);
    put(&live, "i.mp4", &init(1, 100, 0));
    for time in [5000, 6000, 7000] {
        put(&live, &format!("v-{time}.m4s"), &segment(time));
    }
    let playlist = get(&live.server, "/a-v.m3u8");
    assert_eq!((playlist.sequence, playlist.segments.len()), (5, 3));
    assert_eq!(playlist.hint, Some(("v-8000.m4s".to_owned(), 0)));
    let ended = manifest(START, &template).replace("dynamic", "static");
    put(&live, "a.mpd", ended.as_bytes());
    let playlist = get(&live.server, "/a-v.m3u8?_HLS_msn=9");
    assert!(playlist.has_ended && playlist.hint.is_none());
}

/// Where segments come in one piece there is nothing that could come earlier.
#[test]
fn whole_segments_make_playlists_without_parts() {
    let live = Live::start(&[]);
    put_manifest(&live, "a.mpd", START, TEMPLATE);
    put(&live, "i.mp4", &init(1, 100, 250));
    for number in 1..=3 {
        let time = (number - 1) * 1000;
        put(
            &live,
            &format!("v-{number}.m4s"),
            &fragment_of_defaults(1, time, 4),
        );
    }
    let mut player = Player::start(Speaks::Http1, &live.server.url("/a-v.m3u8"));
    assert_eq!(player.playlist.part_target, None);
    let mut waiting = ask(&live, "GET", "/a-v.m3u8?_HLS_msn=4&_HLS_part=0");
    put(&live, "v-4.m4s", &fragment_of_defaults(1, 3000, 4));
    assert_eq!(
        Playlist::parse(waiting.read_response("GET").text()).next(),
        5
    );
    player.reload(false);
    assert!(player.playlist.growing.is_empty());
}

#[test]
fn a_playlist_that_is_uploaded_wins() {
    let live = Live::start(&[]);
    put_manifest(&live, "a.mpd", START, TEMPLATE);
    put(&live, "i.mp4", &init(1, 100, 0));
    put_segments(&live, 1..=1, 1);
    put(&live, "a.m3u8", b"#EXTM3U\n#EXT-X-VERSION:3\n");
    let own = Client::get(&live.server, "/a.m3u8");
    assert_eq!(own.text(), "#EXTM3U\n#EXT-X-VERSION:3\n");
    live_delete(&live, "a.m3u8");
    assert!(
        Client::get(&live.server, "/a.m3u8")
            .text()
            .contains("a-v.m3u8")
    );
}

#[test]
fn the_first_request_waits_until_there_is_something_to_play() {
    let live = Live::start(&[]);
    assert_eq!(Client::get(&live.server, "/a.m3u8").status, 404);
    put_manifest(&live, "a.mpd", START, TEMPLATE);
    let mut main = ask(&live, "GET", "/a.m3u8");
    let mut track = ask(&live, "GET", "/a-v.m3u8");
    put(&live, "i.mp4", &init(1, 100, 0));
    put_segments(&live, 1..=1, 1);
    let variants = main.read_response("GET");
    assert!(
        variants.text().ends_with("\na-v.m3u8\n"),
        "{}",
        variants.text()
    );
    assert_eq!(Playlist::parse(track.read_response("GET").text()).next(), 2);
    for (target, status) in [("/a.m3u8", 200), ("/a-v.m3u8", 200), ("/a-w.m3u8", 404)] {
        let head = Client::ask(&live.server, "HEAD", target, "");
        assert_eq!(head.status, status, "{target}");
    }
}

/// `rdirs` above, at and below `wdir`, also under a name.
#[test]
fn it_is_found_wherever_the_directory_is_mounted() {
    let live = Live::start(&[]);
    let (tree, write) = (live.tree.text("www"), live.tree.text("www/sub"));
    let other = live.tree.text("other");
    for (read, prefix) in [
        (vec![tree.clone()], "/sub/deep/"),
        (vec![write.clone()], "/deep/"),
        (vec![format!("{write}/deep")], "/"),
        (vec![other, write.clone()], "/sub/deep/"),
    ] {
        let mut options = vec![format!("--wdir={write}"), "--reqlog=*".to_owned()];
        options.extend(read.iter().map(|directory| format!("--rdirs={directory}")));
        let server = Server::start(&options);
        let put = |name: &str, body: &[u8]| {
            Client::put(&server, &format!("/deep/{name}"), "", body).status
        };
        put("a.mpd", manifest(START, TEMPLATE).as_bytes());
        let mut waiting = Client::connect(&server);
        waiting.send(&format!("GET {prefix}v-1.m4s HTTP/1.1\r\nHost: a\r\n\r\n"));
        server.wait_for_log(&format!("GET {}v-1.m4s start", &prefix[1..]));
        put("i.mp4", &init(1, 100, 0));
        put("v-1.m4s", &segment(0));
        let answer: Response = waiting.read_response("GET");
        assert_eq!(answer.body, segment(0), "{prefix}");
        let playlist = get(&server, &format!("{prefix}a-v.m3u8"));
        assert_eq!(playlist.segments.len(), 1, "{prefix}");
        for name in ["a.mpd", "i.mp4", "v-1.m4s"] {
            let target = format!("/deep/{name}");
            assert_eq!(Client::ask(&server, "DELETE", &target, "").status, 200);
        }
    }
}
