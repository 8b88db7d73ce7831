//! The names that are being written, and which of their versions counts.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Mutex as AsyncMutex;

use crate::presentation::Presentations;
use crate::resource::directory::split_name;
use crate::resource::{Directory, Version};

/// A name in a directory, whatever the path by which it was reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NameId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) name: OsString,
}

/// All names that somebody writes, in all servers of the process.
///
/// Writes of a name are ordered by their beginning: the name holds what began last of those that are done.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Held for moments only: never while the disk is touched.
    register: Mutex<Register>,
    /// Versions that can be followed. As long as there are none, nobody need look.
    followed: AtomicUsize,
    /// What is known of what is written to them.
    pub(crate) presentations: Arc<Presentations>,
}

#[derive(Debug, Default)]
struct Register {
    last: u64,
    /// The writes that have begun and not come to their names yet.
    begun: BTreeSet<u64>,
    written: HashMap<NameId, Written>,
    /// Of those written, the names that nobody writes. They are kept for writes that began earlier.
    ended: Vec<NameId>,
}

/// A name, while somebody writes it.
#[derive(Debug, Default)]
struct Written {
    writers: usize,
    /// Whole uploads among them.
    uploads: usize,
    /// The beginning of what the name holds.
    done: u64,
    /// The versions that are readable while they grow, by their beginning.
    followed: Vec<(u64, Arc<Version>)>,
    locks: Arc<Locks>,
}

/// Who touches the file of a name, one at a time.
#[derive(Debug, Default)]
struct Locks {
    /// Where a file is put in place or removed. Taken on threads that may block.
    disk: Mutex<()>,
    /// While a file is written in place.
    in_place: Arc<AsyncMutex<()>>,
}

/// A write that has begun. What it writes comes before that of all that begin later.
#[derive(Debug)]
pub(crate) struct Begun {
    names: Arc<Names>,
    start: u64,
}

/// How a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Whole,
    InPlace,
    Removed,
}

/// A write that has come to its name.
#[derive(Debug)]
pub(crate) struct Writing {
    names: Arc<Names>,
    id: NameId,
    start: u64,
    manner: Manner,
    locks: Arc<Locks>,
}

impl Names {
    /// Notes a write, in the order of the requests.
    pub(crate) fn begin(self: &Arc<Self>) -> Begun {
        let mut register = self.register();
        register.last += 1;
        let start = register.last;
        register.begun.insert(start);
        let names = self.clone();
        Begun { names, start }
    }

    /// The version that is read in place of the file at a path below an exposed directory.
    pub(crate) fn followed_at(&self, directory: &Directory, path: &[u8]) -> Option<Arc<Version>> {
        // To look the directory up takes system calls.
        if !self.may_be_followed(split_name(path).1) {
            return None;
        }
        self.followed(&directory.name_id(path)?)
    }

    /// The versions that are read while they grow, of the names beside that one.
    pub(super) fn followed_beside(&self, id: &NameId) -> Vec<(Vec<u8>, Arc<Version>)> {
        if self.followed.load(Relaxed) == 0 {
            return Vec::new();
        }
        let register = self.register();
        let written = register.written.iter();
        let beside = written
            .filter(|(other, _)| (other.device, other.inode) == (id.device, id.inode))
            .filter_map(|(other, written)| Some((other.name.as_bytes(), written.newest()?)));
        beside
            .map(|(name, version)| (name.to_vec(), version.clone()))
            .collect()
    }

    /// Whether a name may have a version that is read while it grows, whatever its directory.
    fn may_be_followed(&self, name: &[u8]) -> bool {
        // In memory the name is the whole path.
        let has_name = |id: &NameId| id.name.as_bytes().ends_with(name);
        self.followed.load(Relaxed) > 0 && self.register().written.keys().any(has_name)
    }

    /// The version of a name that is read while it grows.
    fn followed(&self, id: &NameId) -> Option<Arc<Version>> {
        let register = self.register();
        register.written.get(id)?.newest().cloned()
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().expect("no holder panics")
    }
}

impl Written {
    /// The version that is read while it grows.
    fn newest(&self) -> Option<&Arc<Version>> {
        let (start, newest) = self.followed.iter().max_by_key(|(start, _)| *start)?;
        (*start > self.done).then_some(newest)
    }
}

impl Register {
    /// Forgets names that nobody writes, unless a write that began before what they hold may still come to them.
    fn forget_ended(&mut self) {
        let oldest = self.begun.first().copied().unwrap_or(u64::MAX);
        let Register { written, ended, .. } = self;
        ended.retain(|id| match written.get(id) {
            Some(entry) if entry.writers == 0 && entry.done > oldest => true,
            Some(entry) if entry.writers == 0 => {
                written.remove(id);
                false
            }
            // Somebody writes it again, and will end it again.
            _ => false,
        });
    }
}

impl Begun {
    /// Comes to a name.
    pub(crate) fn write(self, id: NameId, manner: Manner) -> Writing {
        let locks = {
            let mut register = self.names.register();
            let written = register.written.entry(id.clone()).or_default();
            written.writers += 1;
            written.uploads += usize::from(manner == Manner::Whole);
            written.locks.clone()
        };
        Writing {
            names: self.names.clone(),
            id,
            start: self.start,
            manner,
            locks,
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut register = self.names.register();
        register.begun.remove(&self.start);
        register.forget_ended();
    }
}

impl Writing {
    pub(crate) fn id(&self) -> &NameId {
        &self.id
    }

    /// Makes its version readable while it grows.
    pub(crate) fn follow(&self, version: Arc<Version>) {
        self.with(|written| written.followed.push((self.start, version)));
        self.names.followed.fetch_add(1, Relaxed);
    }

    /// Its version is not found by its name any more.
    pub(crate) fn unfollow(&self) {
        let unfollowed = self.with(|written| {
            let before = written.followed.len();
            written.followed.retain(|(start, _)| *start != self.start);
            before - written.followed.len()
        });
        self.names.followed.fetch_sub(unfollowed, Relaxed);
    }

    /// Whether what is written still has a say: nothing that began later is done.
    pub(crate) fn counts(&self) -> bool {
        self.with(|written| self.start > written.done)
    }

    /// What is written is what the name holds.
    pub(crate) fn set_done(&self) {
        self.with(|written| written.done = written.done.max(self.start));
    }

    /// How many whole uploads of the name run.
    pub(crate) fn uploads(&self) -> usize {
        self.with(|written| written.uploads)
    }

    /// Nobody else puts the file of this name in place or removes it meanwhile. May block.
    pub(crate) fn lock_disk(&self) -> MutexGuard<'_, ()> {
        self.locks.disk.lock().expect("no holder panics")
    }

    /// Whose turn it is to write the file in place.
    pub(crate) fn in_place(&self) -> Arc<AsyncMutex<()>> {
        self.locks.in_place.clone()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Written) -> T) -> T {
        let mut register = self.names.register();
        act(register.written.entry(self.id.clone()).or_default())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.unfollow();
        let mut register = self.names.register();
        let Some(written) = register.written.get_mut(&self.id) else {
            return;
        };
        written.uploads -= usize::from(self.manner == Manner::Whole);
        written.writers -= 1;
        if written.writers == 0 {
            register.ended.push(self.id.clone());
            register.forget_ended();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> NameId {
        NameId {
            device: 1,
            inode: 2,
            name: "a".into(),
        }
    }

    fn known(names: &Names) -> usize {
        names.register().written.len()
    }

    #[test]
    fn what_began_earlier_does_not_replace_what_is_done() {
        let names = Arc::new(Names::default());
        let (early, late) = (names.begin(), names.begin());
        let late = late.write(id(), Manner::Whole);
        assert!(late.counts());
        late.set_done();
        drop(late);
        // It has begun, though it came to its name when nobody else wrote it.
        let early = early.write(id(), Manner::Whole);
        assert!(!early.counts());
        drop(early);
        assert_eq!(known(&names), 0);
        assert!(names.begin().write(id(), Manner::Whole).counts());
    }

    #[test]
    fn names_are_kept_no_longer_than_somebody_may_come() {
        let names = Arc::new(Names::default());
        let waiting = names.begin();
        for _ in 0..3 {
            let removed = names.begin().write(id(), Manner::Removed);
            removed.set_done();
        }
        assert_eq!(known(&names), 1);
        let long = waiting.write(id(), Manner::Whole);
        let other = NameId { inode: 3, ..id() };
        names.begin().write(other, Manner::Removed).set_done();
        assert_eq!(known(&names), 1);
        drop(long);
        assert_eq!(known(&names), 0);
        assert!(names.register().ended.is_empty());
    }
}
