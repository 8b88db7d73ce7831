//! The plugins of a server, in the order of the command line.

use std::sync::Arc;

use crate::call::Session;
use crate::decide::{Decided, Refusal, RequestBody, decide};
use crate::decision::{Body, Decision};
use crate::dry_run::{DryReply, dry_run};
use crate::error::{CloseCode, Fault};
use crate::exchange::Exchange;
use crate::plugin::Plugin;
use crate::read::ReadBody;
use crate::shared::Shared;
use crate::slot::{Reload, Slot};
use crate::spec::{Kind, OnFailure};
use crate::throttle::Throttle;

/// The plugins of a server. A reply of 0 passes a request on to the next one; fields add up.
pub struct Chain {
    slots: Vec<Slot>,
}

/// The instances to which more calls are to be made: `read`, `throttle`, `close`.
#[derive(Default)]
pub struct OpenSessions {
    /// In the order of the chain.
    sessions: Vec<Open>,
}

struct Open {
    shared: Shared,
    wants_throttle: bool,
}

impl Chain {
    /// A chain that asks these plugins in this order.
    pub fn new(plugins: Vec<Arc<Plugin>>) -> Chain {
        Chain {
            slots: plugins.into_iter().map(Slot::new).collect(),
        }
    }

    /// Loads plugins again, one after the other, and says in the log what came of it. Requests are served meanwhile.
    pub async fn reload(&self, which: Reload) {
        for slot in &self.slots {
            slot.reload(which).await;
        }
    }

    /// The server serves: what plugins do beside requests begins.
    pub async fn begin_background(&self) {
        for slot in &self.slots {
            slot.begin_background().await;
        }
    }

    /// What its script, the last one that is asked about it, answers to a request that nobody made; none without such a script.
    ///
    /// # Errors
    /// The script failed.
    pub async fn dry_run(&self, exchange: Exchange) -> Option<Result<DryReply, Fault>> {
        let (method, path) = (&exchange.head.method, &exchange.path);
        let mut plugins = self.slots.iter().rev().map(Slot::plugin);
        let script = plugins.find(|plugin| {
            plugin.spec.kind == Kind::Script && plugin.spec.scope.covers(method, path)
        })?;
        Some(dry_run(&script, exchange).await)
    }

    /// Whether there is no plugin to ask.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The documented `on_request`, of one plugin after the other until one replies.
    ///
    /// `decision` takes what they decide, and `open` their instances as long as there are calls to be made: both also hold
    /// what came before where a later plugin fails, or where this future is dropped because the client has left. `body` is
    /// read where a plugin takes it (`write`).
    ///
    /// # Errors
    /// The fault of the first plugin that failed, which is logged here, or that of the body.
    pub async fn on_request<B: RequestBody>(
        &self,
        exchange: &Arc<Exchange>,
        decision: &mut Decision,
        open: &mut OpenSessions,
        body: &mut B,
    ) -> Result<(), Refusal<B::Error>> {
        let (method, path) = (&exchange.head.method, &exchange.path);
        let plugins = self.slots.iter().map(Slot::plugin);
        for plugin in plugins.filter(|plugin| plugin.spec.scope.covers(method, path)) {
            let own = match ask(&plugin, exchange, open, body).await {
                Err(Refusal::Fault(Fault::Resting(_)))
                    if plugin.spec.on_failure == OnFailure::Open =>
                {
                    continue;
                }
                asked => asked?,
            };
            decision.headers.extend(own.headers);
            if own.reply.is_some() || own.body != Body::Unset {
                decision.body = own.body;
            }
            if own.reply.is_some() {
                decision.reply = own.reply;
                break;
            }
        }
        Ok(())
    }
}

/// Asks one plugin in a fresh instance, which is gone afterwards unless more calls are to be made to it.
async fn ask<B: RequestBody>(
    plugin: &Arc<Plugin>,
    exchange: &Arc<Exchange>,
    open: &mut OpenSessions,
    body: &mut B,
) -> Result<Decision, Refusal<B::Error>> {
    if let Some(recorder) = &plugin.common.recorder {
        recorder.count_request();
    }
    let session = Session::open(plugin).await;
    let session = session.inspect_err(|fault| log(plugin, exchange, fault))?;
    let shared = Shared::new(plugin.clone(), session);
    // It is open from now on: if the client leaves meanwhile, it is told.
    open.sessions.push(Open {
        shared: shared.clone(),
        wants_throttle: false,
    });
    let decided = decide(&shared, exchange, body).await;
    let Decided {
        mut decision,
        wants_throttle,
        wants_close,
        wants_write,
    } = match decided {
        Ok(decided) => decided,
        Err(refusal) => {
            if let Refusal::Fault(fault) = &refusal {
                shared.log(exchange, fault);
            }
            if !shared.hold().await.wants_close() {
                open.sessions.pop();
            }
            return Err(refusal);
        }
    };
    if let Some(misfit) = decision.body.misfit(decision.reply) {
        warn(plugin, exchange, &format!("the body is ignored: {misfit}"));
        decision.body = Body::Unset;
    }
    if wants_write && decision.reply.is_none() {
        warn(
            plugin,
            exchange,
            "`write` is not called: it needs a reply of its own",
        );
    }
    let reads = matches!(decision.body, Body::Read(_));
    match open.sessions.last_mut() {
        Some(open) if wants_throttle || reads || wants_close => {
            open.wants_throttle = wants_throttle;
            shared.pass.decided();
        }
        _ => {
            shared.pass.succeeded();
            open.sessions.pop();
        }
    }
    Ok(decision)
}

impl OpenSessions {
    /// Whether there is no more call to be made.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// The body that the plugin which replied makes, in blocks of at most so many bytes, where it decided so.
    pub fn read_body(
        &self,
        exchange: &Arc<Exchange>,
        max: u32,
        length: Option<u64>,
    ) -> Option<ReadBody> {
        let Open { shared, .. } = self.sessions.last()?;
        Some(ReadBody::new(shared.clone(), exchange.clone(), max, length))
    }

    /// Those who say how fast the body goes, if anybody does.
    pub fn throttle(&self, exchange: &Arc<Exchange>) -> Option<Throttle> {
        let asked = self.sessions.iter().filter(|open| open.wants_throttle);
        let sessions: Vec<Shared> = asked.map(|open| open.shared.clone()).collect();
        (!sessions.is_empty()).then(|| Throttle::new(sessions, exchange.clone()))
    }

    /// Tells the instances how the exchange ended, the last of the chain first, each as soon as its call has returned.
    pub async fn close(self, exchange: &Exchange, code: CloseCode) {
        for Open { shared, .. } in self.sessions.into_iter().rev() {
            let mut session = shared.hold().await;
            match session.close(code).await {
                Err(fault) => shared.log(exchange, &fault),
                Ok(()) if session.is_done() => shared.pass.succeeded(),
                // The client left during a call.
                Ok(()) => {}
            }
        }
    }
}

/// Says in the log what went wrong, and counts it.
pub(crate) fn log(plugin: &Plugin, exchange: &Exchange, fault: &Fault) {
    match fault {
        // The beginning of the rest was told.
        Fault::Resting(_) => {
            let plugin = &*plugin.spec.name;
            tracing::debug!(target: "plugin", plugin, request = exchange.id, "{fault}");
        }
        _ => {
            if let Some(recorder) = &plugin.common.recorder {
                recorder.count_fault();
            }
            warn(plugin, exchange, &fault.to_string());
        }
    }
}

fn warn(plugin: &Plugin, exchange: &Exchange, message: &str) {
    let plugin = &*plugin.spec.name;
    tracing::warn!(target: "plugin", plugin, request = exchange.id, "{message}");
}
