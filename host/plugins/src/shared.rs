//! An instance that several may call, one at a time: those who wait for what it gives, and who tells it the end.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::call::Session;
use crate::chain;
use crate::error::Fault;
use crate::exchange::Exchange;
use crate::pass::Pass;
use crate::plugin::Plugin;

/// A handle of an instance.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) pass: Arc<Pass>,
    session: Arc<Mutex<Session>>,
}

impl Shared {
    pub(crate) fn new(plugin: Arc<Plugin>, session: Session) -> Shared {
        Shared {
            plugin,
            pass: session.pass.clone(),
            session: Arc::new(Mutex::new(session)),
        }
    }

    /// The instance, as soon as no call runs in it.
    pub(crate) async fn hold(&self) -> OwnedMutexGuard<Session> {
        self.session.clone().lock_owned().await
    }

    /// Says in the log what went wrong, and lets the plugin rest if it goes on so.
    pub(crate) fn log(&self, exchange: &Exchange, fault: &Fault) {
        chain::log(&self.plugin, exchange, fault);
        self.pass.failed(fault);
    }
}
