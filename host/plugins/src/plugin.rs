//! A plugin: a component that was compiled, linked and tried once.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;
use wasmtime::component::InstancePre;

use crate::breaker::Breaker;
use crate::call::Session;
use crate::common::Common;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::exports::Exports;
use crate::pass::Pass;
use crate::reuse::Idle;
use crate::script::Script;
use crate::snapshot::{self, Snapshot};
use crate::source::{self, Source};
use crate::spec::PluginSpec;
use crate::store::{Server, StoreState};

/// A plugin, ready to be instantiated for a request.
pub struct Plugin {
    pub(crate) engine: Arc<Engine>,
    pub(crate) pre: InstancePre<StoreState>,
    pub(crate) exports: Exports,
    pub(crate) spec: Arc<PluginSpec>,
    /// Where no snapshot holds what `init` left.
    pub(crate) inits_each_instance: bool,
    /// What the engine of scripts runs.
    script: Option<Arc<Script>>,
    pub(crate) server: Arc<dyn Server>,
    pub(crate) breaker: Breaker,
    /// What its idle instances are kept by.
    pub(crate) id: u64,
    pub(crate) common: Arc<Common>,
}

impl Plugin {
    /// Compiles a component, checks that it is a plugin, runs its `init`, and tries an instance.
    ///
    /// # Errors
    /// Says in one line why the file cannot serve as a plugin.
    pub async fn load(
        engine: Arc<Engine>,
        spec: Arc<PluginSpec>,
        server: Arc<dyn Server>,
    ) -> Result<Arc<Plugin>, LoadError> {
        off_the_workers(engine, spec, server, None).await
    }

    /// Loads it again from its file. What instances share is common to both: requests that wait in the one can be woken
    /// from the other, and they have their limits together.
    ///
    /// # Errors
    /// As those of [`Plugin::load`].
    pub(crate) async fn load_again(&self) -> Result<Arc<Plugin>, LoadError> {
        let (engine, spec, server) = (&self.engine, &self.spec, &self.server);
        let common = Some(self.common.clone());
        off_the_workers(engine.clone(), spec.clone(), server.clone(), common).await
    }

    /// The host's side of a fresh instance.
    pub(crate) fn state(&self) -> StoreState {
        let (spec, server, common) = (&self.spec, &self.server, &self.common);
        let mut state = StoreState::new(spec.clone(), server.clone(), common.clone());
        state.script.clone_from(&self.script);
        state
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.engine.forget_idle(self.id);
    }
}

/// Files and the compiler block: that must not be one of the threads that serve.
async fn off_the_workers(
    engine: Arc<Engine>,
    spec: Arc<PluginSpec>,
    server: Arc<dyn Server>,
    common: Option<Arc<Common>>,
) -> Result<Arc<Plugin>, LoadError> {
    let path = spec.path.clone();
    let runtime = Handle::current();
    let loading = move || {
        let loaded = runtime.block_on(load(engine.clone(), spec, server, common));
        engine.end_compiling();
        loaded
    };
    let loaded = tokio::task::spawn_blocking(loading).await;
    loaded.unwrap_or_else(|error| Err(panicked(&path, &error)))
}

async fn load(
    engine: Arc<Engine>,
    spec: Arc<PluginSpec>,
    server: Arc<dyn Server>,
    common: Option<Arc<Common>>,
) -> Result<Arc<Plugin>, LoadError> {
    let path = &spec.path;
    let common = match common {
        Some(common) => common,
        None => Common::new(&engine, &spec)?,
    };
    common.files.begin(path);
    let Source { component, script } = source::read(path, spec.kind)?;
    let mut state = StoreState::new(spec.clone(), server.clone(), common.clone());
    state.script.clone_from(&script);
    state.seed = engine.seed();
    let (linked, inits_each_instance) = match snapshot::take(&engine, &component, state).await? {
        Snapshot::Taken(linked) => (linked, false),
        Snapshot::Unsuitable(linked, reason) => {
            let plugin = &*spec.name;
            tracing::debug!(target: "plugin", plugin, "no snapshot: {reason}");
            (linked, true)
        }
    };
    let permit = engine.reserve_for_loading().await;
    let plugin = Arc::new(Plugin {
        engine,
        pre: linked.pre,
        exports: linked.exports,
        spec: spec.clone(),
        inits_each_instance,
        script,
        server,
        common,
        breaker: Breaker::new(),
        id: Idle::next_id(),
    });
    let tried = match Pass::ask(&plugin) {
        Ok(pass) => Session::begin(&plugin, Arc::new(pass), permit).await,
        Err(fault) => Err(fault),
    };
    tried.map_err(|fault| LoadError::init(&spec, fault))?;
    Ok(plugin)
}

/// A component that the compiler cannot cope with must not end the server that is to replace a plugin by it.
fn panicked(path: &Path, error: &tokio::task::JoinError) -> LoadError {
    LoadError::Compile {
        path: path.to_owned(),
        reason: format!("the compiler failed: {error}"),
    }
}
