//! `cargo xtask guests`: the WebAssembly components, ready to load.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{js_engine, paths, process, tools, usage};

/// Plugins are components for the first; the second is for guests without any system interface.
const TARGETS: [&str; 2] = [paths::GUEST_TARGET, "wasm32-unknown-unknown"];

/// How a component starts; a core module has version 1 and layer 0 there.
const COMPONENT: &[u8; 8] = b"\0asm\x0d\0\x01\0";

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    usage::nothing(arguments)?;
    for component in build()? {
        println!("{}", component.display());
    }
    Ok(())
}

/// Builds all guests and gives the components' paths, relative to the top.
pub(crate) fn build() -> Result<Vec<PathBuf>> {
    ensure_targets()?;
    let arguments = ["build", "--release", "--target", paths::GUEST_TARGET];
    process::run(process::cargo(paths::GUESTS, arguments).args(["--target-dir", "target"]))?;
    js_engine::build()?;
    components()
}

/// Lints all guests.
pub(crate) fn clippy() -> Result<()> {
    ensure_targets()?;
    js_engine::clippy()?;
    let arguments = ["clippy", "--target", paths::GUEST_TARGET];
    process::run(process::cargo(paths::GUESTS, arguments).args([
        "--target-dir",
        "target",
        "--",
        "-D",
        "warnings",
    ]))
}

/// rustup installs the targets of rust-toolchain.toml by itself, unless that was turned off.
fn ensure_targets() -> Result<()> {
    for target in TARGETS {
        if is_installed(target)? {
            continue;
        }
        if tools::find("rustup").is_none() {
            bail!(
                "the Rust target `{target}` is missing, and `rustup` to install it: \
                 install rustup, or your system's package of that target's standard library"
            );
        }
        println!("installing the Rust target `{target}`");
        process::run(
            Command::new("rustup")
                .args(["target", "add", target])
                .current_dir(paths::root()),
        )?;
    }
    Ok(())
}

fn is_installed(target: &str) -> Result<bool> {
    let output = process::output(
        Command::new("rustc")
            .args(["--print", "target-libdir", "--target", target])
            .current_dir(paths::root()),
    )?;
    Ok(Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

fn components() -> Result<Vec<PathBuf>> {
    let folder = paths::guest_components();
    let mut components = Vec::new();
    for entry in fs::read_dir(paths::root().join(&folder))
        .with_context(|| format!("cannot read `{}`", folder.display()))?
    {
        let path = folder.join(entry?.file_name());
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            check_component(&path)?;
            components.push(path);
        }
    }
    components.sort();
    Ok(components)
}

fn check_component(path: &Path) -> Result<()> {
    let bytes = fs::read(paths::root().join(path))
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    ensure!(
        bytes.starts_with(COMPONENT),
        "`{}` is no component: its crate must be a `cdylib`",
        path.display()
    );
    Ok(())
}
