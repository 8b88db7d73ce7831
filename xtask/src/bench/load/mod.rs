//! The load: what asks the servers for something, on a core of its own.

mod h2load;
pub(super) mod idle;
pub(super) mod listen;
pub(super) mod put;
pub(super) mod relay;
pub(super) mod start;
mod wrk;

use std::net::SocketAddr;

use anyhow::{Result, ensure};

use super::figures::Done;
use super::pin::Cores;
use super::site::Site;
use super::workloads::{Work, Workload};

impl Work {
    /// The program that makes the load, and its Debian package; we do the rest ourselves.
    pub(super) fn program(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Get { .. } | Self::Ranges { .. } | Self::Compressed { .. } => {
                Some(("wrk", "wrk"))
            }
            Self::Multiplexed { .. } => Some(("h2load", "nghttp2-client")),
            Self::Relay { .. } => Some(("node", "nodejs")),
            Self::Put | Self::FanOut { .. } | Self::Idle { .. } | Self::Start { .. } => None,
        }
    }
}

/// Has a server work for some seconds. Anything but the right answers is an error: the figures would be of something
/// else.
pub(super) fn run(
    cores: &Cores,
    workload: &Workload,
    site: &Site,
    address: SocketAddr,
    seconds: u32,
) -> Result<Done> {
    let url = format!(
        "{}://{address}{}",
        workload.protocol.scheme(),
        site.target(0)
    );
    match workload.work {
        Work::Get { connections } => {
            let done = wrk::run(cores, wrk::Script::One, &url, connections, seconds)?;
            check_size(&done, connections, site.length(), site.length())?;
            Ok(done)
        }
        Work::Ranges {
            connections,
            length,
        } => {
            let script = wrk::Script::Ranges {
                size: site.length(),
                length,
            };
            let done = wrk::run(cores, script, &url, connections, seconds)?;
            check_size(&done, connections, length, length)?;
            Ok(done)
        }
        Work::Compressed { connections } => {
            let script = wrk::Script::Compressed {
                count: site.count(),
            };
            // A cache must not know the files from the round before.
            if site.count() > 1 {
                site.touch()?;
            }
            let done = wrk::run(cores, script, &url, connections, seconds)?;
            check_size(&done, connections, 1, site.length() / 2)?;
            Ok(done)
        }
        Work::Multiplexed {
            connections,
            streams,
        } => {
            let done = h2load::run(cores, &url, connections, streams, seconds)?;
            check_size(&done, connections * streams, site.length(), site.length())?;
            Ok(done)
        }
        Work::Put => put::run(address, site, seconds),
        Work::Relay { .. } => unreachable!("it is time that is measured, not work"),
        Work::FanOut { .. } => unreachable!("the clients are there before the time begins"),
        Work::Idle { .. } | Work::Start { .. } => {
            unreachable!("a new process is needed, not one that is under load")
        }
    }
}

/// Whether the answers had the right size on the whole: `most` and a head each, and what was under way at the end.
fn check_size(done: &Done, under_way: u32, least: u64, most: u64) -> Result<()> {
    const HEAD: u64 = 2048;
    let expected = done.requests * least..=(done.requests + u64::from(under_way)) * (most + HEAD);
    ensure!(
        done.bytes > 0 && expected.contains(&done.bytes),
        "{} answers had {} bytes instead of {} to {}",
        done.requests,
        done.bytes,
        expected.start(),
        expected.end()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn answers_of_another_size_fail() {
        let check = |requests, bytes| {
            let time = Duration::from_secs(1);
            let done = Done {
                requests,
                bytes,
                time,
            };
            check_size(&done, 2, 100_000, 100_000).is_ok()
        };
        assert!(check(10, 1_002_000));
        assert!(check(10, 1_190_000), "two were under way");
        assert!(check(0, 150_000), "none was complete");
        assert!(!check(10, 999_999));
        assert!(!check(10, 2_000_000));
        assert!(!check(0, 0));
    }
}
