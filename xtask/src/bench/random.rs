//! Numbers without a pattern, the same in each run.

/// Xorshift: quick, and good enough for content that does not compress.
pub(super) struct Random(u32);

impl Random {
    /// `seed` is not 0.
    pub(super) fn new(seed: u32) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// At least 0, less than `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        // The high bits vary most.
        (self.next() >> 8) as usize % end
    }
}
