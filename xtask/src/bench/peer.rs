//! A server under measurement, and the CPU time that it has used.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::fan_out::Feed;
use super::site::{self, Site};
use super::tls::Certificate;
use super::truth::Truth;
use super::workloads::{Contender, Server, Work, Workload};
use super::{Bench, fan_out, gpac, nginx, node};
use crate::child::{self, Running};
use crate::httpout::Httpout;
use crate::paths;

/// A contender that runs. It is ended when this is dropped.
pub(super) struct Peer {
    workload: &'static Workload,
    contender: &'static Contender,
    running: Running,
    address: SocketAddr,
    /// What it sends on, where that is a live stream.
    _feed: Option<Feed>,
}

impl Peer {
    pub(super) fn start(
        bench: &Bench,
        workload: &'static Workload,
        contender: &'static Contender,
        site: &Site,
    ) -> Result<Self> {
        let mut feed = None;
        let mut fed = |(running, address, source)| {
            feed = Some(source);
            (running, address)
        };
        let (running, address) = match contender.server {
            Server::NodeRelay => node::start(&bench.cores, "relay.mjs", &[])?,
            Server::GpacRelay => gpac::start_relay(&bench.cores, site)?,
            Server::Nginx => nginx::start(bench.cores.server(&bench.nginx), workload, site, None)?,
            Server::Njs(line) => {
                nginx::start(bench.cores.server(&bench.nginx), workload, site, Some(line))?
            }
            Server::Node(answer) => {
                let arguments = [OsStr::new(answer), site.folder().as_os_str()];
                node::start(&bench.cores, "node.mjs", &arguments)?
            }
            Server::Httpout {
                plugins,
                script,
                options,
            } => start_httpout(bench, workload, plugins, script, options, site)?,
            Server::HttpoutSink => fan_out::start_httpout(bench).map(&mut fed)?,
            Server::Icecast => fan_out::start_icecast(bench).map(&mut fed)?,
            Server::NodeFanOut => fan_out::start_node(bench).map(&mut fed)?,
            Server::GpacFanOut => fan_out::start_gpac(bench).map(&mut fed)?,
        };
        Ok(Self {
            workload,
            contender,
            running,
            address,
            _feed: feed,
        })
    }

    pub(super) fn contender(&self) -> &'static Contender {
        self.contender
    }

    pub(super) fn name(&self) -> &'static str {
        self.contender.name
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn id(&self) -> u32 {
        self.running.id()
    }

    /// Whether more is asked of it than of others: that it serves what the files hold at this moment, or all of a stream
    /// to everybody.
    pub(super) fn is_ours(&self) -> bool {
        matches!(
            self.contender.server,
            Server::Httpout { .. } | Server::HttpoutSink
        )
    }

    /// Fails unless it runs and answers with the site's bytes; gives what else is to know of the answer.
    pub(super) fn check(&mut self, site: &Site) -> Result<Option<String>> {
        if let Some(status) = self.running.ended()? {
            bail!("{} ended: {status}", self.name());
        }
        let truth = Truth {
            workload: self.workload,
            site,
            address: self.address,
            field: self.contender.field,
        };
        truth
            .check()
            .with_context(|| format!("{} does not answer as it should", self.name()))
    }

    /// The CPU time since its start, of all its threads.
    pub(super) fn cpu(&mut self) -> Result<Duration> {
        if let Some(status) = self.running.ended()? {
            bail!("{} ended: {status}", self.name());
        }
        let id = self.running.id();
        // The threads' own counts are exact, those of threads that ended are only in the process's count of ticks.
        threads_cpu(id)
            .and_then(|threads| Ok(threads.max(process_cpu(id)?)))
            .with_context(|| format!("cannot read the CPU time of {}", self.name()))
    }
}

fn start_httpout(
    bench: &Bench,
    workload: &Workload,
    plugins: &[&str],
    script: Option<&str>,
    options: &[&str],
    site: &Site,
) -> Result<(Running, SocketAddr)> {
    let log = site::work_folder()?.join("httpout.log");
    let mut command = bench.cores.server(&bench.httpout);
    let is_in_memory = options.contains(&"--wdir=gmem");
    let read = match workload.work {
        Work::Relay { .. } if is_in_memory => "gmem".to_owned(),
        Work::Relay { .. } => paths::shown(site.uploads()),
        _ => paths::shown(site.folder()),
    };
    command.arg(format!("--rdirs={read}")).args([
        "--port=0",
        "--ifce=127.0.0.1",
        "--maxc=0",
        "--maxp=0",
    ]);
    if workload.protocol.is_encrypted() {
        let certificate = Certificate::obtain()?;
        command
            .arg(format!("--cert={}", paths::shown(&certificate.chain)))
            .arg(format!("--pkey={}", paths::shown(&certificate.key)));
    }
    if matches!(workload.work, Work::Put | Work::Relay { .. }) {
        command.arg("--maxs=0");
        if !is_in_memory {
            command.arg(format!("--wdir={}", paths::shown(site.uploads())));
        }
    }
    for plugin in plugins {
        command.args(["--plugin", &paths::plugin(plugin)]);
    }
    if let Some(script) = script {
        command.arg(format!("--js={}", paths::shown(&site::script(script))));
    }
    command
        .args(options)
        .current_dir(paths::root())
        // Compiled plugins: those of this machine's user are no part of a measurement.
        .env("XDG_CACHE_HOME", site::work_folder()?)
        .stderr(Stdio::from(child::log_file(&log)?));
    let server = Httpout::start(&mut command).with_context(|| {
        fs::read_to_string(&log)
            .unwrap_or_default()
            .trim()
            .to_owned()
    })?;
    let address = server.address();
    Ok((server.into_running(), address))
}

/// Nanoseconds on a core, summed over the threads that live.
fn threads_cpu(process: u32) -> Result<Duration> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end between the two reads.
        if let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) {
            total += first_number(&text).context("`schedstat` holds no number")?;
        }
    }
    Ok(Duration::from_nanos(total))
}

/// User and system time of the process, in ticks of 10 ms.
fn process_cpu(process: u32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let ticks = parse_ticks(&text).context("`stat` holds no times")?;
    Ok(Duration::from_millis(10 * ticks))
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

fn parse_ticks(stat: &str) -> Option<u64> {
    // The second field is the name in parentheses, which may hold anything; utime and stime are the 14th and 15th.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 700 30 0 0 20 0 1 0";
        assert_eq!(parse_ticks(stat), Some(730));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_time_is_read() {
        assert!(threads_cpu(std::process::id()).unwrap() > Duration::ZERO);
        assert!(process_cpu(std::process::id()).is_ok());
    }
}
