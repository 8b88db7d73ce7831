//! Whether a component is a plugin: it exports the handler, and imports only what the server gives.

use std::path::Path;

use wasmtime::component::{Component, InstancePre};

use crate::bindings::AnyPluginPre;
use crate::engine::{self, Engine};
use crate::error::{LoadError, escape, limit_of};
use crate::exports::{Exports, HANDLER};
use crate::spec::PluginSpec;
use crate::store::StoreState;

/// A component that is a plugin, compiled and linked.
pub(crate) struct Linked {
    pub(crate) pre: InstancePre<StoreState>,
    pub(crate) exports: Exports,
}

/// Compiles and links a component. May take seconds of a core.
///
/// # Errors
/// Why it is no plugin, or needs what it is not given.
pub(crate) fn link(engine: &Engine, spec: &PluginSpec, bytes: &[u8]) -> Result<Linked, LoadError> {
    let path = &*spec.path;
    let component = compile(engine, path, bytes)?;
    check_handler(engine, path, &component)?;
    let linker = engine::link(&engine.wasmtime, spec);
    let pre = match linker.and_then(|linker| linker.instantiate_pre(&component)) {
        Ok(pre) => pre,
        Err(error) => return Err(missing_import(engine, path, &component, &error)),
    };
    // What it exports is that of every plugin; its imports are satisfied already.
    let world = AnyPluginPre::new(pre).map_err(|error| one_line(&error));
    let exports = Exports::find(&component).ok_or_else(|| "a function is missing".to_owned());
    match (world, exports) {
        (Ok(world), Ok(exports)) => Ok(Linked {
            pre: world.instance_pre().clone(),
            exports,
        }),
        (Err(reason), _) | (_, Err(reason)) => Err(LoadError::World {
            path: path.to_owned(),
            reason,
        }),
    }
}

fn compile(engine: &Engine, path: &Path, bytes: &[u8]) -> Result<Component, LoadError> {
    engine.compile(bytes).map_err(|error| {
        let reason = one_line(&error);
        let hint = if let Some(option) = limit_of(&reason) {
            // The pool's slots are as large as the options say.
            &format!("it needs more than option `{option}` gives: ")
        } else if reason.contains("unexpected end") || reason.contains("out of bounds") {
            "the file seems to be cut short: "
        } else {
            ""
        };
        LoadError::Compile {
            path: path.to_owned(),
            reason: format!("{hint}{reason}"),
        }
    })
}

/// Looked at before the imports, because what was built for another server or version imports other things as well.
fn check_handler(engine: &Engine, path: &Path, component: &Component) -> Result<(), LoadError> {
    if component.get_export_index(None, HANDLER).is_some() {
        return Ok(());
    }
    let (interface, ours) = HANDLER.split_once('@').expect("it has a version");
    let kind = component.component_type();
    let names: Vec<&str> = kind
        .exports(&engine.wasmtime)
        .map(|(name, _)| name)
        // It was added to read the memory for a snapshot.
        .filter(|name| *name != "wasmtime:wizer/access")
        .collect();
    let theirs = names.iter().find_map(|name| name.strip_prefix(interface));
    let path = path.to_owned();
    Err(match theirs {
        Some(version) => LoadError::Version {
            path,
            theirs: version.trim_start_matches('@').to_owned(),
            ours,
        },
        None => LoadError::NoHandler {
            path,
            exports: match names.as_slice() {
                [] => "nothing".to_owned(),
                names => escape(&format!("`{}`", names.join("`, `"))),
            },
        },
    })
}

/// The engine says it at length; its text names the import.
fn missing_import(
    engine: &Engine,
    path: &Path,
    component: &Component,
    error: &wasmtime::Error,
) -> LoadError {
    let reason = one_line(error);
    let kind = component.component_type();
    let import = kind
        .imports(&engine.wasmtime)
        .map(|(name, _)| name)
        .find(|name| reason.contains(*name))
        .unwrap_or("what it does not say")
        .to_owned();
    let path = path.to_owned();
    match import.starts_with("wasi:http/") {
        true => LoadError::Outbound(path),
        false => LoadError::Import {
            path,
            import,
            reason,
        },
    }
}

/// What the engine says, in one line.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    escape(&format!("{error:#}").replace('\n', " "))
}
