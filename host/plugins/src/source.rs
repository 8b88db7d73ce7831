//! The file that a plugin is loaded from: read once, within bounds, and watched for change.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::LoadError;

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

/// The bytes of a component, and the state of its file before they were read. May block.
///
/// # Errors
/// What the file is instead.
pub(crate) fn read(path: &Path) -> Result<(Vec<u8>, Stamp), LoadError> {
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
    if found.len() <= LARGEST {
        let bounded = &mut file.take(LARGEST + 1);
        bounded.read_to_end(&mut bytes).map_err(unreadable)?;
    }
    // It may have grown since it was opened.
    if found.len().max(bytes.len() as u64) > LARGEST {
        return Err(LoadError::TooLarge {
            path: path.to_owned(),
            limit: LARGEST,
        });
    }
    check_beginning(path, &bytes)?;
    Ok((bytes, Stamp::from(&found)))
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
