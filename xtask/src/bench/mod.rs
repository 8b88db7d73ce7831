//! `cargo xtask bench`: server CPU for each request, ours beside nginx.
//!
//! The servers share one core, the load generator has another. Rounds are interleaved (A B C A B C …), because a
//! machine's speed drifts by more than the servers differ; figures are compared within a round, then the median is
//! taken. What is answered is checked before and after, so that nobody wins by being wrong.

mod load;
mod nginx;
mod peer;
mod pin;
mod site;
mod table;
mod truth;
mod workloads;

use std::path::PathBuf;

use anyhow::{Context, Result};

use self::load::Wrk;
use self::peer::Peer;
use self::pin::Cores;
use self::site::Site;
use self::workloads::{Server, WORKLOADS, Workload};
use crate::{build, tools, usage};

struct Plan {
    workloads: Vec<&'static Workload>,
    rounds: usize,
    seconds: u32,
    /// A server to measure instead of building ours.
    binary: Option<PathBuf>,
}

/// What one contender did in one round.
#[derive(Clone, Copy)]
struct Sample {
    /// Server CPU for each request, in µs.
    micros: f64,
    requests_per_second: f64,
}

/// Where and with what to measure.
struct Bench {
    cores: Cores,
    wrk: Wrk,
    nginx: PathBuf,
    httpout: PathBuf,
}

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let plan = parse(arguments)?;
    let cores = Cores::choose()?;
    let bench = Bench {
        wrk: Wrk::new(tools::require("wrk", "wrk")?, cores.clone()),
        nginx: tools::require("nginx", "nginx-light")?,
        httpout: match &plan.binary {
            Some(binary) => std::fs::canonicalize(binary)
                .with_context(|| format!("cannot find `{}`", binary.display()))?,
            None => build::build()?,
        },
        cores,
    };
    for workload in &plan.workloads {
        let samples = bench
            .measure(workload, &plan)
            .with_context(|| workload.name)?;
        print!("{}", table::table(workload, &samples));
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
    /// The samples of all contenders, in the order of the workload's list, one for each round.
    fn measure(&self, workload: &Workload, plan: &Plan) -> Result<Vec<Vec<Sample>>> {
        let site = Site::create(workload)?;
        let mut peers = workload
            .contenders
            .iter()
            .map(|contender| Peer::start(self, contender, &site))
            .collect::<Result<Vec<_>>>()?;

        for peer in &mut peers {
            peer.check(&site)?;
            eprintln!("{}: warm-up, {}", workload.name, peer.name());
            self.sample(workload, peer, 1)?;
        }
        let mut samples = vec![Vec::new(); peers.len()];
        for round in 1..=plan.rounds {
            eprintln!("{}: round {round} of {}", workload.name, plan.rounds);
            for (peer, samples) in peers.iter_mut().zip(&mut samples) {
                samples.push(self.sample(workload, peer, plan.seconds)?);
            }
        }
        for peer in &mut peers {
            peer.check(&site)?;
        }
        check_freshness(workload, &site, &mut peers)?;
        Ok(samples)
    }

    fn sample(&self, workload: &Workload, peer: &mut Peer, seconds: u32) -> Result<Sample> {
        let before = peer.cpu()?;
        let done = self
            .wrk
            .run(&site::url(peer.address()), workload.connections, seconds)
            .with_context(|| format!("load on {}", peer.name()))?;
        let spent = peer.cpu()?.saturating_sub(before);
        Ok(Sample {
            micros: spent.as_secs_f64() * 1e6 / done.requests as f64,
            requests_per_second: done.requests_per_second,
        })
    }
}

/// Our figures count only if a file that has changed is served as it is now. nginx may look again a minute later.
fn check_freshness(workload: &Workload, site: &Site, peers: &mut [Peer]) -> Result<()> {
    let changed = site.replace(workload)?;
    workload
        .contenders
        .iter()
        .zip(peers)
        .filter(|(contender, _)| !matches!(contender.server, Server::Nginx))
        .try_for_each(|(_, peer)| peer.check(&changed).context("after the file was replaced"))
}
