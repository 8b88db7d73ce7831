//! Figures on the server's page of metrics: the interface `metrics` of the contract, and what is counted of plugins.

mod page;
mod record;
mod series;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use wasmtime::Result;

use crate::bindings::httpout::plugin::metrics;
use crate::error::escape;
use crate::store::StoreState;

use record::{Record, Refusal, Value, parse};
use series::Series;

/// Names about which a plugin may be complained in the log.
const MOST_COMPLAINTS: usize = 100;

/// The figures of all plugins. They outlive a reload.
pub struct Metrics {
    recorded: Mutex<Series>,
    meters: Mutex<BTreeMap<String, Arc<Meter>>>,
    /// What is not free is in use.
    instances: Arc<Semaphore>,
    most_instances: usize,
}

/// What is counted of one plugin.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    requests: AtomicU64,
    faults: AtomicU64,
    /// Names that were complained about.
    refused: Mutex<BTreeSet<String>>,
}

/// Where the records of one plugin go.
pub(crate) struct Recorder {
    metrics: Arc<Metrics>,
    meter: Arc<Meter>,
    plugin: String,
}

impl Metrics {
    pub(crate) fn new(instances: Arc<Semaphore>) -> Metrics {
        Metrics {
            recorded: Mutex::default(),
            meters: Mutex::default(),
            most_instances: instances.available_permits(),
            instances,
        }
    }

    /// The recorder of the plugin of that name.
    pub(crate) fn recorder(self: &Arc<Self>, plugin: &str) -> Arc<Recorder> {
        let mut meters = self.meters.lock().expect("no holder panics");
        let meter = meters.entry(plugin.to_owned()).or_default();
        Arc::new(Recorder {
            metrics: self.clone(),
            meter: meter.clone(),
            plugin: plugin.to_owned(),
        })
    }
}

impl Recorder {
    /// The plugin is asked about a request.
    pub(crate) fn count_request(&self) {
        self.meter.requests.fetch_add(1, Relaxed);
    }

    /// The plugin has failed.
    pub(crate) fn count_fault(&self) {
        self.meter.faults.fetch_add(1, Relaxed);
    }

    fn record(&self, name: &str, labels: Vec<(String, String)>, value: Value) {
        let recorded = parse(&self.plugin, name, labels, value)
            .and_then(|record: Record| self.lock().add(record));
        if let Err(refusal) = recorded {
            self.complain(name, &refusal);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Series> {
        self.metrics.recorded.lock().expect("no holder panics")
    }

    /// Once for each name; of too many series once for all.
    fn complain(&self, name: &str, refusal: &Refusal) {
        let topic = match refusal {
            Refusal::TooManySeries => "",
            _ => name,
        };
        let mut refused = self.meter.refused.lock().expect("no holder panics");
        if refused.len() < MOST_COMPLAINTS && refused.insert(topic.to_owned()) {
            let (plugin, name) = (&*self.plugin, escape(name));
            tracing::warn!(target: "plugin", plugin, "metric `{name}` is not recorded: {refusal}");
        }
    }
}

impl metrics::Host for StoreState {
    fn counter_add(&mut self, name: String, labels: metrics::Labels, by: u64) -> Result<()> {
        self.record(&name, labels, Value::Add(by));
        Ok(())
    }

    fn gauge_set(&mut self, name: String, labels: metrics::Labels, value: f64) -> Result<()> {
        self.record(&name, labels, Value::Set(value));
        Ok(())
    }

    fn histogram_record(
        &mut self,
        name: String,
        labels: metrics::Labels,
        value: f64,
    ) -> Result<()> {
        self.record(&name, labels, Value::Observe(value));
        Ok(())
    }
}

impl StoreState {
    /// Without a page (option `metrics`) there is no recorder.
    fn record(&self, name: &str, labels: metrics::Labels, value: Value) {
        if let Some(recorder) = &self.common.recorder {
            recorder.record(name, labels, value);
        }
    }
}
