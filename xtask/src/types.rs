//! `cargo xtask types`: the types that authors of scripts import, checked against uses of all that they name.

use std::process::Command;

use anyhow::Result;

use crate::{npm, paths, process, tools, usage};

/// What `tsc` is told, below the top: uses and scripts of the tests, then examples, whose functions need not say what they
/// take.
const FOLDER: &str = "sdk/js";
const PROJECTS: [&str; 2] = ["tsconfig.json", "tsconfig.scripts.json"];

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    usage::nothing(arguments)?;
    check()
}

/// Fails where the types do not fit the scripts, or let pass what cannot be.
pub(crate) fn check() -> Result<()> {
    let node = tools::require("node", "nodejs")?;
    let folder = paths::root().join(FOLDER);
    let compiler = folder.join("node_modules/typescript/bin/tsc");
    npm::install(&folder)?;
    for project in PROJECTS {
        let mut tsc = Command::new(&node);
        tsc.arg(&compiler).args(["--project", project]);
        process::run(tsc.current_dir(&folder))?;
    }
    Ok(())
}
