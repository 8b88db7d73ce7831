//! The WebAssembly engine that all plugins of a server share: pools, limits and the clock that interrupts guests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::httpout::plugin::{host, http};
use crate::clock::Clock;
use crate::error::{Fault, LoadError};
use crate::store::StoreState;

/// Instances that can exist at the same time. Beyond it a request waits for `Limits::busy_wait`.
const INSTANCES: u32 = 1000;

/// What a plugin may spend.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Linear memory of one instance in bytes (option `plugin_memory`).
    pub memory: usize,
    /// Time that one call may take, waiting included (option `plugin_timeout`).
    pub call: Duration,
    /// Time from the request to `send` (option `timeout`).
    pub reply: Duration,
    /// How long a request waits for a free instance.
    pub busy_wait: Duration,
}

/// The engine that all plugins of a server share.
pub struct Engine {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) linker: Linker<StoreState>,
    pub(crate) limits: Limits,
    instances: Arc<Semaphore>,
    clock: Clock,
}

impl Engine {
    /// Sets up the engine, with pooled instances where the address space allows it.
    ///
    /// # Errors
    /// `LoadError::Engine` where the machine can run no WebAssembly.
    pub fn new(limits: Limits) -> Result<Engine, LoadError> {
        let refused = |error: wasmtime::Error| LoadError::Engine(format!("{error:#}"));
        let wasmtime = wasmtime::Engine::new(&pooled(&limits))
            .or_else(|error| {
                tracing::warn!("plugins run without a pool of instances, slower: {error:#}");
                wasmtime::Engine::new(&config())
            })
            .map_err(refused)?;
        let linker = link(&wasmtime).map_err(refused)?;
        let instances = Arc::new(Semaphore::new(INSTANCES as usize));
        let all_free = {
            let instances = instances.clone();
            move || instances.available_permits() == INSTANCES as usize
        };
        let clock = Clock::start(wasmtime.weak(), all_free)
            .map_err(|error| LoadError::Engine(error.to_string()))?;
        Ok(Engine {
            wasmtime,
            linker,
            limits,
            instances,
            clock,
        })
    }

    /// Reserves an instance, waiting for a bounded time where all are in use.
    pub(crate) async fn reserve(&self) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(permit) = self.instances.clone().try_acquire_owned() {
            self.clock.wake();
            return Ok(permit);
        }
        let waiting = self.instances.clone().acquire_owned();
        match tokio::time::timeout(self.limits.busy_wait, waiting).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(Fault::Busy(self.limits.busy_wait)),
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

fn pooled(limits: &Limits) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES * 4)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES * 2)
        .total_stacks(INSTANCES)
        .max_memory_size(limits.memory)
        .table_elements(20_000)
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
    Ok(linker)
}
