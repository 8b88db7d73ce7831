//! AAC in ADTS (ISO 13818-7, 6.2).

use crate::pace::{Step, duration, id3, skip_to};
use crate::resource::Facts;

pub(super) struct Adts;

struct Frame {
    length: usize,
    blocks: u64,
    rate: u32,
    channels: u32,
}

/// Samples of a block.
const SAMPLES: u64 = 1024;

/// Whether frames begin here.
pub(super) fn is_at(start: &[u8]) -> bool {
    Frame::parse(start).is_some_and(|frame| {
        let next = start.get(frame.length..).unwrap_or_default();
        next.len() < 7 || Frame::parse(next).is_some()
    })
}

pub(super) fn facts(start: &[u8]) -> Facts {
    let mut rest = start.get(id3::length(start)..).unwrap_or_default();
    let first = Frame::parse(rest);
    let (mut bytes, mut samples) = (0, 0);
    while let Some(frame) = Frame::parse(rest)
        && let Some(next) = rest.get(frame.length..)
    {
        bytes += frame.length as u64;
        samples += frame.blocks * SAMPLES;
        rest = next;
    }
    let bits = |rate: u32| (bytes * 8 * u64::from(rate)).checked_div(samples);
    match first {
        Some(frame) => Facts {
            media_type: None,
            sample_rate: Some(frame.rate),
            channels: Some(frame.channels).filter(|channels| *channels > 0),
            bit_rate: bits(frame.rate).and_then(|bits| u32::try_from(bits).ok()),
        },
        None => Facts::default(),
    }
}

pub(super) fn step(buffer: &[u8], is_over: bool) -> Step {
    if buffer.len() < 7 {
        return Step::More;
    }
    let begins = |rest: &[u8]| rest.len() < 7 || Frame::parse(rest).is_some();
    let Some(frame) = Frame::parse(buffer) else {
        return skip_to(buffer, begins);
    };
    match buffer.get(frame.length..) {
        None => Step::More,
        Some(next) if next.len() < 7 && !is_over => Step::More,
        Some(next) if !begins(next) => skip_to(buffer, begins),
        Some(_) => Step::Unit(frame.length, duration(frame.blocks * SAMPLES, frame.rate)),
    }
}

impl Frame {
    fn parse(bytes: &[u8]) -> Option<Frame> {
        const RATES: [u32; 13] = [
            96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
            8_000, 7_350,
        ];
        let &[0xff, b, c, d, e, f, g, ..] = bytes else {
            return None;
        };
        let length = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
        // The layer is always 0, which MPEG audio never has.
        (b & 0xf6 == 0xf0 && length > 7).then_some(())?;
        Some(Frame {
            length,
            blocks: u64::from(g & 3) + 1,
            rate: *RATES.get(usize::from(c >> 2 & 15))?,
            channels: u32::from((c & 1) << 2 | d >> 6),
        })
    }
}
