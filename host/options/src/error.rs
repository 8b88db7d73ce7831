//! What is wrong with a command line.

use thiserror::Error;

/// A command line that means nothing. The message is one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UsageError {
    /// There are no arguments at all.
    #[error("nothing to serve: give a directory, an input or a plugin; `httpout -h` shows how")]
    NoArguments,

    /// No option has this name.
    #[error("unknown option `{}`: {}", printable(.name), hint(.suggestion))]
    UnknownOption {
        /// The name as it was given.
        name: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },

    /// The text is no value of this option.
    #[error("option `{option}`: `{}` {reason}", printable(.value))]
    InvalidValue {
        /// The option.
        option: &'static str,
        /// The text as it was given.
        value: String,
        /// What is wrong with it and what would do.
        reason: String,
    },

    /// The option needs a value and has none.
    #[error("option `{option}`: a value is missing, write `{example}`")]
    MissingValue {
        /// The option.
        option: &'static str,
        /// How it would be written.
        example: String,
    },

    /// Something before `:` that is no filter.
    #[error(
        "unknown filter `{}`: the filters are `httpout`, `reframer`, `dashin`, `vout` and `aout`; a directory of such a name is `./{}`",
        printable(.name), printable(.word)
    )]
    UnknownFilter {
        /// The name as it was given.
        name: String,
        /// The whole argument.
        word: String,
    },

    /// A URL that is neither source nor destination.
    #[error("`{}`: a URL stands after `-i` or `-o`", printable(.url))]
    BareUrl {
        /// The URL.
        url: String,
    },

    /// Part of a filter string that is neither `name`, `name=value` nor `#name=value`.
    #[error("`{}`: `{}` is not an argument, write `name=value`", printable(.word), printable(.argument))]
    InvalidArgument {
        /// The whole filter string.
        word: String,
        /// The part.
        argument: String,
    },

    /// More words than the subcommand takes.
    #[error("`explain` takes one option, such as `httpout explain port`")]
    Explain,

    /// The subcommand has nothing to check.
    #[error(
        "nothing to check: write what would start the server, such as `httpout check httpout.toml`"
    )]
    NothingToCheck,

    /// No shell, or one that is not known.
    #[error("`completions` takes one shell: `bash`, `zsh` or `fish`")]
    Completions,

    /// The subcommand takes nothing.
    #[error("`man` takes no arguments, it prints the page: `httpout man | man -l -`")]
    Man,

    /// An option that does not stand in a filter.
    #[error("option `{0}` is about the whole line, write `--{0}=…`")]
    WholeLine(&'static str),

    /// What stands in a configuration file.
    #[error("{}:{line}: {}", printable(.file), printable(.reason))]
    ConfigFile {
        /// The file as it was named.
        file: String,
        /// The line of it.
        line: usize,
        /// What is wrong and what would do.
        reason: String,
    },

    /// An argument that is not UTF-8.
    #[error("argument `{}` is not valid UTF-8", printable(.lossy))]
    NotUnicode {
        /// The argument with replacement characters.
        lossy: String,
    },
}

fn hint(suggestion: &Option<String>) -> String {
    match suggestion {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`httpout --help` lists all".to_owned(),
    }
}

/// The text on one line: what would break it, or play with the terminal, is escaped.
fn printable(text: &str) -> String {
    let breaks_line = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .flat_map(|c| {
            let escaped = breaks_line(c).then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}
