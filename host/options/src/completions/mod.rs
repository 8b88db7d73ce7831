//! Scripts that complete command lines, for three shells. Only what works is offered.

mod bash;
mod fish;
mod zsh;

use crate::options::ROWS;
use crate::row::{Row, State};

/// A shell that has a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

impl Shell {
    pub(crate) fn parse(name: &str) -> Option<Shell> {
        match name {
            "bash" => Some(Shell::Bash),
            "zsh" => Some(Shell::Zsh),
            "fish" => Some(Shell::Fish),
            _ => None,
        }
    }
}

/// The script for a shell.
pub fn completions(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash::script(),
        Shell::Zsh => zsh::script(),
        Shell::Fish => fish::script(),
    }
}

/// The options that can be given.
fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| row.state == State::Ready)
}

/// A help text without marks, as it can stand between quotes of either kind.
fn plain(help: &str) -> String {
    help.replace(['`', '"'], "").replace('\'', "\u{2019}")
}

/// Flags that are no options.
const FLAGS: [(&str, &str); 2] = [
    ("help", "show all options"),
    ("version", "show the version"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_offers_each_option_that_works() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = completions(shell);
            for row in ROWS {
                let words = script.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let is_offered = words.into_iter().any(|word| word == row.name);
                // Words such as `close` or `state` stand in help texts too.
                assert!(
                    is_offered || row.state == State::Planned,
                    "{shell:?}: {}",
                    row.name
                );
            }
        }
    }
}
