//! The text of a configuration file, and what is said of a spot in it.

use std::fmt::Display;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use crate::config_file::kind_of;
use crate::error::UsageError;

/// The text of a configuration file.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// Bytes before something in the text.
pub(super) type Spot = usize;

/// A key and its value.
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) key_at: Spot,
    pub(super) value: &'a Spanned<DeValue<'a>>,
}

impl Source<'_> {
    /// The directory of the file, with a slash at its end; empty where that is the one we are in.
    pub(super) fn directory(&self) -> &str {
        self.name
            .rfind('/')
            .map_or("", |slash| &self.name[..=slash])
    }

    pub(super) fn line(&self, at: Spot) -> usize {
        let before = self.text.bytes().take(at);
        1 + before.filter(|byte| *byte == b'\n').count()
    }

    pub(super) fn error(&self, at: Spot, reason: impl Display) -> UsageError {
        UsageError::ConfigFile {
            file: self.name.to_owned(),
            line: self.line(at),
            reason: reason.to_string(),
        }
    }

    /// What is no TOML.
    pub(super) fn malformed(&self, error: &Error) -> UsageError {
        let message: Vec<_> = error.message().lines().collect();
        self.error(error.span().unwrap_or_default().start, message.join(", "))
    }

    /// The entries of a table in the order of the text.
    pub(super) fn entries<'a>(&self, table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
        let entries = table.iter().map(|(key, value)| Entry {
            key: key.get_ref(),
            key_at: key.span().start,
            value,
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|entry| entry.key_at);
        entries
    }

    /// One table, or several.
    pub(super) fn tables<'a>(&self, entry: &Entry<'a>) -> Result<Vec<&'a DeTable<'a>>, UsageError> {
        let tables = items(entry.value).map(|item| match item.get_ref() {
            DeValue::Table(table) => Ok(table),
            other => {
                let (key, found) = (entry.key, kind_of(other));
                let reason = format!("key `{key}`: {found} is no table, write `[[{key}]]`");
                Err(self.error(item.span().start, reason))
            }
        });
        tables.collect()
    }

    /// One string, or several.
    pub(super) fn texts<'a>(&self, entry: &Entry<'a>) -> Result<Vec<(&'a str, Spot)>, UsageError> {
        let texts = items(entry.value).map(|item| match item.get_ref() {
            DeValue::String(text) => Ok((text.as_ref(), item.span().start)),
            other => {
                let (key, found) = (entry.key, kind_of(other));
                let reason =
                    format!("key `{key}`: {found} is no string, write `{key} = [\"TEXT\"]`");
                Err(self.error(item.span().start, reason))
            }
        });
        texts.collect()
    }
}

/// The items of a list, or the one value that is none.
pub(super) fn items<'a>(
    value: &'a Spanned<DeValue<'a>>,
) -> impl Iterator<Item = &'a Spanned<DeValue<'a>>> {
    let (list, single) = match value.get_ref() {
        DeValue::Array(list) => (Some(list.iter()), None),
        _ => (None, Some(value)),
    };
    list.into_iter().flatten().chain(single)
}
