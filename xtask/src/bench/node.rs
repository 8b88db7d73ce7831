//! node, with its own server and a script of ours, which says where it listens as our server does.

use std::ffi::OsStr;
use std::net::SocketAddr;

use anyhow::Result;

use super::pin::Cores;
use super::site;
use crate::child::Running;
use crate::httpout::Httpout;
use crate::tools;

/// Starts one of `scripts/`.
pub(super) fn start(
    cores: &Cores,
    script: &str,
    arguments: &[&OsStr],
) -> Result<(Running, SocketAddr)> {
    let mut command = cores.server(&tools::require("node", "nodejs")?);
    command.arg(site::script(script)).args(arguments);
    let server = Httpout::start(&mut command)?;
    let address = server.address();
    Ok((server.into_running(), address))
}
