//! The latest bytes of what grows, in memory.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// A reader that is behind gets this much at once, in bytes.
const BLOCK: usize = 64 << 10;

/// The latest pieces, in order.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Each with the position of its first byte.
    pieces: VecDeque<(u64, Bytes)>,
    /// The position behind the last byte.
    end: u64,
}

impl Tail {
    /// The position of the first byte.
    pub(super) fn start(&self) -> u64 {
        self.pieces.front().map_or(self.end, |(start, _)| *start)
    }

    /// The position behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The first position of a piece that begins within so many bytes of the end, or is the end.
    pub(super) fn start_of_latest(&self, bytes: u64) -> u64 {
        let limit = self.end.saturating_sub(bytes);
        let earlier = self.pieces.partition_point(|(start, _)| *start < limit);
        self.pieces
            .get(earlier)
            .map_or(self.end, |(start, _)| *start)
    }

    /// Adds a piece, which is not empty.
    pub(super) fn push(&mut self, piece: Bytes) {
        let start = self.end;
        self.end += piece.len() as u64;
        self.pieces.push_back((start, piece));
    }

    /// Forgets the oldest pieces beyond `limit` bytes, or beyond so many pieces, as far as they are in the file, which
    /// holds `stored` bytes.
    pub(super) fn trim(&mut self, limit: u64, pieces: usize, stored: u64) {
        while let Some((start, oldest)) = self.pieces.front() {
            let is_wanted = self.end - start <= limit && self.pieces.len() <= pieces;
            let is_stored = start + oldest.len() as u64 <= stored;
            if is_wanted || !is_stored {
                break;
            }
            self.pieces.pop_front();
        }
    }

    /// The bytes from a position inside on: shared where they are one piece, else as many as a block holds.
    pub(super) fn gather(&self, position: u64) -> Bytes {
        let behind = self.pieces.partition_point(|(start, _)| *start <= position);
        let (start, first) = &self.pieces[behind - 1];
        let first = first.slice((position - start) as usize..);
        let more = self.pieces.range(behind..).map(|(_, piece)| piece);
        let mut more = more.peekable();
        if more
            .peek()
            .is_none_or(|next| first.len() + next.len() > BLOCK)
        {
            return first;
        }
        let mut block = BytesMut::with_capacity(BLOCK);
        block.extend_from_slice(&first);
        while let Some(piece) = more.next_if(|piece| block.len() + piece.len() <= BLOCK) {
            block.extend_from_slice(piece);
        }
        block.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(pieces: impl IntoIterator<Item = u64>) -> Tail {
        let mut tail = Tail::default();
        for length in pieces {
            let start = tail.end();
            let positions = start..start + length;
            tail.push(positions.map(|position| position as u8).collect());
        }
        tail
    }

    #[test]
    fn every_position_gives_what_follows() {
        let mut tail = tail([1, 5, 2, 70_000, 3, 1]);
        tail.trim(0, 9, 1);
        assert_eq!((tail.start(), tail.end()), (1, 70_012));
        for (position, count) in [
            (1, 7),
            (5, 3),
            (7, 1),
            (8, 70_000),
            (70_007, 5),
            (70_011, 1),
        ] {
            let gathered = tail.gather(position);
            assert_eq!(gathered.len(), count, "{position}");
            assert_eq!(gathered[0], position as u8, "{position}");
            assert_eq!(gathered[count - 1], (position as usize + count - 1) as u8);
        }
    }

    #[test]
    fn the_oldest_pieces_go_by_bytes_and_by_count_once_they_are_stored() {
        let mut by_bytes = tail([10, 10, 10]);
        by_bytes.trim(15, 9, 9);
        assert_eq!(by_bytes.start(), 0);
        by_bytes.trim(15, 9, 30);
        assert_eq!(by_bytes.start(), 20);
        by_bytes.trim(0, 9, 30);
        assert_eq!(by_bytes.start(), 30);

        let mut by_count = tail(std::iter::repeat_n(1, 200));
        by_count.trim(u64::MAX, 100, 60);
        assert_eq!(by_count.start(), 60);
        by_count.trim(u64::MAX, 100, u64::MAX);
        assert_eq!(by_count.start(), 100);
    }
}
