//! Where a name is written: in a directory on disk, or in memory.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{AtFlags, FileType, OFlags, fstat, statat};
use rustix::io::Errno;

use crate::error::Reject;
use crate::resource::directory::{Identity, split_name};
use crate::resource::disk::{key_of, name_id};
use crate::resource::names::NameId;
use crate::resource::temporary::{self, Temporary};
use crate::resource::{Memory, OpenFile};

/// The directory that all paths of clients lie below.
#[derive(Debug)]
pub(super) enum Root {
    Disk {
        root: Dir,
        device: u64,
        key: Arc<[u8]>,
    },
    Memory(Arc<Memory>),
}

/// A name in its directory.
pub(super) enum Place {
    Disk {
        parent: Dir,
        name: OsString,
    },
    Memory {
        memory: Arc<Memory>,
        path: Box<[u8]>,
    },
}

/// A file that has no name yet. It is gone with this value unless it is published.
pub(super) enum Aside {
    Disk(Temporary),
    Memory(Arc<OpenFile>),
}

impl Root {
    /// Opens an existing directory on disk, and removes what an earlier server left unfinished there.
    pub(super) fn open_directory(path: &Path) -> io::Result<Root> {
        let root = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        let removed = temporary::remove_leftovers(&root)?;
        if removed > 0 {
            tracing::info!("removed {removed} unfinished uploads");
        }
        let device = root.dir_metadata()?.dev();
        let key = key_of(path)?;
        Ok(Root::Disk { root, device, key })
    }

    /// What the directory is called where files are known by keys.
    pub(super) fn key(&self) -> &Arc<[u8]> {
        match self {
            Root::Disk { key, .. } => key,
            Root::Memory(memory) => memory.key(),
        }
    }

    /// The beginning of a file, at most so many bytes.
    pub(super) fn read(&self, path: &[u8], limit: u64) -> Option<Vec<u8>> {
        let (file, Identity { size, .. }) = self.open(path).ok()?;
        file.beginning(size.min(limit))
    }

    /// The place of a path; none where its directory does not exist.
    ///
    /// # Errors
    /// 409 where the path is that of a directory.
    pub(super) fn find(&self, path: &[u8]) -> Result<Option<Place>, Reject> {
        let (parents, name) = split(path)?;
        match self {
            Root::Disk { root, .. } => {
                let parent = open_parent(root, parents)?;
                let name = name.to_owned();
                Ok(parent.map(|parent| Place::Disk { parent, name }))
            }
            Root::Memory(memory) => Ok(Some(Place::Memory {
                memory: memory.clone(),
                path: path.into(),
            })),
        }
    }

    /// The place of a path, whose directory is made if it is not there.
    pub(super) fn make(&self, path: &[u8]) -> Result<Place, Reject> {
        if let Root::Disk { root, .. } = self {
            match root.create_dir_all(OsStr::from_bytes(split_name(path).0)) {
                // What stands there is no directory of ours: opening it tells what it is.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(reject)?,
            }
        }
        self.find(path)?.ok_or(Reject::NotFound)
    }

    /// Makes an empty file that can be published at a place.
    pub(super) fn create_aside(&self, place: &Place, id: &NameId) -> Result<Aside, Reject> {
        match (self, place) {
            (_, Place::Memory { memory, path }) => memory.create(path).map(Aside::Memory),
            // On the same file system.
            (Root::Disk { root, device, .. }, Place::Disk { .. }) if id.device == *device => {
                Temporary::create(root).map(Aside::Disk).map_err(reject)
            }
            (_, Place::Disk { parent, .. }) => {
                Temporary::create(parent).map(Aside::Disk).map_err(reject)
            }
        }
    }

    /// Opens a file to change it in place.
    pub(super) fn open_in_place(&self, path: &[u8]) -> Result<(Arc<OpenFile>, Identity), Reject> {
        self.open_with(path, OpenOptions::new().write(true))
    }

    /// Opens a file to read it.
    fn open(&self, path: &[u8]) -> Result<(Arc<OpenFile>, Identity), Reject> {
        self.open_with(path, OpenOptions::new().read(true))
    }

    fn open_with(
        &self,
        path: &[u8],
        options: &mut OpenOptions,
    ) -> Result<(Arc<OpenFile>, Identity), Reject> {
        let root = match self {
            Root::Disk { root, .. } => root,
            Root::Memory(memory) => return memory.open_file(path),
        };
        // A FIFO must not hold up the server until somebody reads from it.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
        let file = root.open_with(OsStr::from_bytes(path), options);
        let file = file.map_err(reject)?.into_std();
        let stat = fstat(&file).map_err(io::Error::from)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Reject::Conflict("this is no file"));
        }
        Ok((Arc::new(OpenFile::on_disk(file)), Identity::of(&stat)))
    }
}

impl Place {
    pub(super) fn id(&self) -> Result<NameId, Reject> {
        match self {
            Place::Disk { parent, name } => name_id(parent, name.as_bytes()).map_err(reject),
            Place::Memory { path, .. } => Ok(Memory::name_id(path)),
        }
    }

    /// What the name holds.
    ///
    /// # Errors
    /// 409 where it is, or leads through, something else than it should.
    pub(super) fn current(&self) -> Result<Option<Identity>, Reject> {
        let (parent, name) = match self {
            Place::Disk { parent, name } => (parent, name),
            Place::Memory { memory, path } => return memory.current(path),
        };
        let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            stat => stat.map_err(|error| reject(error.into()))?,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Err(Reject::Conflict("a directory has this name")),
            _ => Ok(Some(Identity::of(&stat))),
        }
    }

    /// Removes the file.
    pub(super) fn remove(&self) -> Result<(), Reject> {
        match self {
            Place::Disk { parent, name } => parent.remove_file(name).map_err(reject),
            Place::Memory { memory, path } => match memory.remove(path) {
                true => Ok(()),
                false => Err(Reject::NotFound),
            },
        }
    }
}

impl Aside {
    pub(super) fn file(&self) -> &Arc<OpenFile> {
        match self {
            Aside::Disk(temporary) => &temporary.file,
            Aside::Memory(file) => file,
        }
    }

    /// Gives it its name, in place of what has that name.
    pub(super) fn publish(self, place: &Place) -> Result<(), Reject> {
        match (self, place) {
            (Aside::Disk(temporary), Place::Disk { parent, name }) => {
                temporary.publish(parent, name).map_err(reject)
            }
            (Aside::Memory(file), Place::Memory { memory, path }) => memory.publish(path, file),
            (Aside::Disk(_), Place::Memory { .. }) | (Aside::Memory(_), Place::Disk { .. }) => {
                unreachable!("a file is made for its place")
            }
        }
    }
}

/// The path of the directory, and the name in it.
fn split(path: &[u8]) -> Result<(&[u8], &OsStr), Reject> {
    let (parents, name) = split_name(path);
    let mut segments = path.split(|&byte| byte == b'/');
    if segments.any(|segment| segment == temporary::TEMPORARY.as_bytes()) {
        return Err(Reject::NotFound);
    }
    match name {
        b"" => Err(Reject::Conflict("a directory cannot be written")),
        name => Ok((parents, OsStr::from_bytes(name))),
    }
}

/// None where it does not exist.
fn open_parent(root: &Dir, parents: &[u8]) -> Result<Option<Dir>, Reject> {
    let parent = match parents {
        b"" => root.try_clone(),
        parents => root.open_dir(OsStr::from_bytes(parents)),
    };
    match parent {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        parent => parent.map(Some).map_err(reject),
    }
}

fn reject(error: io::Error) -> Reject {
    use io::ErrorKind::{
        DirectoryNotEmpty, FileTooLarge, InvalidFilename, InvalidInput, IsADirectory,
        NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match (
        error.kind(),
        error.raw_os_error().map(Errno::from_raw_os_error),
    ) {
        (StorageFull | QuotaExceeded | FileTooLarge, _) => Reject::StorageFull,
        // Without a number it is cap-std that refuses: the path leads out of the directory.
        (NotFound, _) | (PermissionDenied, None) | (_, Some(Errno::LOOP)) => Reject::NotFound,
        (PermissionDenied | ReadOnlyFilesystem, _) => Reject::Unwritable,
        (NotADirectory, _) => Reject::Conflict("a file stands where the path needs a directory"),
        (IsADirectory | DirectoryNotEmpty, _) => Reject::Conflict("a directory has this name"),
        (_, Some(Errno::NXIO)) => Reject::Conflict("this is no file"),
        (InvalidFilename | InvalidInput, _) => Reject::BadRequest("the name cannot be used"),
        _ => Reject::Write(error),
    }
}

impl From<WriteError> for Reject {
    fn from(error: WriteError) -> Reject {
        reject(error.0)
    }
}

/// Bytes could not be written to a file.
#[derive(Debug)]
pub(crate) struct WriteError(pub(crate) io::Error);
