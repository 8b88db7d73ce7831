//! How long a server takes from its start to its first answer.

use std::time::Instant;

use anyhow::Result;

use crate::bench::figures::Sample;
use crate::bench::load::idle;
use crate::bench::peer::Peer;
use crate::bench::site::Site;

/// The mean over so many starts, one after the other; each server ends before the next begins.
pub(in crate::bench) fn run(
    start: impl Fn() -> Result<Peer>,
    site: &Site,
    times: u32,
) -> Result<Sample> {
    let mut total = 0.0;
    for _ in 0..times {
        let begun = Instant::now();
        let peer = start()?;
        idle::open(peer.address(), site)?;
        total += begun.elapsed().as_secs_f64();
    }
    let mean = total / f64::from(times);
    Ok(Sample {
        cost: mean * 1e3,
        rate: 1.0 / mean,
    })
}
