//! Keeps the state of all plugins over restarts (option `plugin_state`).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::engine::Engine;
use crate::error::shown;
use crate::state::entries::{Entries, Entry};
use crate::state::file::{self, KeptEntry, KeptSpace};
use crate::state::space::{Space, Spaces};

/// What is written at a time holds all changes of so long, and a process that is killed loses no more.
const PAUSE: Duration = Duration::from_secs(5);

/// How long the end of the server waits for the disk.
const LAST_WRITE: Duration = Duration::from_secs(10);

/// Versions that may have been given after the state was written last, by a process that was killed. They are not given
/// again.
const LOST_VERSIONS: u64 = 1 << 24;

/// Why the state cannot be kept. Each is one line that the user can act on.
#[derive(Debug, Error)]
pub enum StateError {
    /// The file is there, and cannot be read.
    #[error("cannot read `{}`: {source}", shown(.path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Two processes would undo what the other writes.
    #[error("another process keeps its state in `{}`", shown(.0))]
    InUse(PathBuf),
    /// The file could not be written later.
    #[error("cannot write beside `{}`: {source}", shown(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The content is not what was written.
    #[error(
        "`{}` is damaged, or no state of plugins: put back an intact copy, or move it away to begin without",
        shown(.0)
    )]
    Damaged(PathBuf),
}

/// Loads the state of all plugins, and writes it when it has changed.
pub struct StateKeeper {
    path: PathBuf,
    spaces: Arc<Spaces>,
    /// Whether the last attempt has failed. Held while writing, so that what is newer comes later.
    is_failing: Mutex<bool>,
    _lock: File,
}

impl StateKeeper {
    /// Loads the file, if it is there, for the plugins that the engine is going to run.
    ///
    /// # Errors
    /// What is wrong with the file, or with the place where it is to be.
    pub fn open(path: &Path, engine: &Engine) -> Result<Arc<StateKeeper>, StateError> {
        let path = path.to_owned();
        let spaces = engine.spaces.clone();
        let lock = match file::lock(&path) {
            Ok(Some(lock)) => lock,
            Ok(None) => return Err(StateError::InUse(path)),
            Err(source) => return Err(StateError::Write { path, source }),
        };
        restore(&spaces, load(&path)?);
        if let Err(source) = file::probe(&path) {
            return Err(StateError::Write { path, source });
        }
        Ok(Arc::new(StateKeeper {
            path,
            spaces,
            is_failing: Mutex::new(false),
            _lock: lock,
        }))
    }

    /// Looks whether the file could be loaded, and others put in its place. It writes nothing, and a server may be using
    /// the file.
    ///
    /// # Errors
    /// What is wrong with the file, or with the place where it is to be.
    pub fn check(path: &Path) -> Result<(), StateError> {
        load(path)?;
        file::check_place(path).map_err(|source| StateError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes the state whenever it has changed, with a pause after each time, for ever.
    pub async fn keep(self: Arc<Self>) {
        loop {
            self.spaces.changed.wait().await;
            self.write_aside().await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Writes what has changed since the last time, when the server ends. A disk that hangs does not hold up the end.
    pub async fn finish(self: Arc<Self>) {
        let written = tokio::time::timeout(LAST_WRITE, self.write_aside()).await;
        if written.is_err() {
            let seconds = LAST_WRITE.as_secs();
            tracing::error!("the state of plugins is not written after {seconds} s: given up");
        }
    }

    /// Writes on a thread that may block.
    async fn write_aside(self: &Arc<Self>) {
        let keeper = self.clone();
        // It fails where the runtime is ending; then the last write is still to come.
        let _ = spawn_blocking(move || keeper.write()).await;
    }

    fn write(&self) {
        let mut is_failing = self.is_failing.lock().expect("no holder panics");
        if !self.spaces.changed.take() {
            return;
        }
        let kept = gather(&self.spaces);
        match file::replace(&self.path, &file::encode(&kept)) {
            Ok(()) => {
                if std::mem::take(&mut *is_failing) {
                    tracing::info!("the state of plugins is written again");
                }
            }
            Err(error) => {
                self.spaces.changed.set();
                if !std::mem::replace(&mut *is_failing, true) {
                    let path = shown(&self.path);
                    tracing::error!("cannot write the state of plugins to `{path}`: {error}");
                }
            }
        }
    }
}

/// What was kept; nothing where there is no file yet.
fn load(path: &Path) -> Result<Vec<KeptSpace>, StateError> {
    let owned = || path.to_owned();
    match file::read(path) {
        Ok(Some(bytes)) => file::decode(&bytes).ok_or_else(|| StateError::Damaged(owned())),
        Ok(None) => Ok(Vec::new()),
        Err(source) => {
            let path = owned();
            Err(StateError::Read { path, source })
        }
    }
}

/// Gives the plugins what was kept. What has expired meanwhile is gone.
fn restore(spaces: &Spaces, kept: Vec<KeptSpace>) {
    let (now, today) = (spaces.clock.now(), milliseconds_since_1970());
    for space in kept {
        let entries = space.entries.into_iter().filter_map(|entry| {
            let left = entry.expiry.map(|expiry| expiry.checked_sub(today));
            let left = match left {
                Some(None | Some(0)) => return None,
                Some(left) => left,
                None => None,
            };
            let restored = Entry {
                value: entry.value,
                version: entry.version,
                expiry: left.map(|left| now.saturating_add(left)),
            };
            Some((entry.key, restored))
        });
        let last_version = space.last_version.saturating_add(LOST_VERSIONS);
        spaces.restore(space.name, Entries::restore(last_version, entries));
    }
}

fn gather(spaces: &Spaces) -> Vec<KeptSpace> {
    let (now, today) = (spaces.clock.now(), milliseconds_since_1970());
    let kept = |name: String, space: &Space| {
        let (last_version, entries) = space.read(|entries, now| entries.all(now));
        let entries = entries.into_iter().map(|(key, entry)| KeptEntry {
            key,
            value: entry.value,
            version: entry.version,
            expiry: entry
                .expiry
                .map(|expiry| today.saturating_add(expiry.saturating_sub(now))),
        });
        KeptSpace {
            name,
            last_version,
            entries: entries.collect(),
        }
    };
    let spaces = spaces.all().into_iter();
    spaces.map(|(name, space)| kept(name, &space)).collect()
}

fn milliseconds_since_1970() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}
