//! Wrong arguments: one line, exit status 2.

use std::fmt;

#[derive(Debug)]
pub(crate) struct Error(String);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Says whether the command's only flag was given.
pub(crate) fn only_flag(flag: &str, arguments: &[String]) -> Result<bool, Error> {
    match arguments {
        [] => Ok(false),
        [argument] if argument == flag => Ok(true),
        [argument, ..] => Err(Error::new(format!(
            "unexpected argument `{argument}`; `{flag}` is the only one"
        ))),
    }
}

/// Refuses arguments where a command has none.
pub(crate) fn nothing(arguments: &[String]) -> Result<(), Error> {
    match arguments.first() {
        None => Ok(()),
        Some(argument) => Err(Error::new(format!(
            "unexpected argument `{argument}`; this command has none"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_alone_or_refused() {
        let given = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        assert!(!only_flag("--check", &[]).unwrap());
        assert!(only_flag("--check", &given(&["--check"])).unwrap());
        assert!(only_flag("--check", &given(&["--chekc"])).is_err());
        assert!(nothing(&given(&["x"])).is_err());
    }
}
