//! Commands that run to their end, without a shell.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use crate::paths;

/// The cargo that runs us, in a folder of the project.
pub(crate) fn cargo<'a>(
    folder: impl AsRef<Path>,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(paths::root().join(folder));
    command
}

/// Runs with our own input and output; anything but success is an error that names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    ensure!(status.success(), "`{}` failed: {status}", shown(command));
    Ok(())
}

/// Runs and gives what it printed; anything but success is an error that names the command.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    let output = command
        .output()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    ensure!(
        output.status.success(),
        "`{}` failed: {}: {}",
        shown(command),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output)
}

/// The command as a user would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words: Vec<String> = std::iter::once(program)
        .chain(command.get_args())
        .map(quoted)
        .collect();
    let folder = command
        .get_current_dir()
        .and_then(|folder| folder.strip_prefix(paths::root()).ok())
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) => format!("{} (in {})", words.join(" "), folder.display()),
        None => words.join(" "),
    }
}

/// A word as a shell reads it.
pub(crate) fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("/some/where/curl");
        command.args(["-u", "a:b", "http://localhost/?a=b&c", "it's"]);
        assert_eq!(
            shown(&command),
            r"curl -u a:b 'http://localhost/?a=b&c' 'it'\''s'"
        );
    }
}
