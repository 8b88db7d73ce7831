//! A value of TOML, given to its option as the command line gives it.

use toml::de::{DeInteger, DeValue};

use crate::config_file::source::{Entry, Source, items};
use crate::config_file::{kind_of, plugin_table};
use crate::error::UsageError;
use crate::media::MediaOption;
use crate::options::Options;
use crate::row::{Kind, Row};

/// Give an option its value.
pub(super) fn set(
    source: &Source,
    options: &mut Options,
    row: &Row,
    entry: &Entry,
) -> Result<(), UsageError> {
    let at = entry.value.span().start;
    if let Some(text) = whole(row, entry.value.get_ref()) {
        return options
            .set(row, &text)
            .map_err(|error| source.error(at, error));
    }
    let is_list = matches!(row.kind, Kind::Uintl | Kind::Strl | Kind::Repeated);
    match entry.value.get_ref() {
        DeValue::Table(table) if is_pairs(row) => {
            empty(source, options, row, entry)?;
            for pair in source.entries(table) {
                let DeValue::String(value) = pair.value.get_ref() else {
                    return Err(wrong(source, row, entry, pair.value.get_ref(), pair.key_at));
                };
                for text in [pair.key, value] {
                    push(source, options, row, text, pair.key_at)?;
                }
            }
        }
        DeValue::Table(_) | DeValue::Array(_) if row.kind == Kind::Repeated => {
            empty(source, options, row, entry)?;
            for item in items(entry.value) {
                let plugin = plugin_table::plugin(source, entry.key, item)?;
                options.plugin.push(plugin);
            }
        }
        DeValue::Array(list) if is_list => {
            empty(source, options, row, entry)?;
            for item in list {
                let at = item.span().start;
                let Some(text) = one(row, item.get_ref()) else {
                    return Err(wrong(source, row, entry, item.get_ref(), at));
                };
                push(source, options, row, &text, at)?;
            }
        }
        other => return Err(wrong(source, row, entry, other, at)),
    }
    Ok(())
}

/// The value of an option that is passed on.
pub(super) fn media(
    source: &Source,
    entry: &Entry,
    option: &MediaOption,
) -> Result<Option<String>, UsageError> {
    match (entry.value.get_ref(), option.value.is_empty()) {
        (DeValue::Boolean(on), true) => Ok(Some(on.to_string())),
        (DeValue::String(text), false) => Ok(Some(text.to_string())),
        (DeValue::Integer(number), false) => Ok(Some(decimal(number))),
        (DeValue::Float(number), false) => Ok(Some(number.to_string())),
        (other, is_switch) => {
            let (key, found) = (entry.key, kind_of(other));
            let example = if is_switch { "true" } else { "\"TEXT\"" };
            let reason = format!("key `{key}`: {found} does not do, write `{key} = {example}`");
            Err(source.error(entry.value.span().start, reason))
        }
    }
}

/// The text that stands for the value on the command line; none where it is a list, or of another type.
fn whole(row: &Row, value: &DeValue) -> Option<String> {
    match (row.kind, value) {
        (Kind::Bool, DeValue::Boolean(on)) => Some(on.to_string()),
        (Kind::Bool, _) => None,
        (_, DeValue::String(text)) => Some(text.to_string()),
        _ => one(row, value),
    }
}

/// The text that stands for one item of a list, or for a number.
fn one(row: &Row, value: &DeValue) -> Option<String> {
    match (row.kind, value) {
        (Kind::Strl | Kind::Uintl, DeValue::String(text)) => Some(text.to_string()),
        (Kind::Uint | Kind::Sint | Kind::Uintl, DeValue::Integer(number)) => Some(decimal(number)),
        _ => None,
    }
}

/// TOML writes numbers in several ways, and with a sign.
pub(super) fn decimal(number: &DeInteger) -> String {
    match i64::from_str_radix(number.as_str(), number.radix()) {
        Ok(number) => number.to_string(),
        Err(_) => number.as_str().trim_start_matches('+').to_owned(),
    }
}

/// Whether a table says the same as the list: name, value, name, value.
fn is_pairs(row: &Row) -> bool {
    row.value.starts_with("NAME,VALUE")
}

fn empty(
    source: &Source,
    options: &mut Options,
    row: &Row,
    entry: &Entry,
) -> Result<(), UsageError> {
    options
        .set(row, "")
        .map_err(|error| source.error(entry.key_at, error))
}

fn push(
    source: &Source,
    options: &mut Options,
    row: &Row,
    text: &str,
    at: usize,
) -> Result<(), UsageError> {
    options
        .push(row, text)
        .map_err(|error| source.error(at, error))
}

fn wrong(source: &Source, row: &Row, entry: &Entry, found: &DeValue, at: usize) -> UsageError {
    let wanted = match row.kind {
        Kind::Bool => "boolean",
        Kind::Uint | Kind::Sint => "integer",
        Kind::Uintl => "list of integers",
        Kind::Str | Kind::Cstr | Kind::Enum => "string",
        Kind::Strl => "list of strings",
        Kind::Repeated => "table",
    };
    let (key, found) = (entry.key, kind_of(found));
    let example = example(row);
    source.error(
        at,
        format!("key `{key}`: {found} is no {wanted}, write `{key} = {example}`"),
    )
}

/// A value as it would be written in a file.
fn example(row: &Row) -> String {
    let is_other = |word: &&str| row.default != Some(*word);
    let first = row.value.split(',').next().unwrap_or_default();
    match row.kind {
        Kind::Bool => (row.default != Some("true")).to_string(),
        Kind::Uint | Kind::Sint => match row.default {
            Some(text) if text.parse::<i64>().is_err() => format!("\"{text}\""),
            text => text.unwrap_or("1").to_owned(),
        },
        Kind::Uintl => "[8080, 8443]".to_owned(),
        Kind::Enum => {
            let mut words = row.choices.iter().map(|choice| choice.name);
            format!("\"{}\"", words.find(is_other).unwrap_or_default())
        }
        Kind::Str | Kind::Cstr => format!("\"{}\"", row.value),
        Kind::Strl if is_pairs(row) => "{ Name = \"Value\" }".to_owned(),
        Kind::Strl => format!("[\"{first}\"]"),
        Kind::Repeated => "{ file = \"FILE.wasm\" }".to_owned(),
    }
}
