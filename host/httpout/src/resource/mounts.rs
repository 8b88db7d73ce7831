//! Where the exposed directories stand in the name space of the server (documents: httpout).

use std::cmp::Reverse;

use crate::error::Reject;
use crate::resource::{Directory, TEMPORARY};

/// The directories for read.
#[derive(Debug)]
pub(crate) struct Mounts {
    /// The longest name first, so that the first that fits is the closest; that of the root is empty.
    mounts: Vec<Mount>,
}

/// A mount point: the first of its directories that has a file wins.
#[derive(Debug)]
struct Mount {
    /// One name or several with slashes between them.
    name: String,
    /// At least one.
    directories: Vec<Directory>,
}

impl Mounts {
    /// Directories and the names of their mount points, in order of precedence.
    pub(crate) fn new(directories: impl IntoIterator<Item = (String, Directory)>) -> Mounts {
        let mut mounts: Vec<Mount> = Vec::new();
        for (name, directory) in directories {
            match mounts.iter_mut().find(|mount| mount.name == name) {
                Some(mount) => mount.directories.push(directory),
                None => mounts.push(Mount {
                    name,
                    directories: vec![directory],
                }),
            }
        }
        mounts.sort_by_key(|mount| Reverse(mount.name.len()));
        Mounts { mounts }
    }

    /// The directories that a normalized path may lie in, in order, and the rest of the path below each of them.
    ///
    /// # Errors
    /// 404, or that of a directory where there are mount points below.
    pub(crate) fn locate<'a, 'p>(
        &'a self,
        path: &'p [u8],
    ) -> Result<(&'a [Directory], &'p [u8]), Reject> {
        if self.mount_points_below(path).next().is_some() {
            return Err(Reject::Directory);
        }
        self.directories(path)
    }

    /// As [`Mounts::locate`], also where there are mount points below.
    pub(crate) fn directories<'a, 'p>(
        &'a self,
        path: &'p [u8],
    ) -> Result<(&'a [Directory], &'p [u8]), Reject> {
        if path
            .split(is_slash)
            .any(|name| name == TEMPORARY.as_bytes())
        {
            return Err(Reject::NotFound);
        }
        let path = path.strip_prefix(b"/").ok_or(Reject::NotFound)?;
        let fitting = |mount: &'a Mount| Some((&mount.directories[..], mount.below(path)?));
        self.mounts.iter().find_map(fitting).ok_or(Reject::NotFound)
    }

    /// The next name on the way to each mount point below a directory.
    pub(crate) fn mount_points_below(&self, path: &[u8]) -> impl Iterator<Item = &[u8]> {
        let above = path.strip_prefix(b"/").unwrap_or(path);
        let above = above.strip_suffix(b"/").unwrap_or(above);
        self.mounts.iter().filter_map(move |mount| {
            let below = strip_names(mount.name.as_bytes(), above)?;
            below.split(is_slash).next().filter(|name| !name.is_empty())
        })
    }

    /// The mount points that are not the root.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.mounts.iter().map(|mount| mount.name.as_str());
        names.filter(|name| !name.is_empty())
    }
}

impl Mount {
    /// The rest of a path that lies here.
    fn below<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        strip_names(path, self.name.as_bytes())
    }
}

/// What follows the first names of a path, if they are these.
fn strip_names<'p>(path: &'p [u8], names: &[u8]) -> Option<&'p [u8]> {
    if names.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(names)?;
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix(b"/")
}

fn is_slash(byte: &u8) -> bool {
    *byte == b'/'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Memory;

    fn mounts(names: &[&str]) -> Mounts {
        let memory = Memory::new(None);
        let named = |name: &&str| ((*name).to_owned(), Directory::Memory(memory.clone()));
        Mounts::new(names.iter().map(named))
    }

    /// How many directories may hold a path, and its rest.
    fn located<'p>(mounts: &Mounts, path: &'p str) -> Result<(usize, &'p str), Reject> {
        let (directories, rest) = mounts.locate(path.as_bytes())?;
        let rest = std::str::from_utf8(rest).expect("is part of a text");
        Ok((directories.len(), rest))
    }

    #[test]
    fn the_longest_name_wins() {
        let mounts = mounts(&["", "a", "a/b/c", "", "a"]);
        for (path, expected) in [
            ("/x", (2, "x")),
            ("/ab/c", (2, "ab/c")),
            ("/a/x/", (2, "x/")),
            ("/a/bc", (2, "bc")),
            ("/a/b/c/x", (1, "x")),
            ("/a/b/c/", (1, "")),
            ("/a/b/c", (1, "")),
        ] {
            assert_eq!(located(&mounts, path).ok(), Some(expected), "{path}");
        }
        for path in ["/", "/a", "/a/", "/a/b", "/a/b/"] {
            let found = located(&mounts, path);
            assert!(matches!(found, Err(Reject::Directory)), "{path}");
        }
    }

    #[test]
    fn only_what_has_a_mount_is_found() {
        let mounts = mounts(&["a"]);
        for path in ["/x", "/ab", "*", "/a/.httpout-tmp", "/a/.httpout-tmp/x"] {
            let found = located(&mounts, path);
            assert!(matches!(found, Err(Reject::NotFound)), "{path}");
        }
        assert_eq!(
            located(&mounts, "/a/.httpout-tmp2").ok(),
            Some((1, ".httpout-tmp2"))
        );
    }

    #[test]
    fn mount_points_are_seen_from_above() {
        let mounts = mounts(&["", "a", "a/b/c"]);
        let below = |path: &str| -> Vec<String> {
            let names = mounts.mount_points_below(path.as_bytes());
            names
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect()
        };
        assert_eq!(below("/"), ["a", "a"]);
        assert_eq!(below("/a/"), ["b"]);
        assert_eq!(below("/a/b"), ["c"]);
        assert!(below("/a/b/c").is_empty() && below("/x").is_empty());
    }
}
