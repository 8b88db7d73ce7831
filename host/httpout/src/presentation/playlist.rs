//! The media playlist of a representation (RFC 8216bis 4.4).

use std::fmt::Write as _;

use crate::http::date;
use crate::http::path::encode;
use crate::presentation::dash::Presentation;
use crate::presentation::segment::{Part, Segment, SegmentState};
use crate::presentation::track::Track;

/// Parts are listed of what is this many target durations from the end.
const PARTS_LISTED: f64 = 3.0;

/// Players may ask for a playlist without what is this many target durations from the end.
const SKIPPED: f64 = 6.0;

/// Players stay this many parts behind the end.
const HOLD_BACK: f64 = 3.0;

/// The playlist of a track; with `skips`, without what players have already. `target` is in seconds.
pub(super) fn media(
    presentation: &Presentation,
    track: &Track,
    target: u64,
    skips: bool,
) -> String {
    let mut text = String::new();
    let behind = times_behind(track);
    let is_old = |behind: f64| behind > SKIPPED * target as f64;
    let skipped = behind.iter().filter(|behind| is_old(**behind)).count();
    let skipped = if skips && presentation.is_live {
        skipped
    } else {
        0
    };
    let line = |text: &mut String, line: std::fmt::Arguments<'_>| {
        // A text takes all that is written to it.
        let _ = text.write_fmt(line);
        text.push('\n');
    };
    line(&mut text, format_args!("#EXTM3U"));
    let version = if skipped > 0 { 9 } else { 6 };
    line(&mut text, format_args!("#EXT-X-VERSION:{version}"));
    line(&mut text, format_args!("#EXT-X-TARGETDURATION:{target}"));
    line(
        &mut text,
        format_args!("#EXT-X-SERVER-CONTROL:{}", control(track, target)),
    );
    if track.has_parts() {
        let part = part_seconds(track);
        line(
            &mut text,
            format_args!("#EXT-X-PART-INF:PART-TARGET={part:.5}"),
        );
    }
    line(
        &mut text,
        format_args!("#EXT-X-MEDIA-SEQUENCE:{}", track.first),
    );
    if track.discontinuities > 0 {
        let count = track.discontinuities;
        line(
            &mut text,
            format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{count}"),
        );
    }
    if track.segments.iter().all(|segment| segment.is_independent) {
        line(&mut text, format_args!("#EXT-X-INDEPENDENT-SEGMENTS"));
    }
    if skipped > 0 {
        line(
            &mut text,
            format_args!("#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"),
        );
    }
    let last_skipped = skipped.checked_sub(1).map(|at| &track.segments[at]);
    let mut init = last_skipped.map(|segment| segment.init.0);
    let listed = track.segments.iter().zip(&behind).skip(skipped);
    for (segment, behind) in listed {
        let is_near = *behind <= PARTS_LISTED * target as f64;
        segment_lines(&mut text, presentation, track, segment, is_near, &mut init);
    }
    match presentation.is_live {
        true => live_end(&mut text, presentation, track),
        false => text.push_str("#EXT-X-ENDLIST\n"),
    }
    text
}

/// How far the end of each segment is from the end of the playlist, in seconds.
fn times_behind(track: &Track) -> Vec<f64> {
    let mut units = 0;
    let mut behind: Vec<f64> = track
        .segments
        .iter()
        .rev()
        .map(|segment| {
            let here = units;
            units += segment.told();
            track.seconds(here)
        })
        .collect();
    behind.reverse();
    behind
}

fn control(track: &Track, target: u64) -> String {
    let mut control = "CAN-BLOCK-RELOAD=YES".to_owned();
    if track.has_parts() {
        let hold_back = HOLD_BACK * part_seconds(track);
        let _ = write!(control, ",PART-HOLD-BACK={hold_back:.5}");
    }
    let skipped = SKIPPED * target as f64;
    let _ = write!(control, ",CAN-SKIP-UNTIL={skipped:.1}");
    control
}

/// The longest that a part is, in seconds, rounded up to what is written.
fn part_seconds(track: &Track) -> f64 {
    let target = track.seconds(track.part_target.unwrap_or(0));
    (target * 1e5).ceil() / 1e5
}

fn segment_lines(
    text: &mut String,
    presentation: &Presentation,
    track: &Track,
    segment: &Segment,
    is_near: bool,
    init: &mut Option<u32>,
) {
    let has_parts = is_near && track.has_parts() && segment.state != SegmentState::Gone;
    if segment.state == SegmentState::Growing && (!has_parts || segment.parts.is_empty()) {
        return;
    }
    if segment.is_discontinuous {
        text.push_str("#EXT-X-DISCONTINUITY\n");
    }
    if *init != Some(segment.init.0) {
        *init = Some(segment.init.0);
        if let Some(key) = &track.init_key {
            let uri = presentation.uri(key);
            // Under the same name there may be another one: a player has to ask again.
            let version = version(segment.init.0);
            let _ = writeln!(text, "#EXT-X-MAP:URI=\"{uri}{version}\"");
        }
    }
    if let Some(date) = segment.date.and_then(|date| u64::try_from(date).ok()) {
        let date = date::rfc3339_precise(date);
        let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date}");
    }
    let uri = segment_uri(presentation, &segment.key, segment.run);
    if has_parts {
        for part in &segment.parts {
            part_line(text, track, part, &uri);
        }
    }
    let duration = track.seconds(segment.duration);
    match segment.state {
        SegmentState::Growing => {}
        SegmentState::Complete => {
            let _ = writeln!(text, "#EXTINF:{duration:.6},\n{uri}");
        }
        SegmentState::Gone => {
            let _ = writeln!(text, "#EXT-X-GAP\n#EXTINF:{duration:.6},\n{uri}");
        }
    }
}

fn part_line(text: &mut String, track: &Track, part: &Part, uri: &str) {
    let (length, offset) = (part.length, part.offset);
    let duration = track.seconds(part.duration);
    let independent = match part.is_independent {
        true => ",INDEPENDENT=YES",
        false => "",
    };
    let _ = writeln!(
        text,
        "#EXT-X-PART:DURATION={duration:.6},URI=\"{uri}\",BYTERANGE=\"{length}@{offset}\"{independent}"
    );
}

/// A further run has the same names: browsers would ask whether what they have of the last is still so (`If-Range`), and
/// get all of the segment as it grows.
fn segment_uri(presentation: &Presentation, key: &[u8], run: u32) -> String {
    presentation.uri(key) + &version(run.saturating_add(1))
}

/// What tells a file from those that had its name before.
fn version(number: u32) -> String {
    match number {
        ..=1 => String::new(),
        number => format!("?v={number}"),
    }
}

/// What is to come, and how far the others are.
fn live_end(text: &mut String, presentation: &Presentation, track: &Track) {
    if track.has_parts() {
        let hint = match track.growing() {
            Some(growing) if !track.is_full(growing) => {
                let uri = segment_uri(presentation, &growing.key, growing.run);
                Some((uri, growing.next_offset()))
            }
            _ => {
                let next = track.next_file();
                next.map(|file| (segment_uri(presentation, &file, track.runs), 0))
            }
        };
        if let Some((uri, start)) = hint {
            let _ = writeln!(
                text,
                "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{uri}\",BYTERANGE-START={start}"
            );
        }
    }
    for other in &presentation.tracks {
        let Some(report) = report(presentation, other) else {
            continue;
        };
        if other.playlist != track.playlist {
            let _ = writeln!(text, "#EXT-X-RENDITION-REPORT:{report}");
        }
    }
}

/// The last segment of a track, and the last part of it.
fn report(presentation: &Presentation, track: &Track) -> Option<String> {
    let growing = track.growing().filter(|_| track.has_parts());
    let growing = growing.filter(|growing| !growing.parts.is_empty());
    let next = track.next();
    let (segment, number) = match growing {
        Some(growing) => (growing, next),
        None => {
            let at = usize::try_from(next.checked_sub(track.first + 1)?).ok()?;
            (track.segments.get(at)?, next - 1)
        }
    };
    track.part_target?;
    let uri = presentation.uri(&track.playlist);
    let mut report = format!("URI=\"{uri}\",LAST-MSN={number}");
    if track.has_parts() {
        let last = segment.parts.len().saturating_sub(1);
        let _ = write!(report, ",LAST-PART={last}");
    }
    Some(report)
}

/// A reference from one file to another, both in one name space.
pub(super) fn relative(from: &[u8], to: &[u8]) -> String {
    let directory = |key: &[u8]| key.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let from: Vec<&[u8]> = from[..directory(from)]
        .split(|byte| *byte == b'/')
        .collect();
    let (parents, name) = to.split_at(directory(to));
    let to: Vec<&[u8]> = parents.split(|byte| *byte == b'/').collect();
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other);
    let shared = shared.count();
    let mut reference = "../".repeat(from.len() - shared);
    for name in &to[shared..] {
        reference.push_str(&encode(name));
        reference.push('/');
    }
    reference.push_str(&encode(&name[1..]));
    reference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_from_one_directory_to_another() {
        for (from, to, reference) in [
            ("gmem/a/x.m3u8", "gmem/a/1.m4s", "1.m4s"),
            ("gmem/a/x.m3u8", "gmem/a/v 1/1.m4s", "v%201/1.m4s"),
            ("gmem/a/x.m3u8", "gmem/b/1.m4s", "../b/1.m4s"),
            ("gmem/x.m3u8", "gmem/b/1.m4s", "b/1.m4s"),
            ("/live/a/b/x.m3u8", "/live/1.m4s", "../../1.m4s"),
        ] {
            assert_eq!(relative(from.as_bytes(), to.as_bytes()), reference);
        }
    }
}
