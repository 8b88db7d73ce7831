//! The functions that a plugin exports, looked up in an instance when they are called.
//!
//! The generated bindings look all of them up in every instance, which costs a fresh one more than its call.

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, Resource,
    ResourceAny,
};
use wasmtime::{Result, Store};
use wasmtime_wasi::p2::DynPollable;

pub(crate) use crate::bindings::exports::httpout::plugin::handler::ReadResult;
use crate::store::{ExchangeHandle, StoreState};

/// What a call returns to be waited for.
pub(crate) type Pollables = Vec<Resource<DynPollable>>;

/// The interface that a plugin exports.
pub(crate) const HANDLER: &str = "httpout:plugin/handler@0.1.0";

/// The one that it may export beside.
const BACKGROUND: &str = "httpout:plugin/background@0.1.0";

/// Where the functions of interface `handler` are in a component, and that of `background`.
pub(crate) struct Exports {
    init: ComponentExportIndex,
    constructor: ComponentExportIndex,
    on_request: ComponentExportIndex,
    resume: ComponentExportIndex,
    read: ComponentExportIndex,
    write: ComponentExportIndex,
    throttle: ComponentExportIndex,
    close: ComponentExportIndex,
    run: Option<ComponentExportIndex>,
}

impl Exports {
    /// Finds the functions of a component that is known to be of the plugin world.
    pub(crate) fn find(component: &Component) -> Option<Exports> {
        let handler = component.get_export_index(None, HANDLER)?;
        let function = |name: &str| component.get_export_index(Some(&handler), name);
        let background = component.get_export_index(None, BACKGROUND);
        Some(Exports {
            init: function("init")?,
            constructor: function("[constructor]request")?,
            on_request: function("[method]request.on-request")?,
            resume: function("[method]request.resume")?,
            read: function("[method]request.read")?,
            write: function("[method]request.write")?,
            throttle: function("[method]request.throttle")?,
            close: function("[method]request.close")?,
            run: background.and_then(|found| component.get_export_index(Some(&found), "run")),
        })
    }

    /// Whether there may be work that belongs to no request.
    pub(crate) fn has_background(&self) -> bool {
        self.run.is_some()
    }
}

/// An instance and its functions. A call may follow one that returned a value only.
pub(crate) struct Guest<'a> {
    pub(crate) store: &'a mut Store<StoreState>,
    pub(crate) instance: &'a Instance,
    pub(crate) exports: &'a Exports,
}

impl Guest<'_> {
    pub(crate) async fn init(self) -> Result<Result<(), String>> {
        let index = &self.exports.init;
        let (outcome,) = call(self.store, self.instance, index, ()).await?;
        Ok(outcome)
    }

    pub(crate) async fn construct(self) -> Result<ResourceAny> {
        let exchange = Resource::<ExchangeHandle>::new_own(0);
        let index = &self.exports.constructor;
        let (request,) = call(self.store, self.instance, index, (exchange,)).await?;
        Ok(request)
    }

    pub(crate) async fn on_request(self, request: ResourceAny) -> Result<Pollables> {
        let index = &self.exports.on_request;
        let (wait,) = call(self.store, self.instance, index, (request,)).await?;
        Ok(wait)
    }

    pub(crate) async fn resume(self, request: ResourceAny) -> Result<Pollables> {
        let index = &self.exports.resume;
        let (wait,) = call(self.store, self.instance, index, (request,)).await?;
        Ok(wait)
    }

    pub(crate) async fn read(self, request: ResourceAny, max: u32) -> Result<ReadResult> {
        let index = &self.exports.read;
        let (result,) = call(self.store, self.instance, index, (request, max)).await?;
        Ok(result)
    }

    pub(crate) async fn write(self, request: ResourceAny, data: &[u8]) -> Result<Pollables> {
        let index = &self.exports.write;
        let (wait,) = call(self.store, self.instance, index, (request, data)).await?;
        Ok(wait)
    }

    pub(crate) async fn throttle(self, request: ResourceAny, done: u64, total: u64) -> Result<u64> {
        let index = &self.exports.throttle;
        let (pause,) = call(self.store, self.instance, index, (request, done, total)).await?;
        Ok(pause)
    }

    pub(crate) async fn close(self, request: ResourceAny, code: i32) -> Result<()> {
        let index = &self.exports.close;
        call(self.store, self.instance, index, (request, code)).await
    }

    /// A turn of the work that belongs to no request; nothing to wait for where there is none.
    pub(crate) async fn run(self) -> Result<Result<Pollables, String>> {
        let Some(index) = &self.exports.run else {
            return Ok(Ok(Pollables::new()));
        };
        let (outcome,) = call(self.store, self.instance, index, ()).await?;
        Ok(outcome)
    }
}

async fn call<P, R>(
    store: &mut Store<StoreState>,
    instance: &Instance,
    index: &ComponentExportIndex,
    parameters: P,
) -> Result<R>
where
    P: ComponentNamedList + Lower + Send + Sync,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    let function = instance.get_typed_func::<P, R>(&mut *store, index)?;
    function.call_async(store, parameters).await
}
