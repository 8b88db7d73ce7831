//! Programs of the system that a command needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// The program, installed first where we may: as root, with apt-get. `package` is its Debian package, or several.
pub(crate) fn require(program: &str, package: &str) -> Result<PathBuf> {
    find_or_install(program, package, || find(program))
}

/// The same for a file that is no program, in one of these folders.
pub(crate) fn require_file(name: &str, folders: &[&str], package: &str) -> Result<PathBuf> {
    find_or_install(name, package, || {
        let mut candidates = folders.iter().map(|folder| Path::new(folder).join(name));
        candidates.find(|candidate| candidate.is_file())
    })
}

fn find_or_install(
    name: &str,
    package: &str,
    find_it: impl Fn() -> Option<PathBuf>,
) -> Result<PathBuf> {
    if let Some(path) = find_it() {
        return Ok(path);
    }
    if find("apt-get").is_none() || !is_root() {
        bail!(
            "`{name}` is missing; install it: `apt-get install {package}`, or as your system does"
        );
    }
    println!("`{name}` is missing: installing the package `{package}`");
    install(package)?;
    match find_it() {
        Some(path) => Ok(path),
        None => bail!("`{name}` is missing, also with the package `{package}` installed"),
    }
}

pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        // Servers are there, and a user's PATH often lacks it.
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

fn install(package: &str) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // A server's package must not start it: only our own instances run.
            .env("RUNLEVEL", "1");
        process::run(&mut command)
    };
    let mut packages = vec!["install", "-y", "-qq", "--no-install-recommends"];
    packages.extend(package.split(' '));
    // A fresh machine has no package lists yet.
    apt(&packages).or_else(|_| apt(&["update", "-qq"]).and_then(|()| apt(&packages)))
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(Path::new("/proc/self")).is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
