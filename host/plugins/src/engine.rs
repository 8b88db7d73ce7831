//! The WebAssembly engine that all plugins share: pools, limits and the clock that interrupts guests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::httpout::plugin::{host, http, metrics, script, state};
use crate::cache::Cache;
use crate::clock::{Asleep, Clock};
use crate::error::{Fault, LoadError};
use crate::functions::Functions;
use crate::limiter::{CORE_INSTANCES, MEMORIES, TABLES};
use crate::metrics::Metrics;
use crate::open_at;
use crate::reuse::{Idle, Live};
use crate::spec::{Kind, PluginSpec, Pool};
use crate::state::Spaces;
use crate::store::StoreState;

/// Instances beside those of the requests: plugins are tried in them while they are loaded.
const LOADING: u32 = 2;

/// The engine that all plugins share.
pub struct Engine {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) pool: Pool,
    /// What plugins keep.
    pub(crate) spaces: Arc<Spaces>,
    /// None where nobody asks for them.
    pub(crate) metrics: Option<Arc<Metrics>>,
    instances: Arc<Semaphore>,
    /// One plugin is loaded at a time; it needs an instance beside those of the requests.
    loading: Arc<Semaphore>,
    /// Turns of work that belongs to no request: each instance has one at a time.
    turns: Arc<Semaphore>,
    cache: Option<Arc<Cache>>,
    functions: Arc<Functions>,
    idle: Arc<Idle>,
    /// Requests that wait for an instance.
    waiting: AtomicUsize,
    clock: Clock,
}

impl Engine {
    /// Sets up the engine, with pooled instances where the address space allows it.
    ///
    /// # Errors
    /// `LoadError::Engine` where the machine can run no WebAssembly.
    pub fn new(pool: Pool) -> Result<Engine, LoadError> {
        let refused = |error: wasmtime::Error| LoadError::Engine(format!("{error:#}"));
        let cache = open_cache(&pool).map(Arc::new);
        let functions = Arc::new(Functions::new(cache.clone()));
        let new = |mut config: Config| {
            config.enable_incremental_compilation(functions.clone())?;
            wasmtime::Engine::new(&config)
        };
        let wasmtime = new(pooled(&pool))
            .or_else(|error| {
                tracing::warn!("plugins run without a pool of instances, slower: {error:#}");
                new(config(pool.stack))
            })
            .map_err(refused)?;
        let instances = Arc::new(Semaphore::new(pool.instances as usize));
        let loading = Arc::new(Semaphore::new(1));
        let turns = Arc::new(Semaphore::new(pool.background as usize));
        let in_use = {
            let (instances, loading, turns) = (instances.clone(), loading.clone(), turns.clone());
            let all = pool.instances as usize + 1 + pool.background as usize;
            move || {
                all - instances.available_permits()
                    - loading.available_permits()
                    - turns.available_permits()
            }
        };
        let clock = Clock::start(wasmtime.weak(), in_use)
            .map_err(|error| LoadError::Engine(error.to_string()))?;
        let metrics = pool
            .metrics
            .then(|| Arc::new(Metrics::new(instances.clone())));
        Ok(Engine {
            wasmtime,
            cache,
            functions,
            pool,
            spaces: Arc::default(),
            metrics,
            instances,
            loading,
            turns,
            idle: Arc::default(),
            waiting: AtomicUsize::new(0),
            clock,
        })
    }

    /// The figures of plugins, for the page of metrics.
    pub fn metrics(&self) -> Option<Arc<Metrics>> {
        self.metrics.clone()
    }

    /// Compiles a component, or takes its code from the cache. May take seconds of a core.
    pub(crate) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        match &self.cache {
            Some(cache) => cache.component(&self.wasmtime, bytes),
            None => Component::new(&self.wasmtime, bytes),
        }
    }

    /// A plugin has been loaded, or has not: what its compilation has left is put away. May block.
    pub(crate) fn end_compiling(&self) {
        self.functions.put_away();
    }

    /// What random numbers of `init` begin with that need not be secret, such as those that order hash tables: the same at
    /// each start, or no snapshot would be that of the start before.
    pub(crate) fn seed(&self) -> Option<u128> {
        let seed = self.cache.as_ref()?.seed();
        seed.inspect_err(
            |error| tracing::debug!(target: "plugin", "each start has its own seed: {error}"),
        )
        .ok()
    }

    /// Removes from the cache what has not been used for long. May block.
    pub fn tidy_cache(&self) {
        if let Some(cache) = &self.cache {
            cache.tidy();
        }
    }

    /// Reserves the instance that plugins are tried in while they are loaded.
    pub(crate) async fn reserve_for_loading(&self) -> OwnedSemaphorePermit {
        let waiting = self.loading.clone().acquire_owned();
        let permit = waiting.await.expect("the semaphore is never closed");
        self.clock.wake();
        permit
    }

    /// Begins a turn of an instance whose work belongs to no request. Between its turns no clock need run for it.
    pub(crate) async fn begin_turn(&self) -> OwnedSemaphorePermit {
        let waiting = self.turns.clone().acquire_owned();
        let permit = waiting.await.expect("the semaphore is never closed");
        self.clock.wake();
        permit
    }

    /// Reserves an instance, waiting for a bounded time where all are in use.
    pub(crate) async fn reserve(&self) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(permit) = self.instances.clone().try_acquire_owned() {
            self.clock.wake();
            return Ok(permit);
        }
        let _waiting = Waiting::begin(&self.waiting);
        // One that is idle is not in use. Those that become idle from here on are not kept.
        self.idle.evict();
        let acquiring = self.instances.clone().acquire_owned();
        match tokio::time::timeout(self.pool.wait, acquiring).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(Fault::Busy(self.pool.wait)),
        }
    }

    /// An instance waits between two calls, as long as this is kept.
    pub(crate) fn sleep(&self) -> Asleep<'_> {
        self.clock.sleep()
    }

    /// An instance of this plugin that waits for its next request.
    pub(crate) fn take_idle(&self, plugin: u64) -> Option<Live> {
        self.idle.take(plugin)
    }

    /// Keeps an instance for its next request, unless others wait for its place.
    pub(crate) fn keep(&self, plugin: u64, live: Live) {
        if self.idle.put(plugin, live) {
            let idle = self.idle.clone();
            tokio::spawn(async move { idle.look_after().await });
        }
        if self.waiting.load(SeqCst) > 0 {
            self.idle.evict();
        }
    }

    /// Throws away the idle instances of a plugin.
    pub(crate) fn forget_idle(&self, plugin: u64) {
        self.idle.forget(plugin);
    }
}

/// A request that waits for an instance, as long as this is kept.
struct Waiting<'a>(&'a AtomicUsize);

impl Waiting<'_> {
    fn begin(count: &AtomicUsize) -> Waiting<'_> {
        count.fetch_add(1, SeqCst);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Without it plugins work as well, and start later.
fn open_cache(pool: &Pool) -> Option<Cache> {
    let Some(path) = &pool.cache else {
        tracing::debug!(target: "plugin", "plugins are compiled at each start: there is no directory for their code");
        return None;
    };
    if !pool.keeps && !path.exists() {
        return None;
    }
    Cache::open(path, pool.keeps)
        .inspect_err(|reason| {
            tracing::warn!(target: "plugin", "plugins are compiled at each start (option `plugin_cache`): {reason}");
        })
        .ok()
}

/// Stack of an instance for the server's own functions, in bytes.
const HOST_STACK: usize = 1536 << 10;

fn config(stack: usize) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(stack)
        .async_stack_size(stack + HOST_STACK)
        // What a guest does not need, it does not get.
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false);
    config
}

fn pooled(shared: &Pool) -> Config {
    let instances = shared.instances + shared.background + LOADING;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(instances.saturating_mul(MEMORIES))
        .max_memories_per_component(MEMORIES)
        .total_tables(instances.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .total_stacks(instances)
        .max_memory_size(shared.memory)
        .table_elements(shared.table)
        .max_component_instance_size(2 << 20)
        .max_core_instance_size(2 << 20)
        // Pages that a guest has dirtied are reset in place, found by asking the kernel (Linux 6.7) instead of
        // faulting in again: 20 µs for a fresh instance instead of 50.
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = config(shared.stack);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// What the guests of a plugin may import: that of all, and what it is granted.
pub(crate) fn link(
    engine: &wasmtime::Engine,
    spec: &PluginSpec,
) -> wasmtime::Result<Linker<StoreState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    open_at::add_to_linker(&mut linker)?;
    http::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    host::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    state::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    metrics::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    if spec.kind == Kind::Script {
        script::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    }
    // The engine of scripts is the same for all of them: one without a grant is told where it asks.
    if !spec.grants.destinations.is_empty() || spec.kind == Kind::Script {
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    }
    Ok(linker)
}
