//! What a plugin instance holds on the host's side: its limits, its WASI context and the request it serves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::common::Common;
use crate::decision::Decision;
use crate::error::Fault;
use crate::exchange::Exchange;
use crate::limiter::Limiter;
use crate::outbound::Hooks;
use crate::script::Script;
use crate::spec::PluginSpec;
use crate::stderr::GuestStderr;
use crate::wake::{Alarm, Sleepers};

/// What the server answers when a plugin asks it.
pub trait Server: Send + Sync + 'static {
    /// The value of an option by its documented name, as on the command line.
    fn option_value(&self, name: &str) -> Option<String>;

    /// Whether a path below the directories exposed for read names a file. May block for a moment.
    fn is_file(&self, path: &str) -> bool;

    /// Whether a path below a directory that was granted to a plugin names a file. May block for a moment.
    fn is_granted_file(&self, directory: &Path, below: &str) -> bool;
}

/// What a guest may give the server in one call beside a body, in bytes: names, paths, lines of the log. Also the random
/// numbers that it gets in one.
const BESIDE_BODY: usize = 1 << 20;

/// The exchange as guests hold it: a store serves one at a time, so that the handle needs no content.
#[expect(unreachable_pub, reason = "the generated bindings name it in public")]
pub struct ExchangeHandle;

/// The host's side of one instance.
pub(crate) struct StoreState {
    pub(crate) spec: Arc<PluginSpec>,
    pub(crate) server: Arc<dyn Server>,
    pub(crate) common: Arc<Common>,
    limiter: Limiter,
    pub(crate) table: ResourceTable,
    pub(crate) current: Option<Current>,
    /// What random numbers that need not be secret begin with; by chance where none is given.
    pub(crate) seed: Option<u128>,
    /// Its work belongs to no request.
    pub(crate) is_background: bool,
    /// What the engine of scripts runs.
    pub(crate) script: Option<Arc<Script>>,
    /// Made when the guest first asks for anything of WASI, which most requests never do.
    wasi: Option<(WasiCtx, GuestStderr)>,
    http: (WasiHttpCtx, Hooks),
}

/// The exchange that an instance serves, and what it has decided so far.
pub(crate) struct Current {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) decision: Decision,
    pub(crate) wants_write: bool,
    pub(crate) wants_throttle: bool,
    pub(crate) wants_close: bool,
    /// What it asked for in place of option `timeout`.
    pub(crate) timeout: Option<Duration>,
    /// How far the body of the request has come to `write`.
    pub(crate) written: Written,
    /// `send` was called.
    pub(crate) sent: bool,
    /// The decision counts: nothing of it can be changed any more.
    pub(crate) decided: bool,
    /// The guest gave up its handle.
    pub(crate) dropped: bool,
    /// Why the guest gave the exchange up.
    pub(crate) failed: Option<Fault>,
    /// How others wake this request.
    pub(crate) alarm: Alarm,
}

/// How far the body of a request has come to a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Nothing,
    /// `write` has been called.
    Part,
    /// Also for the end.
    All,
}

impl StoreState {
    pub(crate) fn new(spec: Arc<PluginSpec>, server: Arc<dyn Server>, common: Arc<Common>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(spec.limits.handles);
        let mut fields = WasiHttpCtx::new();
        fields.set_field_size_limit(spec.limits.fields_size);
        let client = common.client.clone();
        StoreState {
            limiter: Limiter::new(&spec.limits),
            spec,
            server,
            common,
            table,
            current: None,
            seed: None,
            is_background: false,
            script: None,
            wasi: None,
            http: (fields, Hooks { client }),
        }
    }

    /// Takes the place of a fresh state for an instance that goes on: what that has taken already counts.
    pub(crate) fn renew(&mut self, fresh: StoreState) {
        let limiter = self.limiter;
        *self = StoreState { limiter, ..fresh };
    }

    /// Whether its instance has grown too large to go on with.
    pub(crate) fn is_large(&self) -> bool {
        self.limiter.is_half_taken()
    }

    /// A store of this state, with its limits and without time: it yields at each tick of the clock.
    pub(crate) fn into_store(self, engine: &wasmtime::Engine) -> Store<StoreState> {
        let (handles, body) = (self.spec.limits.handles, self.spec.limits.body);
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.limiter);
        store.set_max_component_handles(handles);
        // What one call of the guest may have copied out of its memory.
        store.set_hostcall_fuel(body.saturating_add(BESIDE_BODY));
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }

    /// A fault, with what the guest wrote to its standard error before it, such as a panic's message.
    pub(crate) fn explain(&self, error: &wasmtime::Error) -> Fault {
        let said = self.wasi.as_ref().map(|(_, stderr)| stderr.text());
        Fault::trap_after(error, &said.unwrap_or_default())
    }
}

impl Current {
    pub(crate) fn new(exchange: Arc<Exchange>, sleepers: Arc<Sleepers>) -> Self {
        Current {
            alarm: Alarm::new(exchange.id, sleepers),
            exchange,
            decision: Decision::default(),
            wants_write: false,
            wants_throttle: false,
            wants_close: false,
            timeout: None,
            written: Written::Nothing,
            sent: false,
            decided: false,
            dropped: false,
            failed: None,
        }
    }

    /// Whether the body of the request goes to `write` next: it was asked for, and the reply is the plugin's own and no
    /// refusal.
    pub(crate) fn is_writing(&self) -> bool {
        let accepts = |status: StatusCode| status.as_u16() < 400;
        self.wants_write && self.written != Written::All && self.decision.reply.is_some_and(accepts)
    }

    /// Whether the reply can still be changed: before `send`, and while the head waits for the end of the request body.
    pub(crate) fn is_open(&self) -> bool {
        let waits = self.wants_write && self.decision.reply.is_some();
        !self.decided && (!self.sent || waits)
    }
}

impl WasiView for StoreState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (ctx, _) = self.wasi.get_or_insert_with(|| {
            // No arguments, no environment, no address; the directories that were granted.
            let stderr = GuestStderr::default();
            let mut builder = WasiCtx::builder();
            builder
                .stderr(stderr.clone())
                .max_random_size(BESIDE_BODY as u64);
            if let Some(seed) = self.seed {
                builder.insecure_random_seed(seed);
            }
            let mut ctx = builder.build();
            *ctx.filesystem() = self.common.directories.clone();
            (ctx, stderr)
        });
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for StoreState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let (ctx, hooks) = &mut self.http;
        WasiHttpCtxView {
            hooks,
            table: &mut self.table,
            ctx,
        }
    }
}
