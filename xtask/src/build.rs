//! `cargo xtask build`: all that a user runs.

use std::path::PathBuf;

use anyhow::Result;

use crate::{guests, paths, players, process, usage};

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    usage::nothing(arguments)?;
    let binary = build()?;
    println!("{}", paths::shown(&binary));
    Ok(())
}

/// Builds the guests, fetches the players, then builds the release binary, and gives its path.
pub(crate) fn build() -> Result<PathBuf> {
    guests::build()?;
    if let Err(error) = players::fetch() {
        println!("note: the page of option `player` will lack its players: {error:#}");
    }
    process::run(&mut process::cargo(
        "",
        ["build", "--release", "-p", "httpout"],
    ))?;
    paths::release_binary()
}
