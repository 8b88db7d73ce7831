//! The file that keeps the state of all plugins: how it is written in one step, and what is in it.
//!
//! A line that names the format; the number of name spaces; then for each its name, its last version, the number of its
//! entries, and each entry: key, value, version, expiry. At the end the SHA-256 of all that. Numbers have 8 bytes, the
//! lowest first; texts and values have their length before them. An expiry is in milliseconds since 1970, 0 for none.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{Access, access};
use sha2::{Digest as _, Sha256};

const FORMAT: &[u8] = b"httpout plugin state 1\n";

/// The name space of a plugin, as it is kept.
#[derive(Debug, PartialEq)]
pub(super) struct KeptSpace {
    pub(super) name: String,
    pub(super) last_version: u64,
    pub(super) entries: Vec<KeptEntry>,
}

#[derive(Debug, PartialEq)]
pub(super) struct KeptEntry {
    pub(super) key: Arc<str>,
    pub(super) value: Bytes,
    pub(super) version: u64,
    /// Milliseconds since 1970.
    pub(super) expiry: Option<u64>,
}

/// Holds the file for this process, as long as what is returned lives. None where another one holds it.
pub(super) fn lock(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    // Not the file itself, which is replaced by others.
    let file = options.open(beside(path, ".lock"))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
    }
}

/// What is in the file; none where there is no file.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        // A FIFO would be waited for, a device read for ever.
        Ok(found) if !found.is_file() => Err(io::Error::other("it is not a file")),
        Ok(_) => fs::read(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts bytes in place of the file, in one step: whoever reads it finds the old ones or these, also after a crash.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (temporary, mut file) = create_beside(path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: the disk is at fault, and this would only take more of it.
        let _ = fs::remove_file(&temporary);
    } else if let Ok(directory) = File::open(directory(path)) {
        // Some file systems cannot; the name is then as safe as they make it.
        let _ = directory.sync_all();
    }
    written
}

/// Whether the file can be replaced.
pub(super) fn probe(path: &Path) -> io::Result<()> {
    create_beside(path).and_then(|(temporary, _)| fs::remove_file(temporary))
}

/// Whether files can be made where the file is.
pub(super) fn check_place(path: &Path) -> io::Result<()> {
    Ok(access(directory(path), Access::WRITE_OK | Access::EXEC_OK)?)
}

/// A new file that nobody else may read: state may hold what is secret.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let temporary = beside(path, ".tmp");
    // That of a process that was killed.
    let _ = fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    Ok((temporary, file))
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(extension);
    path.into()
}

fn directory(path: &Path) -> &Path {
    let parent = path.parent();
    parent
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// The content of the file.
pub(super) fn encode(spaces: &[KeptSpace]) -> Vec<u8> {
    let mut bytes = FORMAT.to_vec();
    put_number(&mut bytes, spaces.len() as u64);
    for space in spaces {
        put_bytes(&mut bytes, space.name.as_bytes());
        put_number(&mut bytes, space.last_version);
        put_number(&mut bytes, space.entries.len() as u64);
        for entry in &space.entries {
            put_bytes(&mut bytes, entry.key.as_bytes());
            put_bytes(&mut bytes, &entry.value);
            put_number(&mut bytes, entry.version);
            put_number(&mut bytes, entry.expiry.unwrap_or(0));
        }
    }
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

fn put_number(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put_bytes(bytes: &mut Vec<u8>, some: &[u8]) {
    put_number(bytes, some.len() as u64);
    bytes.extend_from_slice(some);
}

/// What is in the file; none where it is no such file, or damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<KeptSpace>> {
    let (content, digest) = bytes.split_last_chunk::<32>()?;
    if Sha256::digest(content).as_slice() != digest {
        return None;
    }
    let mut rest = Reader(content.strip_prefix(FORMAT)?);
    let spaces = (0..rest.number()?).map(|_| rest.space());
    let spaces = spaces.collect::<Option<Vec<_>>>()?;
    rest.0.is_empty().then_some(spaces)
}

/// What has not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn space(&mut self) -> Option<KeptSpace> {
        Some(KeptSpace {
            name: self.text()?.to_owned(),
            last_version: self.number()?,
            entries: (0..self.number()?)
                .map(|_| self.entry())
                .collect::<Option<Vec<_>>>()?,
        })
    }

    fn entry(&mut self) -> Option<KeptEntry> {
        Some(KeptEntry {
            key: Arc::from(self.text()?),
            value: Bytes::copy_from_slice(self.bytes()?),
            version: self.number()?,
            expiry: Some(self.number()?).filter(|expiry| *expiry > 0),
        })
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = KeptEntry> {
        let value = proptest::collection::vec(any::<u8>(), 0..9);
        let parts = (
            ".{0,9}",
            value,
            any::<u64>(),
            proptest::option::of(1..9_u64),
        );
        parts.prop_map(|(key, value, version, expiry)| KeptEntry {
            key: key.into(),
            value: value.into(),
            version,
            expiry,
        })
    }

    fn space() -> impl Strategy<Value = KeptSpace> {
        let entries = proptest::collection::vec(entry(), 0..4);
        (".{0,9}", any::<u64>(), entries).prop_map(|(name, last_version, entries)| KeptSpace {
            name,
            last_version,
            entries,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_what_is_damaged_is_not(
            spaces in proptest::collection::vec(space(), 0..4),
            at: prop::sample::Index,
        ) {
            let mut bytes = encode(&spaces);
            prop_assert_eq!(decode(&bytes), Some(spaces));
            let at = at.index(bytes.len());
            prop_assert_eq!(decode(&bytes[..at]), None);
            bytes[at] ^= 1;
            prop_assert_eq!(decode(&bytes), None);
        }
    }

    #[test]
    fn a_file_that_lies_about_its_lengths_is_refused() {
        let mut bytes = FORMAT.to_vec();
        put_number(&mut bytes, u64::MAX);
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        assert_eq!(decode(&bytes), None);
    }
}
