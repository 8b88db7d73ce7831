//! One instance and the calls into it, each with its deadline.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::{Instance, Resource, ResourceAny};
use wasmtime_wasi::p2::bindings::io::poll::{Host as _, HostPollable as _};

use crate::decision::Decision;
use crate::error::{CloseCode, Fault};
use crate::exchange::Exchange;
use crate::exports::{Guest, Pollables};
use crate::plugin::Plugin;
use crate::store::{Current, StoreState};

/// The longest pause before a plugin that gave nothing to wait for is asked again.
const LONGEST_BACK_OFF: Duration = Duration::from_millis(50);

/// One instance of a plugin, and the request that it serves.
pub(crate) struct Session {
    store: Store<StoreState>,
    instance: Instance,
    plugin: Arc<Plugin>,
    request: Option<ResourceAny>,
    /// A call has begun and not returned: it runs, has failed, or was given up. No other may follow.
    is_inside: bool,
    /// Given back when the instance is gone.
    _permit: OwnedSemaphorePermit,
}

impl Session {
    /// A fresh instance whose `init` has run, here or before the snapshot that it begins with.
    pub(crate) async fn open(plugin: &Arc<Plugin>) -> Result<Session, Fault> {
        let limits = &plugin.spec.limits;
        let permit = plugin.engine.reserve().await?;
        let mut store = plugin.state().into_store(&plugin.engine.wasmtime);

        let instantiate = plugin.pre.instantiate_async(&mut store);
        let instance = bounded("instantiate", limits.call, instantiate).await;
        let instance = instance?.map_err(|error| store.data().explain(&error))?;
        let mut session = Session {
            store,
            instance,
            plugin: plugin.clone(),
            request: None,
            is_inside: false,
            _permit: permit,
        };
        if plugin.inits_each_instance {
            session.init().await?;
        }
        Ok(session)
    }

    /// The plugin that this is an instance of.
    pub(crate) fn plugin(&self) -> &Plugin {
        &self.plugin
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
        self.request = Some(request);
        let mut wait = self.call_on_request(request).await?;
        let mut back_off = Duration::from_millis(1);
        while !self.current().sent {
            if self.current().dropped {
                return Err(Fault::Dropped);
            }
            let plugin = &*self.plugin.spec.name;
            tracing::debug!(target: "plugin", plugin, request = exchange.id, "the reply comes later");
            let waited = tokio::time::timeout_at(deadline, self.wait(wait, &mut back_off)).await;
            waited.map_err(|_| Fault::NeverSent(patience))??;
            wait = self.call_resume(request).await?;
        }
        Ok(std::mem::take(&mut self.current().decision))
    }

    /// Whether the plugin asked for `close`, and can be called. If not, its instance is of no more use.
    pub(crate) fn wants_close(&mut self) -> bool {
        !self.is_inside && self.request.is_some() && self.current().wants_close
    }

    /// The documented `close`, the last call, where it was asked for.
    pub(crate) async fn close(&mut self, code: CloseCode) -> Result<(), Fault> {
        if !self.wants_close() {
            return Ok(());
        }
        let request = self.request.expect("made before `close` was asked for");
        self.call_close(request, code).await
    }

    async fn init(&mut self) -> Result<(), Fault> {
        let (limit, guest) = self.enter();
        let called = bounded("init", limit, guest.init()).await;
        self.returned(called)?
            .map_err(|reason| Fault::init(&reason))
    }

    async fn construct(&mut self) -> Result<ResourceAny, Fault> {
        let (limit, guest) = self.enter();
        let called = bounded("constructor", limit, guest.construct()).await;
        self.returned(called)
    }

    async fn call_on_request(&mut self, request: ResourceAny) -> Result<Pollables, Fault> {
        let (limit, guest) = self.enter();
        let called = bounded("on-request", limit, guest.on_request(request)).await;
        self.returned(called)
    }

    async fn call_resume(&mut self, request: ResourceAny) -> Result<Pollables, Fault> {
        let (limit, guest) = self.enter();
        let called = bounded("resume", limit, guest.resume(request)).await;
        self.returned(called)
    }

    async fn call_close(&mut self, request: ResourceAny, code: CloseCode) -> Result<(), Fault> {
        let (limit, guest) = self.enter();
        let called = bounded("close", limit, guest.close(request, code.number())).await;
        self.returned(called)
    }

    /// The limit of a call and the guest to make it in.
    fn enter(&mut self) -> (Duration, Guest<'_>) {
        self.is_inside = true;
        let guest = Guest {
            store: &mut self.store,
            instance: &self.instance,
            exports: &self.plugin.exports,
        };
        (self.plugin.spec.limits.call, guest)
    }

    /// What a call gave; only after one that succeeded another may be made.
    fn returned<T>(&mut self, called: Result<wasmtime::Result<T>, Fault>) -> Result<T, Fault> {
        let value = called?.map_err(|error| self.store.data().explain(&error))?;
        self.is_inside = false;
        Ok(value)
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
        let trap = |error: wasmtime::Error| Fault::trap(&error);
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
}

/// Runs one call for no longer than its limit. Epochs make a busy guest yield, so that the clock is seen; the clock
/// also covers a guest that waits in the host.
async fn bounded<T>(
    call: &'static str,
    limit: Duration,
    running: impl Future<Output = T>,
) -> Result<T, Fault> {
    let mut running = pin!(running);
    // Most calls return at once; then no clock is asked.
    let first = poll_fn(|context| Poll::Ready(running.as_mut().poll(context))).await;
    if let Poll::Ready(value) = first {
        return Ok(value);
    }
    let done = tokio::time::timeout(limit, running).await;
    done.map_err(|_| Fault::Deadline { call, limit })
}
