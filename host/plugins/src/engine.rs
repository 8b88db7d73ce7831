//! The WebAssembly engine that all plugins share: pools, limits and the clock that interrupts guests.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::httpout::plugin::{host, http};
use crate::clock::Clock;
use crate::error::{Fault, LoadError};
use crate::spec::{Grants, Pool};
use crate::store::{CORE_INSTANCES, MEMORIES, StoreState, TABLES};

/// The engine that all plugins share.
pub struct Engine {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) pool: Pool,
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
                wasmtime::Engine::new(&config(pool.stack))
            })
            .map_err(refused)?;
        let instances = Arc::new(Semaphore::new(pool.instances as usize));
        let all_free = {
            let (instances, all) = (instances.clone(), pool.instances as usize);
            move || instances.available_permits() == all
        };
        let clock = Clock::start(wasmtime.weak(), all_free)
            .map_err(|error| LoadError::Engine(error.to_string()))?;
        Ok(Engine {
            wasmtime,
            pool,
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
        match tokio::time::timeout(self.pool.wait, waiting).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(Fault::Busy(self.pool.wait)),
        }
    }
}

/// Stack of an instance for the server's own functions, in bytes.
const HOST_STACK: usize = 1536 << 10;

pub(crate) fn config(stack: usize) -> Config {
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
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(shared.instances)
        .total_core_instances(shared.instances.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(shared.instances.saturating_mul(MEMORIES))
        .max_memories_per_component(MEMORIES)
        .total_tables(shared.instances.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
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
    let mut config = config(shared.stack);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// What the guests of a plugin with these grants may import.
pub(crate) fn link(
    engine: &wasmtime::Engine,
    grants: &Grants,
) -> wasmtime::Result<Linker<StoreState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    http::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    host::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    if !grants.destinations.is_empty() {
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    }
    Ok(linker)
}
