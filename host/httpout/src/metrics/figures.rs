//! What the servers count, each with one addition that orders nothing.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ::http::{Method, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Since the process began.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// By method and class of status.
    requests: [[AtomicU64; CLASSES.len()]; METHODS.len()],
    sent: AtomicU64,
    received: AtomicU64,
    accepted: AtomicU64,
    closed: AtomicU64,
    failures: AtomicU64,
}

impl Figures {
    /// A request is answered.
    pub(crate) fn count_request(&self, method: &Method, status: StatusCode) {
        let other = METHODS.len() - 1;
        let method = METHODS.iter().position(|known| method == known);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.requests[method.unwrap_or(other)][class].fetch_add(1, Relaxed);
    }

    /// Bytes that the system has taken for a connection.
    pub(crate) fn count_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Relaxed);
    }

    /// Bytes that the system has given of a connection.
    pub(crate) fn count_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Relaxed);
    }

    /// A connection is taken in.
    pub(crate) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    /// A connection that was taken in is gone.
    pub(crate) fn count_closed(&self) {
        self.closed.fetch_add(1, Relaxed);
    }

    /// What makes media has failed.
    pub(crate) fn count_failure(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    fn encode_requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut encoder = encoder.encode_descriptor(
            "httpout_requests",
            "Requests answered, by method and class of status",
            None,
            MetricType::Counter,
        )?;
        for (method, counts) in METHODS.iter().zip(&self.requests) {
            for (class, count) in CLASSES.iter().zip(counts) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let labels = [("method", *method), ("status", *class)];
                    ConstCounter::new(count).encode(encoder.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_requests(&mut encoder)?;
        // In this order, so that one that comes meanwhile does not make the difference negative.
        let closed = self.closed.load(Relaxed);
        let accepted = self.accepted.load(Relaxed);
        let counters = [
            (
                "httpout_sent_bytes",
                "Bytes sent on connections, heads and TLS included",
                self.sent.load(Relaxed),
            ),
            (
                "httpout_received_bytes",
                "Bytes received on connections, heads and TLS included",
                self.received.load(Relaxed),
            ),
            ("httpout_connections", "Connections taken in", accepted),
            (
                "httpout_made_media_failures",
                "Failures of what makes media, which begins anew",
                self.failures.load(Relaxed),
            ),
        ];
        for (name, help, count) in counters {
            let counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(count).encode(counter)?;
        }
        let gauge = encoder.encode_descriptor(
            "httpout_connections_open",
            "Connections that are open",
            None,
            MetricType::Gauge,
        )?;
        let open = i64::try_from(accepted.saturating_sub(closed)).unwrap_or(i64::MAX);
        ConstGauge::new(open).encode(gauge)
    }
}
