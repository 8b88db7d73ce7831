//! A version of a resource: bytes that grow until it is complete or has failed, and those who follow it.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

/// What is kept in memory of a growing version, in bytes: readers near its end never touch the disk.
pub(crate) const TAIL: u64 = 4 << 20;

/// What is kept in memory of a complete version, for readers that are about to take the last bytes.
const LAST: u64 = 256 << 10;

/// Pieces below this size are copied into shared blocks: they would keep the whole buffer that they were read into.
const SMALL: usize = 4 << 10;

/// Small pieces share blocks of this size, and a reader that is behind gets this much at once.
const BLOCK: usize = 64 << 10;

/// One version of a resource. What has been written is a file; its latest bytes are in memory too.
///
/// A reader is a position. It asks for what follows, and is woken when there is more.
#[derive(Debug)]
pub(crate) struct Version {
    /// What is on disk, also after the file has been renamed or removed.
    pub(crate) file: Arc<File>,
    growth: Mutex<Growth>,
}

#[derive(Debug, Default)]
struct Growth {
    state: State,
    /// The latest bytes, up to `length`.
    tail: VecDeque<Bytes>,
    /// Bytes in the tail.
    tail_length: u64,
    /// All bytes so far.
    length: u64,
    /// How many of them are in the file.
    stored: u64,
    /// Where small pieces go.
    block: BytesMut,
    waiting: Vec<Waker>,
    /// How often those who wait have been woken.
    round: u64,
}

/// Where a reader waits, so that it waits once only.
#[derive(Debug, Default)]
pub(crate) struct Seat(Option<(u64, usize)>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    Growing,
    Complete,
    Failed,
}

/// What a reader finds behind its position.
#[derive(Debug)]
pub(crate) enum Next {
    /// These bytes.
    Bytes(Bytes),
    /// Bytes that are in the file only, up to this position.
    InFile(u64),
    End,
    /// The version will never be complete.
    Failed,
}

impl Version {
    /// An empty version, whose bytes the caller also writes to the file.
    pub(crate) fn new(file: Arc<File>) -> Version {
        Version {
            file,
            growth: Mutex::default(),
        }
    }

    /// Adds bytes at the end, and wakes those who wait for them.
    pub(crate) fn append(&self, bytes: &Bytes) {
        if bytes.is_empty() {
            return;
        }
        let mut growth = self.growth();
        let piece = match bytes.len() < SMALL {
            true => growth.copy(bytes),
            false => bytes.clone(),
        };
        growth.length += bytes.len() as u64;
        growth.tail_length += bytes.len() as u64;
        growth.tail.push_back(piece);
        growth.trim(TAIL);
        wake(growth);
    }

    /// That many bytes from the beginning are in the file.
    pub(crate) fn stored(&self, count: u64) {
        let mut growth = self.growth();
        growth.stored = count;
        growth.trim(TAIL);
    }

    /// The version is complete, and all of it is in the file.
    pub(crate) fn complete(&self) {
        self.end(State::Complete);
    }

    /// The version will never be complete. Without effect on one that is.
    pub(crate) fn fail(&self) {
        self.end(State::Failed);
    }

    fn end(&self, state: State) {
        let mut growth = self.growth();
        if growth.state == State::Growing {
            growth.state = state;
            growth.stored = growth.length;
            growth.block = BytesMut::new();
            growth.trim(LAST);
            wake(growth);
        }
    }

    /// How long it is by now, in bytes, and whether it grows.
    pub(crate) fn progress(&self) -> (u64, State) {
        let growth = self.growth();
        (growth.length, growth.state)
    }

    /// Waits until it is longer than `length`, or has ended.
    pub(crate) fn poll_longer(
        &self,
        length: u64,
        seat: &mut Seat,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let mut growth = self.growth();
        if growth.length > length || growth.state != State::Growing {
            return Poll::Ready(());
        }
        growth.wait(seat, context);
        Poll::Pending
    }

    /// What stands behind a position, which lies inside or at the end.
    pub(crate) fn poll_next(
        &self,
        position: u64,
        seat: &mut Seat,
        context: &mut Context<'_>,
    ) -> Poll<Next> {
        let mut growth = self.growth();
        let tail_start = growth.length - growth.tail_length;
        let next = match (growth.state, position) {
            // What is not complete is not to look so.
            (State::Failed, _) => Next::Failed,
            (_, position) if position < tail_start => Next::InFile(tail_start),
            (_, position) if position < growth.length => {
                Next::Bytes(growth.gather(position - tail_start))
            }
            (State::Complete, _) => Next::End,
            (State::Growing, _) => {
                growth.wait(seat, context);
                return Poll::Pending;
            }
        };
        Poll::Ready(next)
    }

    /// A reader that waited goes away.
    pub(crate) fn leave(&self, seat: &Seat) {
        let mut growth = self.growth();
        if let Some(index) = seat.index(growth.round) {
            growth.waiting[index] = Waker::noop().clone();
        }
    }

    fn growth(&self) -> MutexGuard<'_, Growth> {
        self.growth.lock().expect("no holder panics")
    }
}

impl Growth {
    fn copy(&mut self, bytes: &[u8]) -> Bytes {
        if self.block.capacity() < bytes.len() {
            self.block = BytesMut::with_capacity(BLOCK);
        }
        self.block.extend_from_slice(bytes);
        self.block.split().freeze()
    }

    /// Forgets the oldest pieces beyond `limit` bytes, as far as they are in the file.
    fn trim(&mut self, limit: u64) {
        while let Some(oldest) = self.tail.front() {
            let count = oldest.len() as u64;
            let in_file = self.length - self.tail_length + count <= self.stored;
            if self.tail_length <= limit || !in_file {
                break;
            }
            self.tail_length -= count;
            self.tail.pop_front();
        }
    }

    /// The bytes behind an offset into the tail: shared where they are one piece, else as many as a block holds.
    fn gather(&self, mut offset: u64) -> Bytes {
        let mut pieces = self.tail.iter();
        let mut first = Bytes::new();
        for piece in pieces.by_ref() {
            if offset < piece.len() as u64 {
                first = piece.slice(offset as usize..);
                break;
            }
            offset -= piece.len() as u64;
        }
        let mut more = pieces.peekable();
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

    fn wait(&mut self, seat: &mut Seat, context: &mut Context<'_>) {
        let waker = context.waker();
        match seat.index(self.round) {
            Some(index) => self.waiting[index].clone_from(waker),
            None => {
                seat.0 = Some((self.round, self.waiting.len()));
                self.waiting.push(waker.clone());
            }
        }
    }
}

impl Seat {
    /// The place in the row of those who wait, unless they have been woken since it was taken.
    fn index(&self, round: u64) -> Option<usize> {
        let (taken, index) = self.0?;
        (taken == round).then_some(index)
    }
}

/// Wakes everybody who waits, after the lock has been let go.
fn wake(mut growth: MutexGuard<'_, Growth>) {
    let waiting = std::mem::take(&mut growth.waiting);
    growth.round += 1;
    drop(growth);
    for waker in waiting {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version() -> Version {
        Version::new(Arc::new(tempfile::tempfile().expect("there is room")))
    }

    fn next(version: &Version, position: u64) -> Poll<Next> {
        let mut context = Context::from_waker(Waker::noop());
        version.poll_next(position, &mut Seat::default(), &mut context)
    }

    fn bytes(next: Poll<Next>) -> Bytes {
        match next {
            Poll::Ready(Next::Bytes(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_reader_gets_what_is_there_then_waits_then_sees_the_end() {
        let version = version();
        assert!(next(&version, 0).is_pending());
        version.append(&Bytes::from_static(b"abc"));
        version.append(&Bytes::from_static(b"de"));
        assert_eq!(bytes(next(&version, 0)), "abcde");
        assert_eq!(bytes(next(&version, 4)), "e");
        assert!(next(&version, 5).is_pending());
        version.complete();
        assert!(matches!(next(&version, 5), Poll::Ready(Next::End)));
        version.fail();
        assert_eq!(version.progress(), (5, State::Complete));
    }

    #[test]
    fn what_has_failed_never_looks_complete() {
        let version = version();
        version.append(&Bytes::from_static(b"abc"));
        version.fail();
        assert!(matches!(next(&version, 0), Poll::Ready(Next::Failed)));
        assert!(matches!(next(&version, 3), Poll::Ready(Next::Failed)));
    }

    #[test]
    fn only_what_is_in_the_file_leaves_memory() {
        let version = version();
        let piece = Bytes::from(vec![7; 1 << 20]);
        for _ in 0..6 {
            version.append(&piece);
        }
        assert_eq!(bytes(next(&version, 0)).len(), 1 << 20);
        version.stored(1 << 20);
        assert!(
            matches!(next(&version, 0), Poll::Ready(Next::InFile(position)) if position == 1 << 20)
        );
        version.stored(6 << 20);
        assert!(
            matches!(next(&version, 0), Poll::Ready(Next::InFile(position)) if position == 2 << 20)
        );
        assert_eq!(bytes(next(&version, 2 << 20)), piece);
    }

    #[test]
    fn everybody_who_waits_is_woken_once() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        struct Count(AtomicUsize);
        impl std::task::Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let version = version();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut context = Context::from_waker(&waker);
        let mut seat = Seat::default();
        for _ in 0..3 {
            assert!(version.poll_next(0, &mut seat, &mut context).is_pending());
        }
        let mut gone = Seat::default();
        assert!(version.poll_longer(0, &mut gone, &mut context).is_pending());
        version.leave(&gone);
        version.append(&Bytes::from_static(b"a"));
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        version.append(&Bytes::from_static(b"b"));
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
