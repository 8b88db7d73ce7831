//! Files kept at hand for the next request: small ones in memory, larger ones open.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rustix::process::{Resource, getrlimit};
use tokio::task::spawn_blocking;

use crate::resource::directory::is_deleted;
use crate::resource::disk::Trail;
use crate::resource::files::{Representation, Source};

/// All files kept in memory together, in bytes.
const MEMORY: u64 = 64 << 20;

/// What an entry costs beside its content, roughly, in bytes.
const ENTRY: u64 = 512;

/// The most files kept open.
const OPEN: u64 = 256;

/// How often the open files are looked through: a deleted one keeps its space on disk until then.
const SWEEP: Duration = Duration::from_secs(10);

/// A file for which nobody asked between so many sweeps is closed.
const IDLE_SWEEPS: u8 = 6;

/// Files by the path of their request.
pub(super) struct KeptFiles {
    small: Cache<Box<[u8]>, Arc<Kept>, ByBytes>,
    open: Cache<Box<[u8]>, Arc<Kept>>,
}

/// A file, and how to see that it is still the one on disk.
pub(super) struct Kept {
    pub(super) representation: Arc<Representation>,
    pub(super) trail: Trail,
    /// Sweeps since it was last asked for.
    idle: AtomicU8,
}

impl KeptFiles {
    /// Sweeps until it is dropped: needs a runtime.
    pub(super) fn new() -> Arc<KeptFiles> {
        let items = usize::try_from(MEMORY / ENTRY / 4).unwrap_or(usize::MAX);
        let kept = Arc::new(KeptFiles {
            small: Cache::with_weighter(items, MEMORY, ByBytes),
            open: Cache::new(most_open()),
        });
        tokio::spawn(sweep_regularly(Arc::downgrade(&kept)));
        kept
    }

    /// Whether it is still what is on disk is for the caller to see.
    pub(super) fn get(&self, path: &[u8]) -> Option<Arc<Kept>> {
        self.small.get(path).or_else(|| {
            let kept = self.open.get(path);
            kept.inspect(|kept| kept.idle.store(0, Relaxed))
        })
    }

    /// Takes the place of what is kept for that path.
    pub(super) fn keep(&self, path: &[u8], representation: Arc<Representation>, trail: Trail) {
        let kept = Arc::new(Kept {
            representation,
            trail,
            idle: AtomicU8::new(0),
        });
        match kept.representation.source {
            Source::Memory(_) => {
                self.open.remove(path);
                self.small.insert(path.into(), kept);
            }
            Source::Disk(_) => {
                self.small.remove(path);
                self.open.insert(path.into(), kept);
            }
        }
    }

    pub(super) fn forget(&self, path: &[u8]) {
        self.small.remove(path);
        self.open.remove(path);
    }

    /// Closes files that are deleted, or that nobody asks for.
    fn sweep(&self) {
        for (path, kept) in self.open.iter() {
            if kept.idle.fetch_add(1, Relaxed) >= IDLE_SWEEPS || kept.is_deleted() {
                self.open.remove(&path);
            }
        }
    }
}

impl Kept {
    fn is_deleted(&self) -> bool {
        match &self.representation.source {
            Source::Memory(_) => false,
            Source::Disk(file) => is_deleted(file),
        }
    }
}

/// Connections need descriptors too.
fn most_open() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(OPEN.min(limit / 4)).unwrap_or(usize::MAX)
}

async fn sweep_regularly(kept: Weak<KeptFiles>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(kept) = kept.upgrade() else {
            return;
        };
        if !kept.open.is_empty() {
            // To close the last handle of a large deleted file takes time.
            let _ = spawn_blocking(move || kept.sweep()).await;
        }
    }
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Box<[u8]>, Arc<Kept>> for ByBytes {
    fn weight(&self, path: &Box<[u8]>, kept: &Arc<Kept>) -> u64 {
        path.len() as u64 + kept.representation.length + ENTRY
    }
}
