//! `cargo xtask test` and `test-guests`. The tests load the guests, so these are built first.

use anyhow::Result;

use crate::{guests, players, process, tools};

/// Where the tests of the contract are: the table for all languages, then all that the samples and the guests for tests
/// show.
const CONTRACT: [&str; 11] = [
    "contract::",
    "calls::",
    "fetch::",
    "grants::",
    "guests::",
    "js_conveniences::",
    "js_fetch::",
    "limits::",
    "metrics::",
    "reuse::",
    "state::",
];

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    // The client of many tests, and the encoder and player of some.
    tools::require("curl", "curl")?;
    tools::require("ffmpeg", "ffmpeg")?;
    guests::build()?;
    players::fetch()?;
    let names_package = |argument: &String| argument == "-p" || argument.starts_with("--package");
    let all = match arguments.iter().any(names_package) {
        true => &["test"][..],
        false => &["test", "--workspace"],
    };
    process::run(process::cargo("", all.iter().copied()).args(arguments))
}

pub(crate) fn guests_command(arguments: &[String]) -> Result<()> {
    tools::require("curl", "curl")?;
    guests::build()?;
    let contract = ["test", "-p", "httpout", "--test", "it", "--"];
    process::run(process::cargo("", contract).args(CONTRACT).args(arguments))
}
