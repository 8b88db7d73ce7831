//! The directory that clients write to (documents: option `wdir`).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions};
use rustix::fs::{AtFlags, FileType, fstat, statat};

use crate::error::Reject;
use crate::resource::directory::{Identity, last_name, name_id};
use crate::resource::names::{Begun, NameId, Names, Writing};
use crate::resource::temporary::{self, Temporary};
use crate::resource::{Directory, Version};

/// Files by name, written whole or in parts. All that touches the disk here may block.
#[derive(Debug)]
pub(crate) struct Store {
    root: Dir,
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
    begun: Begun,
    target: Target,
    temporary: Option<Temporary>,
    condition: Condition,
}

/// A file that is changed in place.
pub(crate) struct InPlace {
    pub(crate) file: Arc<File>,
    /// Before the change, in bytes.
    pub(crate) length: u64,
    pub(crate) target: Target,
}

/// A name to write, below its directory.
pub(crate) struct Target {
    parent: Dir,
    name: OsString,
    pub(crate) writing: Writing,
}

/// What has come of an upload.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) identity: Identity,
    /// The name held nothing before.
    pub(crate) is_new: bool,
}

impl Store {
    /// Opens an existing directory, and removes what an earlier server left unfinished there.
    pub(crate) fn open(path: &Path) -> io::Result<Store> {
        let root = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        let removed = temporary::remove_leftovers(&root)?;
        if removed > 0 {
            tracing::info!("removed {removed} unfinished uploads");
        }
        let names = Arc::default();
        Ok(Store { root, names })
    }

    /// The version that is read in place of the file at a path below an exposed directory.
    pub(crate) fn followed(&self, directory: &Directory, path: &[u8]) -> Option<Arc<Version>> {
        // To look the directory up takes system calls.
        if !self.names.may_be_followed(last_name(path)) {
            return None;
        }
        self.names.followed(&directory.name_id(path)?)
    }

    /// Notes a write before anything that may block. The number of its request orders it among others.
    pub(crate) fn begin(&self, request: u64) -> Begun {
        self.names.begin(request)
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
        let current = self.current(parents, name)?;
        condition(current.as_ref())?;
        if !parents.is_empty() {
            let parents = Path::new(OsStr::from_bytes(parents));
            match self.root.create_dir_all(parents) {
                // What stands there is no directory of ours: opening it tells what it is.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(reject)?,
            }
        }
        let target = self.target(parents, name)?;
        let temporary = Temporary::create(&self.root).map_err(reject)?;
        let version = Arc::new(Version::new(temporary.file.clone()));
        target.writing.name().versions().uploads += 1;
        let is_followed = match reading {
            Reading::Never => false,
            Reading::NewName => current.is_none(),
            Reading::Always => true,
        };
        if is_followed {
            target.writing.follow(begun.start, version.clone());
        }
        Ok(Upload {
            version,
            is_followed,
            begun,
            target,
            temporary: Some(temporary),
            condition,
        })
    }

    /// Opens an existing file to change it in place.
    ///
    /// # Errors
    /// 404, the condition's, or 409 while the whole file is being written.
    pub(crate) fn open_in_place(
        &self,
        path: &[u8],
        condition: &Condition,
    ) -> Result<InPlace, Reject> {
        let (parents, name) = split(path)?;
        let mut options = OpenOptions::new();
        options.write(true);
        let path = Path::new(OsStr::from_bytes(path));
        let file = self.root.open_with(path, &options).map_err(reject)?;
        let file = file.into_std();
        let stat = fstat(&file).map_err(io::Error::from)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Reject::Conflict("this is no file"));
        }
        let identity = Identity::of(&stat);
        condition(Some(&identity))?;
        let target = self.target(parents, name)?;
        if target.writing.name().versions().uploads > 0 {
            return Err(Reject::Conflict("the whole file is being written"));
        }
        Ok(InPlace {
            file: Arc::new(file),
            length: identity.size,
            target,
        })
    }

    /// Removes a file. What is being written under its name is detached: those who follow it read on.
    pub(crate) fn delete(
        &self,
        path: &[u8],
        begun: &Begun,
        condition: &Condition,
    ) -> Result<(), Reject> {
        let (parents, name) = split(path)?;
        let current = self.current(parents, name)?;
        condition(current.as_ref())?;
        let target = self.target(parents, name)?;
        let mut versions = target.writing.name().versions();
        if !versions.counts(begun.start) {
            return Ok(());
        }
        versions.set_done(begun.start);
        match target.parent.remove_file(&target.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && versions.uploads > 0 => Ok(()),
            removed => removed.map_err(reject),
        }
    }

    /// What a name holds.
    fn current(&self, parents: &[u8], name: &OsStr) -> Result<Option<Identity>, Reject> {
        let parent = match self.open_parent(parents) {
            Err(Reject::NotFound) => return Ok(None),
            parent => parent?,
        };
        current(&parent, name)
    }

    fn target(&self, parents: &[u8], name: &OsStr) -> Result<Target, Reject> {
        let parent = self.open_parent(parents)?;
        let id: NameId = name_id(&parent, name.as_bytes()).map_err(reject)?;
        Ok(Target {
            parent,
            name: name.to_owned(),
            writing: self.names.write(id),
        })
    }

    fn open_parent(&self, parents: &[u8]) -> Result<Dir, Reject> {
        let parent = match parents {
            b"" => self.root.try_clone(),
            parents => self.root.open_dir(Path::new(OsStr::from_bytes(parents))),
        };
        parent.map_err(reject)
    }
}

impl Upload {
    /// The file is complete: it becomes what its name holds, unless something that started later is done already.
    ///
    /// # Errors
    /// The condition's, where it has come to fail meanwhile; the file is given up then.
    pub(crate) fn publish(mut self) -> Result<Stored, Reject> {
        let temporary = self.temporary.take().expect("is published once");
        let stat = fstat(&temporary.file).map_err(io::Error::from)?;
        let mut is_new = false;
        {
            let Target {
                parent,
                name,
                writing,
            } = &self.target;
            let mut versions = writing.name().versions();
            let current = current(parent, name)?;
            (self.condition)(current.as_ref())?;
            if versions.counts(self.begun.start) {
                is_new = current.is_none();
                temporary.publish(parent, name).map_err(reject)?;
                versions.set_done(self.begun.start);
            }
        }
        self.version.complete();
        Ok(Stored {
            identity: Identity::of(&stat),
            is_new,
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.target.writing.unfollow(self.begun.start);
        self.target.writing.name().versions().uploads -= 1;
        // Without effect where it is complete.
        self.version.fail();
    }
}

/// The path of the directory, and the name in it.
fn split(path: &[u8]) -> Result<(&[u8], &OsStr), Reject> {
    let (parents, name) = match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&path[..0], path),
    };
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
        Err(rustix::io::Errno::NOENT) => return Ok(None),
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
    match (error.kind(), error.raw_os_error()) {
        (StorageFull | QuotaExceeded | FileTooLarge, _) => Reject::StorageFull,
        // Without a number it is cap-std that refuses: the path leads out of the directory.
        (NotFound, _) | (PermissionDenied, None) => Reject::NotFound,
        (PermissionDenied | ReadOnlyFilesystem, _) => Reject::Unwritable,
        (NotADirectory, _) => Reject::Conflict("a file stands where the path needs a directory"),
        (IsADirectory | DirectoryNotEmpty, _) => Reject::Conflict("a directory has this name"),
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
