//! WAV: samples after a head that tells how many bytes last a second.

use crate::pace::{Step, duration};
use crate::resource::Facts;

/// Bytes of a unit, or as few more as a sample needs.
const UNIT: usize = 4 << 10;

#[derive(Default)]
pub(super) struct Wav {
    /// Once samples come.
    format: Option<Chunk>,
}

#[derive(Clone, Copy)]
struct Chunk {
    channels: u32,
    rate: u32,
    bytes_per_second: u32,
    /// Bytes of a sample of all channels.
    align: usize,
}

/// Where the samples begin, and what they are.
fn head(start: &[u8]) -> Option<(usize, Chunk)> {
    let mut position = 12;
    let mut format = None;
    loop {
        let head = start.get(position..position + 8)?;
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let body = position + 8;
        match &head[..4] {
            b"data" => return Some((body, format?)),
            b"fmt " => {
                let chunk = start.get(body..body + 16)?;
                let long = |at: usize| {
                    u32::from_le_bytes([chunk[at], chunk[at + 1], chunk[at + 2], chunk[at + 3]])
                };
                let short = |at: usize| u16::from_le_bytes([chunk[at], chunk[at + 1]]);
                format = Some(Chunk {
                    channels: short(2).into(),
                    rate: long(4),
                    bytes_per_second: long(8),
                    align: usize::from(short(12)).max(1),
                });
            }
            _ => {}
        }
        position = body.checked_add(size)?.checked_add(size & 1)?;
    }
}

/// Whether it says how long its samples last, as far as that shows here.
pub(super) fn has_clock(start: &[u8]) -> bool {
    head(start).is_none_or(|(_, format)| format.bytes_per_second > 0)
}

pub(super) fn facts(start: &[u8]) -> Facts {
    match head(start) {
        Some((_, format)) => Facts {
            media_type: None,
            sample_rate: Some(format.rate),
            channels: Some(format.channels),
            bit_rate: format.bytes_per_second.checked_mul(8),
        },
        None => Facts::default(),
    }
}

impl Wav {
    pub(super) fn step(&mut self, buffer: &[u8]) -> Step {
        let Some(format) = self.format else {
            return match head(buffer) {
                Some((length, format)) => {
                    self.format = Some(format);
                    Step::Head(length)
                }
                None => Step::More,
            };
        };
        let wanted = UNIT.div_ceil(format.align) * format.align;
        let whole = buffer.len().min(wanted) / format.align * format.align;
        match whole {
            0 => Step::More,
            length => Step::Unit(length, duration(length as u64, format.bytes_per_second)),
        }
    }
}
