//! GPAC, where variable `GPAC_BIN` names it: no package of a system has a version that is fast.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use super::nginx::{free_address, wait};
use super::pin::Cores;
use super::site::{self, Site};
use crate::child::{self, Running};
use crate::paths;

/// Its default of `block_size` also makes the buffers of sockets small, which ruins it.
pub(super) const OPTIONS: &str = "block_size=262144:maxc=0:maxp=0";

/// Starts it with these arguments.
pub(super) fn start(cores: &Cores, arguments: &[&str]) -> Result<Running> {
    let program = std::env::var_os("GPAC_BIN").map(PathBuf::from);
    let program = program.context("variable `GPAC_BIN` names no gpac")?;
    let log = site::work_folder()?.join("gpac.log");
    let mut command = cores.server(&program);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::from(child::log_file(&log)?));
    Running::start(&mut command)
}

/// Starts it as a server to which live media are uploaded.
pub(super) fn start_relay(cores: &Cores, site: &Site) -> Result<(Running, SocketAddr)> {
    let address = free_address()?;
    let uploads = paths::shown(site.uploads());
    let filter = format!(
        "httpout:rdirs={uploads}:wdir={uploads}:port={}:maxs=0:{OPTIONS}",
        address.port()
    );
    let mut running = start(cores, &[&filter])?;
    wait(&mut running, address)?;
    Ok((running, address))
}
