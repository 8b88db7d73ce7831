//! The files that all contenders serve.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::workloads::Workload;
use crate::paths;

const FILE: &str = "file.bin";

/// A folder with one file, whose bytes are known.
pub(super) struct Site {
    pub(super) body: Vec<u8>,
    folder: PathBuf,
}

impl Site {
    pub(super) fn create(workload: &Workload) -> Result<Self> {
        let folder = work_folder()?.join("www");
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create `{}`", folder.display()))?;
        write(&folder, bytes(workload.file_size, 1))
    }

    /// The same site with other bytes of the same length, in one step.
    pub(super) fn replace(&self, workload: &Workload) -> Result<Self> {
        write(&self.folder, bytes(workload.file_size, 2))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Where a bench keeps its files, logs and configurations.
pub(super) fn work_folder() -> Result<PathBuf> {
    let folder = paths::root().join("target").join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    Ok(folder)
}

pub(super) fn target() -> String {
    format!("/{FILE}")
}

pub(super) fn url(address: SocketAddr) -> String {
    format!("http://{address}{}", target())
}

fn write(folder: &Path, body: Vec<u8>) -> Result<Site> {
    let new = folder.with_file_name("new.bin");
    fs::write(&new, &body)
        .and_then(|()| fs::rename(&new, folder.join(FILE)))
        .with_context(|| format!("cannot write `{}`", folder.join(FILE).display()))?;
    Ok(Site {
        body,
        folder: folder.to_owned(),
    })
}

/// Bytes without a pattern (xorshift), the same in each run.
fn bytes(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        })
        .collect()
}
