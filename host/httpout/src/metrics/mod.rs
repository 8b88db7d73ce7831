//! The page of metrics (option `metrics`): what the servers of this process count, and what its plugins record.

mod figures;

use std::sync::Arc;

use ::http::{HeaderValue, Method, Response, header};
use httpout_plugins::{Engine, Exchange};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::body::Content;
use crate::error::Reject;
use crate::handler::Answer;

pub(crate) use figures::Figures;

/// What prometheus-client writes.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// All figures of the process, of which each server may have a page.
pub(crate) struct Metrics {
    pub(crate) figures: Arc<Figures>,
    registry: Registry,
}

/// The page, at its path.
pub(crate) struct Page {
    metrics: Arc<Metrics>,
    /// Decoded and normalized.
    path: Vec<u8>,
}

impl Metrics {
    pub(crate) fn new(engine: Option<&Arc<Engine>>) -> Metrics {
        let figures = Arc::new(Figures::default());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(figures.clone()));
        if let Some(plugins) = engine.and_then(|engine| engine.metrics()) {
            registry.register_collector(Box::new(plugins));
        }
        Metrics { figures, registry }
    }
}

impl Page {
    pub(crate) fn new(metrics: Arc<Metrics>, path: Vec<u8>) -> Page {
        Page { metrics, path }
    }

    /// Whether a normalized path is that of the page.
    pub(crate) fn is_at(&self, path: &[u8]) -> bool {
        self.path == path
    }

    /// Answers with the figures of this moment.
    pub(crate) fn answer(&self, exchange: &Exchange) -> Result<Answer, Reject> {
        let method = &exchange.head.method;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Reject::MethodNotAllowed {
                method: method.to_string(),
                allow: "GET, HEAD",
            });
        }
        let mut text = String::new();
        encode(&mut text, &self.metrics.registry).expect("a string takes all");
        let mut answer = Response::new(Content::Bytes(text.into()));
        let fields = answer.headers_mut();
        fields.insert(header::CONTENT_TYPE, OPEN_METRICS);
        let no_store = HeaderValue::from_static("no-store");
        fields.insert(header::CACHE_CONTROL, no_store);
        Ok(answer)
    }
}
