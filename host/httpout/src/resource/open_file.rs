//! An open file, and the room that it takes where that is bounded.

use std::fs::File;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::Reject;

/// What memory is given in, in bytes.
const PAGE: u64 = 4 << 10;

/// A file that is open for as long as somebody holds it, also when no name leads to it.
#[derive(Debug)]
pub(crate) struct OpenFile {
    // Closed before its room is given back.
    file: File,
    /// None on disk, where the file system sets the bounds.
    room: Option<Room>,
}

/// What a file takes of a bounded memory.
#[derive(Debug)]
pub(super) struct Room {
    quota: Arc<Quota>,
    /// In bytes.
    taken: AtomicU64,
}

/// A bound on what files take together, those too that are only held by their readers.
#[derive(Debug)]
pub(super) struct Quota {
    /// In bytes; none is unlimited.
    limit: Option<u64>,
    /// In bytes.
    taken: AtomicU64,
}

impl OpenFile {
    pub(crate) fn on_disk(file: File) -> OpenFile {
        OpenFile { file, room: None }
    }

    pub(super) fn in_memory(file: File, room: Room) -> OpenFile {
        OpenFile {
            file,
            room: Some(room),
        }
    }

    /// Its first bytes, if it has so many. May block.
    pub(crate) fn beginning(&self, count: u64) -> Option<Vec<u8>> {
        let mut content = vec![0; usize::try_from(count).ok()?];
        self.file.read_exact_at(&mut content, 0).ok()?;
        Some(content)
    }

    /// Makes sure that the file may have so many bytes, before they are written.
    ///
    /// # Errors
    /// 507 where they do not fit into a bounded memory.
    pub(crate) fn reserve(&self, length: u64) -> Result<(), Reject> {
        match &self.room {
            Some(room) => room.grow_to(length),
            None => Ok(()),
        }
    }
}

impl Deref for OpenFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Quota {
    pub(super) fn new(limit: Option<u64>) -> Arc<Quota> {
        Arc::new(Quota {
            limit,
            taken: AtomicU64::new(0),
        })
    }

    /// Room for an empty file that costs so many bytes in itself.
    pub(super) fn room(self: &Arc<Quota>, bytes: u64) -> Result<Room, Reject> {
        self.take(bytes)?;
        Ok(Room {
            quota: self.clone(),
            taken: AtomicU64::new(bytes),
        })
    }

    fn take(&self, bytes: u64) -> Result<(), Reject> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let with_these = |taken: u64| taken.checked_add(bytes).filter(|sum| *sum <= limit);
        let taken = self.taken.fetch_update(Relaxed, Relaxed, with_these);
        taken.map_or(Err(Reject::MemoryFull { limit }), |_| Ok(()))
    }
}

impl Room {
    fn grow_to(&self, length: u64) -> Result<(), Reject> {
        let wanted = length.div_ceil(PAGE).saturating_mul(PAGE);
        // A file has one writer at a time.
        let taken = self.taken.load(Relaxed);
        if wanted > taken {
            self.quota.take(wanted - taken)?;
            self.taken.store(wanted, Relaxed);
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.quota.limit.is_some() {
            self.quota.taken.fetch_sub(*self.taken.get_mut(), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_in_pages_and_given_back_with_the_last_holder() {
        let quota = Quota::new(Some(5 * PAGE));
        let taken = || quota.taken.load(Relaxed);
        let file = |bytes| {
            let room = quota.room(bytes).expect("fits");
            OpenFile::in_memory(tempfile::tempfile().expect("there is room"), room)
        };
        let (one, other) = (file(100), file(100));
        one.reserve(1).expect("fits");
        one.reserve(2 * PAGE + 1).expect("fits");
        one.reserve(2 * PAGE).expect("is there already");
        assert_eq!(taken(), 3 * PAGE + 100);
        let refused = other.reserve(2 * PAGE + 1);
        assert!(matches!(refused, Err(Reject::MemoryFull { .. })));
        other.reserve(PAGE).expect("fits");
        drop(one);
        other.reserve(5 * PAGE).expect("the other is gone");
        drop(other);
        assert_eq!(taken(), 0);
    }
}
