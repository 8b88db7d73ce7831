//! A place in a chain: the plugin that is asked there, which another may replace between two requests.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use crate::error::{LoadError, escape};
use crate::plugin::Plugin;
use crate::source::Stamp;

/// Which plugins to load again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// All of them.
    All,
    /// Those whose files have changed, and have been as they are since they were last looked at.
    Changed,
}

/// A place in a chain. Its file may be replaced, its name, configuration and rights stay.
pub(crate) struct Slot {
    current: ArcSwap<Plugin>,
    file: Mutex<Watched>,
}

/// The states of a file, none where there is no such file.
struct Watched {
    /// The one that was loaded last, or could not be loaded.
    tried: Option<Stamp>,
    /// The one that was seen last.
    seen: Option<Stamp>,
}

impl Slot {
    pub(crate) fn new(plugin: Arc<Plugin>) -> Slot {
        let stamp = Some(plugin.stamp);
        Slot {
            file: Mutex::new(Watched {
                tried: stamp,
                seen: stamp,
            }),
            current: ArcSwap::new(plugin),
        }
    }

    /// The plugin to ask. A request keeps it to its end.
    pub(crate) fn plugin(&self) -> Arc<Plugin> {
        self.current.load_full()
    }

    /// Loads the plugin again, if it is to be, and says in the log what came of it. Until that has succeeded, and where
    /// it fails, requests get the one before.
    pub(crate) async fn reload(&self, which: Reload) {
        let old = self.plugin();
        let path = old.spec.path.clone();
        // A file system may let a `stat` wait.
        let stamp = tokio::task::spawn_blocking(move || Stamp::of(&path)).await;
        let is_due = self
            .file
            .lock()
            .expect("no holder panics")
            .see(stamp.ok().flatten(), which);
        if is_due {
            self.replace(&old, old.load_again().await);
        }
    }

    fn replace(&self, old: &Plugin, loaded: Result<Arc<Plugin>, LoadError>) {
        let plugin = &*old.spec.name;
        match loaded {
            Ok(new) => {
                let path = escape(&new.spec.path.to_string_lossy());
                // What was read may be newer than what was seen before.
                self.file.lock().expect("no holder panics").tried = Some(new.stamp);
                self.current.store(new);
                tracing::info!(target: "plugin", plugin, "`{path}` is loaded anew");
            }
            Err(error) => {
                tracing::warn!(target: "plugin", plugin, "goes on as it was loaded before: {error}");
            }
        }
    }
}

impl Watched {
    /// Takes note of the state of the file; whether it is to be loaded.
    fn see(&mut self, stamp: Option<Stamp>, which: Reload) -> bool {
        // What is written in steps shows another state each time it is looked at.
        let is_settled = self.seen == stamp;
        self.seen = stamp;
        let is_due = which == Reload::All || is_settled && self.tried != stamp;
        if is_due {
            self.tried = stamp;
        }
        is_due
    }
}
