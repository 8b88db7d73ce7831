//! Files in memory, by path (documents: httpout, `gmem`).
//!
//! Each is a file without a name, so that all that is done with files on disk is done with them: the kernel sends them,
//! parts of them are written in place, and those who read one that was removed read on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustix::fs::fstat;

use crate::error::Reject;
use crate::rdirs::GMEM;
use crate::resource::directory::{Identity, split_name};
use crate::resource::entries::{Entry, Kind, is_hidden};
use crate::resource::names::NameId;
use crate::resource::open_file::{OpenFile, Quota};

/// What a file costs beside its content, roughly, in bytes.
const FILE: u64 = 1 << 10;

/// The directory `gmem`. Directories in it are there as long as they hold a file.
#[derive(Debug)]
pub(crate) struct Memory {
    quota: Arc<Quota>,
    register: RwLock<Register>,
    key: Arc<[u8]>,
}

#[derive(Debug, Default)]
struct Register {
    files: BTreeMap<Box<[u8]>, Named>,
    last: u64,
}

/// A file that has a name.
#[derive(Debug)]
struct Named {
    file: Arc<OpenFile>,
    /// Of two files, that which came later to its name has the larger one.
    order: u64,
}

impl Memory {
    /// `limit` is what all files may take together, in bytes; none is unlimited.
    pub(crate) fn new(limit: Option<u64>) -> Arc<Memory> {
        Arc::new(Memory {
            quota: Quota::new(limit),
            register: RwLock::default(),
            key: GMEM.as_bytes().into(),
        })
    }

    /// What it is called where files are known by keys: no path on disk, which begin with a slash.
    pub(super) fn key(&self) -> &Arc<[u8]> {
        &self.key
    }

    /// The file at a path, as [`super::Directory::open_file`] finds it.
    pub(super) fn open_file(&self, path: &[u8]) -> Result<(Arc<OpenFile>, Identity), Reject> {
        let register = self.read();
        match register.files.get(path) {
            Some(named) => {
                let file = named.file.clone();
                let identity = identity(&file)?;
                Ok((file, identity))
            }
            None if register.is_directory(path) => Err(Reject::Directory),
            None => Err(Reject::NotFound),
        }
    }

    /// Adds what the directory of a path holds.
    pub(super) fn list(&self, path: &[u8], entries: &mut Vec<Entry>) -> Result<(), Reject> {
        let register = self.read();
        if !register.is_directory(path) {
            return Err(Reject::NotFound);
        }
        let prefix = directory_prefix(path);
        for (path, named) in register.below(&prefix) {
            let below = &path[prefix.len()..];
            let name = below.split(|&byte| byte == b'/').next().unwrap_or(below);
            if is_hidden(name) || entries.last().is_some_and(|last| *last.name == *name) {
                continue;
            }
            let identity = identity(&named.file)?;
            let (kind, modified) = match name.len() == below.len() {
                true => (Kind::File(identity.size), Some(identity.modified())),
                false => (Kind::Directory, None),
            };
            entries.push(Entry {
                name: name.into(),
                kind,
                modified,
            });
        }
        Ok(())
    }

    /// What tells a path from all others, and from all names on disk.
    pub(super) fn name_id(path: &[u8]) -> NameId {
        use std::os::unix::ffi::OsStrExt as _;
        NameId {
            device: u64::MAX,
            inode: u64::MAX,
            name: std::ffi::OsStr::from_bytes(path).to_owned(),
        }
    }

    /// The file that a path holds before it is written.
    ///
    /// # Errors
    /// 409 where it is a directory, or leads through a file.
    pub(super) fn current(&self, path: &[u8]) -> Result<Option<Identity>, Reject> {
        let register = self.read();
        register.check_place(path)?;
        let named = register.files.get(path);
        named.map(|named| identity(&named.file)).transpose()
    }

    /// An empty file without a name.
    ///
    /// # Errors
    /// 507 where there is no room for it.
    pub(super) fn create(&self, path: &[u8]) -> Result<Arc<OpenFile>, Reject> {
        let room = self.quota.room(FILE + path.len() as u64)?;
        let file = anonymous_file().map_err(Reject::Write)?;
        Ok(Arc::new(OpenFile::in_memory(file, room)))
    }

    /// Gives a file its name, in place of what has that name.
    pub(super) fn publish(&self, path: &[u8], file: Arc<OpenFile>) -> Result<(), Reject> {
        let mut register = self.write();
        register.check_place(path)?;
        register.last += 1;
        let order = register.last;
        let last = register.files.insert(path.into(), Named { file, order });
        // To free a large file takes time.
        drop(register);
        drop(last);
        Ok(())
    }

    /// Removes a file; whether it was there.
    pub(super) fn remove(&self, path: &[u8]) -> bool {
        let removed = self.write().files.remove(path);
        removed.is_some()
    }

    /// Removes a file unless another has come to its name; whether it was there.
    pub(super) fn remove_same(&self, path: &[u8], order: u64) -> bool {
        let mut register = self.write();
        let is_same = |named: &Named| named.order == order;
        if !register.files.get(path).is_some_and(is_same) {
            return false;
        }
        let removed = register.files.remove(path);
        drop(register);
        removed.is_some()
    }

    /// When a file came to its name, before or after others.
    pub(super) fn order(&self, path: &[u8]) -> Option<u64> {
        self.read().files.get(path).map(|named| named.order)
    }

    /// The files whose paths begin with these bytes and are wanted, and when they came.
    pub(super) fn find(
        &self,
        prefix: &[u8],
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Vec<(u64, Box<[u8]>)> {
        let register = self.read();
        let found = register.below(prefix).filter(|(path, _)| is_wanted(path));
        found
            .map(|(path, named)| (named.order, path.into()))
            .collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Register> {
        self.register.read().expect("no holder panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Register> {
        self.register.write().expect("no holder panics")
    }
}

impl Register {
    /// The files whose paths begin with these bytes, and go on, in the order of their paths.
    fn below<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a [u8], &'a Named)> {
        let after = (Excluded(prefix), Unbounded);
        let all = self.files.range::<[u8], _>(after);
        let all = all.map(|(path, named)| (&**path, named));
        all.take_while(move |(path, _)| path.starts_with(prefix))
    }

    /// The root is always there.
    fn is_directory(&self, path: &[u8]) -> bool {
        path.is_empty() || self.below(&directory_prefix(path)).next().is_some()
    }

    /// Whether a file may stand at a path.
    fn check_place(&self, path: &[u8]) -> Result<(), Reject> {
        if self.is_directory(path) {
            return Err(Reject::Conflict("a directory has this name"));
        }
        let mut parents = split_name(path).0;
        while !parents.is_empty() {
            if self.files.contains_key(parents) {
                let reason = "a file stands where the path needs a directory";
                return Err(Reject::Conflict(reason));
            }
            parents = split_name(parents).0;
        }
        Ok(())
    }
}

/// What the paths below a directory begin with.
fn directory_prefix(path: &[u8]) -> Vec<u8> {
    let mut prefix = path.to_vec();
    if !matches!(path.last(), None | Some(b'/')) {
        prefix.push(b'/');
    }
    prefix
}

fn identity(file: &OpenFile) -> Result<Identity, Reject> {
    let stat = fstat(file).map_err(|error| Reject::Read(error.into()))?;
    Ok(Identity::of(&stat))
}

#[cfg(target_os = "linux")]
fn anonymous_file() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    let file = memfd_create("httpout", MemfdFlags::CLOEXEC)?;
    Ok(file.into())
}

/// Where there are no such files, one on disk that loses its name at once: its pages stay in the cache of the system.
#[cfg(not(target_os = "linux"))]
fn anonymous_file() -> io::Result<File> {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Relaxed);
    let path = std::env::temp_dir().join(format!("httpout-{}-{number}", std::process::id()));
    let mut options = File::options();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn memory(paths: &[&str]) -> Arc<Memory> {
        let memory = Memory::new(None);
        for path in paths {
            let path = path.as_bytes();
            let file = memory.create(path).expect("there is room");
            (&**file).write_all(path).expect("there is room");
            memory.publish(path, file).expect("is free");
        }
        memory
    }

    fn names(memory: &Memory, path: &str) -> Vec<String> {
        let mut entries = Vec::new();
        let _ = memory.list(path.as_bytes(), &mut entries);
        let name = |entry: &Entry| String::from_utf8_lossy(&entry.name).into_owned();
        entries.iter().map(name).collect()
    }

    #[test]
    fn directories_are_there_as_long_as_they_hold_something() {
        let memory = memory(&["a", "b/c", "b/d/e", "b-", "b/.hidden"]);
        assert_eq!(names(&memory, ""), ["a", "b-", "b"]);
        assert_eq!(names(&memory, "b/"), ["c", "d"]);
        assert_eq!(names(&memory, "b"), ["c", "d"]);
        assert!(names(&memory, "a").is_empty() && names(&memory, "x").is_empty());
        let found = |path: &str| memory.open_file(path.as_bytes());
        assert_eq!(found("b/d/e").expect("is there").1.size, 5);
        for directory in ["", "b", "b/", "b/d"] {
            assert!(matches!(found(directory), Err(Reject::Directory)));
        }
        for absent in ["a/", "a/x", "c", "b/d/e/"] {
            assert!(matches!(found(absent), Err(Reject::NotFound)), "{absent}");
        }
        assert!(memory.remove(b"b/d/e") && !memory.remove(b"b/d/e"));
        assert!(matches!(found("b/d"), Err(Reject::NotFound)));
    }

    #[test]
    fn a_name_is_a_file_or_a_directory() {
        let memory = memory(&["a", "b/c"]);
        for path in ["b", "a/x", "a/x/y"] {
            let current = memory.current(path.as_bytes());
            assert!(matches!(current, Err(Reject::Conflict(_))), "{path}");
            let file = memory.create(b"").expect("there is room");
            let published = memory.publish(path.as_bytes(), file);
            assert!(matches!(published, Err(Reject::Conflict(_))), "{path}");
        }
        assert!(matches!(memory.current(b"b/d"), Ok(None)));
        assert!(matches!(memory.current(b"b/c"), Ok(Some(_))));
    }
}
