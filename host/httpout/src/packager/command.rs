//! What ffmpeg is told.

use std::ffi::{OsStr, OsString};

use crate::http::path::encode;
use crate::packager::names::Names;
use crate::packager::plan::{AUDIO_ENCODER, Kind, Plan, Skipped, Track, VIDEO_ENCODER};
use crate::settings::{MediaKind, MediaSettings};

/// Segments that stay behind the time-shift buffer, for players that are late.
const BEHIND: usize = 5;

/// What low latency players are to stay behind the encoder, in seconds, unless chunks are long.
const TARGET_LATENCY: f64 = 1.5;

/// How often players ask for the manifest, in seconds: so they hear that it has begun anew.
const UPDATE: u32 = 1;

/// Seconds that are looked at in any case.
const LOOKED_AT: f64 = 1.0;

/// Where the server tells the time, from wherever the manifest is.
const TIME: &str = "/_/time";

/// What is to be made, and where it goes.
pub(super) struct Job<'a> {
    /// A file or a URL; none for standard input.
    pub(super) url: Option<&'a OsStr>,
    /// Read as fast as it is to be played.
    pub(super) is_paced: bool,
    pub(super) repeats: bool,
    pub(super) plan: &'a Plan,
    pub(super) media: &'a MediaSettings,
    /// Segments of a dynamic presentation that are offered; none is all.
    pub(super) window: Option<usize>,
    pub(super) names: &'a Names,
    /// Of the listener that takes it.
    pub(super) port: u16,
    /// The manifest below the directory.
    pub(super) manifest: &'a [u8],
    /// Options that other users of this machine are not to see.
    pub(super) preset: &'a str,
}

/// Its arguments.
pub(super) fn arguments(job: &Job<'_>) -> Vec<OsString> {
    let mut line = Line(Vec::new());
    line.add("-hide_banner -nostats -loglevel level+warning");
    if job.url.is_some() {
        line.add("-nostdin");
    }
    if (job.is_paced || job.plan.needs_pace) && job.plan.skipped.is_none() {
        line.add("-re");
    }
    if let Some(Skipped { seen, .. }) = job.plan.skipped {
        // It would look at more of it, which is still to come.
        let known = seen.max(LOOKED_AT) * 1e6;
        line.add(&format!("-analyzeduration {known:.0}"));
    }
    if job.repeats {
        line.add("-stream_loop -1");
    }
    line.pair("-i", job.url.unwrap_or(OsStr::new("pipe:0")));
    for track in &job.plan.tracks {
        line.pair("-map", format!("0:{}", track.index));
    }
    for (number, track) in job.plan.tracks.iter().enumerate() {
        line.track(number, track, job);
    }
    if let Some(Skipped { over, .. }) = job.plan.skipped {
        line.pair("-ss", format!("{over:.3}"));
    }
    line.add("-map_metadata -1 -map_chapters -1 -f dash -dash_segment_type mp4");
    line.segments(job);
    line.pair("-fpre", job.preset);
    line.add("-method PUT -http_persistent 0");
    let manifest = encode(job.manifest);
    let manifest = manifest.trim_start_matches('/');
    let port = job.port;
    line.one(format!("http://127.0.0.1:{port}/{manifest}"));
    line.0
}

/// What a codec is called in MP4.
fn tag(codec: &str) -> Option<&'static str> {
    Some(match codec {
        "h264" => "avc1",
        // Apple's players take no other.
        "hevc" => "hvc1",
        "av1" => "av01",
        "vp9" => "vp09",
        "aac" => "mp4a",
        "opus" => "Opus",
        "ac3" => "ac-3",
        "eac3" => "ec-3",
        _ => return None,
    })
}

struct Line(Vec<OsString>);

impl Line {
    /// Words without spaces in them.
    fn add(&mut self, words: &str) {
        self.0.extend(words.split(' ').map(OsString::from));
    }

    fn one(&mut self, word: impl Into<OsString>) {
        self.0.push(word.into());
    }

    fn pair(&mut self, name: &str, value: impl Into<OsString>) {
        self.one(name);
        self.one(value);
    }

    fn track(&mut self, number: usize, track: &Track, job: &Job<'_>) {
        let n = number;
        if track.encoded.is_none() {
            self.add(&format!("-c:{n} copy"));
            // That of the input may be of another container.
            if let Some(tag) = tag(&track.codec) {
                self.add(&format!("-tag:{n} {tag}"));
            }
            return;
        }
        match track.kind {
            Kind::Video => {
                self.add(&format!("-c:{n} {VIDEO_ENCODER} -preset:{n} veryfast"));
                if job.media.is_low_latency() {
                    self.add(&format!("-tune:{n} zerolatency"));
                }
                // Borders of segments, counted from the first picture, which need not be at 0.
                let segment = job.plan.segment;
                let keys = format!("expr:if(not(n),0*st(0,t))+gte(t,ld(0)+n_forced*{segment})");
                self.pair(&format!("-force_key_frames:{n}"), keys);
                self.add(&format!("-sc_threshold:{n} 0 -g:{n} 9999"));
                let even = "scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p";
                self.pair(&format!("-filter:{n}"), even);
            }
            Kind::Audio => {
                let rate = 64 * track.channels.max(2);
                self.add(&format!("-c:{n} {AUDIO_ENCODER} -b:{n} {rate}k"));
            }
        }
    }

    fn segments(&mut self, job: &Job<'_>) {
        let media = job.media;
        self.add(&format!("-seg_duration {}", job.plan.segment));
        if let Some(chunk) = media.chunk {
            self.add(&format!("-frag_type duration -frag_duration {chunk}"));
        }
        match media.is_low_latency() {
            // Players are to know the names of segments before they are there.
            true => {
                let chunk = media.chunk.unwrap_or_default();
                let latency = TARGET_LATENCY.max(3.0 * chunk);
                self.add("-ldash 1 -streaming 1 -use_template 1 -use_timeline 0 -write_prft 1");
                self.add(&format!("-target_latency {latency}"));
            }
            false => self.add("-use_template 1 -use_timeline 1"),
        }
        if media.kind == MediaKind::Dynamic {
            // 0 is all of them.
            let window = job.window.unwrap_or(0);
            self.add(&format!(
                "-window_size {window} -extra_window_size {BEHIND}"
            ));
            self.add(&format!("-update_period {UPDATE} -utc_timing_url {TIME}"));
        }
        self.add("-remove_at_exit 0");
        match job.names.single() {
            Some(name) => {
                self.add("-single_file 1");
                self.pair("-single_file_name", name);
            }
            None => {
                let [initial, segment] = job.names.templates();
                self.pair("-init_seg_name", initial);
                self.pair("-media_seg_name", segment);
            }
        }
    }
}
