//! The directory that clients write to (documents: option `wdir`).

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::fstat;
use tokio::sync::Mutex as AsyncMutex;

use crate::error::Reject;
use crate::presentation::{self, Observer};
use crate::resource::directory::Identity;
use crate::resource::names::{Begun, Manner, Names, Writing};
use crate::resource::place::{Aside, Place, Root};
use crate::resource::{Memory, OpenFile, Version};

/// Files by name, written whole or in parts. All that touches the disk here may block.
#[derive(Debug)]
pub(crate) struct Store {
    root: Arc<Root>,
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
    aside: Option<Aside>,
    condition: Condition,
    root: Arc<Root>,
    observer: Option<Observer>,
}

/// A name to write, in its directory.
pub(crate) struct Target {
    place: Place,
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
    /// Opens an existing directory on disk, and removes what an earlier server left unfinished there.
    pub(crate) fn open(path: &Path, names: Arc<Names>) -> io::Result<Store> {
        let root = Arc::new(Root::open_directory(path)?);
        Ok(Store { root, names })
    }

    /// Files in memory.
    pub(crate) fn in_memory(memory: Arc<Memory>, names: Arc<Names>) -> Store {
        let root = Arc::new(Root::Memory(memory));
        Store { root, names }
    }

    /// Notes a write, in the order of the requests.
    pub(crate) fn begin(&self) -> Begun {
        self.names.begin()
    }

    /// The beginning of a file, at most so many bytes.
    pub(crate) fn read(&self, path: &[u8], limit: u64) -> Option<Vec<u8>> {
        self.root.read(path, limit)
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
        let found = self.root.find(path)?;
        let current = match &found {
            Some(place) => place.current()?,
            None => None,
        };
        condition(current.as_ref())?;
        let place = match found {
            Some(place) => place,
            None => self.root.make(path)?,
        };
        let target = Target::new(place, begun, Manner::Whole)?;
        let aside = self.root.create_aside(&target.place, target.writing.id())?;
        let version = Arc::new(Version::new(aside.file().clone()));
        let is_followed = match reading {
            Reading::Never => false,
            Reading::NewName => current.is_none(),
            Reading::Always => true,
        };
        if is_followed {
            target.writing.follow(version.clone());
        }
        // Who waits for it has to find it.
        let presentations = &self.names.presentations;
        let observer = presentations.observe(self.root.key(), path, is_followed);
        Ok(Upload {
            version,
            is_followed,
            target,
            aside: Some(aside),
            condition,
            root: self.root.clone(),
            observer: Some(observer),
        })
    }

    /// Comes to a file that is to be changed in place.
    ///
    /// # Errors
    /// 404, or 409 while the whole file is being written.
    pub(crate) fn target_in_place(&self, path: &[u8], begun: Begun) -> Result<Target, Reject> {
        let place = self.root.find(path)?.ok_or(Reject::NotFound)?;
        let target = Target::new(place, begun, Manner::InPlace)?;
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
    ) -> Result<(Arc<OpenFile>, u64), Reject> {
        let (file, identity) = self.root.open_in_place(path)?;
        condition(Some(&identity))?;
        Ok((file, identity.size))
    }

    /// Removes a file that is still the same; whether it was. What is being written under its name is not touched.
    pub(crate) fn remove_same(&self, path: &[u8], known: &Identity) -> Result<bool, Reject> {
        let Some(place) = self.root.find(path)? else {
            return Ok(false);
        };
        let Target { place, writing } = Target::new(place, self.begin(), Manner::Removed)?;
        let _alone = writing.lock_disk();
        match place.current()? {
            Some(current) if current.has_same_content(known) => place.remove()?,
            _ => return Ok(false),
        }
        self.forget(path);
        Ok(true)
    }

    /// Removes a file. What is being written under its name is detached: those who follow it read on.
    pub(crate) fn delete(
        &self,
        path: &[u8],
        begun: Begun,
        condition: &Condition,
    ) -> Result<(), Reject> {
        let place = self.root.find(path)?.ok_or(Reject::NotFound)?;
        let Target { place, writing } = Target::new(place, begun, Manner::Removed)?;
        let _alone = writing.lock_disk();
        let current = place.current()?;
        condition(current.as_ref())?;
        match current {
            // What is there began later.
            _ if !writing.counts() => return Ok(()),
            Some(_) => place.remove()?,
            None if writing.uploads() > 0 => {}
            None => return Err(Reject::NotFound),
        }
        writing.set_done();
        self.forget(path);
        Ok(())
    }

    /// Nobody is to be told of a file any more.
    fn forget(&self, path: &[u8]) {
        let key = presentation::below(self.root.key(), path);
        self.names.presentations.removed(&key);
    }
}

impl Target {
    fn new(place: Place, begun: Begun, manner: Manner) -> Result<Target, Reject> {
        let writing = begun.write(place.id()?, manner);
        Ok(Target { place, writing })
    }

    /// Whose turn it is to write the file in place.
    pub(crate) fn in_place(&self) -> Arc<AsyncMutex<()>> {
        self.writing.in_place()
    }
}

impl Upload {
    /// The next bytes can be read.
    pub(crate) fn observe(&mut self, bytes: &[u8]) {
        if let Some(observer) = &mut self.observer {
            observer.push(bytes);
        }
    }

    /// The file is complete: it becomes what its name holds, unless something that began later is done already.
    ///
    /// # Errors
    /// The condition's, where it has come to fail meanwhile; the file is given up then.
    pub(crate) fn publish(mut self) -> Result<Stored, Reject> {
        let aside = self.aside.take().expect("is published once");
        let file = aside.file().clone();
        let stat = fstat(&*file).map_err(io::Error::from)?;
        let Target { place, writing } = &self.target;
        let stored = {
            let _alone = writing.lock_disk();
            let current = place.current()?;
            (self.condition)(current.as_ref())?;
            let counts = writing.counts();
            if counts {
                aside.publish(place)?;
                writing.set_done();
            }
            Stored {
                identity: counts.then(|| Identity::of(&stat)),
                is_new: counts && current.is_none(),
            }
        };
        self.version.complete();
        if let Some((observer, identity)) = self.observer.take().zip(stored.identity) {
            let root = &self.root;
            observer.complete(&file, identity.size, &|path, limit| root.read(path, limit));
        }
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
