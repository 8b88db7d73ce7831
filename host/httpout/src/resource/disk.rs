//! A directory on disk, as a handle: nothing outside of it is ever reached.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, statat};

use crate::error::Reject;
use crate::resource::directory::{Identity, split_name};
use crate::resource::names::NameId;
use crate::resource::open_file::OpenFile;

/// A directory on disk. Every path is resolved below its handle, symbolic links included.
#[derive(Debug)]
pub(crate) struct Disk {
    dir: Dir,
    key: Arc<[u8]>,
}

/// The way to a file without symbolic links, and the file at its end. As long as [`Disk::still_leads`] says so,
/// what was read there is what would be read now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trail {
    /// Device and inode of each directory on the way.
    directories: Vec<(u64, u64)>,
    file: Identity,
}

impl Disk {
    /// Opens an existing directory.
    pub(crate) fn open(path: &Path) -> io::Result<Disk> {
        let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        let key = key_of(path)?;
        Ok(Disk { dir, key })
    }

    /// What the directory is called where files are known by keys: equal for all ways to it.
    pub(super) fn key(&self) -> &Arc<[u8]> {
        &self.key
    }

    /// The handle.
    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Opens a directory by its path below this one, to read what it holds.
    pub(crate) fn open_directory(&self, path: &[u8]) -> Result<File, Reject> {
        let path = if path.is_empty() { b"." } else { path };
        let mut options = OpenOptions::new();
        let flags = OFlags::DIRECTORY.bits().cast_signed();
        options.read(true).custom_flags(flags);
        let path = Path::new(OsStr::from_bytes(path));
        let directory = self.dir.open_with(path, &options).map_err(reject)?;
        Ok(directory.into_std())
    }

    /// Opens a regular file by its path below the directory.
    pub(crate) fn open_file(&self, path: &[u8]) -> Result<(Arc<OpenFile>, Identity), Reject> {
        if path.is_empty() {
            return Err(Reject::Directory);
        }
        // A FIFO must not hold up the server until somebody writes to it.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags.bits().cast_signed());
        let path = Path::new(OsStr::from_bytes(path));
        let file = self.dir.open_with(path, &options).map_err(reject)?;
        let file = file.into_std();
        let stat = fstat(&file).map_err(|error| Reject::Read(error.into()))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((Arc::new(OpenFile::on_disk(file)), Identity::of(&stat))),
            FileType::Directory => Err(Reject::Directory),
            _ => Err(Reject::NotFound),
        }
    }

    /// The way to the file that is there now; none where it leads over symbolic links.
    pub(crate) fn trail(&self, path: &[u8]) -> Option<Trail> {
        let mut directories = Vec::new();
        for prefix in prefixes(path) {
            let stat = self.stat(prefix)?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
                return None;
            }
            directories.push((stat.st_dev, stat.st_ino));
        }
        let stat = self.stat(path)?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        is_file.then(|| Trail {
            directories,
            file: Identity::of(&stat),
        })
    }

    /// Whether a path still leads over the same directories to the same, unchanged file: one `stat` for each name.
    pub(crate) fn still_leads(&self, path: &[u8], trail: &Trail) -> bool {
        let same = |(prefix, known): (&[u8], &(u64, u64))| {
            self.stat(prefix)
                .is_some_and(|stat| (stat.st_dev, stat.st_ino) == *known)
        };
        prefixes(path).zip(&trail.directories).all(same)
            && self
                .stat(path)
                .is_some_and(|stat| Identity::of(&stat) == trail.file)
    }

    /// What tells the name at a path from all others; none where its directory does not exist.
    pub(crate) fn name_id(&self, path: &[u8]) -> Option<NameId> {
        let (parents, name) = split_name(path);
        let found = match parents {
            b"" => self.dir.dir_metadata(),
            parents => self.dir.metadata(OsStr::from_bytes(parents)),
        };
        Some(id_in(&found.ok()?, name))
    }

    fn stat(&self, path: &[u8]) -> Option<Stat> {
        statat(&self.dir, path, AtFlags::SYMLINK_NOFOLLOW).ok()
    }
}

impl Trail {
    /// The file at the end of the way.
    pub(crate) fn file(&self) -> Identity {
        self.file
    }
}

/// The path of a directory without symbolic links, and without the slash of the root.
pub(super) fn key_of(path: &Path) -> io::Result<Arc<[u8]>> {
    let path = path.canonicalize()?.into_os_string().into_encoded_bytes();
    Ok(path.strip_suffix(b"/").unwrap_or(&path).into())
}

/// What tells a name in a directory from all others.
pub(crate) fn name_id(directory: &Dir, name: &[u8]) -> io::Result<NameId> {
    Ok(id_in(&directory.dir_metadata()?, name))
}

fn id_in(directory: &Metadata, name: &[u8]) -> NameId {
    NameId {
        device: directory.dev(),
        inode: directory.ino(),
        name: OsStr::from_bytes(name).to_owned(),
    }
}

/// The directories on the way to a file: `a/b/c` gives `a` and `a/b`.
fn prefixes(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes.map(|(at, _)| &path[..at])
}

fn reject(error: io::Error) -> Reject {
    match (error.kind(), error.raw_os_error()) {
        // Without a number it is cap-std that refuses: the path leads out of the directory.
        (io::ErrorKind::PermissionDenied, Some(_)) => Reject::Unreadable,
        (io::ErrorKind::PermissionDenied, None)
        | (io::ErrorKind::NotFound, _)
        | (io::ErrorKind::NotADirectory, _)
        | (io::ErrorKind::InvalidFilename, _)
        | (io::ErrorKind::InvalidInput, _)
        | (io::ErrorKind::CrossesDevices, _) => Reject::NotFound,
        (_, Some(number)) if is_no_file(number) => Reject::NotFound,
        _ => Reject::Read(error),
    }
}

/// A loop of symbolic links, or a socket or FIFO that cannot be opened.
fn is_no_file(number: i32) -> bool {
    use rustix::io::Errno;
    [Errno::LOOP, Errno::NXIO, Errno::OPNOTSUPP].contains(&Errno::from_raw_os_error(number))
}
