//! `cargo xtask bench`: what each piece of work costs the server, ours beside nginx, node where scripts run, and Icecast
//! where media are live.
//!
//! The servers share one core, the load has another. Rounds are interleaved (A B C A B C …), because a machine's speed
//! drifts by more than the servers differ; figures are compared within a round, then the median is taken. What is
//! answered is checked before and after, so that nobody wins by being wrong.

mod bytes;
mod fan_out;
mod figures;
mod gpac;
mod limits;
mod load;
mod memory;
mod nginx;
mod node;
mod peer;
mod pin;
mod random;
mod site;
mod table;
mod text;
mod tls;
mod truth;
mod workloads;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

pub(crate) use self::tls::Certificate;

use self::figures::{Figures, Sample};
use self::load::{idle, listen, relay, start};
use self::peer::Peer;
use self::pin::Cores;
use self::site::Site;
use self::workloads::{Contender, WORKLOADS, Work, Workload};
use crate::{build, tools, usage};

struct Plan {
    workloads: Vec<&'static Workload>,
    rounds: usize,
    seconds: u32,
    /// A server to measure instead of building ours.
    binary: Option<PathBuf>,
}

/// Where and with what to measure.
struct Bench {
    cores: Cores,
    nginx: PathBuf,
    httpout: PathBuf,
}

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let plan = parse(arguments)?;
    require_tools(&plan)?;
    let bench = Bench {
        cores: Cores::choose()?,
        nginx: tools::require("nginx", "nginx-light")?,
        httpout: match &plan.binary {
            Some(binary) => std::fs::canonicalize(binary)
                .with_context(|| format!("cannot find `{}`", binary.display()))?,
            None => build::build()?,
        },
    };
    limits::raise()?;
    bench.cores.join_load()?;

    let mut failed = Vec::new();
    for workload in &plan.workloads {
        match bench.measure(workload, &plan) {
            Ok(figures) => print!("{}", table::table(workload, &figures)),
            // The others may still be measured.
            Err(error) => {
                eprintln!("error: {}: {error:#}", workload.name);
                failed.push(workload.name);
            }
        }
    }
    ensure!(failed.is_empty(), "without figures: {}", failed.join(", "));
    Ok(())
}

/// Looks for everything first: a run takes minutes.
fn require_tools(plan: &Plan) -> Result<()> {
    let common = [("curl", "curl"), ("openssl", "openssl"), ("gzip", "gzip")];
    let loads = plan.workloads.iter().filter_map(|row| row.work.program());
    for (program, package) in common.into_iter().chain(loads) {
        tools::require(program, package)?;
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Plan> {
    let mut plan = Plan {
        workloads: Vec::new(),
        rounds: 5,
        seconds: 3,
        binary: None,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            value
                .or_else(|| arguments.next().map(String::as_str))
                .ok_or_else(|| usage::Error::new(format!("`{name}` needs a value")))
        };
        match name {
            "--rounds" => plan.rounds = positive(name, value()?)?,
            "--seconds" => plan.seconds = positive(name, value()?)?,
            "--binary" => plan.binary = Some(value()?.into()),
            _ => plan.workloads.push(workloads::find(name)?),
        }
    }
    if plan.workloads.is_empty() {
        plan.workloads = WORKLOADS.iter().collect();
    }
    Ok(plan)
}

fn positive<N: std::str::FromStr + Default + PartialEq>(
    name: &str,
    value: &str,
) -> Result<N, usage::Error> {
    match value.parse() {
        Ok(number) if number != N::default() => Ok(number),
        _ => Err(usage::Error::new(format!(
            "`{name}`: `{value}` is not a number above 0"
        ))),
    }
}

impl Bench {
    /// The figures of all contenders, in the order of the workload's list.
    fn measure(&self, workload: &'static Workload, plan: &Plan) -> Result<Vec<Figures>> {
        let mut site = Site::create(workload)?;
        let mut figures = Vec::new();
        let mut peers = Vec::new();
        for contender in workload.contenders {
            let (peer, remark) = match self.prepare(workload, contender, &site) {
                Ok((peer, remark)) => (Some(peer), remark),
                Err(error) => {
                    let reason = format!("cannot do this: {}", one_line(&error));
                    eprintln!("{}: {} {reason}", workload.name, contender.name);
                    (None, Some(reason))
                }
            };
            peers.push(peer);
            figures.push(Figures {
                samples: Vec::new(),
                remark,
            });
        }

        for round in 1..=plan.rounds {
            eprintln!("{}: round {round} of {}", workload.name, plan.rounds);
            for (peer, figures) in peers.iter_mut().zip(&mut figures) {
                let Some(peer) = peer else { continue };
                let sample = match workload.work {
                    Work::Idle { connections } => {
                        *peer = Peer::start(self, workload, peer.contender(), &site)?;
                        let (sample, remark) =
                            idle::run(peer.id(), peer.address(), &site, connections)
                                .with_context(|| format!("load on {}", peer.name()))?;
                        figures.remark = Some(remark);
                        sample
                    }
                    Work::Start { times } => {
                        let start = || Peer::start(self, workload, peer.contender(), &site);
                        start::run(start, &site, times)
                            .with_context(|| format!("starts of {}", peer.name()))?
                    }
                    Work::Relay { readers } => {
                        let (sample, remark) = relay::run(peer.address(), readers, plan.seconds)
                            .with_context(|| format!("load on {}", peer.name()))?;
                        figures.remark = Some(remark);
                        sample
                    }
                    Work::FanOut { clients } => {
                        // One that could not keep up the last time begins anew.
                        *peer = Peer::start(self, workload, peer.contender(), &site)?;
                        let (sample, remark) = listen::run(peer, clients, plan.seconds)
                            .with_context(|| format!("load on {}", peer.name()))?;
                        figures.remark = Some(remark);
                        sample
                    }
                    _ => self.sample(workload, peer, &site, plan.seconds)?,
                };
                figures.samples.push(sample);
            }
        }
        let mut peers: Vec<Peer> = peers.into_iter().flatten().collect();
        for peer in &mut peers {
            peer.check(&site)?;
        }
        check_freshness(workload, &mut site, &mut peers)?;
        Ok(figures)
    }

    /// Starts a contender and convinces itself that it can do the work.
    fn prepare(
        &self,
        workload: &'static Workload,
        contender: &'static Contender,
        site: &Site,
    ) -> Result<(Peer, Option<String>)> {
        eprintln!("{}: warm-up, {}", workload.name, contender.name);
        let mut peer = Peer::start(self, workload, contender, site)?;
        let remark = peer.check(site)?;
        let needs_more = !matches!(
            workload.work,
            Work::Idle { .. } | Work::Start { .. } | Work::Relay { .. } | Work::FanOut { .. }
        );
        if needs_more {
            self.sample(workload, &mut peer, site, 1)?;
        }
        Ok((peer, remark))
    }

    fn sample(
        &self,
        workload: &Workload,
        peer: &mut Peer,
        site: &Site,
        seconds: u32,
    ) -> Result<Sample> {
        let before = peer.cpu()?;
        let done = load::run(&self.cores, workload, site, peer.address(), seconds)
            .with_context(|| format!("load on {}", peer.name()))?;
        let spent = peer.cpu()?.saturating_sub(before);
        ensure!(
            !spent.is_zero(),
            "{} took no time: its work is done by another process",
            peer.name()
        );
        Ok(Sample::of_cpu(workload.unit, spent, &done))
    }
}

/// An error may quote a log or the head of a response.
fn one_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" | ")
}

/// Our figures count only if a file that has changed is served as it is now.
fn check_freshness(workload: &Workload, site: &mut Site, peers: &mut [Peer]) -> Result<()> {
    if matches!(
        workload.work,
        Work::Put | Work::Relay { .. } | Work::FanOut { .. }
    ) {
        return Ok(());
    }
    site.replace()?;
    peers
        .iter_mut()
        .filter(|peer| peer.is_ours())
        .try_for_each(|peer| {
            peer.check(site)
                .map(drop)
                .context("after the file was replaced")
        })
}
