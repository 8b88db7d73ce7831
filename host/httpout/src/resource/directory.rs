//! A directory that is exposed: on disk, or in memory.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{Stat, fstat};

use crate::error::Reject;
use crate::presentation::{self, Key};
use crate::rdirs::Location;
use crate::resource::disk::{Disk, Trail};
use crate::resource::names::NameId;
use crate::resource::{Memory, OpenFile};

/// An exposed directory, whose files are found by their paths below it.
#[derive(Debug)]
pub(crate) enum Directory {
    Disk(Disk),
    Memory(Arc<Memory>),
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// In bytes.
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i128,
    /// Nanoseconds since 1970.
    pub(crate) changed: i128,
}

impl Directory {
    /// Opens an existing directory; `memory` is that of the process.
    pub(crate) fn open(location: &Location, memory: &Arc<Memory>) -> io::Result<Directory> {
        match location {
            Location::Disk(path) => Disk::open(path).map(Directory::Disk),
            Location::Memory => Ok(Directory::Memory(memory.clone())),
        }
    }

    /// Opens a regular file by its path below the directory.
    pub(crate) fn open_file(&self, path: &[u8]) -> Result<(Arc<OpenFile>, Identity), Reject> {
        match self {
            Directory::Disk(disk) => disk.open_file(path),
            Directory::Memory(memory) => memory.open_file(path),
        }
    }

    /// The way to the file that is there now; none where it cannot be told later whether it is still the same.
    pub(crate) fn trail(&self, path: &[u8]) -> Option<Trail> {
        match self {
            Directory::Disk(disk) => disk.trail(path),
            // It is open already.
            Directory::Memory(_) => None,
        }
    }

    /// Whether a path still leads over the same directories to the same, unchanged file.
    pub(crate) fn still_leads(&self, path: &[u8], trail: &Trail) -> bool {
        match self {
            Directory::Disk(disk) => disk.still_leads(path, trail),
            Directory::Memory(_) => false,
        }
    }

    /// A file below it, as presentations know it.
    pub(crate) fn key(&self, path: &[u8]) -> Key {
        match self {
            Directory::Disk(disk) => presentation::below(disk.key(), path),
            Directory::Memory(memory) => presentation::below(memory.key(), path),
        }
    }

    /// What tells the name at a path from all others; none where its directory does not exist.
    pub(crate) fn name_id(&self, path: &[u8]) -> Option<NameId> {
        match self {
            Directory::Disk(disk) => disk.name_id(path),
            Directory::Memory(_) => Some(Memory::name_id(path)),
        }
    }
}

impl Identity {
    pub(crate) fn of(stat: &Stat) -> Identity {
        let nanoseconds =
            |seconds: i64, rest: u64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Identity {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// Whether it is the same file with the same content, also if it has got another name since.
    pub(crate) fn has_same_content(&self, other: &Identity) -> bool {
        let facts = |one: &Identity| (one.device, one.inode, one.size, one.modified);
        facts(self) == facts(other)
    }

    /// The strong entity tag of the content, with its quotes.
    pub(crate) fn etag(&self) -> String {
        format!("\"{:x}-{:x}-{:x}\"", self.modified, self.size, self.inode)
    }

    /// When the content was last modified.
    pub(crate) fn modified(&self) -> SystemTime {
        let since = u64::try_from(self.modified).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_nanos(since)
    }

    /// Whether a later change is bound to show in the times: file systems count them in steps of up to 2 s, and what
    /// is written twice in one step looks unchanged.
    pub(crate) fn is_settled(&self) -> bool {
        const COARSEST_STEP: Duration = Duration::from_secs(2);
        let since = u64::try_from(self.changed).unwrap_or(0);
        let changed = SystemTime::UNIX_EPOCH + Duration::from_nanos(since);
        changed.elapsed().is_ok_and(|age| age > COARSEST_STEP)
    }
}

/// The path of a directory, and what the whole path names in it: `a/b/c` gives `a/b` and `c`.
pub(crate) fn split_name(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&path[..0], path),
    }
}

/// Whether no name leads to an open file. To close its last handle takes time where it is large.
pub(crate) fn is_deleted(file: &File) -> bool {
    fstat(file).is_ok_and(|stat| stat.st_nlink == 0)
}
