//! What a command line means.

use std::ffi::OsString;

use crate::completions::Shell;
use crate::error::UsageError;
use crate::filter::Argument;
use crate::line;
use crate::options::Options;
use crate::row::{self, Row};

/// What the user asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// Serve, or push.
    Run(CommandLine),
    /// Check what would be run, and how its scripts would answer a request: `GET /`, or this one.
    Check(CommandLine, Option<String>),
    /// Print a script that completes command lines.
    Completions(Shell),
    /// Print the manual page.
    Man,
    /// Print the help.
    Help(HelpLevel),
    /// Print the version.
    Version,
    /// Print all about one option.
    Explain(&'static Row),
}

/// How much help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpLevel {
    /// The options that most need, `-h`.
    Common,
    /// Every option, `--help`.
    All,
}

/// A command line that starts something.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandLine {
    /// The sources, `-i`.
    pub inputs: Vec<Endpoint>,
    /// The filters between, other than `httpout`.
    pub filters: Vec<Filter>,
    /// The destinations: `-o`, `--dst` and `httpout:dst=`.
    pub outputs: Vec<Endpoint>,
    /// One for each filter `httpout` without `dst`; when there is none, one of the flags alone.
    pub servers: Vec<Options>,
    /// The media options given as flags.
    pub media: Vec<Argument>,
    /// The options given as flags, which all servers, inputs and outputs have taken.
    pub flags: Options,
    pub(crate) written: Servers,
}

/// Where the servers of a line come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Servers {
    /// Each is a filter.
    Written,
    /// There is no filter: the flags alone make one.
    Implied,
}

/// A source or a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// The URL or path; `-` is standard input or output.
    pub url: String,
    /// The arguments that are no options of httpout.
    pub arguments: Vec<Argument>,
    /// The properties `#name=value`.
    pub properties: Vec<(String, String)>,
    /// The options of httpout: those given here, then those of the flags.
    pub options: Options,
    /// Where in the line it stands, among inputs, filters and outputs.
    pub position: usize,
}

/// A filter other than `httpout`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Which one.
    pub name: FilterName,
    /// Its arguments, as they are.
    pub arguments: Vec<Argument>,
    /// The properties `#name=value`.
    pub properties: Vec<(String, String)>,
    /// Where in the line it stands, among inputs, filters and outputs.
    pub position: usize,
}

/// The filters that stand for something here, besides `httpout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterName {
    /// `reframer`: pacing, with `rt=on`.
    Reframer,
    /// `dashin`: reading of DASH and HLS.
    Dashin,
    /// `vout`: video on the screen.
    Vout,
    /// `aout`: audio on the loudspeaker.
    Aout,
}

impl CommandLine {
    /// Whether a filter `httpout` without `dst` stands in the line: otherwise the flags alone make the one server, which
    /// an output takes the place of.
    pub fn has_written_servers(&self) -> bool {
        self.written == Servers::Written
    }
}

impl FilterName {
    pub(crate) fn parse(text: &str) -> Option<FilterName> {
        match text {
            "reframer" => Some(FilterName::Reframer),
            "dashin" => Some(FilterName::Dashin),
            "vout" => Some(FilterName::Vout),
            "aout" => Some(FilterName::Aout),
            _ => None,
        }
    }
}

/// Parse the words after the program's name.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Invocation, UsageError> {
    let mut words = words
        .into_iter()
        .map(unicode)
        .collect::<Result<Vec<_>, _>>()?;
    match words.first().map(String::as_str) {
        None => Err(UsageError::NoArguments),
        Some("explain") => explain(&words[1..]),
        Some("check") => check(words.split_off(1)),
        Some("live") => live(words.split_off(1)),
        Some("completions") => completions(&words[1..]),
        Some("man") if words.len() > 1 => Err(UsageError::Man),
        Some("man") => Ok(Invocation::Man),
        Some(_) => line::parse(words),
    }
}

fn unicode(word: OsString) -> Result<String, UsageError> {
    word.into_string().map_err(|word| UsageError::NotUnicode {
        lossy: word.to_string_lossy().into_owned(),
    })
}

/// What follows is a command line. Its first word may be a configuration file or a script.
fn check(mut words: Vec<String>) -> Result<Invocation, UsageError> {
    let request = take_request(&mut words)?;
    let first = words.first_mut().ok_or(UsageError::NothingToCheck)?;
    if !first.starts_with('-') && first.ends_with(".toml") {
        *first = format!("--config={first}");
    } else if !first.starts_with('-') && first.ends_with(".js") {
        *first = format!("--js={first}");
    }
    match line::parse(words)? {
        Invocation::Run(line) => Ok(Invocation::Check(line, request)),
        other => Ok(other),
    }
}

/// What a low-latency origin needs, where the words say nothing else. A browser and an encoder on one host have more
/// connections than one client has otherwise.
fn live(words: Vec<String>) -> Result<Invocation, UsageError> {
    let mut defaults = Options::default();
    for (name, value) in [
        ("rdirs", "gmem"),
        ("wdir", "gmem"),
        ("player", "true"),
        ("maxp", "0"),
        ("port", "8080"),
    ] {
        defaults.set(row::row(name)?, value)?;
    }
    let mut invocation = line::parse(words)?;
    if let Invocation::Run(line) = &mut invocation {
        line.flags.inherit(&defaults);
        let outputs = line.outputs.iter_mut().map(|output| &mut output.options);
        let servers = outputs.chain(&mut line.servers);
        servers.for_each(|server| server.inherit(&defaults));
    }
    Ok(invocation)
}

/// The request that scripts are asked about: `--request 'POST /api'`.
fn take_request(words: &mut Vec<String>) -> Result<Option<String>, UsageError> {
    const FLAG: &str = "--request";
    let is_flag = |word: &String| {
        word.strip_prefix(FLAG)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    let Some(at) = words.iter().position(is_flag) else {
        return Ok(None);
    };
    let flag = words.remove(at);
    let value = match flag
        .strip_prefix(FLAG)
        .and_then(|rest| rest.strip_prefix('='))
    {
        Some(value) => Some(value.to_owned()),
        None if at < words.len() => Some(words.remove(at)),
        None => None,
    };
    let example = || format!("{FLAG} 'POST /api'");
    let missing = || UsageError::MissingValue {
        option: "request",
        example: example(),
    };
    value.map(Some).ok_or_else(missing)
}

fn completions(words: &[String]) -> Result<Invocation, UsageError> {
    let shell = match words {
        [name] => Shell::parse(name),
        _ => None,
    };
    shell
        .map(Invocation::Completions)
        .ok_or(UsageError::Completions)
}

fn explain(words: &[String]) -> Result<Invocation, UsageError> {
    match words {
        [name] => Ok(Invocation::Explain(row::row(name.trim_start_matches('-'))?)),
        _ => Err(UsageError::Explain),
    }
}
