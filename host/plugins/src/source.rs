//! The file that a plugin is loaded from: read once, within bounds, and watched for change.

use std::collections::BTreeMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::fs::OFlags;

use crate::error::LoadError;
use crate::script::{self, Script};
use crate::spec::Kind;

/// The largest component that is read. Engines of languages take some 30 MB.
const LARGEST: u64 = 256 << 20;

/// What tells one state of a file from another, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file that has this name at the moment; none where there is none. May block.
    pub(crate) fn of(path: &Path) -> Option<Stamp> {
        std::fs::metadata(path)
            .ok()
            .map(|found| Stamp::from(&found))
    }
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Stamp {
        Stamp {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// The states of files, none where there is no such file.
pub(crate) type Stamps = BTreeMap<PathBuf, Option<Stamp>>;

/// The files that a plugin was made from when it was loaded last, also where that failed: its own, and those that a script
/// imports.
#[derive(Debug, Default)]
pub(crate) struct Files {
    read: Mutex<Stamps>,
}

impl Files {
    /// It is loaded, from this file.
    pub(crate) fn begin(&self, path: &Path) {
        self.read().clear();
        self.add(path);
    }

    /// Takes note of a file that is about to be read. May block.
    pub(crate) fn add(&self, path: &Path) {
        let stamp = Stamp::of(path);
        self.read().insert(path.to_owned(), stamp);
    }

    /// As they were when they were read.
    pub(crate) fn stamps(&self) -> Stamps {
        self.read().clone()
    }

    /// As they are. May block.
    pub(crate) fn look(&self) -> Stamps {
        let paths = self.stamps().into_keys();
        paths.map(|path| (path.clone(), Stamp::of(&path))).collect()
    }

    fn read(&self) -> MutexGuard<'_, Stamps> {
        self.read.lock().expect("no holder panics")
    }
}

/// What a plugin is made from.
pub(crate) struct Source {
    pub(crate) component: Vec<u8>,
    /// What the component is to run.
    pub(crate) script: Option<Arc<Script>>,
}

/// Reads the file of a plugin. May block.
///
/// # Errors
/// What the file is instead.
pub(crate) fn read(path: &Path, kind: Kind) -> Result<Source, LoadError> {
    match kind {
        Kind::Component => {
            let component = read_file(path, LARGEST)?;
            check_beginning(path, &component)?;
            Ok(Source {
                component,
                script: None,
            })
        }
        Kind::Script => {
            let script = Script::read(path)?;
            Ok(Source {
                component: script::engine()?,
                script: Some(Arc::new(script)),
            })
        }
    }
}

/// The bytes of a file. May block.
///
/// # Errors
/// Why there are none, or too many.
pub(crate) fn read_file(path: &Path, largest: u64) -> Result<Vec<u8>, LoadError> {
    let unreadable = |source| LoadError::Read {
        path: path.to_owned(),
        source,
    };
    let file = open(path).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    if !found.is_file() {
        return Err(LoadError::NotAFile(path.to_owned()));
    }
    let mut bytes = Vec::new();
    if found.len() <= largest {
        let bounded = &mut file.take(largest + 1);
        bounded.read_to_end(&mut bytes).map_err(unreadable)?;
    }
    // It may have grown since it was opened.
    if found.len().max(bytes.len() as u64) > largest {
        return Err(LoadError::TooLarge {
            path: path.to_owned(),
            limit: largest,
        });
    }
    Ok(bytes)
}

/// Opens a file, and waits for nobody: a FIFO would keep the server until somebody writes there.
fn open(path: &Path) -> io::Result<File> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).expect("a small number");
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(nonblocking).open(path)
}

fn check_beginning(path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
    let path = path.to_owned();
    match bytes.get(..8) {
        Some(b"\0asm\x0d\0\x01\0") => Ok(()),
        Some(b"\0asm\x01\0\0\0") => Err(LoadError::CoreModule(path)),
        _ if bytes.is_empty() => Err(LoadError::Empty(path)),
        _ => Err(LoadError::NotWasm(path)),
    }
}
