//! One instance and the calls into it, each with its deadline.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use wasmtime::component::{Resource, ResourceAny};
use wasmtime::{Store, WasmBacktrace};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll::{Host as _, HostPollable as _};

use crate::bindings;
use crate::decision::Decision;
use crate::error::{CloseCode, Fault};
use crate::exchange::Exchange;
use crate::plugin::Plugin;
use crate::store::{Current, ExchangeHandle, StoreState};

/// The longest pause before a plugin that gave nothing to wait for is asked again.
const LONGEST_BACK_OFF: Duration = Duration::from_millis(50);

/// One instance of a plugin, and the request that it serves.
pub(crate) struct Session {
    store: Store<StoreState>,
    guest: bindings::Plugin,
    request: Option<ResourceAny>,
    limit: Duration,
    /// Given back when the instance is gone.
    _permit: OwnedSemaphorePermit,
}

/// A fresh instance whose `init` has run.
pub(crate) async fn instantiate(plugin: &Plugin) -> Result<Session, Fault> {
    let limits = &plugin.engine.limits;
    let permit = plugin.engine.reserve().await?;
    let state = StoreState::new(plugin.spec.clone(), plugin.server.clone(), limits);
    let mut store = Store::new(&plugin.engine.wasmtime, state);
    store.limiter(|state| &mut state.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);

    let instance = plugin.pre.instantiate_async(&mut store);
    let guest = bounded("instantiate", limits.call, instance).await?;
    let mut session = Session {
        store,
        guest,
        request: None,
        limit: limits.call,
        _permit: permit,
    };
    session.init().await?;
    Ok(session)
}

impl Session {
    async fn init(&mut self) -> Result<(), Fault> {
        let handler = self.guest.httpout_plugin_handler();
        let init = bounded("init", self.limit, handler.call_init(&mut self.store)).await;
        self.explain(init)?.map_err(Fault::Init)
    }

    /// Asks the plugin about an exchange, for as long as it takes to decide.
    pub(crate) async fn on_request(
        &mut self,
        exchange: &Arc<Exchange>,
        patience: Duration,
    ) -> Result<Decision, Fault> {
        let deadline = Instant::now() + patience;
        self.store.data_mut().current = Some(Current::new(exchange.clone()));
        let request = self.construct().await?;
        let mut wait = self.call_on_request(request).await?;
        let mut back_off = Duration::from_millis(1);
        while !self.current().sent {
            if self.current().dropped {
                return Err(Fault::Dropped);
            }
            let waited = tokio::time::timeout_at(deadline, self.wait(wait, &mut back_off)).await;
            waited.map_err(|_| Fault::NeverSent(patience))??;
            wait = self.call_resume(request).await?;
        }
        Ok(std::mem::take(&mut self.current().decision))
    }

    /// Whether the plugin asked for `close`. If not, its instance is of no more use.
    pub(crate) fn wants_close(&mut self) -> bool {
        self.current().wants_close
    }

    /// The documented `close`, the last call.
    pub(crate) async fn close(&mut self, code: CloseCode) -> Result<(), Fault> {
        let Some(request) = self.request else {
            return Ok(());
        };
        let guest = self.guest.httpout_plugin_handler().request();
        let call = guest.call_close(&mut self.store, request, code.number());
        let closed = bounded("close", self.limit, call).await;
        self.explain(closed)
    }

    async fn construct(&mut self) -> Result<ResourceAny, Fault> {
        let guest = self.guest.httpout_plugin_handler().request();
        let exchange = Resource::<ExchangeHandle>::new_own(0);
        let call = guest.call_constructor(&mut self.store, exchange);
        let constructed = bounded("constructor", self.limit, call).await;
        let request = self.explain(constructed)?;
        self.request = Some(request);
        Ok(request)
    }

    async fn call_on_request(&mut self, request: ResourceAny) -> Result<Pollables, Fault> {
        let guest = self.guest.httpout_plugin_handler().request();
        let call = guest.call_on_request(&mut self.store, request);
        let wait = bounded("on-request", self.limit, call).await;
        self.explain(wait)
    }

    async fn call_resume(&mut self, request: ResourceAny) -> Result<Pollables, Fault> {
        let guest = self.guest.httpout_plugin_handler().request();
        let call = guest.call_resume(&mut self.store, request);
        let wait = bounded("resume", self.limit, call).await;
        self.explain(wait)
    }

    /// Waits until one of the pollables is ready, then drops them all. Without any: for the back-off.
    async fn wait(&mut self, pollables: Pollables, back_off: &mut Duration) -> Result<(), Fault> {
        if pollables.is_empty() {
            tokio::time::sleep(*back_off).await;
            *back_off = (*back_off * 2).min(LONGEST_BACK_OFF);
            return Ok(());
        }
        *back_off = Duration::from_millis(1);
        let table = &mut self.store.data_mut().table;
        let borrowed = pollables
            .iter()
            .map(|pollable| Resource::new_borrow(pollable.rep()))
            .collect();
        let trap = |error: wasmtime::Error| Fault::Trap(error.root_cause().to_string());
        table.poll(borrowed).await.map_err(trap)?;
        for pollable in pollables {
            table.drop(pollable).map_err(trap)?;
        }
        Ok(())
    }

    fn current(&mut self) -> &mut Current {
        let current = &mut self.store.data_mut().current;
        current.as_mut().expect("set before the first call")
    }

    /// Adds to a trap what the guest wrote before it, such as the message of its panic.
    fn explain<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        let Err(Fault::Trap(reason)) = result else {
            return result;
        };
        match self.store.data().stderr() {
            said if said.is_empty() => Err(Fault::Trap(reason)),
            said => Err(Fault::Trap(format!("{reason}; it said {said:?}"))),
        }
    }
}

type Pollables = Vec<Resource<DynPollable>>;

/// Runs one call for no longer than its limit. Epochs make a busy guest yield, so that the clock is seen; the clock
/// also covers a guest that waits in the host.
async fn bounded<T>(
    call: &'static str,
    limit: Duration,
    running: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, running).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Fault::Trap(describe(&error))),
        Err(_) => Err(Fault::Deadline { call, limit }),
    }
}

/// The cause of a trap and the guest's functions that led to it, innermost first.
fn describe(error: &wasmtime::Error) -> String {
    let cause = error.root_cause().to_string();
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return cause;
    };
    let mut functions: Vec<String> = backtrace
        .frames()
        .iter()
        .filter_map(|frame| frame.func_name())
        .map(|name| format!("{:#}", rustc_demangle::demangle(name)))
        .collect();
    // A function that called itself without end is named once.
    functions.dedup();
    if functions.is_empty() {
        return cause;
    }
    format!("{cause} in {}", functions.join(" < "))
}
