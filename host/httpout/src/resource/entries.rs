//! What a directory holds, as far as it can be fetched.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::fs::MetadataExt as _;
use rustix::fs::{self, Access, AtFlags, FileType, statat};

use crate::error::Reject;
use crate::resource::directory::{Directory, Identity};
use crate::resource::disk::Disk;
use crate::resource::{Mounts, Names, Version};

/// A file or directory in a directory.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// One name; its bytes need not be UTF-8.
    pub(crate) name: Box<[u8]>,
    pub(crate) kind: Kind,
    /// Mount points have no date.
    pub(crate) modified: Option<SystemTime>,
}

/// What an entry leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    /// Its length in bytes.
    File(u64),
}

impl Mounts {
    /// The entries of the directory of a normalized path: directories first, then by the bytes of their names.
    ///
    /// Where several directories stand at one place, an entry is that of the first that has it.
    /// What is being written is told as it is by now.
    pub(crate) fn entries(&self, path: &[u8], names: &Names) -> Result<Vec<Entry>, Reject> {
        let points = self.mount_points_below(path);
        let points = points.filter(|name| !is_hidden(name)).map(|name| Entry {
            name: name.into(),
            kind: Kind::Directory,
            modified: None,
        });
        let mut entries: Vec<Entry> = points.collect();
        match self.read(path, names, &mut entries) {
            Ok(()) => {}
            Err(_) if self.mount_points_below(path).next().is_some() => {}
            Err(reject) => return Err(reject),
        }
        // Both sorts keep the order of equals: of equal names the first stays.
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries.dedup_by(|later, first| later.name == first.name);
        entries.sort_by_key(|entry| entry.kind != Kind::Directory);
        Ok(entries)
    }

    /// Adds what is in the directories of that path: the first error, unless one of them can be read.
    fn read(&self, path: &[u8], names: &Names, entries: &mut Vec<Entry>) -> Result<(), Reject> {
        let (directories, below) = self.directories(path)?;
        let mut result = Err(Reject::NotFound);
        for directory in directories {
            // Before what it takes the place of.
            let has_growing = directory.list_growing(below, names, entries);
            match directory.list(below, entries) {
                Ok(()) => result = Ok(()),
                // In memory it is all that makes the directory.
                Err(Reject::NotFound) if has_growing => result = Ok(()),
                Err(reject) if matches!(result, Err(Reject::NotFound)) => result = Err(reject),
                Err(_) => {}
            }
        }
        result
    }
}

impl Directory {
    /// Adds what the directory of a path below this one holds.
    fn list(&self, path: &[u8], entries: &mut Vec<Entry>) -> Result<(), Reject> {
        match self {
            Directory::Disk(disk) => disk.list(path, entries),
            Directory::Memory(memory) => memory.list(path, entries),
        }
    }

    /// Adds what is being written in that directory, and can be read meanwhile; whether there is any.
    fn list_growing(&self, path: &[u8], names: &Names, entries: &mut Vec<Entry>) -> bool {
        let before = entries.len();
        let growing = self.growing_below(path, names);
        entries.extend(
            growing
                .iter()
                .filter_map(|(path, version)| growing_entry(path, version)),
        );
        entries.len() > before
    }

    /// Whether a path is that of a directory that is there because something is being written in it.
    pub(super) fn is_growing_directory(&self, path: &[u8], names: &Names) -> bool {
        // On disk it is made before.
        matches!(self, Directory::Memory(_)) && !self.growing_below(path, names).is_empty()
    }

    /// What is being written below the directory of a path, as far as it can be read, with the rest of its path. On disk
    /// this is what is in that directory itself.
    fn growing_below(&self, path: &[u8], names: &Names) -> Vec<(Vec<u8>, Arc<Version>)> {
        let prefix = match path.strip_suffix(b"/").unwrap_or(path) {
            b"" => Vec::new(),
            path => [path, b"/"].concat(),
        };
        let Some(id) = self.name_id(&[&prefix[..], b"x"].concat()) else {
            return Vec::new();
        };
        let mut growing = names.followed_beside(&id);
        if matches!(self, Directory::Memory(_)) {
            // A name is the whole path.
            growing.retain(|(name, _)| name.starts_with(&prefix));
            growing
                .iter_mut()
                .for_each(|(name, _)| drop(name.drain(..prefix.len())));
        }
        growing
    }
}

impl Disk {
    fn list(&self, path: &[u8], entries: &mut Vec<Entry>) -> Result<(), Reject> {
        let opened = self.open_directory(path)?;
        let failed = |error: rustix::io::Errno| Reject::Read(error.into());
        for found in fs::Dir::read_from(&opened).map_err(failed)? {
            let found = found.map_err(failed)?;
            let name = found.file_name().to_bytes();
            if is_hidden(name) {
                continue;
            }
            entries.extend(match found.file_type() {
                FileType::Symlink => self.follow(path, name),
                FileType::RegularFile | FileType::Directory | FileType::Unknown => {
                    look_at(&opened, name).or_else(|| self.follow(path, name))
                }
                _ => None,
            });
        }
        Ok(())
    }

    /// What a link leads to, below the handle.
    fn follow(&self, directory: &[u8], name: &[u8]) -> Option<Entry> {
        let path = Path::new(OsStr::from_bytes(directory)).join(OsStr::from_bytes(name));
        let found = self.dir().metadata(&path).ok()?;
        let kind = kind(found.mode(), found.len())?;
        let modified = found.modified().ok()?.into_std();
        may_read(self.dir(), path.as_os_str().as_bytes(), found.mode()).then(|| Entry {
            name: name.into(),
            kind,
            modified: Some(modified),
        })
    }
}

/// The entry of what is being written at a path, which may lead on to other directories.
fn growing_entry(path: &[u8], version: &Version) -> Option<Entry> {
    let name = path.split(|&byte| byte == b'/').next()?;
    let (kind, modified) = match name.len() == path.len() {
        true => {
            let stat = fs::fstat(version.file()).ok()?;
            let modified = Identity::of(&stat).modified();
            (Kind::File(version.length()), Some(modified))
        }
        false => (Kind::Directory, None),
    };
    (!is_hidden(name)).then(|| Entry {
        name: name.into(),
        kind,
        modified,
    })
}

/// The entry of that name, if it is no link.
fn look_at(directory: impl AsFd, name: &[u8]) -> Option<Entry> {
    let stat = statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let identity = Identity::of(&stat);
    let kind = kind(stat.st_mode, identity.size)?;
    may_read(directory, name, stat.st_mode).then(|| Entry {
        name: name.into(),
        kind,
        modified: Some(identity.modified()),
    })
}

fn kind(mode: u32, length: u64) -> Option<Kind> {
    match FileType::from_raw_mode(mode) {
        FileType::Directory => Some(Kind::Directory),
        FileType::RegularFile => Some(Kind::File(length)),
        _ => None,
    }
}

/// Whether the server can fetch it. What everybody may read needs no further call.
fn may_read(directory: impl AsFd, path: &[u8], mode: u32) -> bool {
    let (bits, access) = match FileType::from_raw_mode(mode) {
        FileType::Directory => (0o555, Access::READ_OK | Access::EXEC_OK),
        _ => (0o444, Access::READ_OK),
    };
    mode & bits == bits || fs::accessat(directory, path, access, AtFlags::EACCESS).is_ok()
}

/// Hidden names begin with a dot; so do `.`, `..` and the directory of uploads in progress.
pub(super) fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".")
}
