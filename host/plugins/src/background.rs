//! Work of a plugin that belongs to no request: an instance of its own, called whenever what it waits for is ready.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep, sleep_until};
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::call::{any_ready, bounded, drop_all};
use crate::error::Fault;
use crate::exports::{Guest, Pollables};
use crate::plugin::Plugin;
use crate::store::StoreState;

/// How long it rests after a fault.
const FIRST_REST: Duration = Duration::from_secs(1);

/// How long it rests after many in a row.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The pause between two turns at least: work that is always ready leaves the processor to requests.
const PAUSE: Duration = Duration::from_millis(1);

/// The work of the plugin that stands in a place of a chain.
#[derive(Default)]
pub(crate) struct Background {
    /// None until the server serves.
    running: Option<JoinSet<()>>,
}

impl Background {
    /// The server serves: the work begins.
    pub(crate) fn begin(&mut self, plugin: Arc<Plugin>) {
        let running = self.running.get_or_insert_default();
        if plugin.exports.has_background() {
            running.spawn(work(plugin));
        }
    }

    /// Another plugin takes over: its work begins when that of the one before has ended.
    pub(crate) async fn replace(&mut self, plugin: Arc<Plugin>) {
        if let Some(running) = &mut self.running {
            running.shutdown().await;
            self.begin(plugin);
        }
    }
}

/// Works until there is nothing left to do, after a fault in another instance.
async fn work(plugin: Arc<Plugin>) {
    let mut rest = FIRST_REST;
    loop {
        let began = Instant::now();
        let Err(fault) = run(&plugin).await else {
            return;
        };
        if began.elapsed() > LONGEST_REST {
            rest = FIRST_REST;
        }
        log(&plugin, &fault, rest);
        sleep(rest).await;
        rest = (rest * 2).min(LONGEST_REST);
    }
}

async fn run(plugin: &Plugin) -> Result<(), Fault> {
    let mut worker = Worker::new(plugin).await?;
    loop {
        let wait = worker.turn().await?;
        if wait.is_empty() {
            return Ok(());
        }
        let earliest = Instant::now() + PAUSE;
        worker.wait(wait).await?;
        sleep_until(earliest).await;
    }
}

/// The instance.
struct Worker<'a> {
    plugin: &'a Plugin,
    store: Store<StoreState>,
    instance: Instance,
}

impl Worker<'_> {
    async fn new(plugin: &Plugin) -> Result<Worker<'_>, Fault> {
        let _turn = plugin.engine.begin_turn().await;
        let limit = plugin.spec.limits.call;
        let mut state = plugin.state();
        state.is_background = true;
        let mut store = state.into_store(&plugin.engine.wasmtime);
        let instantiate = plugin.pre.instantiate_async(&mut store);
        let instance = bounded("instantiate", limit, instantiate).await;
        let instance = instance?.map_err(|error| store.data().explain(&error))?;
        let mut worker = Worker {
            plugin,
            store,
            instance,
        };
        if plugin.inits_each_instance {
            let called = bounded("init", limit, worker.guest().init()).await?;
            let outcome = called.map_err(|error| worker.store.data().explain(&error))?;
            outcome.map_err(|reason| Fault::init(&reason))?;
        }
        Ok(worker)
    }

    /// One call; what it returns is to be waited for.
    async fn turn(&mut self) -> Result<Pollables, Fault> {
        let _turn = self.plugin.engine.begin_turn().await;
        let limit = self.plugin.spec.limits.call;
        let called = bounded("run", limit, self.guest().run()).await?;
        let outcome = called.map_err(|error| self.store.data().explain(&error))?;
        outcome.map_err(|reason| Fault::failed(&reason))
    }

    async fn wait(&mut self, pollables: Pollables) -> Result<(), Fault> {
        consume_budget().await;
        let table = &mut self.store.data_mut().table;
        any_ready(table, &pollables).await?;
        drop_all(table, pollables)
    }

    fn guest(&mut self) -> Guest<'_> {
        Guest {
            store: &mut self.store,
            instance: &self.instance,
            exports: &self.plugin.exports,
        }
    }
}

fn log(plugin: &Plugin, fault: &Fault, rest: Duration) {
    if let Some(recorder) = &plugin.common.recorder {
        recorder.count_fault();
    }
    let (plugin, rest) = (&*plugin.spec.name, rest.as_secs());
    tracing::warn!(target: "plugin", plugin, "its work beside requests begins anew in {rest} s: {fault}");
}
