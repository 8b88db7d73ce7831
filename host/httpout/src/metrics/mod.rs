//! The page of metrics (option `metrics`): what the servers of this process count, and what its plugins record.

mod figures;

use std::sync::Arc;

use httpout_plugins::Engine;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

pub(crate) use figures::Figures;

/// All figures of the process, of which each server may have a page.
pub(crate) struct Metrics {
    pub(crate) figures: Arc<Figures>,
    registry: Registry,
}

impl Metrics {
    /// What prometheus-client writes.
    pub(crate) const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    pub(crate) fn new(engine: Option<&Arc<Engine>>) -> Metrics {
        let figures = Arc::new(Figures::default());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(figures.clone()));
        if let Some(plugins) = engine.and_then(|engine| engine.metrics()) {
            registry.register_collector(Box::new(plugins));
        }
        Metrics { figures, registry }
    }

    /// The figures of this moment.
    pub(crate) fn page(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all");
        text
    }
}
