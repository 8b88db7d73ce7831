//! Media by their own timestamps (documents: `reframer:rt=on`): bytes are cut into frames or packets, unchanged, each with
//! the time at which it is to be sent.
//!
//! Only heads are read here. A demuxer would take the frames out of what they travel in, and that is what clients are to
//! get.

mod adts;
mod flac;
mod id3;
mod mpeg_audio;
mod ogg;
mod transport;
mod wav;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};

use crate::http::media_type;
use crate::resource::Facts;

/// The most bytes in which a frame must end. What is longer is no frame.
const LONGEST: usize = 1 << 20;

/// A file of which so many bytes come at one time has no timestamps: of the fastest streams it is more than a second.
const STILL: usize = 16 << 20;

/// A frame, a packet or a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) bytes: Bytes,
    /// When it is to be sent, from the first one on.
    pub(crate) at: Duration,
}

/// What the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// More are needed to tell.
    More,
    /// Nothing that is to be sent.
    Skip(usize),
    /// What every client must have first.
    Head(usize),
    /// A unit that lasts so long.
    Unit(usize, Duration),
    /// A unit that comes so long after the last one.
    UnitAfter(usize, Duration),
}

/// A format, as far as it is followed.
enum Format {
    Adts(adts::Adts),
    Flac(flac::Flac),
    MpegAudio(mpeg_audio::MpegAudio),
    Ogg(ogg::Ogg),
    Transport(transport::Transport),
    Wav(wav::Wav),
}

/// Cuts a stream into units.
pub(crate) struct Framer {
    format: Format,
    buffer: BytesMut,
    /// Bytes to skip that have not come yet.
    skipped: usize,
    /// What every client must have first.
    head: BytesMut,
    at: Duration,
    /// Bytes that have come since the time has moved.
    still: usize,
    is_over: bool,
}

/// What the first bytes of media tell.
pub(crate) fn facts(start: &[u8]) -> Facts {
    let mut facts = match &detect(start) {
        Some(Format::Adts(_)) => adts::facts(start),
        Some(Format::MpegAudio(_)) => mpeg_audio::facts(start),
        Some(Format::Wav(_)) => wav::facts(start),
        Some(Format::Flac(_)) => flac::facts(start),
        Some(Format::Ogg(_)) => ogg::facts(start),
        Some(Format::Transport(_)) | None => Facts::default(),
    };
    facts.media_type = Some(match &detect(start) {
        Some(Format::Adts(_)) => ::http::HeaderValue::from_static("audio/aac"),
        Some(Format::MpegAudio(_)) => ::http::HeaderValue::from_static("audio/mpeg"),
        _ => media_type::by_content(start),
    });
    facts
}

/// Artist and title, as the first bytes tell.
pub(crate) fn title(start: &[u8]) -> Option<Arc<str>> {
    id3::title(start).map(Arc::from)
}

/// The format that the first bytes show.
fn detect(start: &[u8]) -> Option<Format> {
    let media = &start[id3::length(start).min(start.len())..];
    if start.starts_with(b"OggS") {
        return ogg::has_clock(start).then(|| Format::Ogg(ogg::Ogg::default()));
    }
    if media.starts_with(b"fLaC") {
        return Some(Format::Flac(flac::Flac::default()));
    }
    if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WAVE") {
        return wav::has_clock(start).then(|| Format::Wav(wav::Wav::default()));
    }
    if transport::is_at(start) {
        return Some(Format::Transport(transport::Transport::default()));
    }
    if adts::is_at(media) {
        return Some(Format::Adts(adts::Adts));
    }
    if mpeg_audio::is_at(media) || id3::length(start) > start.len() {
        return Some(Format::MpegAudio(mpeg_audio::MpegAudio::default()));
    }
    None
}

impl Framer {
    /// Follows what begins so; none where its timestamps cannot be read.
    pub(crate) fn new(start: &[u8]) -> Option<Framer> {
        Some(Framer {
            format: detect(start)?,
            buffer: BytesMut::new(),
            skipped: id3::length(start),
            head: BytesMut::new(),
            at: Duration::ZERO,
            still: 0,
            is_over: false,
        })
    }

    /// Takes the next bytes of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Nothing more will come.
    pub(crate) fn finish(&mut self) {
        self.is_over = true;
    }

    /// What every client must have before the units that follow, once, where there is any.
    pub(crate) fn take_head(&mut self) -> Option<Bytes> {
        (!self.head.is_empty()).then(|| self.head.split().freeze())
    }

    /// Whether players expect that again where a file follows another.
    pub(crate) fn repeats_head(&self) -> bool {
        matches!(self.format, Format::Ogg(_))
    }

    /// The next unit that is whole.
    pub(crate) fn next(&mut self) -> Option<Unit> {
        loop {
            let skipped = self.skipped.min(self.buffer.len());
            self.buffer.advance(skipped);
            self.skipped -= skipped;
            if self.buffer.is_empty() {
                return None;
            }
            let step = match &mut self.format {
                Format::Adts(_) => adts::step(&self.buffer, self.is_over),
                Format::Flac(flac) => flac.step(&self.buffer, self.is_over),
                Format::MpegAudio(audio) => audio.step(&self.buffer, self.is_over),
                Format::Ogg(ogg) => ogg.step(&self.buffer),
                Format::Transport(transport) => transport.step(&self.buffer),
                Format::Wav(wav) => wav.step(&self.buffer),
            };
            match step {
                Step::More if self.is_over => self.skipped = self.buffer.len(),
                // What never ends is none.
                Step::More if self.buffer.len() > LONGEST => self.skipped = 1,
                Step::More => return None,
                Step::Skip(count) => self.skipped = count,
                Step::Head(count) => {
                    let head = self.buffer.split_to(count);
                    self.head.extend_from_slice(&head);
                }
                Step::Unit(count, duration) => {
                    let at = self.at;
                    self.pass(count, duration);
                    return Some(self.unit(count, at));
                }
                Step::UnitAfter(count, duration) => {
                    self.pass(count, duration);
                    return Some(self.unit(count, self.at));
                }
            }
        }
    }

    fn pass(&mut self, count: usize, duration: Duration) {
        self.at += duration;
        self.still = match duration.is_zero() {
            true => self.still.saturating_add(count),
            false => 0,
        };
    }

    fn unit(&mut self, count: usize, at: Duration) -> Unit {
        let bytes = self.buffer.split_to(count).freeze();
        Unit { bytes, at }
    }

    /// Whether time does not pass, in so many bytes or in all there are: there is no pace in it.
    pub(crate) fn stands_still(&self) -> bool {
        self.still > STILL || self.is_over && self.still > 0 && self.at.is_zero()
    }

    /// When what follows the last unit is to be sent.
    pub(crate) fn end(&self) -> Duration {
        self.at
    }
}

/// So many samples last so long.
fn duration(samples: u64, rate: u32) -> Duration {
    match rate {
        0 => Duration::ZERO,
        rate => Duration::from_nanos(samples.saturating_mul(1_000_000_000) / u64::from(rate)),
    }
}

/// Where the next frame may begin: what is before it is none.
fn skip_to(buffer: &[u8], begins: impl Fn(&[u8]) -> bool) -> Step {
    let next = (1..buffer.len()).find(|&start| begins(&buffer[start..]));
    Step::Skip(next.unwrap_or(buffer.len()))
}
