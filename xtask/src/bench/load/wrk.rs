//! wrk, with a script for what it asks, and what it reports.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::bench::figures::Done;
use crate::bench::pin::Cores;
use crate::bench::site;
use crate::{process, tools};

/// Which requests.
#[derive(Clone, Copy)]
pub(super) enum Script {
    /// Always the same.
    One,
    /// `length` bytes anywhere in a file of `size`.
    Ranges { size: u64, length: u64 },
    /// The files of text in turn, with gzip; where there are several, each once at most.
    Compressed { count: usize },
}

/// Ends each script: the exact counts, which the report for humans rounds.
const REPORT: &str = include_str!("report.lua");

pub(super) fn run(
    cores: &Cores,
    script: Script,
    url: &str,
    connections: u32,
    seconds: u32,
) -> Result<Done> {
    let file = site::work_folder()?.join("wrk.lua");
    fs::write(&file, format!("{}{REPORT}", script.source()))
        .with_context(|| format!("cannot write `{}`", file.display()))?;

    let mut command = cores.load(&tools::require("wrk", "wrk")?);
    command
        // No answer is late: the largest take seconds. One that never comes shows in the counts.
        .args(["--threads", "1", "--timeout", &format!("{}s", seconds + 10)])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")])
        .arg("--script")
        .arg(&file)
        .args([url, "--"])
        .args(script.arguments());
    let output = process::output(&mut command)?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

impl Script {
    fn source(self) -> &'static str {
        match self {
            Self::One => "",
            Self::Ranges { .. } => include_str!("ranges.lua"),
            Self::Compressed { count: 1 } => "wrk.headers[\"Accept-Encoding\"] = \"gzip\"\n",
            Self::Compressed { .. } => include_str!("compressed.lua"),
        }
    }

    fn arguments(self) -> Vec<String> {
        match self {
            Self::One | Self::Compressed { count: 1 } => Vec::new(),
            Self::Ranges { size, length } => vec![size.to_string(), length.to_string()],
            Self::Compressed { count } => vec![count.to_string()],
        }
    }
}

/// Reads the line that `report.lua` writes.
fn parse(report: &str) -> Result<Done> {
    let counts = report
        .lines()
        .find_map(|line| line.strip_prefix("counts:"))
        .with_context(|| format!("wrk gave no counts: {}", report.trim()))?;
    let count = |name: &str| {
        counts
            .split_whitespace()
            .filter_map(|count| count.split_once('='))
            .find(|(given, _)| *given == name)
            .and_then(|(_, count)| count.parse::<u64>().ok())
            .with_context(|| format!("wrk did not count `{name}`: {counts}"))
    };
    for failure in ["connect", "read", "write", "status", "timeout"] {
        if count(failure)? > 0 {
            bail!("wrk reports failures:{counts}");
        }
    }
    Ok(Done {
        requests: count("requests")?,
        bytes: count("bytes")?,
        time: Duration::from_micros(count("micros")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 3s test @ http://127.0.0.1:8000/file.bin
  257035 requests in 3.00s, 310.10MB read
Requests/sec:  85650.78
counts: requests=257035 bytes=325163417 micros=3001000 connect=0 read=0 write=0 status=0 timeout=0
";

    #[test]
    fn a_report_is_read() {
        let done = Done {
            requests: 257_035,
            bytes: 325_163_417,
            time: Duration::from_millis(3001),
        };
        assert_eq!(parse(REPORT).unwrap(), done);
    }

    #[test]
    fn failures_fail() {
        for failure in ["connect", "read", "write", "status", "timeout"] {
            let report = REPORT.replace(&format!("{failure}=0"), &format!("{failure}=3"));
            assert!(parse(&report).is_err());
        }
        assert!(parse("Running 3s test\n").is_err());
        assert!(parse("counts: requests=1\n").is_err());
    }
}
