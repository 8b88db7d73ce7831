//! What becomes of each track of an input: copied where its codec and its key frames allow it, else encoded.

use crate::packager::probe::{Facts, Keys, Stream};
use crate::packager::tools::Tools;
use crate::settings::{MediaKind, MediaSettings};

/// What is made of an input.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    /// Those that are taken, in their order.
    pub(super) tracks: Vec<Track>,
    /// How long segments are, in seconds.
    pub(super) segment: f64,
    /// The input has a beginning and an end, as files do.
    pub(super) has_end: bool,
    /// It has to be read as fast as it is to be played.
    pub(super) needs_pace: bool,
    pub(super) skipped: Option<Skipped>,
}

/// What is left out of an input that comes live, in seconds: players would be behind by it for ever.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Skipped {
    /// What has been looked at.
    pub(super) seen: f64,
    /// Up to where it will be over when it is made.
    pub(super) over: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Track {
    /// In the input.
    pub(super) index: usize,
    pub(super) kind: Kind,
    pub(super) codec: String,
    /// Why it cannot be copied; none where it can.
    pub(super) encoded: Option<String>,
    pub(super) channels: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Video,
    Audio,
}

/// The encoders that are used.
pub(super) const VIDEO_ENCODER: &str = "libx264";
pub(super) const AUDIO_ENCODER: &str = "aac";

/// Audio in MP4 that browsers play.
const AUDIO: [&str; 4] = ["aac", "opus", "ac3", "eac3"];

/// How long ffprobe and ffmpeg may take until they read what comes, in seconds.
const STARTING: f64 = 0.7;

/// What times may be wrong by, in seconds: they are rounded.
const ROUNDED: f64 = 0.002;

/// Decides about an input.
///
/// # Errors
/// There is nothing in it, or no encoder for it.
pub(super) fn plan(facts: &Facts, media: &MediaSettings, tools: &Tools) -> Result<Plan, String> {
    let first_video = facts.streams.iter().position(Stream::is_video);
    let streams = facts.streams.iter().enumerate();
    // One picture, and all that is to be heard.
    let taken = streams.filter(|(at, stream)| Some(*at) == first_video || stream.is_audio());
    let segment = segment(&facts.keys, media);
    let tracks = taken.map(|(_, stream)| track(stream, &facts.keys, media, segment));
    let tracks: Vec<Track> = tracks.collect();
    if tracks.is_empty() {
        return Err("there is neither audio nor video in it".to_owned());
    }
    for track in tracks.iter().filter(|track| track.encoded.is_some()) {
        let encoder = track.kind.encoder();
        if !tools.can_encode(encoder) {
            let reason = track.encoded.as_deref().unwrap_or_default();
            return Err(format!(
                "its {} has to be encoded ({reason}), and the `ffmpeg` that is installed has no encoder `{encoder}`",
                track.codec.escape_debug()
            ));
        }
    }
    Ok(Plan {
        skipped: skipped(facts, &tracks).filter(|_| media.kind == MediaKind::Dynamic),
        tracks,
        segment,
        has_end: facts.has_duration,
        needs_pace: media.kind == MediaKind::Dynamic && facts.has_duration,
    })
}

/// What will be over of an input that comes as fast as it is to be played: up to the next key frame where video is copied. DASH players count from when the first picture comes, which has to be a new one.
fn skipped(facts: &Facts, tracks: &[Track]) -> Option<Skipped> {
    let arrival = facts.arrival?;
    let comes_live = arrival.took > 0.5 && arrival.seen < arrival.took * 1.5 + 0.5;
    let ready = arrival.seen + STARTING;
    let video = tracks.iter().find(|track| track.kind == Kind::Video);
    let over = match video {
        Some(video) if video.encoded.is_none() => {
            let distance = facts.keys.distance();
            let missing = ((ready - arrival.last_key) / distance).ceil();
            let ahead = if distance > 0.0 {
                missing * distance
            } else {
                0.0
            };
            // A little earlier: ffmpeg goes by when a picture is to be decoded.
            arrival.last_key + ahead - 0.2
        }
        _ => ready,
    };
    let seen = arrival.seen;
    comes_live.then_some(Skipped { seen, over })
}

/// Whether browsers play this video in MP4.
pub(super) fn can_be_played(stream: &Stream) -> bool {
    matches!(stream.codec_name.as_str(), "h264" | "hevc" | "av1" | "vp9") && is_plain(stream)
}

/// Whether browsers play pictures of this kind: with 10 bits those of the newer codecs only.
fn is_plain(stream: &Stream) -> bool {
    match stream.pix_fmt.as_str() {
        "yuv420p" | "yuvj420p" => true,
        "yuv420p10le" => stream.codec_name != "h264",
        _ => false,
    }
}

/// As long as it is wanted, or as the key frames want it where nobody has said how long.
fn segment(keys: &Keys, media: &MediaSettings) -> f64 {
    let between = keys.distance();
    let fits = between > media.segment
        && between <= media.longest_segment
        && cuts(keys, media, media.segment).is_err()
        && cuts(keys, media, between).is_ok();
    if fits { between } else { media.segment }
}

fn track(stream: &Stream, keys: &Keys, media: &MediaSettings, segment: f64) -> Track {
    let kind = match stream.is_video() {
        true => Kind::Video,
        false => Kind::Audio,
    };
    let unplayable = || Some("browsers do not play it in MP4".to_owned());
    let encoded = match kind {
        Kind::Video if !is_plain(stream) => {
            let format = stream.pix_fmt.escape_debug();
            Some(format!(
                "its pictures are `{format}`, and browsers play `yuv420p`"
            ))
        }
        Kind::Video if !can_be_played(stream) => unplayable(),
        Kind::Video => cuts(keys, media, segment).err(),
        Kind::Audio if AUDIO.contains(&stream.codec_name.as_str()) => None,
        Kind::Audio => unplayable(),
    };
    Track {
        index: stream.index,
        kind,
        codec: stream.codec_name.clone(),
        encoded,
        channels: stream.channels,
    }
}

/// Whether segments of the length that is wanted can begin with key frames, as ffmpeg cuts them.
///
/// # Errors
/// Why not, and what would do.
fn cuts(keys: &Keys, media: &MediaSettings, wanted: f64) -> Result<(), String> {
    // A segment may be half as long again (ISO/IEC 23009-1 7.2.1), but one that is announced beforehand has to be there.
    let late = match media.is_low_latency() {
        true => wanted * 0.1,
        false => wanted * 0.5,
    };
    let advice = || {
        let seconds = keys.distance();
        Err(format!(
            "it has key frames every {seconds} s: give `--segdur={seconds}` to have it copied"
        ))
    };
    if keys.times.is_empty() {
        return Err("no key frame has been found in its beginning".to_owned());
    }
    let mut border = wanted;
    while border + late <= keys.end {
        let cut = keys.times.iter().find(|time| **time + ROUNDED >= border);
        match cut {
            Some(cut) if *cut <= border + late + ROUNDED => {}
            Some(_) => return advice(),
            None => return Err(too_few(keys)),
        }
        border += wanted;
    }
    // Nothing has been seen of the next one.
    match keys.times.len() {
        1 if keys.end > wanted => Err(too_few(keys)),
        _ => Ok(()),
    }
}

fn too_few(keys: &Keys) -> String {
    let seconds = rounded(keys.end);
    format!(
        "it has too few key frames: {} in {seconds} s",
        keys.times.len()
    )
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

impl Keys {
    /// The longest time between two of them, in seconds.
    fn distance(&self) -> f64 {
        let distances = self.times.windows(2).map(|pair| pair[1] - pair[0]);
        rounded(distances.fold(0.0, f64::max))
    }
}

impl Kind {
    pub(super) fn encoder(self) -> &'static str {
        match self {
            Kind::Video => VIDEO_ENCODER,
            Kind::Audio => AUDIO_ENCODER,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Video => "video",
            Kind::Audio => "audio",
        }
    }
}

impl Plan {
    /// What is copied and what is encoded, and why, in one line.
    pub(super) fn describe(&self) -> String {
        let tracks = self.tracks.iter().map(|track| {
            let (kind, codec) = (track.kind.name(), track.codec.escape_debug());
            match &track.encoded {
                None => format!("{kind} {codec} is copied"),
                Some(reason) => format!("{kind} {codec} is encoded ({reason})"),
            }
        });
        let tracks: Vec<String> = tracks.collect();
        format!("segments of {} s, {}", self.segment, tracks.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Buffer, SegmentNames};

    fn media(segment: f64, chunk: Option<f64>) -> MediaSettings {
        MediaSettings {
            kind: MediaKind::Dynamic,
            segment,
            longest_segment: 4.0,
            chunk,
            buffer: Buffer::Default,
            names: SegmentNames::Default,
        }
    }

    fn every(distance: f64, end: f64) -> Keys {
        let count = (end / distance) as u32;
        Keys {
            times: (0..=count).map(|n| f64::from(n) * distance).collect(),
            end,
        }
    }

    #[test]
    fn video_is_copied_where_its_key_frames_are_borders_of_segments() {
        for (segment, distance, low_latency, is_copied) in [
            (1.0, 1.0, true, true),
            (1.0, 0.5, true, true),
            (1.0, 0.96, true, false),
            (2.0, 1.0, true, true),
            (1.0, 2.0, true, false),
            (3.0, 2.0, true, false),
            (3.0, 2.0, false, true),
            (1.0, 2.0, false, false),
            (1.0, 1.001, true, true),
            (1.0, 0.04, true, true),
        ] {
            let media = media(segment, low_latency.then_some(0.1));
            let cut = cuts(&every(distance, 10.0), &media, segment);
            assert_eq!(cut.is_ok(), is_copied, "{distance} in {segment}: {cut:?}");
        }
        let ten = cuts(&every(10.0, 25.0), &media(1.0, None), 1.0);
        let advice = "it has key frames every 10 s: give `--segdur=10` to have it copied";
        assert_eq!(ten, Err(advice.to_owned()));
        // Short files are one segment.
        assert!(cuts(&every(2.0, 0.9), &media(1.0, None), 1.0).is_ok());
        assert!(cuts(&every(20.0, 10.0), &media(1.0, None), 1.0).is_err());
        assert!(cuts(&Keys::default(), &media(1.0, None), 1.0).is_err());
    }

    #[test]
    fn segments_are_as_long_as_key_frames_want_it_unless_somebody_has_said() {
        for (wanted, longest, distance, expected) in [
            (1.0, 4.0, 1.0, 1.0),
            (1.0, 4.0, 0.5, 1.0),
            (1.0, 4.0, 2.0, 2.0),
            (1.0, 4.0, 2.002, 2.002),
            (1.0, 4.0, 5.0, 1.0),
            (1.0, 1.0, 2.0, 1.0),
        ] {
            let mut media = media(wanted, Some(0.1));
            media.longest_segment = longest;
            let found = segment(&every(distance, 12.0), &media);
            assert_eq!(found, expected, "{distance} in {wanted}");
        }
        let irregular = Keys {
            times: vec![0.0, 2.0, 3.3, 5.3, 6.1, 8.1],
            end: 10.0,
        };
        assert_eq!(segment(&irregular, &media(1.0, Some(0.1))), 1.0);
    }
}
