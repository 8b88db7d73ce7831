//! A plugin: a component that was compiled, linked and tried once.

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, InstancePre};

use crate::bindings::PluginPre;
use crate::call::Session;
use crate::engine::Engine;
use crate::error::{Fault, LoadError, escape};
use crate::exports::Exports;
use crate::metrics::Recorder;
use crate::snapshot::{self, Snapshot};
use crate::spec::PluginSpec;
use crate::state::Space;
use crate::store::{Server, StoreState};

/// A plugin, ready to be instantiated for a request.
pub struct Plugin {
    pub(crate) engine: Arc<Engine>,
    pub(crate) pre: InstancePre<StoreState>,
    pub(crate) exports: Exports,
    pub(crate) spec: Arc<PluginSpec>,
    /// Where no snapshot holds what `init` left.
    pub(crate) inits_each_instance: bool,
    server: Arc<dyn Server>,
    space: Arc<Space>,
    pub(crate) recorder: Option<Arc<Recorder>>,
}

impl Plugin {
    /// Compiles a component, checks that it is a plugin, runs its `init`, and tries an instance.
    ///
    /// # Errors
    /// Says in one line why the file cannot serve as a plugin.
    pub async fn load(
        engine: Arc<Engine>,
        spec: PluginSpec,
        server: Arc<dyn Server>,
    ) -> Result<Arc<Plugin>, LoadError> {
        let spec = Arc::new(spec);
        let path = &spec.path;
        let bytes = read(path)?;
        // Before the snapshot, so that what is no plugin is refused for what it is.
        let (mut pre, mut exports) = prepare(&engine, path, &bytes)?;
        let init_error = |fault| LoadError::Init {
            path: path.clone(),
            reason: match fault {
                Fault::Init(reason) => reason,
                other => other.to_string(),
            },
        };
        let space = engine.spaces.of(&spec.name);
        let metrics = engine.metrics.as_ref();
        let recorder = metrics.map(|metrics| metrics.recorder(&spec.name));
        let state = StoreState::new(
            spec.clone(),
            server.clone(),
            space.clone(),
            recorder.clone(),
        );
        let snapshot = snapshot::take(&bytes, state).await;
        let inits_each_instance = match snapshot.map_err(init_error)? {
            Snapshot::Taken(bytes) => {
                (pre, exports) = prepare(&engine, path, &bytes)?;
                false
            }
            Snapshot::Unsuitable(reason) => {
                let plugin = &*spec.name;
                tracing::debug!(target: "plugin", plugin, "no snapshot: {}", one_line(&reason));
                true
            }
        };
        let plugin = Arc::new(Plugin {
            engine,
            pre,
            exports,
            spec: spec.clone(),
            inits_each_instance,
            server,
            space,
            recorder,
        });
        Session::open(&plugin).await.map_err(init_error)?;
        Ok(plugin)
    }

    /// The host's side of a fresh instance.
    pub(crate) fn state(&self) -> StoreState {
        StoreState::new(
            self.spec.clone(),
            self.server.clone(),
            self.space.clone(),
            self.recorder.clone(),
        )
    }
}

/// Compiles and links a component, and checks its world.
fn prepare(
    engine: &Engine,
    path: &Path,
    bytes: &[u8],
) -> Result<(InstancePre<StoreState>, Exports), LoadError> {
    let path = path.to_owned();
    let component = match Component::new(&engine.wasmtime, bytes) {
        Ok(component) => component,
        Err(error) => {
            let reason = one_line(&error);
            // The pool's slots are as large as the option says.
            let reason = match reason.contains("pooling allocator") {
                true => format!("it needs more than option `plugin_memory` gives: {reason}"),
                false => reason,
            };
            return Err(LoadError::Compile { path, reason });
        }
    };
    let linked = match engine.linker.instantiate_pre(&component) {
        Ok(linked) => linked,
        Err(error) => {
            let reason = one_line(&error);
            return Err(LoadError::Import { path, reason });
        }
    };
    let world = PluginPre::new(linked).map_err(|error| one_line(&error));
    let exports = Exports::find(&component).ok_or_else(|| "a function is missing".to_owned());
    match (world, exports) {
        (Ok(world), Ok(exports)) => Ok((world.instance_pre().clone(), exports)),
        (Err(reason), _) | (_, Err(reason)) => Err(LoadError::World { path, reason }),
    }
}

/// The bytes of a component, or what else the file is.
fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let bytes = std::fs::read(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })?;
    match bytes.get(..8) {
        Some(b"\0asm\x0d\0\x01\0") => Ok(bytes),
        Some(b"\0asm\x01\0\0\0") => Err(LoadError::CoreModule(path.to_owned())),
        _ => Err(LoadError::NotWasm(path.to_owned())),
    }
}

fn one_line(error: &wasmtime::Error) -> String {
    escape(&format!("{error:#}").replace('\n', " "))
}
