//! The load: wrk on a core of its own, and what it reports.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::pin::Cores;
use crate::process;

pub(super) struct Wrk {
    program: PathBuf,
    cores: Cores,
}

/// What one run of wrk did.
#[derive(Debug, PartialEq)]
pub(super) struct Done {
    pub(super) requests: u64,
    pub(super) requests_per_second: f64,
}

impl Wrk {
    pub(super) fn new(program: PathBuf, cores: Cores) -> Self {
        Self { program, cores }
    }

    pub(super) fn run(&self, url: &str, connections: u32, seconds: u32) -> Result<Done> {
        let mut command = self.cores.load(&self.program);
        command
            .args(["--threads", "1", "--timeout", "10s"])
            .args(["--connections", &connections.to_string()])
            .args(["--duration", &format!("{seconds}s"), url]);
        let output = process::output(&mut command)?;
        parse(&String::from_utf8_lossy(&output.stdout))
    }
}

/// Reads the report. Any request that failed fails the bench: its figures would be of something else.
fn parse(report: &str) -> Result<Done> {
    let mut requests = None;
    let mut requests_per_second = None;
    for line in report.lines().map(str::trim) {
        if line.starts_with("Socket errors:") || line.starts_with("Non-2xx") {
            bail!("wrk reports failures: {line}");
        } else if let Some((count, _)) = line.split_once(" requests in ") {
            requests = count.parse().ok();
        } else if let Some(rate) = line.strip_prefix("Requests/sec:") {
            requests_per_second = rate.trim().parse().ok();
        }
    }
    requests
        .filter(|&requests| requests > 0)
        .zip(requests_per_second)
        .map(|(requests, requests_per_second)| Done {
            requests,
            requests_per_second,
        })
        .with_context(|| format!("wrk did no requests: {}", report.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 3s test @ http://127.0.0.1:8000/file.bin
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   742.05us  123.55us   3.94ms   82.87%
    Req/Sec    86.11k     4.37k   91.10k    90.00%
  257035 requests in 3.00s, 310.10MB read
Requests/sec:  85650.78
Transfer/sec:    103.33MB
";

    #[test]
    fn a_report_is_read() {
        let done = parse(REPORT).unwrap();
        assert_eq!(done.requests, 257_035);
        assert!((done.requests_per_second - 85_650.78).abs() < 1e-6);
    }

    #[test]
    fn failures_fail() {
        for line in [
            "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
            "  Non-2xx or 3xx responses: 12\n",
        ] {
            assert!(parse(&format!("{REPORT}{line}")).is_err());
        }
        assert!(parse("").is_err());
    }
}
