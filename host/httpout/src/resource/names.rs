//! The names that are being written, and which of their versions counts.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Mutex as AsyncMutex;

use crate::resource::Version;

/// A name in a directory, whatever the path by which it was reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NameId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) name: OsString,
}

/// All names that somebody writes.
#[derive(Debug, Default)]
pub(crate) struct Names {
    register: Mutex<Register>,
    /// Versions that can be followed. As long as there are none, nobody need look.
    followed: AtomicUsize,
}

#[derive(Debug, Default)]
struct Register {
    written: HashMap<NameId, Written>,
    /// The starts of all writes that are not over.
    begun: BTreeSet<u64>,
}

#[derive(Debug, Default)]
struct Written {
    name: Arc<Name>,
    /// How many write it.
    writers: usize,
}

/// A write that is not over, though it may not have come to its name yet.
#[derive(Debug)]
pub(crate) struct Begun {
    names: Arc<Names>,
    /// Orders writes: later ones have larger numbers.
    pub(crate) start: u64,
}

/// A name while somebody writes it.
#[derive(Debug, Default)]
pub(crate) struct Name {
    versions: Mutex<Versions>,
    /// Held by the one who writes parts in place.
    pub(crate) in_place: AsyncMutex<()>,
}

/// The versions of one name, ordered by their start. The name holds what started last of those that are done.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// Whole uploads that run.
    pub(crate) uploads: usize,
    /// The start of what the name holds.
    done: u64,
    /// Those that are readable while they grow.
    followed: Vec<(u64, Arc<Version>)>,
}

/// Holds a name in the list of those that are written.
#[derive(Debug)]
pub(crate) struct Writing {
    names: Arc<Names>,
    id: NameId,
    name: Arc<Name>,
}

impl Names {
    /// Notes a write, in the order of the requests.
    pub(crate) fn begin(self: &Arc<Self>, start: u64) -> Begun {
        self.register().begun.insert(start);
        let names = self.clone();
        Begun { names, start }
    }

    /// Takes part in writing a name.
    pub(crate) fn write(self: &Arc<Self>, id: NameId) -> Writing {
        let mut register = self.register();
        let entry = register.written.entry(id.clone()).or_default();
        entry.writers += 1;
        Writing {
            names: self.clone(),
            id,
            name: entry.name.clone(),
        }
    }

    /// Whether a name may have a version that is read while it grows, whatever its directory.
    pub(crate) fn may_be_followed(&self, name: &[u8]) -> bool {
        let has_name = |id: &NameId| id.name.as_bytes() == name;
        self.followed.load(Relaxed) > 0 && self.register().written.keys().any(has_name)
    }

    /// The version of a name that is read while it grows.
    pub(crate) fn followed(&self, id: &NameId) -> Option<Arc<Version>> {
        let name = self.register().written.get(id)?.name.clone();
        name.versions().newest()
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().expect("no holder panics")
    }
}

impl Register {
    /// Forgets names that nobody writes, unless a write that began before what they hold may still come to them.
    fn forget(&mut self) {
        let oldest = self.begun.first().copied().unwrap_or(u64::MAX);
        self.written
            .retain(|_, entry| entry.writers > 0 || entry.name.versions().done > oldest);
    }
}

impl Name {
    pub(crate) fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().expect("no holder panics")
    }
}

impl Versions {
    /// Whether what started then still has a say: nothing that started later is done.
    pub(crate) fn counts(&self, start: u64) -> bool {
        start > self.done
    }

    /// What started then is what the name holds.
    pub(crate) fn set_done(&mut self, start: u64) {
        self.done = self.done.max(start);
    }

    fn newest(&self) -> Option<Arc<Version>> {
        let newest = self.followed.iter().max_by_key(|(start, _)| *start)?;
        self.counts(newest.0).then(|| newest.1.clone())
    }
}

impl Writing {
    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// Makes a version readable while it grows.
    pub(crate) fn follow(&self, start: u64, version: Arc<Version>) {
        self.name.versions().followed.push((start, version));
        self.names.followed.fetch_add(1, Relaxed);
    }

    /// The version that started then does not grow any more.
    pub(crate) fn unfollow(&self, start: u64) {
        let mut versions = self.name.versions();
        let before = versions.followed.len();
        versions.followed.retain(|(other, _)| *other != start);
        let gone = before - versions.followed.len();
        self.names.followed.fetch_sub(gone, Relaxed);
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut register = self.names.register();
        if let Some(entry) = register.written.get_mut(&self.id) {
            entry.writers -= 1;
        }
        register.forget();
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut register = self.names.register();
        register.begun.remove(&self.start);
        register.forget();
    }
}
