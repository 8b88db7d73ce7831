//! What a plugin instance holds on the host's side: its limits, its WASI context and the request it serves.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::decision::Decision;
use crate::error::Fault;
use crate::exchange::Exchange;
use crate::metrics::Recorder;
use crate::spec::PluginSpec;
use crate::state::Space;
use crate::stderr::GuestStderr;

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
    /// What the plugin keeps.
    pub(crate) space: Arc<Space>,
    /// None where nobody asks for figures.
    pub(crate) recorder: Option<Arc<Recorder>>,
    pub(crate) limits: StoreLimits,
    pub(crate) table: ResourceTable,
    pub(crate) current: Option<Current>,
    /// Made when the guest first asks for anything of WASI, which most requests never do.
    wasi: Option<(WasiCtx, GuestStderr)>,
}

/// The exchange that an instance serves, and what it has decided so far.
pub(crate) struct Current {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) decision: Decision,
    pub(crate) wants_close: bool,
    /// `send` was called.
    pub(crate) sent: bool,
    /// The guest gave up its handle.
    pub(crate) dropped: bool,
}

impl StoreState {
    pub(crate) fn new(
        spec: Arc<PluginSpec>,
        server: Arc<dyn Server>,
        space: Arc<Space>,
        recorder: Option<Arc<Recorder>>,
    ) -> Self {
        let limits = StoreLimitsBuilder::new()
            .memory_size(spec.limits.memory)
            .build();
        StoreState {
            spec,
            server,
            space,
            recorder,
            limits,
            table: ResourceTable::new(),
            current: None,
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
    pub(crate) fn new(exchange: Arc<Exchange>) -> Self {
        Current {
            exchange,
            decision: Decision::default(),
            wants_close: false,
            sent: false,
            dropped: false,
        }
    }
}

impl WasiView for StoreState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (ctx, _) = self.wasi.get_or_insert_with(|| {
            // No arguments, no environment, no directory, no address: nothing is granted.
            let stderr = GuestStderr::default();
            let ctx = WasiCtx::builder().stderr(stderr.clone()).build();
            (ctx, stderr)
        });
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}
