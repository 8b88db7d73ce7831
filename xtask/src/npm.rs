//! Packages of npm, as a lock file pins them.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{process, tools};

/// Installs what the lock file of a folder names, unless it is there. No script of a package is run.
pub(crate) fn install(folder: &Path) -> Result<()> {
    if is_installed(folder) {
        return Ok(());
    }
    let npm = tools::require("npm", "npm")?;
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let mut command = Command::new(npm);
    command.args(install).arg("--loglevel=error");
    process::run(command.current_dir(folder))
}

/// Whether what is installed is what the lock file names: npm notes what it has installed.
fn is_installed(folder: &Path) -> bool {
    let modified = |file: &str| {
        folder
            .join(file)
            .metadata()
            .and_then(|file| file.modified())
    };
    let installed = modified("node_modules/.package-lock.json");
    let wanted = modified("package-lock.json");
    matches!((installed, wanted), (Ok(installed), Ok(wanted)) if installed >= wanted)
}
