//! h2load, and what it reports.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bench::figures::Done;
use crate::bench::pin::Cores;
use crate::bench::tls;
use crate::{process, tools};

pub(super) fn run(
    cores: &Cores,
    url: &str,
    connections: u32,
    streams: u32,
    seconds: u32,
) -> Result<Done> {
    let mut command = cores.load(&tools::require("h2load", "nghttp2-client")?);
    command
        .args(["--threads=1", "--npn-list=h2"])
        .arg(format!("--tls13-ciphers={}", tls::CIPHER))
        .arg(format!("--clients={connections}"))
        .arg(format!("--max-concurrent-streams={streams}"))
        .arg(format!("--duration={seconds}s"))
        .arg(url);
    let output = process::output(&mut command)?;
    parse(&String::from_utf8_lossy(&output.stdout)).map(|(requests, bytes)| Done {
        requests,
        bytes,
        time: Duration::from_secs(seconds.into()),
    })
}

/// The requests and the bytes of their bodies.
fn parse(report: &str) -> Result<(u64, u64)> {
    let line = |start: &str| {
        report
            .lines()
            .find_map(|line| line.strip_prefix(start))
            .map(str::trim)
            .with_context(|| format!("h2load says nothing of `{start}`: {}", report.trim()))
    };
    for (name, expected) in [
        ("TLS Protocol:", "TLSv1.3"),
        ("Cipher:", tls::CIPHER),
        ("Application protocol:", "h2"),
    ] {
        let negotiated = line(name)?;
        ensure!(
            negotiated == expected,
            "negotiated `{name} {negotiated}` instead of {expected}"
        );
    }

    let (requests, statuses) = (line("requests:")?, line("status codes:")?);
    let done = count(requests, "done").context("h2load counts no requests")?;
    ensure!(
        count(requests, "succeeded") == Some(done)
            && ["failed", "errored", "timeout"]
                .iter()
                .all(|failure| count(requests, failure) == Some(0))
            // One more may have its status, but not its body, when time is up.
            && count(statuses, "2xx").is_some_and(|good| good >= done),
        "h2load reports failures: {requests}; {statuses}"
    );
    let bytes = line("traffic:")?
        .split(", ")
        .find_map(|part| part.strip_suffix(" data"))
        .and_then(|part| part.split_once('('))
        .and_then(|(_, part)| part.strip_suffix(')'))
        .and_then(|bytes| bytes.parse().ok())
        .context("h2load counts no bytes")?;
    Ok((done, bytes))
}

/// The number before a word: `3 done` in `5 total, 3 done`.
fn count(list: &str, word: &str) -> Option<u64> {
    list.split(',')
        .filter_map(|part| part.trim().split_once(' '))
        .find(|(_, given)| *given == word)
        .and_then(|(count, _)| count.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "starting benchmark...
TLS Protocol: TLSv1.3
Cipher: TLS_AES_128_GCM_SHA256
Server Temp Key: X25519 253 bits
Application protocol: h2

finished in 1.00s, 79292.00 req/s, 86.96MB/s
requests: 79292 total, 79356 started, 79292 done, 79292 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 79292 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 86.96MB (91186192) total, 8.17MB (8563536) headers (space savings 39.66%), 77.43MB (81195008) data
                     min         max         mean         sd        +/- sd
";

    #[test]
    fn a_report_is_read() {
        assert_eq!(parse(REPORT).unwrap(), (79_292, 81_195_008));
    }

    #[test]
    fn failures_fail() {
        for (good, bad) in [
            ("0 failed", "1 failed"),
            ("79292 succeeded", "79291 succeeded"),
            ("79292 2xx, 0 3xx, 0 4xx", "0 2xx, 0 3xx, 79292 4xx"),
            ("protocol: h2", "protocol: http/1.1"),
            ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384"),
            ("requests:", ""),
        ] {
            assert!(parse(&REPORT.replace(good, bad)).is_err(), "{bad}");
        }
    }
}
