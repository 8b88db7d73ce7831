//! Option `rdirs`, checked: which directories are exposed for read, and where (documents: httpout).

use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};

use crate::error::{StartupError, shown};
use crate::rules::{self, Rule};
use crate::settings::cannot_open;

/// The largest rules file, in bytes: what is larger was not meant to be one.
const LARGEST: u64 = 1 << 20;

/// What stands for memory in the place of a directory (documents: HTTP server file sink). A directory of that name is
/// `./gmem`.
pub(crate) const GMEM: &str = "gmem";

/// Where the files of a directory are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Disk(PathBuf),
    Memory,
}

/// A directory that is exposed for read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposed {
    pub(crate) location: Location,
    /// Its mount point, without slashes around it; empty where it is the root `/`.
    pub(crate) name: String,
}

/// The directories that the items of the option expose, in order of precedence. Those for writing are made when the server
/// starts, and need not be there yet.
///
/// # Errors
/// The first item, or line of a rules file, that exposes nothing.
pub(crate) fn check(
    items: &[String],
    for_writing: &[&Location],
) -> Result<Vec<Exposed>, StartupError> {
    let mut exposed = Vec::new();
    let mut plain = Vec::new();
    for item in items {
        let path = Path::new(item);
        let is_made = || for_writing.iter().any(|made| made.path() == Some(path));
        match std::fs::metadata(path) {
            _ if item == GMEM => plain.push(path),
            Ok(found) if found.is_dir() => plain.push(path),
            Ok(found) if found.is_file() => exposed.extend(load(path, found.len())?),
            Ok(_) => return Err(refuse(path, "is neither a directory nor a rules file")),
            Err(error) if error.kind() == NotFound && is_made() => plain.push(path),
            Err(error) => return Err(cannot_open("rdirs", path, &error)),
        }
    }
    if let ([single], [_]) = (plain.as_slice(), items) {
        return Ok(vec![Exposed::new(single, "")]);
    }
    for path in plain {
        let taken = |name: &str| exposed.iter().any(|other: &Exposed| other.name == name);
        let name = free_name(&name_of(path), taken);
        exposed.push(Exposed::new(path, &name));
    }
    Ok(exposed)
}

/// The directory that inputs are written to: the first of the items, or of the rules file that stands first. It need not
/// be there yet. None where there is no item.
///
/// # Errors
/// As [`check`].
pub(crate) fn first(items: &[String]) -> Result<Option<Location>, StartupError> {
    let Some(item) = items.first() else {
        return Ok(None);
    };
    let path = Path::new(item);
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() && item != GMEM => {
            let exposed = load(path, found.len())?;
            Ok(exposed.into_iter().next().map(|one| one.location))
        }
        _ => Ok(Some(Location::of(path))),
    }
}

impl Exposed {
    fn new(path: &Path, name: &str) -> Exposed {
        Exposed {
            location: Location::of(path),
            name: name.to_owned(),
        }
    }
}

impl Location {
    /// What an item of `rdirs`, or `wdir`, names.
    pub(crate) fn of(item: &Path) -> Location {
        match item.as_os_str() == GMEM {
            true => Location::Memory,
            false => Location::Disk(item.to_owned()),
        }
    }

    /// None in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Location::Disk(path) => Some(path),
            Location::Memory => None,
        }
    }
}

/// Reads a rules file.
fn load(file: &Path, length: u64) -> Result<Vec<Exposed>, StartupError> {
    if length > LARGEST {
        return Err(refuse(file, "is too large for a rules file"));
    }
    let bytes =
        std::fs::read(file).map_err(|error| refuse(file, &format!("cannot be read: {error}")))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        refuse(
            file,
            "is neither a directory nor a rules file, which is text",
        )
    })?;
    let rules = rules::parse(text).map_err(|error| {
        let hint = match file.extension() {
            Some(extension) if extension == "toml" => {
                format!(
                    "; for a configuration file write `--config={}`",
                    shown(file)
                )
            }
            _ => String::new(),
        };
        refuse(file, &format!("{error}{hint}"))
    })?;
    if rules.is_empty() {
        let reason = "exposes no directory: write `[DIRECTORY]`, with `httpout` among its `filters` if it has any";
        return Err(refuse(file, reason));
    }
    rules.into_iter().map(|rule| expose(file, rule)).collect()
}

fn expose(file: &Path, rule: Rule) -> Result<Exposed, StartupError> {
    if let Some(right) = rule.right {
        return Err(StartupError::NotYet(format!(
            "`{}` in line {} of rules file `{}`",
            right.key.name(),
            right.line,
            shown(file)
        )));
    }
    let refuse_line = |reason: &str| {
        let (line, directory) = (rule.line, shown(&rule.directory));
        refuse(file, &format!("line {line}: `{directory}` {reason}"))
    };
    match std::fs::metadata(&rule.directory) {
        Ok(found) if found.is_dir() => Ok(Exposed {
            location: Location::Disk(rule.directory),
            name: rule.name.unwrap_or_default(),
        }),
        Ok(_) => Err(refuse_line("is not a directory")),
        Err(error) => Err(refuse_line(&format!("cannot be opened: {error}"))),
    }
}

fn refuse(path: &Path, reason: &str) -> StartupError {
    StartupError::Option {
        option: "rdirs",
        reason: format!("`{}` {reason}", shown(path)),
    }
}

/// The last name of a path, also of `.` and `..`.
fn name_of(path: &Path) -> String {
    let named = path.file_name().map(|name| name.to_os_string());
    let name = named.or_else(|| Some(path.canonicalize().ok()?.file_name()?.to_os_string()));
    name.map_or_else(
        || "root".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Equal names are told apart by a number.
fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|candidate| !taken(candidate))
        .expect("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_told_apart() {
        let taken = ["media", "media-2"];
        assert_eq!(free_name("media", |name| taken.contains(&name)), "media-3");
        assert_eq!(free_name("other", |name| taken.contains(&name)), "other");
    }
}
