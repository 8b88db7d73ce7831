//! What all instances of a plugin share: its lines in the log, what it was granted, what it keeps and records.

use std::sync::Arc;

use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtx};

use crate::engine::Engine;
use crate::error::LoadError;
use crate::log::PluginLog;
use crate::metrics::Recorder;
use crate::outbound::Client;
use crate::source::Files;
use crate::spec::{GrantedDirectory, PluginSpec};
use crate::state::Space;
use crate::wake::Sleepers;

/// One of each for a plugin, made when the server starts: one that is loaded anew goes on with it.
pub(crate) struct Common {
    pub(crate) log: Arc<PluginLog>,
    /// The preopens of wasi:filesystem: each directory is open once, for all instances.
    pub(crate) directories: WasiFilesystemCtx,
    /// None where no destination was granted.
    pub(crate) client: Option<Arc<Client>>,
    /// What it is made from, which is watched.
    pub(crate) files: Files,
    /// What it keeps.
    pub(crate) space: Arc<Space>,
    /// The requests that can be woken.
    pub(crate) sleepers: Arc<Sleepers>,
    /// None where nobody asks for figures.
    pub(crate) recorder: Option<Arc<Recorder>>,
}

impl Common {
    /// Opens what was granted.
    ///
    /// # Errors
    /// The directory that cannot be opened.
    pub(crate) fn new(engine: &Engine, spec: &PluginSpec) -> Result<Arc<Common>, LoadError> {
        let metrics = engine.metrics.as_ref();
        let log = Arc::new(PluginLog::new(&spec.name, spec.limits.log));
        Ok(Arc::new(Common {
            directories: open(&spec.grants.directories)?,
            client: Client::new(spec, log.clone()),
            log,
            files: Files::default(),
            space: engine.spaces.of(&spec.name),
            sleepers: Arc::default(),
            recorder: metrics.map(|metrics| metrics.recorder(&spec.name)),
        }))
    }
}

fn open(granted: &[GrantedDirectory]) -> Result<WasiFilesystemCtx, LoadError> {
    let mut builder = WasiCtx::builder();
    for directory in granted {
        let GrantedDirectory { path, writable, .. } = directory;
        let permissions = match writable {
            true => FsPerms::ReadWrite,
            false => FsPerms::ReadOnly,
        };
        let refused = |reason: String| LoadError::Directory {
            path: path.clone(),
            reason,
        };
        if !path.is_dir() {
            return Err(refused("it is no directory that can be read".to_owned()));
        }
        let opened = builder.preopened_dir(path, directory.name(), permissions);
        opened.map_err(|error| refused(error.root_cause().to_string()))?;
    }
    Ok(builder.build().filesystem().clone())
}
