//! Small pieces of a body, copied together.

use bytes::{Bytes, BytesMut};

/// Pieces below this size are copied, in bytes: they would keep the whole buffer that they were read into.
const SMALL: usize = 4 << 10;

/// What copies share, in bytes.
const BLOCK: usize = 16 << 10;

/// Where small pieces are copied to, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    /// What is left of the latest block.
    rest: BytesMut,
}

impl Blocks {
    /// The same bytes, which keep little more memory than they need.
    pub(crate) fn keep(&mut self, piece: Bytes) -> Bytes {
        if piece.len() >= SMALL {
            return piece;
        }
        if self.rest.capacity() < piece.len() {
            self.rest = BytesMut::with_capacity(BLOCK);
        }
        self.rest.extend_from_slice(&piece);
        self.rest.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pieces_share_a_block_and_let_their_buffer_go() {
        let mut blocks = Blocks::default();
        let buffer = Bytes::from(vec![7; 8 << 10]);
        let first = blocks.keep(buffer.slice(..3));
        let second = blocks.keep(buffer.slice(3..8));
        assert_eq!((first.len(), second.len()), (3, 5));
        assert_eq!(first.as_ptr().wrapping_add(3), second.as_ptr());
        assert!(buffer.is_unique());
        let large = blocks.keep(buffer.slice(..SMALL));
        assert_eq!(large.as_ptr(), buffer.as_ptr());
    }

    #[test]
    fn a_full_block_is_followed_by_another() {
        let mut blocks = Blocks::default();
        let piece = Bytes::from(vec![7; SMALL - 1]);
        let kept: Vec<Bytes> = (0..20).map(|_| blocks.keep(piece.clone())).collect();
        assert!(kept.iter().all(|kept| kept == &piece));
    }
}
