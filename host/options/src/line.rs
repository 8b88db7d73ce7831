//! A command line that runs something, word by word.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::command_line::{
    CommandLine, Endpoint, Filter, FilterName, HelpLevel, Invocation, Servers,
};
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

/// What has been read of a command line or a configuration file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Line {
    pub(crate) flags: Options,
    directories: Vec<String>,
    pub(crate) inputs: Vec<Endpoint>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) outputs: Vec<Endpoint>,
    pub(crate) servers: Vec<Options>,
    pub(crate) media: Vec<Argument>,
}

impl Line {
    pub(crate) fn input(&mut self, text: &str) -> Result<(), UsageError> {
        let input = endpoint(text, self.position())?;
        self.inputs.push(input);
        Ok(())
    }

    pub(crate) fn output(&mut self, text: &str) -> Result<(), UsageError> {
        let mut output = endpoint(text, self.position())?;
        output.options.set(row("dst")?, &output.url)?;
        self.outputs.push(output);
        Ok(())
    }

    /// Of what comes next.
    fn position(&self) -> usize {
        self.inputs.len() + self.filters.len() + self.outputs.len()
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
        if self.filter(&word)? {
            return Ok(());
        }
        let name = filter_name(&word);
        if word.contains("://") {
            return Err(UsageError::BareUrl { url: word });
        }
        if name.len() < word.len() && !name.contains('/') {
            return Err(unknown_filter(&word));
        }
        self.directories.push(word);
        Ok(())
    }

    /// A filter; false if the word is none.
    fn filter(&mut self, word: &str) -> Result<bool, UsageError> {
        let name = filter_name(word);
        match (name, FilterName::parse(name)) {
            ("httpout", _) => self.server(FilterString::filter(word)?)?,
            (_, Some(name)) => {
                let filter = filter(name, word, self.position())?;
                self.filters.push(filter);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A filter, where nothing else may stand.
    pub(crate) fn filter_or_fail(&mut self, word: &str) -> Result<(), UsageError> {
        match self.filter(word)? {
            true => Ok(()),
            false => Err(unknown_filter(word)),
        }
    }

    /// With `dst`, the filter is what `-o` would be; without, it takes no argument but options.
    fn server(&mut self, filter: FilterString) -> Result<(), UsageError> {
        let (options, others) = assign(filter.arguments)?;
        let position = self.position();
        match (options.dst.clone(), others.first()) {
            (Some(url), _) => self.outputs.push(Endpoint {
                url,
                arguments: others,
                properties: filter.properties,
                options,
                position,
            }),
            (None, Some((name, _))) => return row(name).map(drop),
            (None, None) => self.servers.push(options),
        }
        Ok(())
    }

    /// A server of these options, or what it sends to.
    pub(crate) fn add_server(&mut self, options: Options) {
        let position = self.position();
        match options.dst.clone() {
            Some(url) => self.outputs.push(Endpoint {
                url,
                arguments: Vec::new(),
                properties: Vec::new(),
                options,
                position,
            }),
            None => self.servers.push(options),
        }
    }

    /// All that has no place yet stands in this line of a configuration file.
    pub(crate) fn place_in_line(&mut self, line: usize) {
        self.flags.place_in_line(line);
        self.all_options()
            .for_each(|options| options.place_in_line(line));
    }

    /// The end of a configuration file: relative paths are below its directory, and each server takes what stands
    /// there for all.
    pub(crate) fn settle(&mut self, directory: &str) {
        self.flags.resolve(directory);
        for endpoint in self.inputs.iter_mut().chain(&mut self.outputs) {
            let is_relative = endpoint.url != "-"
                && !endpoint.url.starts_with('/')
                && !endpoint.url.starts_with("unix:")
                && !endpoint.url.contains("://");
            if is_relative {
                endpoint.url = format!("{directory}{}", endpoint.url);
            }
        }
        let general = self.flags.clone();
        for options in self.all_options() {
            options.resolve(directory);
            options.inherit(&general);
        }
    }

    fn all_options(&mut self) -> impl Iterator<Item = &mut Options> {
        let endpoints = self.inputs.iter_mut().chain(&mut self.outputs);
        endpoints
            .map(|endpoint| &mut endpoint.options)
            .chain(&mut self.servers)
    }

    fn finish(mut self) -> Result<CommandLine, UsageError> {
        if !self.directories.is_empty() {
            // They add to those of a flag, and a directory may have a comma in its name.
            for directory in &self.directories {
                self.flags.push(row("rdirs")?, directory)?;
            }
        }
        if let Some(row) = self
            .all_options()
            .find_map(|options| given_for_one(options))
        {
            return Err(UsageError::WholeLine(row));
        }
        let servers = match self.servers.is_empty() {
            true => Servers::Implied,
            false => Servers::Written,
        };
        if self.servers.is_empty() {
            self.servers.push(Options::default());
        }
        let flags = self.flags.clone();
        self.all_options()
            .for_each(|options| options.inherit(&flags));
        Ok(CommandLine {
            flags,
            written: servers,
            inputs: self.inputs,
            filters: self.filters,
            outputs: self.outputs,
            servers: self.servers,
            media: self.media,
        })
    }
}

/// A configuration file is not that of one server.
fn given_for_one(options: &Options) -> Option<&'static str> {
    let mut rows = ROWS.iter().filter(|row| row.is_of_the_line());
    rows.find(|row| options.is_set(row.name))
        .map(|row| row.name)
}

fn filter_name(word: &str) -> &str {
    word.split(':').next().unwrap_or_default()
}

fn unknown_filter(word: &str) -> UsageError {
    UsageError::UnknownFilter {
        name: filter_name(word).to_owned(),
        word: word.to_owned(),
    }
}

fn endpoint(text: &str, position: usize) -> Result<Endpoint, UsageError> {
    let string = FilterString::endpoint(text)?;
    let (options, arguments) = assign(string.arguments)?;
    Ok(Endpoint {
        url: string.head,
        arguments,
        properties: string.properties,
        options,
        position,
    })
}

fn filter(name: FilterName, text: &str, position: usize) -> Result<Filter, UsageError> {
    let FilterString {
        arguments,
        properties,
        ..
    } = FilterString::filter(text)?;
    Ok(Filter {
        name,
        arguments,
        properties,
        position,
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
