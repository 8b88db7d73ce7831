//! Where the exposed directories stand in the name space of the server (documents: httpout).

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Reject;
use crate::resource::Directory;

/// The directories for read. A single one is the root `/`; several are mount points with their names.
#[derive(Debug)]
pub(crate) enum Mounts {
    /// The root is the content of this directory.
    Root(Directory),
    /// The root holds these names only.
    Named(Vec<(String, Directory)>),
}

impl Mounts {
    /// Opens the directories in their order.
    ///
    /// # Errors
    /// The directory that cannot be opened.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Mounts, (PathBuf, io::Error)> {
        let open = |path: &PathBuf| Directory::open(path).map_err(|error| (path.clone(), error));
        if let [single] = paths {
            return Ok(Mounts::Root(open(single)?));
        }
        let mut named: Vec<(String, Directory)> = Vec::new();
        for path in paths {
            let directory = open(path)?;
            let taken = |name: &str| named.iter().any(|(known, _)| known == name);
            named.push((free_name(&name_of(path), taken), directory));
        }
        Ok(Mounts::Named(named))
    }

    /// The directory that a normalized path lies in, and the rest of the path below it.
    ///
    /// # Errors
    /// 404, or that of a directory for the root that holds the mount points.
    pub(crate) fn locate<'a, 'p>(
        &'a self,
        path: &'p [u8],
    ) -> Result<(&'a Directory, &'p [u8]), Reject> {
        let below = path.strip_prefix(b"/").ok_or(Reject::NotFound)?;
        match self {
            Mounts::Root(directory) => Ok((directory, below)),
            Mounts::Named(named) if below.is_empty() && !named.is_empty() => Err(Reject::Directory),
            Mounts::Named(named) => {
                let end = below.iter().position(|&byte| byte == b'/');
                let (name, rest) = below.split_at(end.unwrap_or(below.len()));
                let found = named.iter().find(|(known, _)| known.as_bytes() == name);
                let (_, directory) = found.ok_or(Reject::NotFound)?;
                Ok((directory, rest.strip_prefix(b"/").unwrap_or(rest)))
            }
        }
    }

    /// The names at the root, where there are several directories.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let named: &[(String, Directory)] = match self {
            Mounts::Root(_) => &[],
            Mounts::Named(named) => named,
        };
        named.iter().map(|(name, _)| name.as_str())
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
