//! The WebAssembly engine that all plugins share: pools, limits and the clock that interrupts guests.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::httpout::plugin::{host, http, metrics, state};
use crate::clock::Clock;
use crate::error::{Fault, LoadError};
use crate::metrics::Metrics;
use crate::spec::Pool;
use crate::state::Spaces;
use crate::store::StoreState;

/// The engine that all plugins share.
pub struct Engine {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) linker: Linker<StoreState>,
    pub(crate) pool: Pool,
    /// What plugins keep.
    pub(crate) spaces: Arc<Spaces>,
    /// None where nobody asks for them.
    pub(crate) metrics: Option<Arc<Metrics>>,
    instances: Arc<Semaphore>,
    clock: Clock,
}

impl Engine {
    /// Sets up the engine, with pooled instances where the address space allows it.
    ///
    /// # Errors
    /// `LoadError::Engine` where the machine can run no WebAssembly.
    pub fn new(pool: Pool) -> Result<Engine, LoadError> {
        let refused = |error: wasmtime::Error| LoadError::Engine(format!("{error:#}"));
        let wasmtime = wasmtime::Engine::new(&pooled(&pool))
            .or_else(|error| {
                tracing::warn!("plugins run without a pool of instances, slower: {error:#}");
                wasmtime::Engine::new(&config())
            })
            .map_err(refused)?;
        let linker = link(&wasmtime).map_err(refused)?;
        let instances = Arc::new(Semaphore::new(pool.instances as usize));
        let all_free = {
            let (instances, all) = (instances.clone(), pool.instances as usize);
            move || instances.available_permits() == all
        };
        let clock = Clock::start(wasmtime.weak(), all_free)
            .map_err(|error| LoadError::Engine(error.to_string()))?;
        let metrics = pool
            .metrics
            .then(|| Arc::new(Metrics::new(instances.clone())));
        Ok(Engine {
            wasmtime,
            linker,
            pool,
            spaces: Arc::default(),
            metrics,
            instances,
            clock,
        })
    }

    /// The figures of plugins, for the page of metrics.
    pub fn metrics(&self) -> Option<Arc<Metrics>> {
        self.metrics.clone()
    }

    /// Reserves an instance, waiting for a bounded time where all are in use.
    pub(crate) async fn reserve(&self) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(permit) = self.instances.clone().try_acquire_owned() {
            self.clock.wake();
            return Ok(permit);
        }
        let waiting = self.instances.clone().acquire_owned();
        match tokio::time::timeout(self.pool.wait, waiting).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(Fault::Busy(self.pool.wait)),
        }
    }
}

pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // What a guest does not need, it does not get.
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false);
    config
}

fn pooled(shared: &Pool) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(shared.instances)
        .total_core_instances(shared.instances * 4)
        .total_memories(shared.instances)
        .total_tables(shared.instances * 2)
        .total_stacks(shared.instances)
        .max_memory_size(shared.memory)
        .table_elements(shared.table)
        .max_component_instance_size(2 << 20)
        .max_core_instance_size(2 << 20)
        // Pages that a guest has dirtied are reset in place, found by asking the kernel (Linux 6.7) instead of
        // faulting in again: 20 µs for a fresh instance instead of 50.
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

pub(crate) fn link(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<StoreState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    http::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    host::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    state::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    metrics::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}
