//! The engine of scripts: built for a target without any system, made a component, and put where the host takes it in.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use flate2::Compression;
use flate2::write::GzEncoder;
use wit_component::ComponentEncoder;

use crate::{c_compiler, paths, process};

const TARGET: &str = "wasm32-unknown-unknown";

/// What `host/plugins/build.rs` looks for.
const EMBEDDED: &str = "host/plugins/engines/js.wasm.gz";

/// Builds the engine, if it is not as it was built.
pub(crate) fn build() -> Result<()> {
    let arguments = ["build", "--release", "-p", "js-engine", "--target", TARGET];
    process::run(cargo(arguments)?.args(["--target-dir", "target"]))?;
    let folder = Path::new(paths::GUESTS).join("target").join(TARGET);
    let module = paths::root().join(folder).join("release/js_engine.wasm");
    let module =
        fs::read(&module).with_context(|| format!("cannot read `{}`", module.display()))?;
    embed(&component(&module)?)
}

/// Lints it.
pub(crate) fn clippy() -> Result<()> {
    let arguments = ["clippy", "-p", "js-engine", "--target", TARGET];
    process::run(cargo(arguments)?.args(["--target-dir", "target", "--", "-D", "warnings"]))
}

fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Command> {
    let mut command = process::cargo(paths::GUESTS, arguments);
    let compiler = c_compiler::find()?;
    for (name, value) in compiler.variables(TARGET) {
        command.env(name, value);
    }
    Ok(command)
}

/// The component of a core module, whose world `wit-bindgen` has noted in it.
fn component(module: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    let made = encoder.module(module).and_then(ComponentEncoder::encode);
    made.map_err(|error| anyhow!("cannot make a component of the engine: {error:#}"))
}

/// Written only where it has changed, or the host would be compiled again.
fn embed(component: &[u8]) -> Result<()> {
    let mut compressed = GzEncoder::new(Vec::new(), Compression::best());
    compressed.write_all(component)?;
    let compressed = compressed.finish()?;
    let path = paths::root().join(EMBEDDED);
    if fs::read(&path).is_ok_and(|present| present == compressed) {
        return Ok(());
    }
    fs::write(path, compressed).with_context(|| format!("cannot write `{EMBEDDED}`"))
}
