//! The directories that were granted to plugins, as far as they have files of theirs served.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Reject;
use crate::resource::disk::Disk;
use crate::resource::{Directory, Files, Found, Mounts, Representation};

/// Files below granted directories. Only a plugin can name them: no target of a request leads here.
#[derive(Default)]
pub(crate) struct Granted {
    /// A directory is mounted by its place here.
    directories: Vec<PathBuf>,
    /// None where nothing is granted.
    files: Option<Files>,
}

impl Granted {
    /// Opens the directories; some may be given several times. Needs a runtime.
    ///
    /// # Errors
    /// The directory that cannot be opened.
    pub(crate) fn open_all<'a>(
        granted: impl Iterator<Item = &'a Path>,
        zmax: u64,
    ) -> Result<Granted, (PathBuf, io::Error)> {
        let mut directories: Vec<PathBuf> = granted.map(Path::to_owned).collect();
        directories.sort();
        directories.dedup();
        let mut mounts = Vec::new();
        for (place, path) in directories.iter().enumerate() {
            let directory = Disk::open(path).map_err(|error| (path.clone(), error))?;
            mounts.push((place.to_string(), Directory::Disk(directory)));
        }
        let mounts = Arc::new(Mounts::new(mounts));
        let files = (!directories.is_empty()).then(|| Files::new(mounts, Arc::default(), zmax));
        Ok(Granted { directories, files })
    }

    /// The file at a normalized path below one of the directories.
    pub(crate) fn open(
        &self,
        directory: &Path,
        below: &[u8],
    ) -> Result<Arc<Representation>, Reject> {
        let (files, path) = self.locate(directory, below).ok_or(Reject::NotFound)?;
        match files.open(&path)? {
            Found::File(file) => Ok(file),
            Found::Growing(_) => Err(Reject::NotFound),
        }
    }

    /// Whether there is such a file.
    pub(crate) fn is_file(&self, directory: &Path, below: &[u8]) -> bool {
        let located = self.locate(directory, below);
        located.is_some_and(|(files, path)| files.is_file(&path))
    }

    /// The path below the mount points.
    fn locate(&self, directory: &Path, below: &[u8]) -> Option<(&Files, Vec<u8>)> {
        let place = self
            .directories
            .binary_search_by(|known| known.as_path().cmp(directory));
        let mut path = format!("/{}", place.ok()?).into_bytes();
        path.extend_from_slice(below);
        Some((self.files.as_ref()?, path))
    }
}
