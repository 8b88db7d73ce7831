//! Scripts: what an engine runs that is a plugin itself, and part of the binary.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use flate2::read::GzDecoder;
use wasmtime::Result;

use crate::bindings::httpout::plugin::script;
use crate::error::LoadError;
use crate::log::Level;
use crate::source::{self, Files};
use crate::store::StoreState;

/// The engine that runs JavaScript, if it was built before this crate.
#[cfg(has_js_engine)]
const ENGINE: Option<&[u8]> = Some(include_bytes!("../engines/js.wasm.gz"));
#[cfg(not(has_js_engine))]
const ENGINE: Option<&[u8]> = None;

/// The largest script, and the largest file that it imports, in bytes.
const LARGEST: u64 = 16 << 20;

/// Requests in which it is looked whether a script writes its globals.
const LOOKS: u32 = 1000;

/// Whether it is known that a script writes its globals in requests.
struct Globals {
    /// Requests that are still to be looked at.
    left: AtomicU32,
    is_told: AtomicBool,
}

impl Default for Globals {
    fn default() -> Globals {
        Globals {
            left: AtomicU32::new(LOOKS),
            is_told: AtomicBool::new(false),
        }
    }
}

impl Globals {
    /// Whether to look in this request.
    fn look(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        let looked = self.left.fetch_update(Relaxed, Relaxed, one_less);
        looked.is_ok() && !self.is_told.load(Relaxed)
    }

    /// They are; whether that is news.
    fn tell(&self) -> bool {
        !self.is_told.swap(true, Relaxed)
    }
}

/// A script and what it may import.
pub(crate) struct Script {
    /// The name of its file.
    name: String,
    text: String,
    /// Where it lies.
    directory: Dir,
    /// Its name.
    parent: PathBuf,
    /// What relative paths are relative to.
    places: Vec<String>,
    globals: Globals,
}

impl Script {
    /// Reads a script. May block.
    ///
    /// # Errors
    /// What the file is instead.
    pub(crate) fn read(path: &Path) -> Result<Script, LoadError> {
        let bytes = source::read_file(path, LARGEST)?;
        let text = String::from_utf8(bytes).map_err(|_| LoadError::NotText(path.to_owned()))?;
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let directory = Dir::open_ambient_dir(parent, ambient_authority());
        let directory = directory.map_err(|source| LoadError::Read {
            path: path.to_owned(),
            source,
        })?;
        let name = path.file_name().unwrap_or_default();
        Ok(Script {
            name: name.to_string_lossy().into_owned(),
            text,
            directory,
            parent: parent.to_owned(),
            places: places(path),
            globals: Globals::default(),
        })
    }

    /// Another file below the script's directory, which is watched from then on. May block.
    fn file(&self, path: &str, files: &Files) -> io::Result<String> {
        files.add(&self.parent.join(path));
        let mut text = String::new();
        let file = self.directory.open(path)?;
        if file.metadata()?.is_file() {
            file.take(LARGEST).read_to_string(&mut text)?;
            Ok(text)
        } else {
            Err(io::Error::other("it is not a file"))
        }
    }
}

/// The directory of a script, then that of the process.
fn places(path: &Path) -> Vec<String> {
    let own = std::path::absolute(path).ok();
    let own = own.and_then(|path| path.parent().map(Path::to_owned));
    let places = own.into_iter().chain(std::env::current_dir());
    places
        .map(|place| place.to_string_lossy().into_owned())
        .collect()
}

/// The component that runs scripts.
///
/// # Errors
/// This binary was built without it.
pub(crate) fn engine() -> Result<Vec<u8>, LoadError> {
    let compressed = ENGINE.ok_or(LoadError::NoScripts)?;
    let mut component = Vec::new();
    let decoded = GzDecoder::new(compressed).read_to_end(&mut component);
    decoded.map_err(|error| LoadError::Engine(error.to_string()))?;
    Ok(component)
}

impl script::Host for StoreState {
    fn source(&mut self) -> Result<Option<(String, String)>> {
        let script = self.script.as_ref();
        Ok(script.map(|script| (script.name.clone(), script.text.clone())))
    }

    fn file(&mut self, path: String) -> Result<Result<String, String>> {
        Ok(match &self.script {
            // Files block, and a request must not hold up its thread.
            _ if self.current.is_some() || self.is_background => {
                Err("files can be imported only at start".to_owned())
            }
            None => Err("there is no script".to_owned()),
            Some(script) => {
                let file = script.file(&path, &self.common.files);
                file.map_err(|error| error.to_string())
            }
        })
    }

    fn places(&mut self) -> Result<Vec<String>> {
        let script = self.script.as_ref();
        Ok(script.map_or_else(Vec::new, |script| script.places.clone()))
    }

    fn time_limit(&mut self) -> Result<u64> {
        let limit = self.spec.limits.call.as_millis();
        Ok(u64::try_from(limit).unwrap_or(u64::MAX))
    }

    fn watch_globals(&mut self) -> Result<bool> {
        let is_fresh = self.current.is_some() && self.spec.reuse == 0;
        let script = self.script.as_ref().filter(|_| is_fresh);
        Ok(script.is_some_and(|script| script.globals.look()))
    }

    fn globals_written(&mut self, names: Vec<String>) -> Result<()> {
        let is_first = self.script.as_ref().is_some_and(|one| one.globals.tell());
        if is_first {
            let request = self.current.as_ref().map(|current| current.exchange.id);
            let line = format!(
                "a request has written `{}`, which is gone with it: each begins with the globals as they were at load (what is to last goes into `state`)",
                names.join("`, `")
            );
            self.common.log.write(Level::WARN, request, &line);
        }
        Ok(())
    }
}
