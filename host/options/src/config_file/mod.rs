//! The configuration file: TOML that says what a command line would, with keys that are the names of options.
//!
//! Every value is given to its option as the command line gives it; only the table of options knows what that takes.

mod plugin_table;
mod source;
mod value;

use toml::de::{DeTable, DeValue};

use crate::error::UsageError;
use crate::line::Line;
use crate::media;
use crate::options::{Options, ROWS};
use crate::row::{self, Row};
use crate::suggest::nearest;
use source::{Entry, Source};

/// What stands in a configuration file, to be put behind a command line.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigFile {
    pub(crate) line: Line,
}

/// Keys of the whole file that are no options.
const KEYS: [&str; 4] = ["server", "input", "filter", "output"];

impl ConfigFile {
    /// Parse the text of a file. Relative paths in it are below the directory of the file, which is told from `name`.
    ///
    /// # Errors
    /// The first thing that is wrong, with the name of the file and the line.
    pub fn parse(name: &str, text: &str) -> Result<ConfigFile, UsageError> {
        let source = Source { name, text };
        let table = DeTable::parse(text).map_err(|error| source.malformed(&error))?;
        let mut line = Line::default();
        for entry in source.entries(table.get_ref()) {
            top_level(&source, &mut line, &entry)?;
        }
        line.settle(source.directory());
        Ok(ConfigFile { line })
    }
}

fn top_level(source: &Source, line: &mut Line, entry: &Entry) -> Result<(), UsageError> {
    match entry.key {
        "server" => {
            for table in source.tables(entry)? {
                server(source, line, table)?;
            }
        }
        "input" => each(source, line, entry, |line, text| line.input(text))?,
        "output" | "dst" => each(source, line, entry, |line, text| line.output(text))?,
        "filter" => each(source, line, entry, |line, text| line.filter_or_fail(text))?,
        key if let Some(option) = media::find(key) => {
            let value = value::media(source, entry, option)?;
            line.media.push((key.to_owned(), value));
        }
        key => match row_of(key) {
            Some(row) => value::set(source, &mut line.flags, row, entry)?,
            None => return Err(source.error(entry.key_at, unknown(key))),
        },
    }
    line.place_in_line(source.line(entry.key_at));
    Ok(())
}

/// Words in the grammar of the command line.
fn each(
    source: &Source,
    line: &mut Line,
    entry: &Entry,
    add: impl Fn(&mut Line, &str) -> Result<(), UsageError>,
) -> Result<(), UsageError> {
    for (text, at) in source.texts(entry)? {
        add(line, text).map_err(|error| source.error(at, error))?;
    }
    Ok(())
}

/// A table that is what a filter `httpout:…` is.
fn server(source: &Source, line: &mut Line, table: &DeTable) -> Result<(), UsageError> {
    let mut options = Options::default();
    for entry in source.entries(table) {
        let Some(row) = row_of(entry.key) else {
            return Err(source.error(entry.key_at, unknown_of_server(entry.key)));
        };
        value::set(source, &mut options, row, &entry)?;
        options.place_in_line(source.line(entry.key_at));
    }
    line.add_server(options);
    Ok(())
}

/// The option of exactly this name. A file does not name another one.
fn row_of(key: &str) -> Option<&'static Row> {
    row::find(key).filter(|row| row.name == key && !row.is_of_the_line())
}

fn unknown(key: &str) -> String {
    let media = media::MEDIA_OPTIONS.iter().map(|option| option.name);
    let options = ROWS.iter().filter(|row| !row.is_of_the_line());
    let names = options.map(|row| row.name).chain(KEYS).chain(media);
    let hint = match nearest(key, names) {
        _ if row::find(key).is_some_and(Row::is_of_the_line) => {
            "a configuration file cannot name another one".to_owned()
        }
        Some(name) => format!("did you mean `{name}`?"),
        None => "`httpout --help` lists the options".to_owned(),
    };
    format!("unknown key `{key}`: {hint}")
}

fn unknown_of_server(key: &str) -> String {
    match KEYS.contains(&key) || media::find(key).is_some() {
        true => format!("key `{key}` is not about one server: write it above the first table"),
        false => unknown(key),
    }
}

/// What a value is called.
fn kind_of(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
