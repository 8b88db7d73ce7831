//! Files as representations, those asked for lately from memory or through an open handle.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use ::http::HeaderValue;
use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::pread;

use crate::error::Reject;
use crate::http::media_type;
use crate::http::negotiate::Coding;
use crate::presentation::Key;
use crate::resource::directory::{Directory, Identity};
use crate::resource::kept::{Kept, KeptFiles};
use crate::resource::{Mounts, Names, OpenFile, Version};

/// Files up to this size are kept in memory.
const SMALL: u64 = 16 << 10;

/// The files below the mounts.
pub(crate) struct Files {
    mounts: Arc<Mounts>,
    names: Arc<Names>,
    kept: Arc<KeptFiles>,
    /// The largest text file to compress, in bytes.
    zmax: u64,
}

/// What is found at a path.
pub(crate) enum Found {
    File(Arc<Representation>),
    /// What takes the place of the file is being written.
    Growing(Arc<Version>),
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
    /// It may be sent in a coding: not empty, not beyond `zmax`, and text as far as it was looked at.
    pub(crate) is_compressible: bool,
    /// The coding that the content is in, beside none.
    pub(crate) coding: Option<Coding>,
    /// Of the file without coding.
    pub(crate) identity: Identity,
}

/// Where the bytes of a representation are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Memory(Bytes),
    Disk(Arc<OpenFile>),
}

impl Files {
    /// Needs a runtime. What is written by `names` is read while it grows.
    pub(crate) fn new(mounts: Arc<Mounts>, names: Arc<Names>, zmax: u64) -> Files {
        Files {
            mounts,
            names,
            kept: KeptFiles::new(),
            zmax,
        }
    }

    /// The file of a normalized path, as it is on disk now, or what is being written in its place. May block for the
    /// time of a small read.
    pub(crate) fn open(&self, path: &[u8]) -> Result<Found, Reject> {
        let kept = self.kept.get(path);
        let (directories, below) = self.mounts.locate(path)?;
        let opened = first_found(directories, |directory| {
            match self.names.followed_at(directory, below) {
                Some(version) => Ok(Found::Growing(version)),
                None => match self.open_below(directory, below, path, kept.as_deref()) {
                    Err(Reject::NotFound) if directory.is_growing_directory(below, &self.names) => {
                        Err(Reject::Directory)
                    }
                    opened => opened.map(Found::File),
                },
            }
        });
        if opened.is_err() && kept.is_some() {
            self.kept.forget(path);
        }
        opened
    }

    /// Whether a normalized path names a file that can be read now.
    pub(crate) fn is_file(&self, path: &[u8]) -> bool {
        let located = self.mounts.locate(path);
        located.is_ok_and(|(directories, below)| {
            let open = |directory: &Directory| match self.names.followed_at(directory, below) {
                Some(_) => Ok(()),
                None => directory.open_file(below).map(drop),
            };
            first_found(directories, open).is_ok()
        })
    }

    /// The places where a normalized path may lie, as presentations know them.
    pub(crate) fn keys(&self, path: &[u8]) -> Vec<Key> {
        let located = self.mounts.directories(path);
        located.map_or(Vec::new(), |(directories, below)| {
            let keys = directories.iter().map(|directory| directory.key(below));
            keys.collect()
        })
    }

    /// The file at one of the places where a path may lie.
    fn open_below(
        &self,
        directory: &Directory,
        below: &[u8],
        path: &[u8],
        kept: Option<&Kept>,
    ) -> Result<Arc<Representation>, Reject> {
        if let Some(kept) = kept
            && directory.still_leads(below, &kept.trail)
        {
            return Ok(kept.representation.clone());
        }
        let (file, identity) = directory.open_file(below)?;
        // Asked before the content is looked at: what changes after that shows in the times.
        let is_settled = identity.is_settled();
        let named = media_type::by_name(path);
        let looks_inside = named.is_none() || self.allows_coding(identity.size);
        let (source, start) = read(file, identity.size, looks_inside)?;
        // An open handle shows every change by itself, but what was learned from the content would not follow.
        let lasts = is_settled || matches!(source, Source::Disk(_)) && !looks_inside;

        let mut representation = Representation::new(source, identity, named, &start);
        representation.is_compressible &= self.allows_coding(representation.length);
        let representation = Arc::new(representation);
        let trail = lasts.then(|| directory.trail(below)).flatten();
        match trail.filter(|trail| trail.file() == identity) {
            Some(trail) => self.kept.keep(path, representation.clone(), trail),
            None if kept.is_some() => self.kept.forget(path),
            None => {}
        }
        Ok(representation)
    }

    /// Whether a text of that length is compressed (option `zmax`).
    pub(crate) fn allows_coding(&self, length: u64) -> bool {
        (1..=self.zmax).contains(&length)
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
    fn new(
        source: Source,
        identity: Identity,
        named: Option<HeaderValue>,
        start: &[u8],
    ) -> Representation {
        let length = match &source {
            Source::Memory(content) => content.len() as u64,
            Source::Disk(_) => identity.size,
        };
        let modified = identity.modified();
        let date = httpdate::fmt_http_date(modified);
        let is_whole = start.len() as u64 == length;
        Representation {
            source,
            length,
            modified,
            etag: field(identity.etag()),
            last_modified: field(date),
            content_type: named.unwrap_or_else(|| media_type::by_content(start)),
            is_compressible: media_type::is_utf8(start, is_whole),
            coding: None,
            identity,
        }
    }

    /// The tag that it has in a coding.
    pub(crate) fn coded_etag(&self, coding: Coding) -> HeaderValue {
        field(coding.etag(self.etag()))
    }

    /// The tag as text.
    pub(crate) fn etag(&self) -> &str {
        self.etag.to_str().expect("digits and letters")
    }
}

/// A small file as a whole, a larger one as a handle; and its beginning, if that is asked for.
fn read(file: Arc<OpenFile>, size: u64, looks_inside: bool) -> io::Result<(Source, Bytes)> {
    let count = match size {
        ..=SMALL => size,
        _ if looks_inside => media_type::START as u64,
        _ => 0,
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut start = Vec::with_capacity(count);
    // By position: others read the same handle.
    while start.len() < count {
        let position = start.len() as u64;
        if pread(&file, spare_capacity(&mut start), position)? == 0 {
            break;
        }
    }
    let start = Bytes::from(start);
    match size {
        ..=SMALL => Ok((Source::Memory(start.clone()), start)),
        _ => Ok((Source::Disk(file), start)),
    }
}

fn field(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and letters")
}
