//! A version of a resource: bytes that grow until it is complete or has failed, and those who follow it.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::resource::OpenFile;
use crate::resource::directory::is_deleted;
use crate::resource::tail::Tail;

/// What is kept in memory of a growing version, in bytes: readers near its end never touch the disk.
const TAIL: u64 = 4 << 20;

/// The most pieces of it, more than the two lots that a `Writer` has in hand: what is older is in the file.
const PIECES: usize = 4096;

/// What is kept in memory of a complete version, for readers that are about to take the last bytes.
const LAST: u64 = 256 << 10;

/// One version of a resource. What has been written is a file; its latest bytes are in memory too.
#[derive(Debug)]
pub(crate) struct Version {
    /// What is on disk, also after the file has been renamed or removed. None while this is dropped.
    file: Option<Arc<OpenFile>>,
    growth: Mutex<Growth>,
}

#[derive(Debug, Default)]
struct Growth {
    state: State,
    /// The latest bytes, at least those that are not in the file yet.
    tail: Tail,
    /// How many bytes will be there in the end, where that is known.
    total: Option<u64>,
    /// How many bytes are in the file.
    stored: u64,
    /// There is a reader, or was one.
    is_read: bool,
    /// Somebody has asked for bytes.
    is_asked_for: bool,
    /// Who waits for that.
    writer: Option<Waker>,
    waiting: Vec<Waker>,
    /// How often those who wait have been woken.
    round: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    Growing,
    Complete,
    Failed,
}

/// How far a version has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) state: State,
    /// By now, in bytes.
    pub(crate) length: u64,
    /// In the end, in bytes, where that is known.
    pub(crate) total: Option<u64>,
}

/// One who reads a version: asks for what follows a position, and is woken when there is more.
#[derive(Debug)]
pub(crate) struct Reader {
    version: Arc<Version>,
    /// Where it waits, so that it waits once only: the round, and the place in the row.
    seat: Option<(u64, usize)>,
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
    pub(crate) fn new(file: Arc<OpenFile>) -> Version {
        Version {
            file: Some(file),
            growth: Mutex::default(),
        }
    }

    pub(crate) fn file(&self) -> &Arc<OpenFile> {
        self.file.as_ref().expect("is not being dropped")
    }

    /// How long it is by now, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.growth().tail.end()
    }

    /// How long it will be, where the upload says so. Comes before the first bytes.
    pub(crate) fn announce(&self, total: Option<u64>) {
        let mut growth = self.growth();
        growth.total = total;
        wake(growth);
    }

    /// Adds bytes at the end, and wakes those who wait for them.
    pub(crate) fn append(&self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let mut growth = self.growth();
        growth.tail.push(bytes);
        growth.trim();
        wake(growth);
    }

    /// That many bytes from the beginning are in the file.
    pub(crate) fn stored(&self, count: u64) {
        let mut growth = self.growth();
        growth.stored = count;
        growth.trim();
    }

    /// Waits until somebody asks for bytes.
    pub(crate) async fn asked_for(&self) {
        poll_fn(|context| {
            let mut growth = self.growth();
            if growth.is_asked_for {
                return Poll::Ready(());
            }
            growth.writer = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
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
            growth.stored = growth.tail.end();
            growth.total = Some(growth.tail.end());
            growth.trim();
            wake(growth);
        }
    }

    fn growth(&self) -> MutexGuard<'_, Growth> {
        self.growth.lock().expect("no holder panics")
    }
}

impl Drop for Version {
    fn drop(&mut self) {
        // To give a large deleted file's space back takes time. Without a runtime the process is ending.
        if let Some(file) = self.file.take()
            && is_deleted(&file)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn_blocking(|| drop(file));
        }
    }
}

impl Reader {
    pub(crate) fn new(version: Arc<Version>) -> Reader {
        version.growth().is_read = true;
        Reader {
            version,
            seat: None,
        }
    }

    pub(crate) fn file(&self) -> &Arc<OpenFile> {
        self.version.file()
    }

    pub(crate) fn progress(&self) -> Progress {
        let growth = self.version.growth();
        Progress {
            state: growth.state,
            length: growth.tail.end(),
            total: growth.total,
        }
    }

    /// Waits until the byte at a position is there, or will never be.
    pub(crate) fn poll_there(&mut self, position: u64, context: &mut Context<'_>) -> Poll<()> {
        let mut growth = self.version.growth();
        let is_beyond = growth.total.is_some_and(|total| total <= position);
        if growth.tail.end() > position || is_beyond || growth.state != State::Growing {
            return Poll::Ready(());
        }
        growth.wait(&mut self.seat, context);
        Poll::Pending
    }

    /// What stands behind a position, which lies inside or at the end.
    pub(crate) fn poll_next(&mut self, position: u64, context: &mut Context<'_>) -> Poll<Next> {
        let mut growth = self.version.growth();
        growth.is_asked_for = true;
        if let Some(writer) = growth.writer.take() {
            writer.wake();
        }
        let tail = &growth.tail;
        let next = match growth.state {
            // What is not complete is not to look so.
            State::Failed => Next::Failed,
            _ if position < tail.start() => Next::InFile(tail.start()),
            _ if position < tail.end() => Next::Bytes(tail.gather(position)),
            State::Complete => Next::End,
            State::Growing => {
                growth.wait(&mut self.seat, context);
                return Poll::Pending;
            }
        };
        Poll::Ready(next)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut growth = self.version.growth();
        if let Some(place) = growth.place(self.seat) {
            growth.waiting[place] = Waker::noop().clone();
        }
    }
}

impl Growth {
    /// Forgets what nobody is likely to read from memory. The file has the rest.
    fn trim(&mut self) {
        let limit = match self.state {
            _ if !self.is_read => 0,
            State::Growing => TAIL,
            _ => LAST,
        };
        self.tail.trim(limit, PIECES, self.stored);
    }

    fn wait(&mut self, seat: &mut Option<(u64, usize)>, context: &mut Context<'_>) {
        let waker = context.waker();
        match self.place(*seat) {
            Some(place) => self.waiting[place].clone_from(waker),
            None => {
                *seat = Some((self.round, self.waiting.len()));
                self.waiting.push(waker.clone());
            }
        }
    }

    /// The place of a reader that waits; none where it has been woken since.
    fn place(&self, seat: Option<(u64, usize)>) -> Option<usize> {
        let (round, place) = seat?;
        (round == self.round).then_some(place)
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
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::Wake;

    fn version() -> Arc<Version> {
        let file = tempfile::tempfile().expect("there is room");
        Arc::new(Version::new(Arc::new(OpenFile::on_disk(file))))
    }

    fn next(reader: &mut Reader, position: u64) -> Poll<Next> {
        reader.poll_next(position, &mut Context::from_waker(Waker::noop()))
    }

    fn bytes(next: Poll<Next>) -> Bytes {
        match next {
            Poll::Ready(Next::Bytes(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    fn in_file(next: Poll<Next>) -> u64 {
        match next {
            Poll::Ready(Next::InFile(position)) => position,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_reader_gets_what_is_there_then_waits_then_sees_the_end() {
        let version = version();
        let mut reader = Reader::new(version.clone());
        assert!(next(&mut reader, 0).is_pending());
        version.append(Bytes::from_static(b"abc"));
        version.append(Bytes::from_static(b"de"));
        assert_eq!(bytes(next(&mut reader, 0)), "abcde");
        assert_eq!(bytes(next(&mut reader, 4)), "e");
        assert!(next(&mut reader, 5).is_pending());
        version.complete();
        assert!(matches!(next(&mut reader, 5), Poll::Ready(Next::End)));
        version.fail();
        let progress = Progress {
            state: State::Complete,
            length: 5,
            total: Some(5),
        };
        assert_eq!(reader.progress(), progress);
    }

    #[test]
    fn what_has_failed_never_looks_complete() {
        let version = version();
        version.append(Bytes::from_static(b"abc"));
        version.fail();
        let mut reader = Reader::new(version);
        assert!(matches!(next(&mut reader, 0), Poll::Ready(Next::Failed)));
        assert!(matches!(next(&mut reader, 3), Poll::Ready(Next::Failed)));
    }

    #[test]
    fn only_what_is_in_the_file_leaves_memory() {
        let version = version();
        let mut reader = Reader::new(version.clone());
        let piece = Bytes::from(vec![7; 1 << 20]);
        for _ in 0..6 {
            version.append(piece.clone());
        }
        assert_eq!(bytes(next(&mut reader, 0)).len(), 1 << 20);
        version.stored(1 << 20);
        assert_eq!(in_file(next(&mut reader, 0)), 1 << 20);
        version.stored(6 << 20);
        assert_eq!(in_file(next(&mut reader, 0)), 2 << 20);
        assert_eq!(bytes(next(&mut reader, 2 << 20)), piece);
    }

    #[test]
    fn memory_keeps_what_is_stored_from_the_first_reader_on() {
        let version = version();
        version.append(Bytes::from_static(b"abc"));
        version.append(Bytes::from_static(b"de"));
        version.stored(3);
        let mut reader = Reader::new(version.clone());
        assert_eq!(in_file(next(&mut reader, 0)), 3);
        version.stored(5);
        assert_eq!(bytes(next(&mut reader, 3)), "de");
    }

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn everybody_who_waits_is_woken_once() {
        let version = version();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut context = Context::from_waker(&waker);
        let mut reader = Reader::new(version.clone());
        for _ in 0..3 {
            assert!(reader.poll_next(0, &mut context).is_pending());
        }
        let mut gone = Reader::new(version.clone());
        assert!(gone.poll_there(0, &mut context).is_pending());
        drop(gone);
        version.append(Bytes::from_static(b"a"));
        assert_eq!(count.0.load(Relaxed), 1);
        version.append(Bytes::from_static(b"b"));
        assert_eq!(count.0.load(Relaxed), 1);
    }

    #[test]
    fn nobody_waits_for_what_lies_beyond_the_announced_length() {
        let version = version();
        let mut reader = Reader::new(version.clone());
        let mut context = Context::from_waker(Waker::noop());
        assert!(reader.poll_there(9, &mut context).is_pending());
        version.announce(Some(9));
        assert!(reader.poll_there(8, &mut context).is_pending());
        assert!(reader.poll_there(9, &mut context).is_ready());
    }
}
