//! Playlists, word by word.

use super::*;
use crate::presentation::cmaf::{fragment, init};
use crate::presentation::dash::in_name;
use crate::resource::OpenFile;

const MANIFEST: &str = r#"<MPD type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z">
  <Period><AdaptationSet contentType="video" frameRate="30000/1001">
    <SegmentTemplate timescale="1000" duration="1000" startNumber="1" initialization="$RepresentationID$.mp4"
      media="$RepresentationID$-$Number$.m4s"/>
    <Representation id="v" bandwidth="900000" codecs="avc1.42c00c" width="320" height="180"/>
  </AdaptationSet><AdaptationSet contentType="audio" lang="en">
    <SegmentTemplate timescale="1000" duration="1000" initialization="$RepresentationID$.mp4"
      media="$RepresentationID$-$Number$.m4s"/>
    <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
    <Representation id="en" bandwidth="64000" codecs="mp4a.40.2"/>
  </AdaptationSet><AdaptationSet contentType="audio" lang="de"><Label>Deutsch "neu"</Label><Role
    schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
    <SegmentTemplate timescale="1000" duration="1000" initialization="$RepresentationID$.mp4"
      media="$RepresentationID$-$Number$.m4s"/>
    <Representation id="de" bandwidth="96000" codecs="mp4a.40.2"/>
  </AdaptationSet></Period></MPD>"#;

/// A picture of two segments of a second in four fragments, and a third that has begun; two languages.
fn presentations() -> (Arc<Presentations>, Observer) {
    let presentations = Arc::new(Presentations::default());
    let root: Arc<[u8]> = b"gmem".as_slice().into();
    let write = |name: &str, pieces: &[Vec<u8>]| {
        let path = format!("live/{name}");
        let mut observer = presentations.observe(&root, path.as_bytes(), true);
        pieces.iter().for_each(|piece| observer.push(piece));
        observer
    };
    let complete = |observer: Observer| {
        let file = OpenFile::on_disk(tempfile::tempfile().expect("there is room"));
        observer.complete(&file, 0, &|_, _| None);
    };
    let manifest = Manifest::parse(b"live/a b.mpd", MANIFEST);
    let key = below(&root, b"live/a b.mpd");
    presentations.set_manifest(&key, &root, manifest);
    for track in ["v", "en", "de"] {
        complete(write(&format!("{track}.mp4"), &[init(1, 1000, 0)]));
        for number in 0..2 {
            let fragments = (0..4).map(|quarter| {
                let samples = [(125, quarter == 0 || track != "v"), (125, track != "v")];
                fragment(1, number * 1000 + quarter * 250, &samples, b"media")
            });
            let fragments: Vec<_> = fragments.collect();
            complete(write(&format!("{track}-{}.m4s", number + 1), &fragments));
        }
    }
    let growing = write("v-3.m4s", &[fragment(1, 2000, &[(250, true)], b"media")]);
    (presentations.clone(), growing)
}

fn text(presentations: &Presentations, key: &str) -> String {
    match presentations.ask(key.as_bytes(), &Directives::default()) {
        Asked::Playlist(text) => String::from_utf8_lossy(&text.plain).into_owned(),
        _ => panic!("{key} is not there"),
    }
}

#[test]
fn languages_are_renditions() {
    let (presentations, _growing) = presentations();
    let expected = r#"#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio0",NAME="Deutsch neu",DEFAULT=YES,AUTOSELECT=YES,LANGUAGE="de",URI="a%20b-de.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio0",NAME="en",DEFAULT=NO,AUTOSELECT=YES,LANGUAGE="en",CHANNELS="2",URI="a%20b-en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=996000,CODECS="avc1.42c00c,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=29.970,AUDIO="audio0"
a%20b-v.m3u8
"#;
    assert_eq!(text(&presentations, "gmem/live/a b.m3u8"), expected);
}

#[test]
fn a_playlist_tells_parts_and_what_is_to_come() {
    let (presentations, _growing) = presentations();
    let size = |samples: &[(u32, bool)]| fragment(1, 0, samples, b"media").len();
    let (whole, short) = (size(&[(1, true), (1, true)]), size(&[(1, true)]));
    let places = [0, whole, 2 * whole, 3 * whole];
    let [_, second, third, fourth] = places;
    let expected = format!(
        r#"#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.75000,CAN-SKIP-UNTIL=6.0
#EXT-X-PART-INF:PART-TARGET=0.25000
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="v.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXT-X-PART:DURATION=0.250000,URI="v-1.m4s",BYTERANGE="{whole}@0",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.250000,URI="v-1.m4s",BYTERANGE="{whole}@{second}"
#EXT-X-PART:DURATION=0.250000,URI="v-1.m4s",BYTERANGE="{whole}@{third}"
#EXT-X-PART:DURATION=0.250000,URI="v-1.m4s",BYTERANGE="{whole}@{fourth}"
#EXTINF:1.000000,
v-1.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:01.000Z
#EXT-X-PART:DURATION=0.250000,URI="v-2.m4s",BYTERANGE="{whole}@0",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.250000,URI="v-2.m4s",BYTERANGE="{whole}@{second}"
#EXT-X-PART:DURATION=0.250000,URI="v-2.m4s",BYTERANGE="{whole}@{third}"
#EXT-X-PART:DURATION=0.250000,URI="v-2.m4s",BYTERANGE="{whole}@{fourth}"
#EXTINF:1.000000,
v-2.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z
#EXT-X-PART:DURATION=0.250000,URI="v-3.m4s",BYTERANGE="{short}@0",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v-3.m4s",BYTERANGE-START={short}
#EXT-X-RENDITION-REPORT:URI="a%20b-en.m3u8",LAST-MSN=2,LAST-PART=3
#EXT-X-RENDITION-REPORT:URI="a%20b-de.m3u8",LAST-MSN=2,LAST-PART=3
"#
    );
    assert_eq!(text(&presentations, "gmem/live/a b-v.m3u8"), expected);
}

/// What nobody means is told somehow, and does no harm.
#[test]
fn the_largest_numbers_are_only_numbers() {
    let root: Arc<[u8]> = b"gmem".as_slice().into();
    let largest = u64::MAX.to_string();
    let names = ["Number", "Time"];
    for (name, number) in names
        .into_iter()
        .flat_map(|name| [(name, 1), (name, u64::MAX)])
    {
        let presentations = Arc::new(Presentations::default());
        let text = MANIFEST
            .replace("$Number$", &format!("${name}$"))
            .replace("duration=\"1000\"", &format!("duration=\"{largest}\""))
            .replace("startNumber=\"1\"", &format!("startNumber=\"{largest}\""))
            .replace("<Period>", "<Period start=\"P99999999999999DT1S\">");
        let manifest = Manifest::parse(b"a.mpd", &text);
        assert!(manifest.is_some());
        presentations.set_manifest(&below(&root, b"a.mpd"), &root, manifest);
        let write = |name: &str, bytes: &[u8]| {
            let mut observer = presentations.observe(&root, name.as_bytes(), true);
            observer.push(bytes);
            let file = OpenFile::on_disk(tempfile::tempfile().expect("there is room"));
            observer.complete(&file, 0, &|_, _| None);
        };
        for track in ["v", "en", "de"] {
            write(&format!("{track}.mp4"), &init(1, 1, u32::MAX));
            for number in [number, number / 2, 3] {
                let many = cmaf::fragment_of_defaults(1, u32::MAX, u32::MAX);
                write(&format!("{track}-{number}.m4s"), &many.repeat(3));
            }
        }
        let next = below(&root, format!("v-{}.m4s", u64::MAX).as_bytes());
        drop(presentations.expect(&[next]));
        for playlist in ["gmem/a.m3u8", "gmem/a-v.m3u8", "gmem/a-de.m3u8"] {
            let directives = Directives {
                awaited: Some((u64::MAX, Some(u64::MAX))),
                skips: true,
            };
            presentations.ask(playlist.as_bytes(), &directives);
            presentations.ask(playlist.as_bytes(), &Directives::default());
        }
    }
}

#[test]
fn identifiers_stand_in_names_as_they_can() {
    for (id, name) in [
        ("v1_a-2.x", "v1_a-2.x"),
        ("a b/c~", "a~20b~2Fc~7E"),
        ("é", "~C3~A9"),
    ] {
        assert_eq!(in_name(id), name);
    }
}

#[test]
fn who_waits_no_longer_is_forgotten() {
    let (presentations, _growing) = presentations();
    let next = below(b"gmem", b"live/v-4.m4s");
    let other = below(b"gmem", b"live/v-5.m4s");
    let waiting: Vec<_> = (0..3)
        .map(|_| presentations.expect(std::slice::from_ref(&next)))
        .collect();
    assert!(waiting.iter().all(Option::is_some));
    assert!(presentations.expect(&[other]).is_none());
    assert!(!presentations.register().seats.is_empty());
    drop(waiting);
    assert!(presentations.register().seats.is_empty());
}
