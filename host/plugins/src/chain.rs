//! The plugins of a server, in the order of the command line.

use std::sync::Arc;

use crate::call::Session;
use crate::decision::{Body, Decision};
use crate::error::{CloseCode, Fault};
use crate::exchange::Exchange;
use crate::plugin::Plugin;

/// The plugins of a server. A reply of 0 passes a request on to the next one; fields add up.
pub struct Chain {
    plugins: Vec<Arc<Plugin>>,
}

/// The instances that asked to be told how the exchange ends.
#[derive(Default)]
pub struct OpenSessions {
    /// In the order of the chain.
    sessions: Vec<Session>,
}

impl Chain {
    /// A chain that asks these plugins in this order.
    pub fn new(plugins: Vec<Arc<Plugin>>) -> Chain {
        Chain { plugins }
    }

    /// Whether there is no plugin to ask.
    pub fn is_empty(&self) -> bool {
        self.plugins.is_empty()
    }

    /// The documented `on_request`, of one plugin after the other until one replies.
    ///
    /// `decision` takes what they decide, and `open` their instances as long as they want `close`: both also hold what
    /// came before where a later plugin fails, or where this future is dropped because the client has left.
    ///
    /// # Errors
    /// The fault of the first plugin that failed; it is logged here.
    pub async fn on_request(
        &self,
        exchange: &Arc<Exchange>,
        decision: &mut Decision,
        open: &mut OpenSessions,
    ) -> Result<(), Fault> {
        for plugin in &self.plugins {
            let asked = ask(plugin, exchange, open).await;
            let own = asked.inspect_err(|fault| log(plugin, exchange, fault))?;
            warn_of_useless_body(plugin, exchange, &own);
            decision.headers.extend(own.headers);
            if own.body != Body::Unset {
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

/// A body as text or bytes belongs to an own reply, a file to reply 0 (documents: howto, `body`).
fn warn_of_useless_body(plugin: &Plugin, exchange: &Exchange, decision: &Decision) {
    let useless = match (&decision.body, decision.reply) {
        (Body::Bytes(_), None) => "a text needs a reply of its own",
        (Body::File(_), Some(_)) => "a file needs reply 0",
        _ => return,
    };
    let plugin = &*plugin.spec.name;
    tracing::warn!(target: "plugin", plugin, request = exchange.id, "the body is ignored: {useless}");
}

/// Asks one plugin in a fresh instance, which is gone afterwards unless it wants `close`.
async fn ask(
    plugin: &Arc<Plugin>,
    exchange: &Arc<Exchange>,
    open: &mut OpenSessions,
) -> Result<Decision, Fault> {
    if let Some(recorder) = &plugin.recorder {
        recorder.count_request();
    }
    let session = Session::open(plugin).await?;
    let patience = plugin.spec.limits.reply;
    // It is open from now on: if the client leaves while the plugin waits, it is told.
    let session = open.add(session);
    let decided = session.on_request(exchange, patience).await;
    if decided.is_err() || !session.wants_close() {
        open.sessions.pop();
    }
    decided
}

impl OpenSessions {
    fn add(&mut self, session: Session) -> &mut Session {
        self.sessions.push(session);
        self.sessions.last_mut().expect("was pushed")
    }

    /// Whether no instance wants to know the end.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Tells the instances how the exchange ended, the last of the chain first.
    pub async fn close(self, exchange: &Exchange, code: CloseCode) {
        for mut session in self.sessions.into_iter().rev() {
            if let Err(fault) = session.close(code).await {
                log(session.plugin(), exchange, &fault);
            }
        }
    }
}

fn log(plugin: &Plugin, exchange: &Exchange, fault: &Fault) {
    if let Some(recorder) = &plugin.recorder {
        recorder.count_fault();
    }
    let plugin = &*plugin.spec.name;
    tracing::warn!(target: "plugin", plugin, request = exchange.id, "{fault}");
}
