//! node, with its own server and a script.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::Result;

use super::nginx::{free_address, wait};
use super::pin::Cores;
use super::site::{self, Site};
use crate::child::Running;
use crate::tools;

/// Starts it with the function of `scripts/node.mjs` that answers.
pub(super) fn start(cores: &Cores, site: &Site, answer: &str) -> Result<(Running, SocketAddr)> {
    let address = free_address()?;
    let mut command = cores.server(&tools::require("node", "nodejs")?);
    command
        .arg(site::script("node.mjs"))
        .arg(answer)
        .arg(site.folder())
        .arg(address.port().to_string())
        .stderr(Stdio::null());
    let mut running = Running::start(&mut command)?;
    wait(&mut running, address)?;
    Ok((running, address))
}
