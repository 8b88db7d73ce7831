//! How the figures of plugins stand on the page.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::metrics::series::{BUCKETS, Family, Histogram};
use crate::metrics::{Meter, Metrics};

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let in_use = self.most_instances - self.instances.available_permits();
        let in_use = ConstGauge::new(u32::try_from(in_use).unwrap_or(u32::MAX));
        in_use.encode(encoder.encode_descriptor(
            "httpout_plugins_instances",
            "Instances of plugins that exist",
            None,
            MetricType::Gauge,
        )?)?;
        self.encode_meters(
            &mut encoder,
            "httpout_plugins_requests",
            "Requests that a plugin was asked about",
            |meter| &meter.requests,
        )?;
        self.encode_meters(
            &mut encoder,
            "httpout_plugins_faults",
            "Requests at which a plugin has failed",
            |meter| &meter.faults,
        )?;
        let recorded = self.recorded.lock().expect("no holder panics");
        for (name, family) in &recorded.families {
            encode_family(&mut encoder, name, family)?;
        }
        Ok(())
    }
}

impl Metrics {
    fn encode_meters(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        count: fn(&Meter) -> &AtomicU64,
    ) -> fmt::Result {
        let mut encoder = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        let meters = self.meters.lock().expect("no holder panics");
        for (plugin, meter) in &*meters {
            let labels = [("plugin", super::record::escape(plugin))];
            let counter = ConstCounter::new(count(meter).load(Relaxed));
            counter.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn encode_family(encoder: &mut DescriptorEncoder<'_>, name: &str, family: &Family) -> fmt::Result {
    let kind = match family {
        Family::Counter(_) => MetricType::Counter,
        Family::Gauge(_) => MetricType::Gauge,
        Family::Histogram(_) => MetricType::Histogram,
    };
    let mut encoder = encoder.encode_descriptor(name, "Recorded by plugins", None, kind)?;
    match family {
        Family::Counter(series) => {
            for (labels, count) in series {
                ConstCounter::new(*count).encode(encoder.encode_family(labels)?)?;
            }
        }
        Family::Gauge(series) => {
            for (labels, number) in series {
                ConstGauge::new(*number).encode(encoder.encode_family(labels)?)?;
            }
        }
        Family::Histogram(series) => {
            for (labels, histogram) in series {
                let buckets = buckets(histogram);
                let (sum, count) = (histogram.sum, histogram.count());
                let mut encoder = encoder.encode_family(labels)?;
                encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
            }
        }
    }
    Ok(())
}

/// Each bucket's end, for the last one what stands for none, and what is in it.
fn buckets(histogram: &Histogram) -> Vec<(f64, u64)> {
    let ends = BUCKETS.into_iter().chain([f64::MAX]);
    ends.zip(histogram.counts).collect()
}
