//! Figures on the server's page of metrics (option `metrics`), with the plugin's name as label `plugin`. Without that
//! option nothing is recorded.
//!
//! ```ignore
//! metrics::count("refused", &[("reason", "late")]);
//! ```
//!
//! Names are of the form `[a-zA-Z_][a-zA-Z0-9_]*` and stand on the page behind `httpout_plugin_`. A plugin has at most
//! 1000 series, names with different labels: do not make one of each client or path. The log tells what is not recorded.

use crate::bindings::httpout::plugin::metrics;

/// Names and values.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// Adds 1 to a counter. The page adds `_total` to its name.
pub fn count(name: &str, labels: Labels<'_>) {
    add(name, labels, 1);
}

/// Adds to a counter. The page adds `_total` to its name.
pub fn add(name: &str, labels: Labels<'_>, by: u64) {
    metrics::counter_add(name, &owned(labels), by);
}

/// Sets a gauge, which may go up and down.
pub fn set(name: &str, labels: Labels<'_>, value: f64) {
    metrics::gauge_set(name, &owned(labels), value);
}

/// Counts a value in a histogram, made for seconds from 0.001 to 10000.
pub fn record(name: &str, labels: Labels<'_>, value: f64) {
    metrics::histogram_record(name, &owned(labels), value);
}

fn owned(labels: Labels<'_>) -> Vec<(String, String)> {
    let labels = labels.iter();
    labels
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
