//! One instance and the calls into it, each with its deadline.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::{Resource, ResourceAny};
use wasmtime_wasi::p2::bindings::io::poll::{Host as _, HostPollable as _};

use crate::decision::Decision;
use crate::error::{CloseCode, Fault};
use crate::exchange::Exchange;
use crate::exports::{Guest, Pollables};
use crate::pass::Pass;
use crate::plugin::Plugin;
use crate::reuse::{Live, give_back};
use crate::store::{Current, StoreState};

/// The longest pause before a plugin that gave nothing to wait for is asked again.
const LONGEST_BACK_OFF: Duration = Duration::from_millis(50);

/// What a session has until it is dropped.
const ALIVE: &str = "is taken when the session is dropped";

/// One instance of a plugin, and the request that it serves.
pub(crate) struct Session {
    /// None while this is dropped.
    live: Option<Live>,
    plugin: Arc<Plugin>,
    pub(crate) pass: Arc<Pass>,
    request: Option<ResourceAny>,
    /// A call has begun and not returned: it runs, has failed, or was given up. No other may follow.
    is_inside: bool,
}

impl Session {
    /// An instance whose `init` has run, here or before the snapshot that it begins with: a fresh one, or one that has
    /// answered a request before (option `plugin_reuse`).
    pub(crate) async fn open(plugin: &Arc<Plugin>) -> Result<Session, Fault> {
        let pass = Arc::new(Pass::ask(plugin)?);
        if let Some(live) = plugin.engine.take_idle(plugin.id) {
            return Ok(Session::of(plugin, pass, live));
        }
        let opening = async {
            let permit = plugin.engine.reserve().await?;
            Session::begin(plugin, pass.clone(), permit).await
        };
        opening.await.inspect_err(|fault| pass.failed(fault))
    }

    /// A fresh one, with a permit for it.
    pub(crate) async fn begin(
        plugin: &Arc<Plugin>,
        pass: Arc<Pass>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Session, Fault> {
        let limits = &plugin.spec.limits;
        let mut store = Store::new(&plugin.engine.wasmtime, plugin.state());
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);

        let instantiate = plugin.pre.instantiate_async(&mut store);
        let instance = bounded("instantiate", limits.call, instantiate).await;
        let instance = instance?.map_err(|error| store.data().explain(&error))?;
        let live = Live::new(store, instance, permit, plugin.spec.reuse);
        let mut session = Session::of(plugin, pass, live);
        if plugin.inits_each_instance {
            session.init().await?;
        }
        Ok(session)
    }

    fn of(plugin: &Arc<Plugin>, pass: Arc<Pass>, live: Live) -> Session {
        Session {
            live: Some(live),
            plugin: plugin.clone(),
            pass,
            request: None,
            is_inside: false,
        }
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
        self.state().current = Some(Current::new(exchange.clone()));
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
        let Live {
            store, instance, ..
        } = self.live.as_mut().expect(ALIVE);
        let guest = Guest {
            store,
            instance,
            exports: &self.plugin.exports,
        };
        (self.plugin.spec.limits.call, guest)
    }

    /// What a call gave; only after one that succeeded another may be made.
    fn returned<T>(&mut self, called: Result<wasmtime::Result<T>, Fault>) -> Result<T, Fault> {
        let value = called?.map_err(|error| self.state().explain(&error))?;
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
        let table = &mut self.state().table;
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
        let current = &mut self.state().current;
        current.as_mut().expect("set before the first call")
    }

    fn state(&mut self) -> &mut StoreState {
        self.live.as_mut().expect(ALIVE).store.data_mut()
    }

    /// Whether the plugin has done its part for a request, without any fault.
    fn is_done(&mut self) -> bool {
        !self.is_inside && !self.pass.has_failed() && self.request.is_some() && self.current().sent
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let is_reusable = self.live.as_ref().is_some_and(Live::is_reusable);
        // Without a runtime the process is ending.
        if is_reusable
            && self.is_done()
            && let (Some(live), Some(request)) = (self.live.take(), self.request)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(give_back(self.plugin.clone(), live, request));
        }
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
