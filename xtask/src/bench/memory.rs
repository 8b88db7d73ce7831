//! The memory that a process takes.

use std::fs;

use anyhow::{Context, Result};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    /// RSS in bytes: all pages that it has in memory.
    pub(super) resident: u64,
    /// PSS in bytes: of a shared page, only its part.
    pub(super) proportional: u64,
}

impl Memory {
    pub(super) fn of(process: u32) -> Result<Self> {
        let file = format!("/proc/{process}/smaps_rollup");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read `{file}`"))?;
        parse(&text).with_context(|| format!("`{file}` holds no sizes"))
    }
}

fn parse(rollup: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes << 10)
    };
    Some(Memory {
        resident: bytes("Rss:")?,
        proportional: bytes("Pss:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_found() {
        let rollup = "55d0-7ffc ---p 00000000 00:00 0 [rollup]\n\
            Rss:                4252 kB\nPss:                 817 kB\nPss_Dirty:            92 kB\n";
        let memory = Memory {
            resident: 4252 << 10,
            proportional: 817 << 10,
        };
        assert_eq!(parse(rollup), Some(memory));
        assert_eq!(parse("Rss: 1 kB\n"), None);
    }
}
