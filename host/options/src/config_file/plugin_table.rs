//! A table `[[plugin]]`: a component, its configuration, and what is said for it alone.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config_file::source::{Entry, Source, Spot, items};
use crate::config_file::{kind_of, value};
use crate::error::UsageError;
use crate::options::ROWS;
use crate::place::Place;
use crate::plugin::Plugin;
use crate::row;
use crate::suggest::nearest;

/// The keys beside the options.
const KEYS: [&str; 5] = ["file", "name", "paths", "methods", "config"];

/// A table, or a string as option `plugin` takes it.
pub(super) fn plugin(
    source: &Source,
    key: &str,
    item: &Spanned<DeValue>,
) -> Result<Plugin, UsageError> {
    let at = item.span().start;
    let plugin = match item.get_ref() {
        DeValue::String(text) => Plugin::parse(text),
        DeValue::Table(table) => from_table(source, table)?,
        other => {
            let found = kind_of(other);
            let reason = format!("key `{key}`: {found} is no plugin, write `[[{key}]]`");
            return Err(source.error(at, reason));
        }
    };
    if plugin.file.is_empty() {
        let reason = "key `plugin`: a file is missing, write `file = \"FILE.wasm\"`";
        return Err(source.error(at, reason));
    }
    Ok(Plugin {
        place: Place::Line(source.line(at)),
        ..plugin
    })
}

fn from_table(source: &Source, table: &DeTable) -> Result<Plugin, UsageError> {
    let mut plugin = Plugin::of_file("");
    for entry in source.entries(table) {
        match entry.key {
            "file" => plugin.file = text(source, &entry)?,
            "name" => plugin.name = Some(text(source, &entry)?),
            "paths" => plugin.paths = scope(source, &entry)?,
            "methods" => plugin.methods = scope(source, &entry)?,
            "config" => plugin.config = pairs(source, &entry)?,
            key => {
                let row = ROWS.iter().find(|row| row.plugin_key() == Some(key));
                let row = row.ok_or_else(|| source.error(entry.key_at, unknown(key)))?;
                value::set(source, &mut plugin.options, row, &entry)?;
                plugin.options.place_in_line(source.line(entry.key_at));
            }
        }
    }
    plugin.options.resolve(source.directory());
    Ok(plugin)
}

fn text(source: &Source, entry: &Entry) -> Result<String, UsageError> {
    let key = entry.key;
    let reason = match entry.value.get_ref() {
        DeValue::String(text) if text.is_empty() => "an empty string does not do".to_owned(),
        DeValue::String(text) => return Ok(text.to_string()),
        other => format!("{} is no string", kind_of(other)),
    };
    let reason = format!("key `{key}`: {reason}, write `{key} = \"TEXT\"`");
    Err(source.error(entry.value.span().start, reason))
}

/// An empty list would mean no request, or all: nobody should have to guess which.
fn scope(source: &Source, entry: &Entry) -> Result<Vec<(String, Place)>, UsageError> {
    let texts = source.texts(entry)?;
    if texts.is_empty() {
        let reason = format!(
            "key `{}`: the list is empty, leave it out for all",
            entry.key
        );
        return Err(source.error(entry.value.span().start, reason));
    }
    let placed = |(text, at): (&str, Spot)| (text.to_owned(), Place::Line(source.line(at)));
    Ok(texts.into_iter().map(placed).collect())
}

/// Names and values; a list gives its name several values.
fn pairs(source: &Source, entry: &Entry) -> Result<Vec<(String, String)>, UsageError> {
    let DeValue::Table(table) = entry.value.get_ref() else {
        let found = kind_of(entry.value.get_ref());
        let reason =
            format!("key `config`: {found} is no table, write `config = {{ name = \"value\" }}`");
        return Err(source.error(entry.value.span().start, reason));
    };
    let mut pairs = Vec::new();
    for pair in source.entries(table) {
        for item in items(pair.value) {
            let value = match item.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => value::decimal(number),
                DeValue::Float(number) => number.to_string(),
                DeValue::Boolean(is_on) => is_on.to_string(),
                DeValue::Datetime(date) => date.to_string(),
                DeValue::Array(_) | DeValue::Table(_) => {
                    let (key, found) = (pair.key, kind_of(item.get_ref()));
                    let reason = format!(
                        "key `{key}` of `config`: {found} is no text, which is what plugins are given"
                    );
                    return Err(source.error(item.span().start, reason));
                }
            };
            pairs.push((pair.key.to_owned(), value));
        }
    }
    Ok(pairs)
}

fn unknown(key: &str) -> String {
    let options = ROWS.iter().filter_map(row::Row::plugin_key);
    let names = || KEYS.into_iter().chain(options.clone());
    let short = key.strip_prefix("plugin_").unwrap_or(key);
    let hint = if row::find(key).is_some_and(|row| row.plugin_key().is_none()) {
        "it is about the server, write it above the first table".to_owned()
    } else if let Some(name) = nearest(short, names()) {
        format!("did you mean `{name}`?")
    } else {
        let names: Vec<_> = names().map(|name| format!("`{name}`")).collect();
        format!("the keys are {}", names.join(", "))
    };
    format!("unknown key `{key}` of a plugin: {hint}")
}
