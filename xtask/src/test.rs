//! `cargo xtask test` and `test-guests`. The tests load the guests, so these are built first.

use anyhow::Result;

use crate::{guests, process, tools};

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    // The client of many tests.
    tools::require("curl", "curl")?;
    guests::build()?;
    process::run(process::cargo("", ["test", "--workspace"]).args(arguments))
}

pub(crate) fn guests_command(arguments: &[String]) -> Result<()> {
    tools::require("curl", "curl")?;
    guests::build()?;
    let contract = ["test", "-p", "httpout", "--test", "it", "--", "guests::"];
    process::run(process::cargo("", contract).args(arguments))
}
