//! FLAC (RFC 9639): metadata, then frames, each of which ends where the next begins.

use crate::pace::{Step, duration};
use crate::resource::Facts;

#[derive(Default)]
pub(super) struct Flac {
    stage: Stage,
    rate: u32,
}

#[derive(Default, Clone, Copy)]
enum Stage {
    #[default]
    Marker,
    Metadata,
    Frames,
}

/// Samples in a second, and channels, of the first block of metadata.
fn stream_info(block: &[u8]) -> Option<(u32, u32)> {
    let packed = block.get(10..13)?;
    let rate = u32::from(packed[0]) << 12 | u32::from(packed[1]) << 4 | u32::from(packed[2] >> 4);
    Some((rate, u32::from(packed[2] >> 1 & 7) + 1))
}

pub(super) fn facts(start: &[u8]) -> Facts {
    match start.get(8..).and_then(stream_info) {
        Some((rate, channels)) => Facts {
            media_type: None,
            sample_rate: Some(rate),
            channels: Some(channels),
            bit_rate: None,
        },
        None => Facts::default(),
    }
}

impl Flac {
    pub(super) fn step(&mut self, buffer: &[u8], is_over: bool) -> Step {
        match self.stage {
            Stage::Marker if buffer.len() < 4 => Step::More,
            Stage::Marker => {
                self.stage = Stage::Metadata;
                Step::Head(4)
            }
            Stage::Metadata => {
                let Some(head) = buffer.get(..4) else {
                    return Step::More;
                };
                let length =
                    usize::from(head[1]) << 16 | usize::from(head[2]) << 8 | usize::from(head[3]);
                let Some(block) = buffer.get(4..4 + length) else {
                    return Step::More;
                };
                if head[0] & 0x80 != 0 {
                    self.stage = Stage::Frames;
                }
                match head[0] & 0x7f {
                    0 => self.rate = stream_info(block).map_or(0, |(rate, _)| rate),
                    // Padding, and points to seek to.
                    1 | 3 if head[0] & 0x80 == 0 => return Step::Skip(4 + length),
                    _ => {}
                }
                Step::Head(4 + length)
            }
            Stage::Frames => self.frame(buffer, is_over),
        }
    }

    fn frame(&self, buffer: &[u8], is_over: bool) -> Step {
        let Some(samples) = samples(buffer) else {
            let next = (1..buffer.len()).find(|&start| samples(&buffer[start..]).is_some());
            return match (next, buffer.len() < LONGEST_HEAD && !is_over) {
                (None, true) => Step::More,
                (next, _) => {
                    Step::Skip(next.unwrap_or(buffer.len().saturating_sub(LONGEST_HEAD).max(1)))
                }
            };
        };
        let next = (LONGEST_HEAD..buffer.len()).find(|&start| samples_at(buffer, start).is_some());
        match next {
            None if !is_over => Step::More,
            next => Step::Unit(next.unwrap_or(buffer.len()), duration(samples, self.rate)),
        }
    }
}

/// Bytes of the longest head of a frame.
const LONGEST_HEAD: usize = 16;

fn samples_at(buffer: &[u8], start: usize) -> Option<u64> {
    samples(&buffer[start..])
}

/// The samples of the frame that begins here; none where none begins: the checksum of its head tells.
fn samples(bytes: &[u8]) -> Option<u64> {
    let &[0xff, second, third, fourth, first_of_number, ..] = bytes else {
        return None;
    };
    if second & 0xfe != 0xf8 || third & 0x0f == 0x0f || fourth & 1 != 0 {
        return None;
    }
    // Coded as UTF-8 is, up to seven bytes.
    let number = match first_of_number.leading_ones() {
        0 => 1,
        1 | 8 => return None,
        ones => ones as usize,
    };
    let mut end = 4 + number;
    let more = |at: usize, count: usize| {
        let bytes = bytes.get(at..at + count)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, &byte| number << 8 | u64::from(byte)),
        )
    };
    let samples = match third >> 4 {
        0 => return None,
        1 => 192,
        code @ 2..=5 => 576 << (code - 2),
        6 => {
            end += 1;
            more(end - 1, 1)? + 1
        }
        7 => {
            end += 2;
            more(end - 2, 2)? + 1
        }
        code => 256 << (code - 8),
    };
    end += match third & 0x0f {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    let head = bytes.get(..end)?;
    (bytes.get(end) == Some(&checksum(head))).then_some(samples)
}

/// CRC-8 of the polynomial x⁸ + x² + x + 1.
fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| {
            crc << 1 ^ if crc & 0x80 != 0 { 7 } else { 0 }
        })
    })
}
