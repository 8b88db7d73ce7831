//! One instance and the calls into it, each with its deadline.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::coop::consume_budget;
use wasmtime::component::{Resource, ResourceAny, ResourceTable};
use wasmtime_wasi::p2::bindings::io::poll::{Host as _, HostPollable as _};

use crate::error::{CloseCode, Fault};
use crate::exchange::Exchange;
use crate::exports::{Guest, Pollables, ReadResult};
use crate::pass::Pass;
use crate::plugin::Plugin;
use crate::reuse::{Live, give_back};
use crate::store::{Current, StoreState, Written};

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
        let mut store = plugin.state().into_store(&plugin.engine.wasmtime);

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

    /// The documented `on_request`: the first call about an exchange.
    pub(crate) async fn on_request(&mut self, exchange: Arc<Exchange>) -> Result<Pollables, Fault> {
        let sleepers = self.plugin.common.sleepers.clone();
        self.state().current = Some(Current::new(exchange, sleepers));
        let request = self.construct().await?;
        self.request = Some(request);
        let (limit, guest) = self.enter();
        let called = bounded("on-request", limit, guest.on_request(request)).await;
        self.returned(called)
    }

    /// The next call of a plugin that replies later.
    pub(crate) async fn resume(&mut self) -> Result<Pollables, Fault> {
        let request = self.request();
        let (limit, guest) = self.enter();
        let called = bounded("resume", limit, guest.resume(request)).await;
        self.returned(called)
    }

    /// The documented `read`, of at most so many bytes.
    pub(crate) async fn read(&mut self, max: u32) -> Result<ReadResult, Fault> {
        let request = self.request();
        let (limit, guest) = self.enter();
        let called = bounded("read", limit, guest.read(request, max)).await;
        self.returned(called)
    }

    /// The documented `write`; no bytes are the end of the body.
    pub(crate) async fn write(&mut self, data: &[u8]) -> Result<Pollables, Fault> {
        self.current().written = match data.is_empty() {
            true => Written::All,
            false => Written::Part,
        };
        let request = self.request();
        let (limit, guest) = self.enter();
        let called = bounded("write", limit, guest.write(request, data)).await;
        self.returned(called)
    }

    /// The documented `throttle`: microseconds to wait before the next block of the body.
    pub(crate) async fn throttle(&mut self, done: u64, total: u64) -> Result<u64, Fault> {
        let request = self.request();
        let (limit, guest) = self.enter();
        let called = bounded("throttle", limit, guest.throttle(request, done, total)).await;
        self.returned(called)
    }

    /// Whether it is to be told the end: it asked for that, and has not failed.
    pub(crate) fn wants_close(&mut self) -> bool {
        !self.is_inside && self.request.is_some() && self.current().wants_close
    }

    /// The documented `close`, the last call.
    pub(crate) async fn close(&mut self, code: CloseCode) -> Result<(), Fault> {
        if !self.wants_close() {
            return Ok(());
        }
        let request = self.request();
        let (limit, guest) = self.enter();
        let called = bounded("close", limit, guest.close(request, code.number())).await;
        self.returned(called)
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
        let current = self.state().current.as_mut();
        match current.and_then(|current| current.failed.take()) {
            Some(fault) => Err(fault),
            None => Ok(value),
        }
    }

    /// Waits until one of the pollables is ready or the request is woken, then drops them all.
    ///
    /// Without any pollable: for the back-off.
    pub(crate) async fn wait(
        &mut self,
        pollables: Pollables,
        back_off: &mut BackOff,
    ) -> Result<(), Fault> {
        // Other requests have their turn, though a guest may wait for what is ready already, again and again.
        consume_budget().await;
        let engine = self.plugin.engine.clone();
        let _asleep = engine.sleep();
        let bell = self.current().alarm.set();
        if pollables.is_empty() {
            let pause = tokio::time::sleep(back_off.next());
            tokio::select! { biased; () = bell.notified() => {}, () = pause => {} }
            return Ok(());
        }
        *back_off = BackOff::new();
        let table = &mut self.state().table;
        tokio::select! {
            biased;
            () = bell.notified() => {}
            ready = any_ready(table, &pollables) => ready?,
        }
        drop_all(table, pollables)
    }

    /// What the plugin has decided so far about its exchange.
    pub(crate) fn current(&mut self) -> &mut Current {
        let current = &mut self.state().current;
        current.as_mut().expect("set before the first call")
    }

    fn request(&self) -> ResourceAny {
        self.request.expect("made by the first call")
    }

    fn state(&mut self) -> &mut StoreState {
        self.live.as_mut().expect(ALIVE).store.data_mut()
    }

    /// Whether the plugin has done its part for a request, without any fault.
    pub(crate) fn is_done(&mut self) -> bool {
        !self.is_inside
            && !self.pass.has_failed()
            && self.request.is_some()
            && self.current().decided
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

/// The pauses before a plugin that gave nothing to wait for is asked again: 1, 2, 4 ... 50 ms.
pub(crate) struct BackOff(Duration);

impl BackOff {
    pub(crate) fn new() -> BackOff {
        BackOff(Duration::from_millis(1))
    }

    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_BACK_OFF);
        pause
    }
}

/// Waits until one of them is ready.
pub(crate) async fn any_ready(
    table: &mut ResourceTable,
    pollables: &Pollables,
) -> Result<(), Fault> {
    let borrowed = pollables
        .iter()
        .map(|pollable| Resource::new_borrow(pollable.rep()))
        .collect();
    let ready = table.poll(borrowed).await;
    ready.map(drop).map_err(|error| Fault::trap(&error))
}

/// Gives up what was waited for.
pub(crate) fn drop_all(table: &mut ResourceTable, pollables: Pollables) -> Result<(), Fault> {
    let mut pollables = pollables.into_iter();
    pollables.try_for_each(|pollable| {
        let dropped = table.drop(pollable);
        dropped.map_err(|error| Fault::trap(&error))
    })
}

/// Runs one call for no longer than its limit. Epochs make a busy guest yield, so that the clock is seen; the clock
/// also covers a guest that waits in the host.
pub(crate) async fn bounded<T>(
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
