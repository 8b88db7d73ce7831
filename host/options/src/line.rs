//! A command line that runs something, word by word.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::command_line::{CommandLine, Endpoint, Filter, FilterName, HelpLevel, Invocation};
use crate::error::UsageError;
use crate::filter::{Argument, FilterString};
use crate::media;
use crate::options::{Options, ROWS};
use crate::row::{Kind, Row, find, row, similar};

pub(crate) fn parse(words: Vec<String>) -> Result<Invocation, UsageError> {
    let mut line = Line::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-h" => return Ok(Invocation::Help(HelpLevel::Common)),
            "--help" => return Ok(Invocation::Help(HelpLevel::All)),
            "-V" | "--version" => return Ok(Invocation::Version),
            "-i" | "-src" => line.input(&value(&mut words, "-i", "-i SOURCE")?)?,
            "-o" | "-dst" => line.output(&value(&mut words, "-o", "-o URL")?)?,
            "--" => line.directories.extend(words.by_ref()),
            _ => match word.strip_prefix("--") {
                Some(flag) => line.flag(flag, &mut words)?,
                None => line.word(word)?,
            },
        }
    }
    Ok(Invocation::Run(line.finish()?))
}

type Words = Peekable<IntoIter<String>>;

/// The next word, unless it is empty or a flag: `--wdir --hold` lacks a value.
fn value(words: &mut Words, option: &'static str, example: &str) -> Result<String, UsageError> {
    let is_flag = |word: &str| word.starts_with("--") || matches!(word, "-i" | "-o");
    words
        .next_if(|word| !word.is_empty() && !is_flag(word))
        .ok_or_else(|| UsageError::MissingValue {
            option,
            example: example.to_owned(),
        })
}

#[derive(Default)]
struct Line {
    flags: Options,
    directories: Vec<String>,
    inputs: Vec<Endpoint>,
    filters: Vec<Filter>,
    outputs: Vec<Endpoint>,
    servers: Vec<Options>,
    media: Vec<Argument>,
}

impl Line {
    fn input(&mut self, text: &str) -> Result<(), UsageError> {
        self.inputs.push(endpoint(text)?);
        Ok(())
    }

    fn output(&mut self, text: &str) -> Result<(), UsageError> {
        let mut output = endpoint(text)?;
        output.options.set(row("dst")?, &output.url)?;
        self.outputs.push(output);
        Ok(())
    }

    fn flag(&mut self, flag: &str, words: &mut Words) -> Result<(), UsageError> {
        let (name, given) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        if let Some(option) = media::find(name) {
            let value = match given {
                None if !option.value.is_empty() => {
                    Some(value(words, option.name, &option.flag())?)
                }
                given => given,
            };
            self.media.push((name.to_owned(), value));
            return Ok(());
        }
        let row = row(name)?;
        let value = match given {
            Some(value) => value,
            None if row.kind == Kind::Bool => "true".to_owned(),
            None => value(words, row.name, &row.flag())?,
        };
        match row.name {
            "dst" => self.output(&value),
            _ => self.flags.set(row, &value),
        }
    }

    /// A filter, `src=`, `dst=` or a directory.
    fn word(&mut self, word: String) -> Result<(), UsageError> {
        if word.starts_with('-') {
            let name = word.split('=').next().unwrap_or_default();
            return Err(UsageError::UnknownOption {
                name: name.to_owned(),
                suggestion: similar(&name[1..]).map(|name| format!("--{name}")),
            });
        }
        if let Some(source) = word.strip_prefix("src=") {
            return self.input(source);
        }
        if let Some(destination) = word.strip_prefix("dst=") {
            return self.output(destination);
        }
        let name = word.split(':').next().unwrap_or_default();
        match (name, FilterName::parse(name)) {
            ("httpout", _) => self.server(FilterString::filter(&word)?)?,
            (_, Some(name)) => self.filters.push(filter(name, &word)?),
            _ if word.contains("://") => return Err(UsageError::BareUrl { url: word }),
            _ if name.len() < word.len() && !name.contains('/') => {
                return Err(UsageError::UnknownFilter {
                    name: name.to_owned(),
                    word,
                });
            }
            _ => self.directories.push(word),
        }
        Ok(())
    }

    /// With `dst`, the filter is what `-o` would be; without, it takes no argument but options.
    fn server(&mut self, filter: FilterString) -> Result<(), UsageError> {
        let (options, others) = assign(filter.arguments)?;
        match (options.dst.clone(), others.first()) {
            (Some(url), _) => self.outputs.push(Endpoint {
                url,
                arguments: others,
                properties: filter.properties,
                options,
            }),
            (None, Some((name, _))) => return row(name).map(drop),
            (None, None) => self.servers.push(options),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<CommandLine, UsageError> {
        if !self.directories.is_empty() {
            // A directory may have a comma in its name, so the names go around the list's grammar.
            self.flags.set(row("rdirs")?, "")?;
            self.flags.rdirs.append(&mut self.directories);
        }
        if self.servers.is_empty() {
            self.servers.push(Options::default());
        }
        let endpoints = self.inputs.iter_mut().chain(&mut self.outputs);
        for options in endpoints
            .map(|endpoint| &mut endpoint.options)
            .chain(&mut self.servers)
        {
            options.inherit(&self.flags);
        }
        Ok(CommandLine {
            inputs: self.inputs,
            filters: self.filters,
            outputs: self.outputs,
            servers: self.servers,
            media: self.media,
        })
    }
}

fn endpoint(text: &str) -> Result<Endpoint, UsageError> {
    let string = FilterString::endpoint(text)?;
    let (options, arguments) = assign(string.arguments)?;
    Ok(Endpoint {
        url: string.head,
        arguments,
        properties: string.properties,
        options,
    })
}

fn filter(name: FilterName, text: &str) -> Result<Filter, UsageError> {
    let FilterString {
        arguments,
        properties,
        ..
    } = FilterString::filter(text)?;
    Ok(Filter {
        name,
        arguments,
        properties,
    })
}

/// The options among the arguments, and the other arguments.
fn assign(arguments: Vec<Argument>) -> Result<(Options, Vec<Argument>), UsageError> {
    let mut options = Options::default();
    let mut others = Vec::new();
    for (name, value) in arguments {
        match (find(&name), value) {
            (Some(row), Some(value)) => options.set(row, &value)?,
            (Some(row), None) if row.kind == Kind::Bool => options.set(row, "true")?,
            (Some(row), None) => {
                return Err(UsageError::MissingValue {
                    option: row.name,
                    example: row.argument(),
                });
            }
            (None, None) if let Some(row) = with_choice(&name) => options.set(row, &name)?,
            (None, value) => others.push((name, value)),
        }
    }
    Ok((options, others))
}

/// `:push` is short for `:hmode=push`: no two options share a word.
fn with_choice(name: &str) -> Option<&'static Row> {
    ROWS.iter()
        .find(|row| row.choices.iter().any(|choice| choice.name == name))
}
