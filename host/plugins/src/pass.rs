//! A request's leave to ask a plugin, and what the plugin's breaker is told of how it went.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::breaker::Admission;
use crate::error::Fault;
use crate::plugin::Plugin;
use crate::spec::OnFailure;

/// The leave of one request. Dropped without a word, it says nothing of the plugin.
pub(crate) struct Pass {
    plugin: Arc<Plugin>,
    admission: Admission,
    /// The breaker knows how it went.
    is_told: AtomicBool,
    has_failed: AtomicBool,
}

impl Pass {
    /// Asks for leave.
    ///
    /// # Errors
    /// `Fault::Resting` where the plugin has failed again and again.
    pub(crate) fn ask(plugin: &Arc<Plugin>) -> Result<Pass, Fault> {
        match plugin.breaker.admit(Instant::now()) {
            Admission::Refused(wait) => Err(Fault::Resting(wait)),
            admission => Ok(Pass {
                plugin: plugin.clone(),
                admission,
                is_told: AtomicBool::new(false),
                has_failed: AtomicBool::new(false),
            }),
        }
    }

    /// The plugin has decided, and has more to do for the request.
    pub(crate) fn decided(&self) {
        if self.plugin.breaker.decided(self.admission) {
            self.tell_recovery();
        }
    }

    /// The plugin has done its part, to the end.
    pub(crate) fn succeeded(&self) {
        if !self.is_told.swap(true, Relaxed) && self.plugin.breaker.succeeded(self.admission) {
            self.tell_recovery();
        }
    }

    /// The request ended with a fault.
    pub(crate) fn failed(&self, fault: &Fault) {
        self.has_failed.store(true, Relaxed);
        if !fault.is_of_plugin() || self.is_told.swap(true, Relaxed) {
            return;
        }
        let rest = self.plugin.breaker.failed(self.admission, Instant::now());
        if let Some(rest) = rest {
            self.tell_rest(rest);
        }
    }

    /// Whether there was a fault.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Relaxed)
    }

    fn tell_recovery(&self) {
        let plugin = &*self.plugin.spec.name;
        tracing::info!(target: "plugin", plugin, "works again: requests are given to it");
    }

    fn tell_rest(&self, rest: Duration) {
        let plugin = &*self.plugin.spec.name;
        let rest = rest.as_secs();
        let how = match self.admission {
            Admission::Trial => "still fails",
            _ => "has failed again and again",
        };
        let meanwhile = match self.plugin.spec.on_failure {
            OnFailure::Closed => "requests are answered 503",
            OnFailure::Open => "requests go on without it",
        };
        tracing::warn!(target: "plugin", plugin, "{how}: for {rest} s {meanwhile}, then one tries it (option `plugin_fail`)");
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !*self.is_told.get_mut() {
            let breaker = &self.plugin.breaker;
            breaker.gave_up(self.admission, Instant::now());
        }
    }
}
