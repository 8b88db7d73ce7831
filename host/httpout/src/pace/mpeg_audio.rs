//! MPEG audio, layers I to III (ISO 11172-3, 13818-3): MP3.

use std::time::Duration;

use crate::pace::{Step, duration, id3, skip_to};
use crate::resource::Facts;

#[derive(Default)]
pub(super) struct MpegAudio {
    has_begun: bool,
}

struct Frame {
    length: usize,
    samples: u64,
    rate: u32,
    channels: u32,
    bits: u32,
    /// Where a description of the whole file may stand.
    side: usize,
}

/// Whether frames begin here.
pub(super) fn is_at(start: &[u8]) -> bool {
    Frame::parse(start).is_some_and(|frame| {
        let next = start.get(frame.length..).unwrap_or_default();
        next.len() < 4 || Frame::parse(next).is_some()
    })
}

pub(super) fn facts(start: &[u8]) -> Facts {
    let start = start.get(id3::length(start)..).unwrap_or_default();
    let frame = Frame::parse(start);
    // The first may describe the file only; the next has the rate of the sound.
    let second = frame
        .as_ref()
        .and_then(|frame| Frame::parse(start.get(frame.length..)?));
    match second.or(frame) {
        Some(frame) => Facts {
            media_type: None,
            sample_rate: Some(frame.rate),
            channels: Some(frame.channels),
            bit_rate: Some(frame.bits),
        },
        None => Facts::default(),
    }
}

impl MpegAudio {
    pub(super) fn step(&mut self, buffer: &[u8], is_over: bool) -> Step {
        if buffer.len() < 4 {
            return Step::More;
        }
        let Some(frame) = Frame::parse(buffer) else {
            return skip_to(buffer, may_begin);
        };
        // Whether it is one shows by the next, but for the last.
        match buffer.get(frame.length..frame.length + 4) {
            Some(next) if is_behind_a_frame(next) => {}
            Some(_) => return skip_to(buffer, may_begin),
            None if is_over && buffer.len() >= frame.length => {}
            None => return Step::More,
        }
        if !std::mem::replace(&mut self.has_begun, true) && frame.describes_a_file(buffer) {
            return Step::Skip(frame.length);
        }
        Step::Unit(frame.length, frame.duration())
    }
}

fn may_begin(rest: &[u8]) -> bool {
    rest.len() < 4 || Frame::parse(rest).is_some()
}

/// Another frame, or a tag at the end of a file.
fn is_behind_a_frame(next: &[u8]) -> bool {
    Frame::parse(next).is_some() || next.starts_with(b"TAG") || next.starts_with(b"APE")
}

impl Frame {
    fn parse(bytes: &[u8]) -> Option<Frame> {
        let &[0xff, b, c, d, ..] = bytes else {
            return None;
        };
        if b & 0xe0 != 0xe0 {
            return None;
        }
        let version = b >> 3 & 3; // 0 is 2.5, 2 is 2, 3 is 1
        let layer = 4 - (b >> 1 & 3); // 4 is none
        let rate = [44_100, 48_000, 32_000].get(usize::from(c >> 2 & 3))?;
        let kilobits = kilobits(version == 3, layer, usize::from(c >> 4))?;
        let rate: u32 = match version {
            3 => *rate,
            2 => rate / 2,
            0 => rate / 4,
            _ => return None,
        };
        let (bits, padding) = (kilobits * 1000, u32::from(c >> 1 & 1));
        let (samples, length) = match (layer, version == 3) {
            (1, _) => (384, (12 * bits / rate + padding) * 4),
            (2, _) | (3, true) => (1152, 144 * bits / rate + padding),
            _ => (576, 72 * bits / rate + padding),
        };
        let is_mono = d >> 6 == 3;
        let side = match (version == 3, is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        Some(Frame {
            length: length as usize,
            samples,
            rate,
            channels: if is_mono { 1 } else { 2 },
            bits,
            side: 4 + side,
        })
    }

    fn duration(&self) -> Duration {
        duration(self.samples, self.rate)
    }

    /// A frame without sound that tells players the length of the file. A stream has none.
    fn describes_a_file(&self, buffer: &[u8]) -> bool {
        let at = |position: usize| buffer.get(position..position + 4);
        matches!(at(self.side), Some(b"Xing" | b"Info")) || at(36) == Some(b"VBRI")
    }
}

/// Thousands of bits in a second.
fn kilobits(is_first_version: bool, layer: u8, index: usize) -> Option<u32> {
    const TABLES: [[u32; 14]; 5] = [
        [
            32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
        ],
        [
            32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
        ],
        [
            32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
        ],
        [
            32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
        ],
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let table = match (is_first_version, layer) {
        (true, 1) => 0,
        (true, 2) => 1,
        (true, 3) => 2,
        (false, 1) => 3,
        (false, 2 | 3) => 4,
        _ => return None,
    };
    TABLES[table].get(index.checked_sub(1)?).copied()
}
