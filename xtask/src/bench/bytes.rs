//! Bytes of files that are too large for memory: made, and compared, a block at a time.

use std::io::{self, Read};

use anyhow::{Result, ensure};

use super::random::Random;

const BLOCK: usize = 64 << 10;

/// A part of a file without a pattern: one random block after the other, each beginning with its number.
pub(super) struct Bytes {
    block: Vec<u8>,
    position: u64,
    end: u64,
}

impl Bytes {
    /// `seed` is that of the file, `length` that of the part.
    pub(super) fn new(seed: u32, first: u64, length: u64) -> Self {
        let mut random = Random::new(seed);
        Self {
            block: (0..BLOCK).map(|_| random.next().to_le_bytes()[1]).collect(),
            position: first,
            end: first + length,
        }
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let number = self.position / BLOCK as u64;
        let offset = (self.position % BLOCK as u64) as usize;
        self.block[..8].copy_from_slice(&number.to_le_bytes());

        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let count = buffer.len().min(BLOCK - offset).min(left);
        buffer[..count].copy_from_slice(&self.block[offset..offset + count]);
        self.position += count as u64;
        Ok(count)
    }
}

/// Fails unless both give the same bytes, then end.
pub(super) fn compare(mut actual: impl Read, mut expected: impl Read) -> Result<()> {
    let (mut own, mut other) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
    let mut position = 0;
    loop {
        own.clear();
        other.clear();
        expected.by_ref().take(BLOCK as u64).read_to_end(&mut own)?;
        actual.by_ref().take(BLOCK as u64).read_to_end(&mut other)?;
        ensure!(
            own == other,
            "the bytes differ from the file's, in the {BLOCK} from {position} on"
        );
        if own.is_empty() {
            return Ok(());
        }
        position += own.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(first: u64, length: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        Bytes::new(1, first, length)
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    }

    #[test]
    fn a_part_is_what_the_whole_has_there() {
        let whole = read(0, 200_000);
        assert_eq!(whole.len(), 200_000);
        assert_eq!(read(65_530, 100_000), whole[65_530..165_530]);
        assert_ne!(whole[..BLOCK], whole[BLOCK..2 * BLOCK]);
    }

    #[test]
    fn only_equal_bytes_compare() {
        let whole = read(0, 200_000);
        let same = |bytes: &[u8]| compare(bytes, Bytes::new(1, 0, 200_000));
        assert!(same(&whole).is_ok());
        assert!(same(&whole[..199_999]).is_err());
        assert!(same(&[&whole[..], b"x"].concat()).is_err());
        assert!(compare(&*whole, Bytes::new(2, 0, 200_000)).is_err());
    }
}
