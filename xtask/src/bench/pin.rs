//! Which core runs what.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{child, process, tools};

/// One core for the servers, another for the load.
#[derive(Clone)]
pub(super) enum Cores {
    Pinned { server: String, load: String },
    Shared,
}

impl Cores {
    /// The first two cores that we may use.
    pub(super) fn choose() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status")
            .context("a bench reads /proc, which only Linux has")?;
        let list = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .context("/proc/self/status does not name the cores")?;
        match parse(list.trim()).as_slice() {
            [server, load, ..] => {
                tools::require("taskset", "util-linux")?;
                Ok(Self::Pinned {
                    server: server.to_string(),
                    load: load.to_string(),
                })
            }
            _ => {
                println!("one core only: servers and load share it, nothing is pinned");
                Ok(Self::Shared)
            }
        }
    }

    pub(super) fn server(&self, program: &Path) -> Command {
        match self {
            Self::Pinned { server, .. } => pinned(server, program),
            Self::Shared => child::tied(program),
        }
    }

    pub(super) fn load(&self, program: &Path) -> Command {
        match self {
            Self::Pinned { load, .. } => pinned(load, program),
            Self::Shared => child::tied(program),
        }
    }

    /// Has us work on the core of the load: some of it is ours.
    pub(super) fn join_load(&self) -> Result<()> {
        match self {
            Self::Pinned { load, .. } => {
                let us = std::process::id().to_string();
                let mut command = Command::new("taskset");
                process::output(command.args(["-c", "-p", load, &us])).map(drop)
            }
            Self::Shared => Ok(()),
        }
    }
}

/// taskset becomes the program, which so has the process id that we know.
fn pinned(core: &str, program: &Path) -> Command {
    let mut command = child::tied(Path::new("taskset"));
    command.args(["-c", core]).arg(program);
    command
}

/// A list as the kernel writes it: `0-2,5`.
fn parse(list: &str) -> Vec<u32> {
    list.split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.parse().ok()?..=last.parse().ok()?)
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_ranges_and_numbers() {
        assert_eq!(parse("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(parse("3"), [3]);
    }
}
