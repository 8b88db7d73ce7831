//! Ogg (RFC 3533): pages, by the granules of the first stream, for Opus, Vorbis and FLAC.

use std::time::Duration;

use crate::pace::{Step, duration};
use crate::resource::Facts;

/// Bytes of the head of a page without its table of segments.
const HEAD: usize = 27;

#[derive(Default)]
pub(super) struct Ogg {
    /// Of the first stream.
    serial: Option<[u8; 4]>,
    /// Granules in a second.
    rate: u32,
    last: u64,
}

struct Page<'a> {
    length: usize,
    is_first: bool,
    granule: u64,
    serial: [u8; 4],
    body: &'a [u8],
}

/// Granules in a second, channels, and samples in a second, as the first page of a stream tells.
fn describe(body: &[u8]) -> Option<(u32, u32, u32)> {
    let long = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.try_into().ok()?));
    if body.starts_with(b"OpusHead") {
        return Some((48_000, (*body.get(9)?).into(), 48_000));
    }
    if body.starts_with(b"\x01vorbis") {
        let rate = long(body.get(12..16)?)?;
        return Some((rate, (*body.get(11)?).into(), rate));
    }
    if body.starts_with(b"\x7fFLAC") {
        let packed = body.get(27..30)?;
        let rate =
            u32::from(packed[0]) << 12 | u32::from(packed[1]) << 4 | u32::from(packed[2] >> 4);
        return Some((rate, u32::from(packed[2] >> 1 & 7) + 1, rate));
    }
    None
}

/// Whether the granules of the first stream are known as time.
pub(super) fn has_clock(start: &[u8]) -> bool {
    let described = Page::parse(start).and_then(|page| describe(page.body));
    described.is_some_and(|(granules, ..)| granules > 0)
}

pub(super) fn facts(start: &[u8]) -> Facts {
    let described = Page::parse(start).and_then(|page| describe(page.body));
    match described {
        Some((_, channels, rate)) => Facts {
            media_type: None,
            sample_rate: Some(rate),
            channels: Some(channels),
            bit_rate: None,
        },
        None => Facts::default(),
    }
}

impl Ogg {
    pub(super) fn step(&mut self, buffer: &[u8]) -> Step {
        if !buffer.starts_with(&b"OggS"[..buffer.len().min(4)]) {
            let next = buffer.windows(4).position(|four| four == b"OggS");
            return Step::Skip(next.unwrap_or(buffer.len().saturating_sub(3).max(1)));
        }
        let Some(page) = Page::parse(buffer) else {
            return Step::More;
        };
        if page.is_first && self.serial.is_none() {
            self.serial = Some(page.serial);
            self.rate = describe(page.body).map_or(0, |(rate, ..)| rate);
        }
        // Heads have no granules yet.
        if page.is_first || page.granule == 0 {
            return Step::Head(page.length);
        }
        let mut elapsed = Duration::ZERO;
        // All ones: no packet ends in this page.
        if Some(page.serial) == self.serial && page.granule != u64::MAX {
            elapsed = duration(page.granule.saturating_sub(self.last), self.rate);
            self.last = page.granule;
        }
        Step::Unit(page.length, elapsed)
    }
}

impl Page<'_> {
    fn parse(buffer: &[u8]) -> Option<Page<'_>> {
        let head = buffer
            .get(..HEAD)
            .filter(|head| head.starts_with(b"OggS"))?;
        let table = buffer.get(HEAD..HEAD + usize::from(head[26]))?;
        let size: usize = table.iter().map(|&size| usize::from(size)).sum();
        let start = HEAD + table.len();
        Some(Page {
            length: start + size,
            is_first: head[5] & 2 != 0,
            granule: u64::from_le_bytes(head[6..14].try_into().ok()?),
            serial: head[14..18].try_into().ok()?,
            body: buffer.get(start..start + size)?,
        })
    }
}
