//! What there is to play, for the page of the player: the manifests below the directories for read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::error::Reject;
use crate::http::path;
use crate::manifest::is_manifest;
use crate::resource::{Kind, Mounts, Names};

pub(super) const PATH: &[u8] = b"/_/player/presentations";

pub(super) const TYPE: &str = "application/json";

/// Directories that are looked into: a library of films must not keep the disk busy for a page.
const DIRECTORIES: usize = 100;

/// How deep they lie, the top being 0.
const DEPTH: usize = 4;

/// Manifests that are told, the latest first.
const MANIFESTS: usize = 100;

/// How long a list is told again.
const AGE: Duration = Duration::from_secs(1);

/// The manifests below the mounts.
pub(super) struct Presentations {
    mounts: Option<Arc<Mounts>>,
    names: Arc<Names>,
    /// When it was made. Whoever asks meanwhile waits, so that one is made at a time.
    latest: Mutex<Option<(Instant, Bytes)>>,
}

/// One of them; as JSON `{"path": "/live/ll.mpd", "age": 1.25}`.
#[derive(Serialize)]
struct Manifest {
    /// As a URL has it.
    path: String,
    /// Seconds since it was written.
    age: f64,
}

impl Presentations {
    pub(super) fn new(mounts: Option<Arc<Mounts>>, names: Arc<Names>) -> Presentations {
        Presentations {
            mounts,
            names,
            latest: Mutex::default(),
        }
    }

    /// They, as JSON.
    pub(super) async fn list(&self) -> Result<Bytes, Reject> {
        let mut latest = self.latest.lock().await;
        if let Some((made, list)) = &*latest
            && made.elapsed() < AGE
        {
            return Ok(list.clone());
        }
        let manifests = match self.mounts.clone() {
            Some(mounts) => {
                let names = self.names.clone();
                let found = tokio::task::spawn_blocking(move || find(&mounts, &names));
                found.await.map_err(|error| Reject::Read(error.into()))?
            }
            None => Vec::new(),
        };
        let list = serde_json::to_vec(&manifests).map_err(std::io::Error::from)?;
        let list = Bytes::from(list);
        *latest = Some((Instant::now(), list.clone()));
        Ok(list)
    }
}

fn find(mounts: &Mounts, names: &Names) -> Vec<Manifest> {
    let now = SystemTime::now();
    let mut manifests = Vec::new();
    let mut directories = VecDeque::from([(b"/".to_vec(), 0)]);
    let mut seen = 1;
    while let Some((directory, depth)) = directories.pop_front() {
        // What cannot be read is nothing to play.
        for entry in mounts.entries(&directory, names).unwrap_or_default() {
            let path = [&directory[..], &entry.name].concat();
            match entry.kind {
                Kind::Directory if depth < DEPTH && seen < DIRECTORIES => {
                    seen += 1;
                    directories.push_back(([&path[..], b"/"].concat(), depth + 1));
                }
                Kind::File(_) if is_manifest(&entry.name) => {
                    let age = entry
                        .modified
                        .and_then(|time| now.duration_since(time).ok());
                    manifests.push(Manifest {
                        path: path::encode(&path),
                        age: age.unwrap_or_default().as_secs_f64(),
                    });
                }
                _ => {}
            }
        }
    }
    manifests.sort_by(|one, other| one.age.total_cmp(&other.age));
    manifests.truncate(MANIFESTS);
    manifests
}
