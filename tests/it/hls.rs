//! Low-latency HLS of what ffmpeg pushes as DASH, played as players do.

use crate::support::hls::{Player, Playlist, Speaks, attributes, fetch};
use crate::support::{Client, Live, ffmpeg};

/// As `docs/live.md` has it.
const DASH: &str = "-f dash -ldash 1 -streaming 1 -use_template 1 -use_timeline 0 -seg_duration 1 -frag_type duration \
                    -frag_duration 0.2 -target_latency 1.5 -write_prft 1 -window_size 5 -extra_window_size 5 -method PUT \
                    -http_persistent 1 -timeout 2";

/// Pushes so many seconds of picture and sound.
pub(crate) fn push(live: &Live, seconds: u32, options: &str, target: &str) -> ffmpeg::Running {
    let line = format!(
        "-re -f lavfi -i testsrc2=size=160x90:rate=25:duration={seconds} -re -f lavfi -i \
         sine=frequency=440:duration={seconds} -c:v libx264 -preset ultrafast -tune zerolatency -g 25 -c:a aac {options}"
    );
    let mut arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    arguments.push(live.server.url(target));
    ffmpeg::start(&arguments)
}

const BOTH: &str = "-map 0:v -map 1:a";

/// Waits until there is a segment of each track, and gives the multivariant playlist.
fn multivariant(live: &Live, speaks: Speaks, tracks: u32) -> String {
    for track in 0..tracks {
        let name = format!("chunk-stream{track}-00001.m4s");
        live.server
            .wait_for_log(&format!("Closing output live/{name}"));
    }
    fetch(speaks, &live.server.url("/live/ll.m3u8"), &[])
}

/// Plays both tracks to their end, and checks all that is told.
fn play_to_the_end(live: &Live, speaks: Speaks) {
    let mut players = ["0", "1"].map(|track| {
        let url = live.server.url(&format!("/live/ll-{track}.m3u8"));
        Player::start(speaks, &url)
    });
    let mut rounds = 0;
    while !players.iter().all(|player| player.playlist.has_ended) {
        for player in &mut players {
            if !player.playlist.has_ended {
                player.reload(rounds % 2 == 1);
            }
        }
        let [picture, sound] = &players;
        // What one says of the other is no older than what that has told.
        let report = picture.playlist.reports.get("ll-1.m3u8");
        let before = sound.playlist.next().saturating_sub(1);
        assert!(
            picture.playlist.has_ended || report.is_some_and(|report| report.0 + 1 >= before),
            "{report:?} {before}"
        );
        rounds += 1;
    }
    assert!(rounds > 10, "{rounds}");
    for player in &players {
        let segments = player.known.len();
        assert!(segments >= 6, "{segments}");
        player.check_bytes();
    }
}

#[test]
fn players_get_each_part_over_http1() {
    let live = Live::start(&["--maxs=0", "--splice=no"]);
    let encoder = push(&live, 8, &format!("{BOTH} {DASH}"), "/live/ll.mpd");
    let main = multivariant(&live, Speaks::Http1, 2);
    let url = live.server.url("/live/ll.m3u8");
    assert_eq!(fetch(Speaks::Http1, &url, &["--compressed"]), main);
    let coded = fetch(
        Speaks::Http1,
        &url,
        &[
            "--compressed",
            "-o",
            "/dev/null",
            "-w",
            "%header{content-encoding}",
        ],
    );
    assert_eq!(coded, "gzip");
    let lines: Vec<&str> = main.lines().collect();
    let [_, _, sound, picture, uri] = lines[..] else {
        panic!("{main}");
    };
    let sound = attributes(sound.strip_prefix("#EXT-X-MEDIA:").expect("is a rendition"));
    assert_eq!((&*sound["TYPE"], &*sound["URI"]), ("AUDIO", "ll-1.m3u8"));
    assert_eq!((&*sound["DEFAULT"], &*sound["CHANNELS"]), ("YES", "1"));
    let picture = picture
        .strip_prefix("#EXT-X-STREAM-INF:")
        .expect("is a variant");
    let picture = attributes(picture);
    assert_eq!(picture["RESOLUTION"], "160x90");
    assert_eq!(picture["FRAME-RATE"], "25.000");
    assert!(picture["CODECS"].starts_with("avc1.") && picture["CODECS"].ends_with(",mp4a.40.2"));
    assert!(picture["BANDWIDTH"].parse::<u64>().expect("a number") > 10_000);
    assert_eq!(
        (picture["AUDIO"] == sound["GROUP-ID"], uri),
        (true, "ll-0.m3u8")
    );
    play_to_the_end(&live, Speaks::Http1);
    encoder.wait();
}

#[test]
fn players_get_each_part_over_http2_from_memory() {
    let live = Live::in_memory(&["--maxs=0", "--splice=no"]);
    let encoder = push(&live, 8, &format!("{BOTH} {DASH}"), "/live/ll.mpd");
    multivariant(&live, Speaks::Http2, 2);
    play_to_the_end_of_memory(&live, Speaks::Http2);
    encoder.wait();
}

#[test]
fn players_get_each_part_over_tls() {
    let live = Live::secure();
    let encoder = push(&live, 8, &format!("{BOTH} {DASH}"), "/live/ll.mpd");
    multivariant(&live, Speaks::Tls, 2);
    play_to_the_end_of_memory(&live, Speaks::Tls);
    encoder.wait();
}

/// Memory keeps the last segments only: those that have gone cannot be compared.
fn play_to_the_end_of_memory(live: &Live, speaks: Speaks) {
    let url = live.server.url("/live/ll-0.m3u8");
    let mut player = Player::start(speaks, &url);
    let mut rounds = 0;
    while !player.playlist.has_ended {
        player.reload(rounds % 2 == 0);
        rounds += 1;
    }
    assert!(rounds > 10, "{rounds}");
    let listed = player.playlist.sequence;
    player.known.retain(|number, _| *number >= listed);
    player.check_bytes();
}

/// Killed in the midst of a segment, and started with the same line: players go on from one run to the next.
#[test]
fn players_go_on_when_the_encoder_is_killed_and_started_again() {
    for live in [Live::start(&["--maxs=0"]), Live::in_memory(&["--maxs=0"])] {
        go_on(&live);
    }
}

fn go_on(live: &Live) {
    let encoder = push(live, 20, &format!("{BOTH} {DASH}"), "/live/ll.mpd");
    multivariant(live, Speaks::Http1, 2);
    let mut players = ["0", "1"].map(|track| {
        let url = live.server.url(&format!("/live/ll-{track}.m3u8"));
        Player::start(Speaks::Http1, &url)
    });
    for player in &mut players {
        while player.playlist.next() < 4 || player.playlist.growing.len() < 2 {
            player.reload(false);
        }
    }
    drop(encoder);
    let encoder = push(live, 5, &format!("{BOTH} {DASH}"), "/live/ll.mpd");
    while !players.iter().all(|player| player.playlist.has_ended) {
        for player in &mut players {
            if !player.playlist.has_ended {
                player.reload(true);
            }
        }
    }
    encoder.wait();
    for player in &players {
        let segments: Vec<_> = player.known.values().collect();
        let breaks = segments.iter().filter(|one| one.is_discontinuous);
        assert_eq!(breaks.count(), 1, "{segments:?}");
        let at = segments.iter().position(|one| one.is_discontinuous);
        let (before, after) = segments.split_at(at.expect("there is one"));
        assert!(before.len() >= 3 && after.len() >= 4, "{segments:?}");
        let (last, first) = (before[before.len() - 1], after[0]);
        let end = last.date.expect("is told") as f64 + last.duration * 1000.0;
        assert!(first.date.expect("is told") as f64 >= end - 1.0);
    }
    let [picture, sound] = &players;
    let told = |player: &Player| {
        let listed = player.playlist.segments.iter();
        let listed = listed.filter(|one| one.is_discontinuous).count();
        player.playlist.discontinuities + listed as u64
    };
    assert_eq!((told(picture), told(sound)), (1, 1));
}

#[test]
fn ffmpeg_plays_what_ffmpeg_pushes_otherwise() {
    for live in [Live::start(&["--maxs=0"]), Live::in_memory(&["--maxs=0"])] {
        let encoder = push(&live, 8, &format!("{BOTH} {DASH}"), "/live/ll.mpd");
        multivariant(&live, Speaks::Http1, 2);
        let played = ffmpeg::play(&live.server.url("/live/ll.m3u8"), 3);
        assert!((70..=80).contains(&played), "{played} frames");
        encoder.wait();
    }
}

/// Fragments of 40 ms are joined: they would cost each player 25 requests a second.
#[test]
fn short_fragments_are_joined() {
    let live = Live::start(&["--maxs=0", "--splice=no"]);
    let short = DASH.replace("-frag_duration 0.2", "-frag_duration 0.04");
    let encoder = push(&live, 4, &format!("-map 0:v {short}"), "/live/ll.mpd");
    let main = multivariant(&live, Speaks::Http1, 1);
    assert!(!main.contains("AUDIO"), "{main}");
    let mut player = Player::start(Speaks::Http1, &live.server.url("/live/ll-0.m3u8"));
    assert_eq!(player.playlist.part_target, Some(0.2));
    while !player.playlist.has_ended {
        player.reload(false);
    }
    player.check_bytes();
    encoder.wait();
}

#[test]
fn several_qualities_are_variants() {
    let live = Live::start(&["--maxs=0", "--splice=no"]);
    let options = format!("-map 0:v -map 0:v -map 1:a -s:v:1 80x46 -b:v:0 300k -b:v:1 100k {DASH}");
    let encoder = push(&live, 3, &options, "/live/ll.mpd");
    encoder.wait();
    let main = Client::get(&live.server, "/live/ll.m3u8");
    let text = main.text();
    let variants = text
        .lines()
        .filter_map(|line| line.strip_prefix("#EXT-X-STREAM-INF:"))
        .map(attributes);
    let sizes: Vec<String> = variants.map(|one| one["RESOLUTION"].clone()).collect();
    assert_eq!(sizes, ["160x90", "80x46"], "{text}");
    for track in ["0", "1", "2"] {
        let answer = Client::get(&live.server, &format!("/live/ll-{track}.m3u8"));
        assert!(Playlist::parse(answer.text()).has_ended);
    }
}

#[test]
fn sound_alone_is_a_variant() {
    let live = Live::start(&["--maxs=0", "--splice=no"]);
    let encoder = push(&live, 3, &format!("-map 1:a {DASH}"), "/radio.mpd");
    encoder.wait();
    let main = Client::get(&live.server, "/radio.m3u8");
    let text = main.text();
    assert!(
        text.contains("CODECS=\"mp4a.40.2\"\nradio-0.m3u8\n"),
        "{text}"
    );
    assert!(!text.contains("EXT-X-MEDIA"), "{text}");
}
