//! A plugin: a component that was compiled, linked and tried once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::Component;

use crate::bindings::PluginPre;
use crate::call::{self, Session};
use crate::engine::Engine;
use crate::error::{Fault, LoadError};
use crate::store::{Server, StoreState};

/// Which component to load, and what it is told.
#[derive(Debug, Clone)]
pub struct PluginSpec {
    /// The component's file.
    pub path: PathBuf,
    /// How log lines name it.
    pub name: String,
    /// Its configuration, in order.
    pub config: Vec<(String, String)>,
}

/// A plugin, ready to be instantiated for a request.
pub struct Plugin {
    pub(crate) engine: Arc<Engine>,
    pub(crate) pre: PluginPre<StoreState>,
    pub(crate) spec: Arc<PluginSpec>,
    pub(crate) server: Arc<dyn Server>,
}

impl Plugin {
    /// Compiles a component, checks that it is a plugin, and runs its `init` once.
    ///
    /// # Errors
    /// Says in one line why the file cannot serve as a plugin.
    pub async fn load(
        engine: Arc<Engine>,
        spec: PluginSpec,
        server: Arc<dyn Server>,
    ) -> Result<Plugin, LoadError> {
        let path = spec.path.clone();
        let bytes = read(&path)?;
        let component = Component::new(&engine.wasmtime, &bytes).map_err(|error| {
            let reason = one_line(&error);
            LoadError::Compile {
                path: path.clone(),
                reason,
            }
        })?;
        let pre = engine.linker.instantiate_pre(&component).map_err(|error| {
            let reason = one_line(&error);
            LoadError::Import {
                path: path.clone(),
                reason,
            }
        })?;
        let pre = PluginPre::new(pre).map_err(|error| {
            let reason = one_line(&error);
            LoadError::World {
                path: path.clone(),
                reason,
            }
        })?;
        let plugin = Plugin {
            engine,
            pre,
            spec: Arc::new(spec),
            server,
        };
        plugin.try_out().await.map_err(|fault| LoadError::Init {
            path,
            reason: match fault {
                Fault::Init(reason) => reason,
                other => other.to_string(),
            },
        })?;
        Ok(plugin)
    }

    async fn try_out(&self) -> Result<(), Fault> {
        call::instantiate(self).await.map(|_: Session| ())
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
    format!("{error:#}").replace('\n', " ")
}
