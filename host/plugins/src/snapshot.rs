//! Pre-initialization: `init` runs once, when the server starts, and every instance begins with the memory it left.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::Notify;
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{OptLevel, Store};
use wasmtime_wizer::Wizer;

use crate::clock::Clock;
use crate::engine::{self, link};
use crate::error::Fault;
use crate::store::StoreState;

/// How the function is spelled for wizer: as a call, because it has a result.
const INIT: &str = "httpout:plugin/handler.init@0.1.0()";

/// What became of a component.
pub(crate) enum Snapshot {
    /// The same component, with `init` behind it.
    Taken(Vec<u8>),
    /// Its form cannot be snapshotted: `init` is to run in each instance.
    Unsuitable(wasmtime::Error),
}

/// Runs `init` and takes the snapshot.
///
/// # Errors
/// What `init` returned, or how it failed.
pub(crate) async fn take(
    component: &[u8],
    state: StoreState,
    stack: usize,
) -> Result<Snapshot, Fault> {
    let (engine, linker) = sandbox(stack, &state).map_err(|error| Fault::trap(&error))?;
    let _clock =
        Clock::start(engine.weak(), || false).map_err(|error| Fault::trap(&error.into()))?;
    let limit = state.spec.limits.call;
    let mut store = state.into_store(&engine);

    // The guest's time begins here: what the compiler takes is not its fault.
    let (has_begun, begun) = (AtomicBool::new(false), Notify::new());
    let instantiate = async |store: &mut Store<StoreState>, component: &Component| {
        has_begun.store(true, Relaxed);
        begun.notify_one();
        linker.instantiate_async(store, component).await
    };
    let overdue = async {
        begun.notified().await;
        tokio::time::sleep(limit).await;
    };
    let mut wizer = Wizer::new();
    wizer.keep_init_func(true).init_func(INIT);
    let outcome = tokio::select! {
        biased;
        outcome = wizer.run_component(&mut store, component, instantiate) => outcome,
        () = overdue => return Err(Fault::Deadline { call: "init", limit }),
    };
    match outcome {
        Ok((snapshot, values)) => match refusal(values) {
            Some(reason) => Err(Fault::init(&reason)),
            // The guest's memory names handles, such as that of its standard error, which no other instance has.
            None if !store.data().table.is_empty() => Ok(Snapshot::Unsuitable(
                wasmtime::Error::msg("`init` leaves handles open"),
            )),
            None => Ok(Snapshot::Taken(snapshot)),
        },
        Err(error) if has_begun.load(Relaxed) => Err(store.data().explain(&error)),
        Err(error) => Ok(Snapshot::Unsuitable(error)),
    }
}

/// An engine for one run: quick to compile, without a pool.
fn sandbox(
    stack: usize,
    state: &StoreState,
) -> wasmtime::Result<(wasmtime::Engine, Linker<StoreState>)> {
    let mut config = engine::config(stack);
    config.cranelift_opt_level(OptLevel::None);
    let engine = wasmtime::Engine::new(&config)?;
    let linker = link(&engine, &state.spec.grants)?;
    Ok((engine, linker))
}

/// The error that `init` returned.
fn refusal(values: Vec<Val>) -> Option<String> {
    match values.into_iter().next() {
        Some(Val::Result(Err(Some(reason)))) => match *reason {
            Val::String(reason) => Some(reason),
            _ => None,
        },
        _ => None,
    }
}
