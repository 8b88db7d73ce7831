//! The files on disk that inputs have written: what stays there, and what goes, is not up to clients.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound::{Included, Unbounded};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::Reject;
use crate::resource::directory::Identity;
use crate::resource::disk::Disk;
use crate::resource::open_file::OpenFile;
use crate::resource::store::Store;

/// The files below a directory that inputs of this process have written. Others are never touched, nor is what has taken
/// the place of one of them.
#[derive(Debug)]
pub(crate) struct InputFiles {
    store: Arc<Store>,
    directory: Disk,
    register: Mutex<Register>,
}

#[derive(Debug, Default)]
struct Register {
    files: BTreeMap<Box<[u8]>, Written>,
    last: u64,
}

#[derive(Debug)]
struct Written {
    /// Of two files, that which came later to its name has the larger one.
    order: u64,
    identity: Identity,
}

impl InputFiles {
    /// `store` is that of the same directory.
    pub(crate) fn open(path: &Path, store: Arc<Store>) -> io::Result<InputFiles> {
        Ok(InputFiles {
            store,
            directory: Disk::open(path)?,
            register: Mutex::default(),
        })
    }

    /// An input has written a file.
    pub(super) fn add(&self, path: &[u8], identity: &Identity) {
        let mut register = self.register();
        register.last += 1;
        let written = Written {
            order: register.last,
            identity: *identity,
        };
        register.files.insert(path.into(), written);
    }

    /// When a file came to its name, before or after others.
    pub(super) fn order(&self, path: &[u8]) -> Option<u64> {
        self.register().files.get(path).map(|file| file.order)
    }

    /// The files whose paths begin with these bytes and are wanted, and when they came.
    pub(super) fn find(
        &self,
        prefix: &[u8],
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Vec<(u64, Box<[u8]>)> {
        let register = self.register();
        let all = register
            .files
            .range::<[u8], _>((Included(prefix), Unbounded));
        let below = all.take_while(|(path, _)| path.starts_with(prefix));
        let wanted = below.filter(|(path, _)| is_wanted(path));
        wanted
            .map(|(path, file)| (file.order, path.clone()))
            .collect()
    }

    /// The file at a path, whoever has written it. May block.
    pub(super) fn open_file(&self, path: &[u8]) -> Result<(Arc<OpenFile>, Identity), Reject> {
        self.directory.open_file(path)
    }

    /// Removes a file unless another has come to its name; whether it was there. May block.
    pub(super) fn remove_same(&self, path: &[u8], order: u64) -> bool {
        let identity = {
            let mut register = self.register();
            match register.files.get(path) {
                Some(file) if file.order == order => register.files.remove(path),
                _ => None,
            }
        };
        let Some(Written { identity, .. }) = identity else {
            return false;
        };
        self.store
            .remove_same(path, &identity)
            .unwrap_or_else(|error| {
                let path = path.escape_ascii();
                tracing::warn!("cannot remove `{path}` (option `max_cache_segs`): {error}");
                false
            })
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().expect("no holder panics")
    }
}
