//! Where things are. Commands run at the top of the project, so most paths are relative to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub(crate) const GUESTS: &str = "guests";
pub(crate) const GUEST_TARGET: &str = "wasm32-wasip2";

/// The top of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is a folder of the project")
}

/// A plugin as the command line names it, configuration and all: `auth.wasm?realm=staff`.
///
/// The guests' workspace has a target folder of its own, whatever `CARGO_TARGET_DIR` says: tests and documents name it.
pub(crate) fn plugin(file_and_configuration: &str) -> String {
    format!(
        "{}/{file_and_configuration}",
        guest_components().to_string_lossy()
    )
}

/// The folder of the built guests, relative to the top.
pub(crate) fn guest_components() -> PathBuf {
    Path::new(GUESTS)
        .join("target")
        .join(GUEST_TARGET)
        .join("release")
}

/// The release binary.
pub(crate) fn release_binary() -> Result<PathBuf> {
    binary("release")
}

/// The binary that tests start.
pub(crate) fn dev_binary() -> Result<PathBuf> {
    binary("debug")
}

fn binary(profile: &str) -> Result<PathBuf> {
    // This program is TARGET/debug/xtask, wherever the user's configuration put TARGET.
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let target = program
        .parent()
        .and_then(Path::parent)
        .context("this program is not in a target folder")?;
    Ok(target
        .join(profile)
        .join(format!("httpout{}", std::env::consts::EXE_SUFFIX)))
}

/// The path as the user would type it at the top of the project.
pub(crate) fn shown(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.display().to_string()
}
