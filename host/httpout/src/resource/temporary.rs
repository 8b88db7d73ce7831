//! Files that are not complete yet: they lie aside, and become the name in one step.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cap_std::fs::{Dir, OpenOptions};
use rustix::fs::{fstat, renameat};

use crate::resource::OpenFile;

/// Where they lie, below the directory for writing. It is never listed or served, wherever it lies.
pub(crate) const TEMPORARY: &str = ".httpout-tmp";

/// A file in the folder, locked as long as this process lives. It is removed with this value unless it is published.
#[derive(Debug)]
pub(crate) struct Temporary {
    folder: Dir,
    name: String,
    pub(crate) file: Arc<OpenFile>,
    is_published: bool,
}

impl Temporary {
    /// Makes an empty file.
    pub(crate) fn create(root: &Dir) -> io::Result<Temporary> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let folder = match root.open_dir(TEMPORARY) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                root.create_dir_all(TEMPORARY)?;
                root.open_dir(TEMPORARY)?
            }
            folder => folder?,
        };
        loop {
            let number = LAST.fetch_add(1, Relaxed);
            let name = format!("{}-{number}", std::process::id());
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true);
            let file = match folder.open_with(&name, &options) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file?.into_std(),
            };
            // Another server that starts on the same directory may have taken it for a leftover before it was locked.
            if is_locked_by_us(&file)? {
                return Ok(Temporary {
                    folder,
                    name,
                    file: Arc::new(OpenFile::on_disk(file)),
                    is_published: false,
                });
            }
        }
    }

    /// Gives it its name, in place of what has that name.
    pub(crate) fn publish(mut self, parent: &Dir, name: &OsStr) -> io::Result<()> {
        renameat(&self.folder, self.name.as_str(), parent, name)?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_published
            && let Err(error) = self.folder.remove_file(&self.name)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("cannot remove `{TEMPORARY}/{}`: {error}", self.name);
        }
    }
}

/// Removes what a server that did not end in order has left. What a running one writes is locked, and stays.
pub(crate) fn remove_leftovers(root: &Dir) -> io::Result<usize> {
    let folder = match root.open_dir(TEMPORARY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        folder => folder?,
    };
    let mut removed = 0;
    for entry in folder.entries()? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let file = entry.open()?.into_std();
        if file.try_lock().is_ok() {
            entry.remove_file()?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn is_locked_by_us(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(fstat(file)?.st_nlink > 0),
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks: leftovers of a crash stay.
        Err(TryLockError::Error(_)) => Ok(true),
    }
}
