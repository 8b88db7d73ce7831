//! Pre-initialization: `init` runs once, when a plugin is loaded, and every instance begins with the memory it left.
//!
//! It runs at each start, though the code may come from the cache: it may read what changes from start to start, such
//! as clocks or files. The code of the snapshot is found in the cache where `init` left the same as the last time.

use wasmtime::Store;
use wasmtime::component::Instance;
use wasmtime_wizer::{ComponentContext, WasmtimeWizerComponent, Wizer};

use crate::engine::Engine;
use crate::error::{Fault, LoadError};
use crate::exports::Guest;
use crate::store::StoreState;
use crate::world::{self, Linked, one_line};

/// What became of a component.
pub(crate) enum Snapshot {
    /// The same component, with `init` behind it.
    Taken(Linked),
    /// As it was: `init` is to run in each instance, for this reason.
    Unsuitable(Linked, String),
}

/// Runs `init` and takes the snapshot. May take seconds of a core.
///
/// # Errors
/// Why it is no plugin; what `init` returned, or how it failed.
pub(crate) async fn take(
    engine: &Engine,
    bytes: &[u8],
    state: StoreState,
) -> Result<Snapshot, LoadError> {
    let spec = state.spec.clone();
    let as_it_was = |reason| {
        let linked = world::link(engine, &spec, bytes)?;
        Ok(Snapshot::Unsuitable(linked, reason))
    };
    let wizer = Wizer::new();
    // What is no component at all fails here first, and is refused for what it is where it is linked.
    let (context, instrumented) = match wizer.instrument_component(bytes) {
        Ok(instrumented) => instrumented,
        Err(error) => return as_it_was(one_line(&error)),
    };
    let linked = world::link(engine, &spec, &instrumented)?;
    let _permit = engine.reserve_for_loading().await;
    let init_failed = |fault| LoadError::init(&spec, fault);
    let (mut store, instance) = init(&linked, state).await.map_err(init_failed)?;
    if !store.data().table.is_empty() {
        // The guest's memory names handles, such as that of its standard error, which no other instance has.
        return as_it_was("`init` leaves handles open".to_owned());
    }
    match rewrite(&wizer, &context, &mut store, instance).await {
        Ok(snapshot) => Ok(Snapshot::Taken(world::link(engine, &spec, &snapshot)?)),
        Err(error) => as_it_was(one_line(&error)),
    }
}

/// An instance after its `init`.
async fn init(linked: &Linked, state: StoreState) -> Result<(Store<StoreState>, Instance), Fault> {
    let limit = state.spec.limits.call;
    let mut store = state.into_store(linked.pre.engine());

    let running = async {
        let instance = linked.pre.instantiate_async(&mut store).await?;
        let guest = Guest {
            store: &mut store,
            instance: &instance,
            exports: &linked.exports,
        };
        Ok((instance, guest.init().await?))
    };
    match tokio::time::timeout(limit, running).await {
        Err(_) => Err(Fault::Deadline {
            call: "init",
            limit,
        }),
        Ok(Err(error)) => Err(store.data().explain(&error)),
        Ok(Ok((_, Err(reason)))) => Err(Fault::init(&reason)),
        Ok(Ok((instance, Ok(())))) => Ok((store, instance)),
    }
}

/// The component with the memory of an instance.
async fn rewrite(
    wizer: &Wizer,
    context: &ComponentContext<'_>,
    store: &mut Store<StoreState>,
    instance: Instance,
) -> wasmtime::Result<Vec<u8>> {
    // All of the memory is copied here by the server itself: what one call of the guest may hand over is no measure.
    store.set_hostcall_fuel(usize::MAX);
    let mut memory = WasmtimeWizerComponent { store, instance };
    wizer.snapshot_component(context, &mut memory).await
}
