//! The files that all contenders serve.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

use super::bytes::Bytes;
use super::text::{self, Texts};
use super::workloads::{Content, Work, Workload};
use crate::paths;

/// A folder of files whose bytes are known, and one for uploads. Both are removed when this is dropped.
pub(super) struct Site {
    content: Content,
    texts: Texts,
    version: u32,
    folder: PathBuf,
    uploads: PathBuf,
}

impl Site {
    pub(super) fn create(workload: &Workload) -> Result<Self> {
        let work = work_folder()?;
        let site = Self {
            content: workload.content,
            texts: Texts::new(),
            version: 1,
            folder: work.join("www"),
            uploads: work.join("uploads"),
        };
        for folder in [&site.folder, &site.uploads] {
            remove(folder);
            fs::create_dir(folder)
                .with_context(|| format!("cannot create `{}`", folder.display()))?;
        }
        // What is uploaded comes from us.
        if !matches!(workload.work, Work::Put | Work::Relay { .. }) {
            site.write()?;
        }
        Ok(site)
    }

    /// Gives all files other bytes of the same length, each in one step; to one that scripts make as well, the same.
    pub(super) fn replace(&mut self) -> Result<()> {
        self.version += 1;
        self.write()
    }

    /// Gives all files another time of change.
    pub(super) fn touch(&self) -> Result<()> {
        let time = SystemTime::now();
        (0..self.count()).try_for_each(|number| {
            let path = self.path(number);
            File::options()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_modified(time))
                .with_context(|| format!("cannot touch `{}`", path.display()))
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder for uploads.
    pub(super) fn uploads(&self) -> &Path {
        &self.uploads
    }

    /// How many files there are.
    pub(super) fn count(&self) -> usize {
        match self.content {
            Content::Bytes(_) | Content::Zeros(_) | Content::Text(_) => 1,
            Content::Texts(count) => count,
        }
    }

    /// The length of each file.
    pub(super) fn length(&self) -> u64 {
        match self.content {
            Content::Bytes(length) | Content::Zeros(length) => length,
            Content::Text(text) => text.len() as u64,
            Content::Texts(_) => text::LENGTH as u64,
        }
    }

    /// The target of a file, as a request names it.
    pub(super) fn target(&self, number: usize) -> String {
        match self.content {
            Content::Bytes(_) | Content::Zeros(_) => "/file.bin".to_owned(),
            Content::Text(_) => "/hello.txt".to_owned(),
            Content::Texts(_) => format!("/{number}.txt"),
        }
    }

    /// What a file must hold.
    pub(super) fn bytes(&self, number: usize) -> Box<dyn Read> {
        match self.content {
            Content::Bytes(length) => Box::new(self.part(0, length)),
            Content::Zeros(length) => Box::new(io::repeat(0).take(length)),
            Content::Text(text) => Box::new(text.as_bytes()),
            Content::Texts(count) => {
                let version = self.version as usize;
                Box::new(Cursor::new(self.texts.text(version * count + number)))
            }
        }
    }

    /// What a part of the file must hold, where it is one of bytes.
    pub(super) fn part(&self, first: u64, length: u64) -> Bytes {
        Bytes::new(self.version, first, length)
    }

    fn write(&self) -> Result<()> {
        (0..self.count()).try_for_each(|number| {
            let (path, new) = (self.path(number), self.folder.with_file_name("new"));
            File::create(&new)
                .and_then(|mut file| io::copy(&mut self.bytes(number), &mut file))
                .and_then(|_| fs::rename(&new, &path))
                .with_context(|| format!("cannot write `{}`", path.display()))
        })
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.join(&self.target(number)[1..])
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        remove(&self.folder);
        remove(&self.uploads);
    }
}

/// Where a bench keeps its files, logs and configurations.
pub(super) fn work_folder() -> Result<PathBuf> {
    let folder = paths::root().join("target").join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    Ok(folder)
}

/// A script that a server runs.
pub(super) fn script(name: &str) -> PathBuf {
    paths::root().join("xtask/src/bench/scripts").join(name)
}

fn remove(folder: &Path) {
    // It may not be there; where it cannot be removed, creating it anew says so.
    let _ = fs::remove_dir_all(folder);
}
