//! The directory that clients write to (documents: option `wdir`).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{AtFlags, FileType, OFlags, fstat, statat};
use rustix::io::Errno;
use tokio::sync::Mutex as AsyncMutex;

use crate::error::Reject;
use crate::resource::directory::{Identity, name_id, split_name};
use crate::resource::names::{Begun, Manner, Names, Writing};
use crate::resource::temporary::{self, Temporary};
use crate::resource::{Directory, Version};

/// Files by name, written whole or in parts. All that touches the disk here may block.
#[derive(Debug)]
pub(crate) struct Store {
    root: Dir,
    device: u64,
    names: Arc<Names>,
}

/// A condition on what a name holds before it is written: its identity, or none where there is no such file.
pub(crate) type Condition = Arc<dyn Fn(Option<&Identity>) -> Result<(), Reject> + Send + Sync>;

/// How an upload is to be read while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Only once it is complete.
    Never,
    /// As it grows, where the name is new.
    NewName,
    /// As it grows.
    Always,
}

/// A whole file that is being written.
pub(crate) struct Upload {
    pub(crate) version: Arc<Version>,
    /// Whether readers may follow it.
    pub(crate) is_followed: bool,
    target: Target,
    temporary: Option<Temporary>,
    condition: Condition,
}

/// A name to write, in its directory.
pub(crate) struct Target {
    parent: Dir,
    name: OsString,
    writing: Writing,
}

/// What has come of an upload.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The file; none where something that began later has taken its place already.
    pub(crate) identity: Option<Identity>,
    /// The name held nothing before.
    pub(crate) is_new: bool,
}

impl Store {
    /// Opens an existing directory, and removes what an earlier server left unfinished there.
    pub(crate) fn open(path: &Path, names: Arc<Names>) -> io::Result<Store> {
        let root = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        let removed = temporary::remove_leftovers(&root)?;
        if removed > 0 {
            tracing::info!("removed {removed} unfinished uploads");
        }
        let device = root.dir_metadata()?.dev();
        Ok(Store {
            root,
            device,
            names,
        })
    }

    /// Notes a write, in the order of the requests.
    pub(crate) fn begin(&self) -> Begun {
        self.names.begin()
    }

    /// The version that is read in place of the file at a path below an exposed directory.
    pub(crate) fn followed(&self, directory: &Directory, path: &[u8]) -> Option<Arc<Version>> {
        // To look the directory up takes system calls.
        if !self.names.may_be_followed(split_name(path).1) {
            return None;
        }
        self.names.followed(&directory.name_id(path)?)
    }

    /// Begins to write a whole file. Directories on its way are made.
    ///
    /// # Errors
    /// The condition's; 409 where the path is or leads through something else than it should.
    pub(crate) fn upload(
        &self,
        path: &[u8],
        begun: Begun,
        reading: Reading,
        condition: Condition,
    ) -> Result<Upload, Reject> {
        let (parents, name) = split(path)?;
        let parent = self.open_parent(parents)?;
        let current = match &parent {
            Some(parent) => current(parent, name)?,
            None => None,
        };
        condition(current.as_ref())?;
        let parent = match parent {
            Some(parent) => parent,
            None => self.make_parent(parents)?,
        };
        let target = Target::new(parent, name, begun, Manner::Whole)?;
        let temporary = Temporary::create(self.folder_beside(&target)).map_err(reject)?;
        let version = Arc::new(Version::new(temporary.file.clone()));
        let is_followed = match reading {
            Reading::Never => false,
            Reading::NewName => current.is_none(),
            Reading::Always => true,
        };
        if is_followed {
            target.writing.follow(version.clone());
        }
        Ok(Upload {
            version,
            is_followed,
            target,
            temporary: Some(temporary),
            condition,
        })
    }

    /// Comes to a file that is to be changed in place.
    ///
    /// # Errors
    /// 404, or 409 while the whole file is being written.
    pub(crate) fn target_in_place(&self, path: &[u8], begun: Begun) -> Result<Target, Reject> {
        let (parents, name) = split(path)?;
        let parent = self.open_parent(parents)?.ok_or(Reject::NotFound)?;
        let target = Target::new(parent, name, begun, Manner::InPlace)?;
        match target.writing.uploads() {
            0 => Ok(target),
            _ => Err(Reject::Conflict("the whole file is being written")),
        }
    }

    /// Opens a file to change it in place, and says how long it is, in bytes.
    ///
    /// # Errors
    /// 404, or the condition's.
    pub(crate) fn open_in_place(
        &self,
        path: &[u8],
        condition: &Condition,
    ) -> Result<(Arc<File>, u64), Reject> {
        // A FIFO must not hold up the server until somebody reads from it.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut options = OpenOptions::new();
        options.write(true).custom_flags(flags.bits().cast_signed());
        let file = self.root.open_with(OsStr::from_bytes(path), &options);
        let file = file.map_err(reject)?.into_std();
        let stat = fstat(&file).map_err(io::Error::from)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Reject::Conflict("this is no file"));
        }
        let identity = Identity::of(&stat);
        condition(Some(&identity))?;
        Ok((Arc::new(file), identity.size))
    }

    /// Removes a file. What is being written under its name is detached: those who follow it read on.
    pub(crate) fn delete(
        &self,
        path: &[u8],
        begun: Begun,
        condition: &Condition,
    ) -> Result<(), Reject> {
        let (parents, name) = split(path)?;
        let parent = self.open_parent(parents)?.ok_or(Reject::NotFound)?;
        let target = Target::new(parent, name, begun, Manner::Removed)?;
        let writing = &target.writing;
        let _alone = writing.lock_disk();
        let current = current(&target.parent, name)?;
        condition(current.as_ref())?;
        match current {
            // What is there began later.
            _ if !writing.counts() => return Ok(()),
            Some(_) => target.parent.remove_file(name).map_err(reject)?,
            None if writing.uploads() > 0 => {}
            None => return Err(Reject::NotFound),
        }
        writing.set_done();
        Ok(())
    }

    /// None where it does not exist.
    fn open_parent(&self, parents: &[u8]) -> Result<Option<Dir>, Reject> {
        let parent = match parents {
            b"" => self.root.try_clone(),
            parents => self.root.open_dir(OsStr::from_bytes(parents)),
        };
        match parent {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            parent => parent.map(Some).map_err(reject),
        }
    }

    fn make_parent(&self, parents: &[u8]) -> Result<Dir, Reject> {
        match self.root.create_dir_all(OsStr::from_bytes(parents)) {
            // What stands there is no directory of ours: opening it tells what it is.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(reject)?,
        }
        self.open_parent(parents)?.ok_or(Reject::NotFound)
    }

    /// Where a temporary file can lie that is to become the target: on the same file system.
    fn folder_beside<'a>(&'a self, target: &'a Target) -> &'a Dir {
        match target.writing.id().device == self.device {
            true => &self.root,
            false => &target.parent,
        }
    }
}

impl Target {
    fn new(parent: Dir, name: &OsStr, begun: Begun, manner: Manner) -> Result<Target, Reject> {
        let id = name_id(&parent, name.as_bytes()).map_err(reject)?;
        Ok(Target {
            parent,
            name: name.to_owned(),
            writing: begun.write(id, manner),
        })
    }

    /// Whose turn it is to write the file in place.
    pub(crate) fn in_place(&self) -> Arc<AsyncMutex<()>> {
        self.writing.in_place()
    }
}

impl Upload {
    /// The file is complete: it becomes what its name holds, unless something that began later is done already.
    ///
    /// # Errors
    /// The condition's, where it has come to fail meanwhile; the file is given up then.
    pub(crate) fn publish(mut self) -> Result<Stored, Reject> {
        let temporary = self.temporary.take().expect("is published once");
        let stat = fstat(&temporary.file).map_err(io::Error::from)?;
        let Target {
            parent,
            name,
            writing,
        } = &self.target;
        let stored = {
            let _alone = writing.lock_disk();
            let current = current(parent, name)?;
            (self.condition)(current.as_ref())?;
            let counts = writing.counts();
            if counts {
                temporary.publish(parent, name).map_err(reject)?;
                writing.set_done();
            }
            Stored {
                identity: counts.then(|| Identity::of(&stat)),
                is_new: counts && current.is_none(),
            }
        };
        self.version.complete();
        Ok(stored)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Before its readers hear of the end: who asks again then is not given what has failed.
        self.target.writing.unfollow();
        // Without effect where it is complete.
        self.version.fail();
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

fn current(parent: &Dir, name: &OsStr) -> Result<Option<Identity>, Reject> {
    let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        stat => stat.map_err(|error| reject(error.into()))?,
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Err(Reject::Conflict("a directory has this name")),
        _ => Ok(Some(Identity::of(&stat))),
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
