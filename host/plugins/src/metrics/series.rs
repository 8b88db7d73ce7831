//! What plugins have recorded: families by their names, series by their labels.

use std::collections::BTreeMap;

use crate::metrics::record::{Labels, Record, Refusal, Value};

/// Series of one plugin.
pub(super) const MOST_SERIES: usize = 1000;

/// Where the buckets of a histogram end; behind them is one without an end.
pub(super) const BUCKETS: [f64; 22] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0,
    100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0,
];

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) families: BTreeMap<String, Family>,
    /// By plugin, as its label has it.
    counts: BTreeMap<String, usize>,
}

/// The series of one name.
#[derive(Debug)]
pub(super) enum Family {
    Counter(BTreeMap<Labels, u64>),
    Gauge(BTreeMap<Labels, f64>),
    Histogram(BTreeMap<Labels, Histogram>),
}

/// What a histogram has counted.
#[derive(Debug, Default, Clone)]
pub(super) struct Histogram {
    /// Without those of the buckets before.
    pub(super) counts: [u64; BUCKETS.len() + 1],
    pub(super) sum: f64,
}

impl Series {
    /// Takes a record, in the series that there is or a new one.
    pub(super) fn add(&mut self, record: Record) -> Result<(), Refusal> {
        let Record {
            name,
            labels,
            value,
        } = record;
        let plugin = labels.first().map_or("", |(_, plugin)| plugin.as_str());
        let count = self.counts.get(plugin).copied().unwrap_or(0);
        let is_known = match self.families.get(&name) {
            Some(family) if !family.takes(value) => {
                return Err(Refusal::OtherKind(family.kind()));
            }
            Some(family) => family.has(&labels),
            None => false,
        };
        if !is_known {
            if count >= MOST_SERIES {
                return Err(Refusal::TooManySeries);
            }
            self.counts.insert(plugin.to_owned(), count + 1);
        }
        let family = self.families.entry(name);
        family
            .or_insert_with(|| Family::of(value))
            .add(labels, value);
        Ok(())
    }
}

impl Family {
    fn of(value: Value) -> Family {
        match value {
            Value::Add(_) => Family::Counter(BTreeMap::new()),
            Value::Set(_) => Family::Gauge(BTreeMap::new()),
            Value::Observe(_) => Family::Histogram(BTreeMap::new()),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Family::Counter(_) => "counter",
            Family::Gauge(_) => "gauge",
            Family::Histogram(_) => "histogram",
        }
    }

    fn takes(&self, value: Value) -> bool {
        matches!(
            (self, value),
            (Family::Counter(_), Value::Add(_))
                | (Family::Gauge(_), Value::Set(_))
                | (Family::Histogram(_), Value::Observe(_))
        )
    }

    fn has(&self, labels: &Labels) -> bool {
        match self {
            Family::Counter(series) => series.contains_key(labels),
            Family::Gauge(series) => series.contains_key(labels),
            Family::Histogram(series) => series.contains_key(labels),
        }
    }

    fn add(&mut self, labels: Labels, value: Value) {
        match (self, value) {
            (Family::Counter(series), Value::Add(by)) => {
                let count = series.entry(labels).or_default();
                *count = count.saturating_add(by);
            }
            (Family::Gauge(series), Value::Set(number)) => {
                series.insert(labels, number);
            }
            (Family::Histogram(series), Value::Observe(number)) => {
                series.entry(labels).or_default().add(number);
            }
            _ => {}
        }
    }
}

impl Histogram {
    fn add(&mut self, number: f64) {
        let bucket = BUCKETS.partition_point(|end| *end < number);
        self.counts[bucket] += 1;
        self.sum += number;
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::record::parse;

    fn add(series: &mut Series, plugin: &str, name: &str, label: &str, value: Value) -> bool {
        let labels = vec![("a".to_owned(), label.to_owned())];
        let record = parse(plugin, name, labels, value).expect("is a record");
        series.add(record).is_ok()
    }

    #[test]
    fn each_plugin_has_so_many_series_and_goes_on_with_those() {
        let mut series = Series::default();
        for label in 0..MOST_SERIES {
            assert!(add(
                &mut series,
                "p",
                "n",
                &label.to_string(),
                Value::Add(1)
            ));
        }
        assert!(!add(&mut series, "p", "n", "new", Value::Add(1)));
        assert!(!add(&mut series, "p", "other", "0", Value::Add(1)));
        assert!(add(&mut series, "p", "n", "0", Value::Add(1)));
        assert!(add(&mut series, "q", "n", "0", Value::Add(1)));
        assert_eq!(series.families.len(), 1);
    }

    #[test]
    fn a_name_stays_what_it_was_first() {
        let mut series = Series::default();
        assert!(add(&mut series, "p", "n", "0", Value::Set(1.0)));
        assert!(!add(&mut series, "q", "n", "0", Value::Add(1)));
        assert!(!add(&mut series, "q", "n", "0", Value::Observe(1.0)));
        assert_eq!(series.counts.get("q"), None);
    }

    #[test]
    fn a_bucket_holds_its_end() {
        let mut histogram = Histogram::default();
        for number in [0.0, 0.001, 0.0011, 10000.0, 10001.0] {
            histogram.add(number);
        }
        assert_eq!(histogram.counts[..2], [2, 1]);
        assert_eq!(histogram.counts[21..], [1, 1]);
        assert_eq!(histogram.count(), 5);
    }
}
