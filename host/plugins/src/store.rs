//! What a plugin instance holds on the host's side: its limits, its WASI context and the request it serves.

use std::sync::Arc;

use http::StatusCode;
use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::decision::Decision;
use crate::error::Fault;
use crate::exchange::Exchange;
use crate::spec::PluginSpec;
use crate::stderr::GuestStderr;
use crate::wake::{Alarm, Sleepers};

/// What the server answers when a plugin asks it.
pub trait Server: Send + Sync + 'static {
    /// The value of an option by its documented name, as on the command line.
    fn option_value(&self, name: &str) -> Option<String>;

    /// Whether a path below the directories exposed for read names a file. May block for a moment.
    fn is_file(&self, path: &str) -> bool;
}

/// The exchange as guests hold it: a store serves one at a time, so that the handle needs no content.
#[expect(unreachable_pub, reason = "the generated bindings name it in public")]
pub struct ExchangeHandle;

/// The host's side of one instance.
pub(crate) struct StoreState {
    pub(crate) spec: Arc<PluginSpec>,
    pub(crate) server: Arc<dyn Server>,
    pub(crate) limits: StoreLimits,
    pub(crate) table: ResourceTable,
    pub(crate) current: Option<Current>,
    /// What random numbers that need not be secret begin with; by chance where none is given.
    pub(crate) seed: Option<u128>,
    /// Made when the guest first asks for anything of WASI, which most requests never do.
    wasi: Option<(WasiCtx, GuestStderr)>,
}

/// The exchange that an instance serves, and what it has decided so far.
pub(crate) struct Current {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) decision: Decision,
    pub(crate) wants_write: bool,
    pub(crate) wants_throttle: bool,
    pub(crate) wants_close: bool,
    /// How far the body of the request has come to `write`.
    pub(crate) written: Written,
    /// `send` was called.
    pub(crate) sent: bool,
    /// The decision counts: nothing of it can be changed any more.
    pub(crate) decided: bool,
    /// The guest gave up its handle.
    pub(crate) dropped: bool,
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
    pub(crate) fn new(spec: Arc<PluginSpec>, server: Arc<dyn Server>) -> Self {
        let limits = StoreLimitsBuilder::new()
            .memory_size(spec.limits.memory)
            .build();
        StoreState {
            spec,
            server,
            limits,
            table: ResourceTable::new(),
            current: None,
            seed: None,
            wasi: None,
        }
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
            written: Written::Nothing,
            sent: false,
            decided: false,
            dropped: false,
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
            // No arguments, no environment, no directory, no address: nothing is granted.
            let stderr = GuestStderr::default();
            let mut builder = WasiCtx::builder();
            builder.stderr(stderr.clone());
            if let Some(seed) = self.seed {
                builder.insecure_random_seed(seed);
            }
            (builder.build(), stderr)
        });
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}
