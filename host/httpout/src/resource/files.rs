//! Files as representations, the small and settled ones from memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::SystemTime;

use ::http::HeaderValue;
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::error::Reject;
use crate::http::media_type;
use crate::resource::directory::{Identity, Trail};
use crate::resource::{Directory, Mounts, Store, Version};

/// Files up to this size are kept in memory.
const SMALL: u64 = 16 << 10;

/// All files kept in memory together, in bytes.
const CACHE: u64 = 64 << 20;

/// What an entry of the cache costs beside its content, roughly, in bytes.
const ENTRY: u64 = 512;

/// The files below the mounts.
pub(crate) struct Files {
    mounts: Arc<Mounts>,
    cache: Cache<Box<[u8]>, Arc<Kept>, ByBytes>,
}

/// A file as it is answered: its content and the fields that describe it.
#[derive(Debug, Clone)]
pub(crate) struct Representation {
    pub(crate) source: Source,
    /// In bytes.
    pub(crate) length: u64,
    pub(crate) modified: SystemTime,
    /// Strong, with its quotes.
    pub(crate) etag: HeaderValue,
    pub(crate) last_modified: HeaderValue,
    pub(crate) content_type: HeaderValue,
}

/// Where the bytes of a representation are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Memory(Bytes),
    Disk(Arc<File>),
}

/// A small file in memory, and how to see that it is still the one on disk.
struct Kept {
    representation: Representation,
    trail: Trail,
}

impl Files {
    pub(crate) fn new(mounts: Arc<Mounts>) -> Files {
        let items = usize::try_from(CACHE / ENTRY / 4).unwrap_or(usize::MAX);
        Files {
            mounts,
            cache: Cache::with_weighter(items, CACHE, ByBytes),
        }
    }

    /// The file of a normalized path, as it is on disk now. May block for the time of a small read.
    pub(crate) fn open(&self, path: &[u8]) -> Result<Representation, Reject> {
        let (directories, below) = self.mounts.locate(path)?;
        first_found(directories, |directory| {
            self.open_in(directory, below, path)
        })
    }

    fn open_in(
        &self,
        directory: &Directory,
        below: &[u8],
        path: &[u8],
    ) -> Result<Representation, Reject> {
        if let Some(kept) = self.cache.get(path) {
            if directory.still_leads(below, &kept.trail) {
                return Ok(kept.representation.clone());
            }
            self.cache.remove(path);
        }
        let (file, identity) = directory.open_file(below)?;
        if identity.size > SMALL {
            return Ok(Representation::new(
                path,
                &identity,
                Source::Disk(Arc::new(file)),
            ));
        }
        let content = read(file, identity.size)?;
        let representation = Representation::new(path, &identity, Source::Memory(content));
        if identity.is_settled() && representation.length == identity.size {
            let trail = directory.trail(below);
            if let Some(trail) = trail.filter(|trail| trail.file() == identity) {
                let kept = Kept {
                    representation: representation.clone(),
                    trail,
                };
                self.cache.insert(path.into(), Arc::new(kept));
            }
        }
        Ok(representation)
    }

    /// The version that is being written at a normalized path, where it can be followed.
    pub(crate) fn followed(&self, path: &[u8], store: &Store) -> Option<Arc<Version>> {
        let (directories, below) = self.mounts.locate(path).ok()?;
        let followed = |directory| store.followed(directory, below);
        directories.iter().find_map(followed)
    }

    /// Whether a normalized path names a file that can be read now.
    pub(crate) fn is_file(&self, path: &[u8]) -> bool {
        let located = self.mounts.locate(path);
        located.is_ok_and(|(directories, below)| {
            first_found(directories, |directory| directory.open_file(below)).is_ok()
        })
    }
}

/// The answer of the first directory that has one.
fn first_found<T>(
    directories: &[Directory],
    open: impl Fn(&Directory) -> Result<T, Reject>,
) -> Result<T, Reject> {
    for directory in directories {
        match open(directory) {
            Err(Reject::NotFound) => {}
            found => return found,
        }
    }
    Err(Reject::NotFound)
}

impl Representation {
    fn new(path: &[u8], identity: &Identity, source: Source) -> Representation {
        let length = match &source {
            Source::Memory(content) => content.len() as u64,
            Source::Disk(_) => identity.size,
        };
        let modified = identity.modified();
        let date = httpdate::fmt_http_date(modified);
        let field = |text: String| HeaderValue::try_from(text).expect("digits and letters");
        Representation {
            source,
            length,
            modified,
            etag: field(identity.etag()),
            last_modified: field(date),
            content_type: media_type::of(path),
        }
    }
}

fn read(file: File, size: u64) -> io::Result<Bytes> {
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(size).read_to_end(&mut content)?;
    Ok(content.into())
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Box<[u8]>, Arc<Kept>> for ByBytes {
    fn weight(&self, path: &Box<[u8]>, kept: &Arc<Kept>) -> u64 {
        path.len() as u64 + kept.representation.length + ENTRY
    }
}
