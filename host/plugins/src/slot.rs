//! A place in a chain: the plugin that is asked there, which another may replace between two requests.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use tokio::sync;

use crate::background::Background;
use crate::error::{LoadError, escape};
use crate::plugin::Plugin;
use crate::source::Stamps;

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
    files: Mutex<Watched>,
    background: sync::Mutex<Background>,
}

/// The states of the files that a plugin is made from.
struct Watched {
    /// The ones that were loaded last, or could not be loaded.
    tried: Stamps,
    /// The ones that were seen last.
    seen: Stamps,
}

impl Slot {
    pub(crate) fn new(plugin: Arc<Plugin>) -> Slot {
        let stamps = plugin.common.files.stamps();
        Slot {
            files: Mutex::new(Watched {
                tried: stamps.clone(),
                seen: stamps,
            }),
            current: ArcSwap::new(plugin),
            background: sync::Mutex::default(),
        }
    }

    /// The server serves: what the plugin does beside requests begins.
    pub(crate) async fn begin_background(&self) {
        self.background.lock().await.begin(self.plugin());
    }

    /// The plugin to ask. A request keeps it to its end.
    pub(crate) fn plugin(&self) -> Arc<Plugin> {
        self.current.load_full()
    }

    /// Loads the plugin again, if it is to be, and says in the log what came of it. Until that has succeeded, and where
    /// it fails, requests get the one before.
    pub(crate) async fn reload(&self, which: Reload) {
        let old = self.plugin();
        let common = old.common.clone();
        // A file system may let a `stat` wait.
        let looked = tokio::task::spawn_blocking(move || common.files.look()).await;
        let Ok(now) = looked else { return };
        if self.files.lock().expect("no holder panics").see(now, which) {
            let loaded = old.load_again().await;
            // What was read may be newer than what was seen before, and other files.
            self.files.lock().expect("no holder panics").tried = old.common.files.stamps();
            self.replace(&old, loaded).await;
        }
    }

    async fn replace(&self, old: &Plugin, loaded: Result<Arc<Plugin>, LoadError>) {
        let plugin = &*old.spec.name;
        match loaded {
            Ok(new) => {
                let path = escape(&new.spec.path.to_string_lossy());
                self.current.store(new.clone());
                tracing::info!(target: "plugin", plugin, "`{path}` is loaded anew");
                self.background.lock().await.replace(new).await;
            }
            Err(error) => {
                tracing::warn!(target: "plugin", plugin, "goes on as it was loaded before: {error}");
            }
        }
    }
}

impl Watched {
    /// Takes note of the states of the files; whether they are to be loaded.
    fn see(&mut self, now: Stamps, which: Reload) -> bool {
        // What is written in steps shows another state each time it is looked at.
        let is_settled = self.seen == now;
        let is_due = which == Reload::All || is_settled && self.tried != now;
        self.seen = now;
        is_due
    }
}
