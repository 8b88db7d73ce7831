//! Figures on the server's page of metrics. Labels are names and values by turns.

use rquickjs::{Object, Result};

use super::add_functions;
use crate::bindings::httpout::plugin::metrics;

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, counter_add gauge_set histogram_record);
    Ok(())
}

fn counter_add(name: String, by: f64, labels: Vec<String>) {
    metrics::counter_add(&name, &pairs(&labels), by as u64);
}

fn gauge_set(name: String, value: f64, labels: Vec<String>) {
    metrics::gauge_set(&name, &pairs(&labels), value);
}

fn histogram_record(name: String, value: f64, labels: Vec<String>) {
    metrics::histogram_record(&name, &pairs(&labels), value);
}

fn pairs(labels: &[String]) -> Vec<(String, String)> {
    let labels = labels.chunks_exact(2);
    labels
        .map(|label| (label[0].clone(), label[1].clone()))
        .collect()
}
