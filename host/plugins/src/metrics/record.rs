//! What a plugin records, checked: names that a page of metrics can hold, and values that make sense.

use thiserror::Error;

use crate::metrics::series::MOST_SERIES;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 100;

/// The most labels of one series, and their names and values in bytes.
const MOST_LABELS: usize = 10;
const LABELS_SIZE: usize = 1024;

/// What names of samples end in: without these no name can be that of another's sample.
const ENDINGS: [&str; 6] = ["_total", "_created", "_bucket", "_sum", "_count", "_info"];

/// Names and values, escaped as the page shows them, in the order of the names behind `plugin`.
pub(super) type Labels = Vec<(String, String)>;

/// One checked record.
#[derive(Debug)]
pub(super) struct Record {
    /// Of the family, as on the page.
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) value: Value,
}

/// What is done with a figure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// To a counter.
    Add(u64),
    /// A gauge.
    Set(f64),
    /// In a histogram.
    Observe(f64),
}

/// Why something is not recorded.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    #[error("a name is of the form [a-zA-Z_][a-zA-Z0-9_]* and has at most {LONGEST_NAME} bytes")]
    Name,
    #[error("the page gives the ending `{0}` by itself")]
    Ending(&'static str),
    #[error("`{}` cannot be the name of a label, or stands twice", .0.escape_debug())]
    Label(String),
    #[error("it has more than {MOST_LABELS} labels, or {LABELS_SIZE} bytes of them")]
    TooManyLabels,
    #[error("{0} is not a value that it can have")]
    NoValue(String),
    #[error("it is a {0} already")]
    OtherKind(&'static str),
    #[error("there are {MOST_SERIES} series of this plugin already")]
    TooManySeries,
}

/// Checks what a plugin records.
pub(super) fn parse(
    plugin: &str,
    name: &str,
    labels: Vec<(String, String)>,
    value: Value,
) -> Result<Record, Refusal> {
    match value {
        Value::Observe(number) if !number.is_finite() || number < 0.0 => {
            return Err(Refusal::NoValue(number.to_string()));
        }
        Value::Set(number) if !number.is_finite() => {
            return Err(Refusal::NoValue(number.to_string()));
        }
        _ => {}
    }
    Ok(Record {
        name: family(name, value)?,
        labels: parse_labels(plugin, labels)?,
        value,
    })
}

/// The name on the page, without the ending that is that of its samples.
fn family(name: &str, value: Value) -> Result<String, Refusal> {
    if !is_name(name) || name.len() > LONGEST_NAME {
        return Err(Refusal::Name);
    }
    let stem = match value {
        Value::Add(_) => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    };
    match ENDINGS.iter().find(|ending| stem.ends_with(**ending)) {
        Some(ending) => Err(Refusal::Ending(ending)),
        None => Ok(format!("httpout_plugin_{stem}")),
    }
}

fn parse_labels(plugin: &str, labels: Vec<(String, String)>) -> Result<Labels, Refusal> {
    let sizes = labels.iter().map(|(name, value)| name.len() + value.len());
    if labels.len() > MOST_LABELS || sizes.sum::<usize>() > LABELS_SIZE {
        return Err(Refusal::TooManyLabels);
    }
    let mut labels = labels;
    labels.sort_unstable();
    let is_double = |at: usize| at > 0 && labels[at - 1].0 == labels[at].0;
    let is_wrong =
        |name: &str| !is_name(name) || name.starts_with("__") || matches!(name, "plugin" | "le");
    for (at, (name, _)) in labels.iter().enumerate() {
        if is_wrong(name) || is_double(at) {
            return Err(Refusal::Label(name.clone()));
        }
    }
    let own = ("plugin".to_owned(), escape(plugin));
    let given = labels
        .into_iter()
        .map(|(name, value)| (name, escape(&value)));
    Ok(std::iter::once(own).chain(given).collect())
}

fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(is_letter) && text.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// As a value stands between quotes on the page.
pub(super) fn escape(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_a_page_without_its_endings() {
        let name = |name: &str, value| family(name, value);
        let of = |name: &str| Ok(format!("httpout_plugin_{name}"));
        assert_eq!(name("hits", Value::Add(1)), of("hits"));
        assert_eq!(name("hits_total", Value::Add(1)), of("hits"));
        assert_eq!(name("_a1", Value::Set(1.0)), of("_a1"));
        for wrong in ["", "1a", "a-b", "a b", "a:b", "\u{e9}", &"a".repeat(101)] {
            assert_eq!(name(wrong, Value::Add(1)), Err(Refusal::Name), "{wrong}");
        }
        for (wrong, ending) in [("a_total", "_total"), ("a_sum", "_sum")] {
            assert_eq!(name(wrong, Value::Set(1.0)), Err(Refusal::Ending(ending)));
        }
        let twice = name("a_total_total", Value::Add(1));
        assert_eq!(twice, Err(Refusal::Ending("_total")));
    }

    #[test]
    fn labels_are_checked_sorted_and_escaped() {
        let labels = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            parse_labels("p\"", pairs.collect())
        };
        let text = |labels: Labels| {
            let parts = labels.into_iter();
            let parts = parts.map(|(name, value)| format!("{name}={value}"));
            parts.collect::<Vec<_>>().join(" ")
        };
        let sorted = labels(&[("b", "\\\"\n"), ("a", "1")]).expect("are labels");
        assert_eq!(text(sorted), r#"plugin=p\" a=1 b=\\\"\n"#);
        for wrong in ["", "a-b", "__a", "plugin", "le"] {
            let refusal = Err(Refusal::Label(wrong.to_owned()));
            assert_eq!(labels(&[(wrong, "")]), refusal);
        }
        let twice = labels(&[("a", "1"), ("b", ""), ("a", "2")]);
        assert_eq!(twice, Err(Refusal::Label("a".to_owned())));
        let long = "x".repeat(LABELS_SIZE);
        assert_eq!(labels(&[("a", &long)]), Err(Refusal::TooManyLabels));
    }

    #[test]
    fn values_are_finite_and_those_of_histograms_not_negative() {
        let is_taken = |value| parse("p", "a", Vec::new(), value).is_ok();
        assert!(is_taken(Value::Set(-1.5)) && is_taken(Value::Observe(0.0)));
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(!is_taken(Value::Set(wrong)) && !is_taken(Value::Observe(wrong)));
        }
        assert!(!is_taken(Value::Observe(-0.1)));
    }
}
