//! How many files and connections may be open.

use std::fs;
use std::process;

use anyhow::{Context, Result};

use crate::process::run;
use crate::tools;

/// Enough for the connections of any workload, at both ends.
const ENOUGH: u64 = 4096;

/// Raises our limit where it is low, and so that of the servers that we start.
pub(super) fn raise() -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")
        .context("a bench reads /proc, which only Linux has")?;
    let (soft, hard) = parse(&limits).context("`/proc/self/limits` holds no open files")?;
    if soft >= ENOUGH.min(hard) {
        return Ok(());
    }
    let mut command = process::Command::new(tools::require("prlimit", "util-linux")?);
    command
        .args(["--pid", &process::id().to_string()])
        .arg(format!("--nofile={}:", ENOUGH.min(hard)));
    run(&mut command)
}

/// The soft and the hard limit.
fn parse(limits: &str) -> Option<(u64, u64)> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let mut limits = line.split_whitespace().map(|limit| match limit {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    });
    Some((limits.next()??, limits.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_are_found() {
        let limits = "Limit         Soft Limit   Hard Limit  Units\n\
            Max open files            1024                 524288               files\n";
        assert_eq!(parse(limits), Some((1024, 524_288)));
        let limits = "Max open files  unlimited unlimited files\n";
        assert_eq!(parse(limits), Some((u64::MAX, u64::MAX)));
        assert_eq!(parse("Max processes 1 1\n"), None);
    }
}
