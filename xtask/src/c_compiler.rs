//! A C compiler that knows WebAssembly: clang, or zig from PyPI.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{paths, process, tools};

/// A compiler for `wasm32`.
pub(crate) enum Compiler {
    /// What the user has named (`CC_wasm32_unknown_unknown`).
    Named,
    Clang(PathBuf),
    /// This Python has the package `ziglang`.
    Zig(PathBuf),
}

/// The name under which this program is the C compiler of zig.
pub(crate) const ZIG_COMMAND: &str = "zig-cc";

/// Where `ziglang` is put, below the top.
const ZIG_FOLDER: &str = "guests/target/ziglang";

/// Tells [`zig`] which Python to run.
const PYTHON: &str = "XTASK_PYTHON";

impl Compiler {
    /// What crate `cc` is to be told for a target, as variables of the environment.
    pub(crate) fn variables(&self, target: &str) -> Vec<(String, OsString)> {
        let target = target.replace('-', "_");
        let (compiler, archiver) = (format!("CC_{target}"), format!("AR_{target}"));
        match self {
            Compiler::Named => Vec::new(),
            // Any archiver does: the linker needs no index.
            Compiler::Clang(clang) => vec![(compiler, clang.into()), (archiver, "ar".into())],
            Compiler::Zig(python) => {
                let program = env::current_exe().unwrap_or_default();
                let command = format!("{} {ZIG_COMMAND}", program.display());
                vec![
                    (compiler, command.into()),
                    (archiver, "ar".into()),
                    (PYTHON.to_owned(), python.into()),
                ]
            }
        }
    }
}

/// Finds a compiler, or installs one where we may.
pub(crate) fn find() -> Result<Compiler> {
    if env::var_os("CC_wasm32_unknown_unknown").is_some() {
        return Ok(Compiler::Named);
    }
    if let Some(compiler) = present() {
        return Ok(compiler);
    }
    let may_install = tools::require("clang", "clang").is_ok() || install_zig().is_ok();
    present().filter(|_| may_install).context(
        "a C compiler for WebAssembly is missing: install clang (`apt-get install clang`, or as your system does), \
         or `pip install ziglang`, or name one in `CC_wasm32_unknown_unknown`",
    )
}

fn present() -> Option<Compiler> {
    let versions = (14..40).rev().map(|version| format!("clang-{version}"));
    let names = std::iter::once("clang".to_owned()).chain(versions);
    let mut found = names.filter_map(|name| tools::find(&name));
    if let Some(clang) = found.find(|clang| knows_wasm(clang)) {
        return Some(Compiler::Clang(clang));
    }
    let python = tools::find("python3")?;
    zig(&python, &["version"])
        .is_ok()
        .then_some(Compiler::Zig(python))
}

/// Some builds of clang know their own processor only.
fn knows_wasm(clang: &Path) -> bool {
    let targets = process::output(Command::new(clang).arg("--print-targets"));
    targets.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("wasm32"))
}

fn install_zig() -> Result<()> {
    let Some(python) = tools::find("python3") else {
        bail!("`python3` is missing");
    };
    println!("no clang for WebAssembly: installing the Python package `ziglang`");
    let folder = paths::root().join(ZIG_FOLDER);
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--target"]);
    process::run(pip.arg(folder).arg("ziglang"))
}

fn zig(python: &Path, arguments: &[&str]) -> Result<()> {
    process::output(&mut zig_command(python, arguments)).map(drop)
}

fn zig_command(python: &Path, arguments: &[&str]) -> Command {
    let mut zig = Command::new(python);
    zig.args(["-m", "ziglang"]).args(arguments);
    zig.env("PYTHONPATH", paths::root().join(ZIG_FOLDER));
    zig
}

/// `cargo xtask zig-cc`: crate `cc` calls it with clang's arguments. Zig has another name for the target.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let python = env::var_os(PYTHON).unwrap_or_else(|| "python3".into());
    // Its checks of undefined behaviour call a library that there is not.
    let mut zig = zig_command(
        Path::new(&python),
        &[
            "cc",
            "-target",
            "wasm32-freestanding",
            "-fno-sanitize=undefined",
        ],
    );
    let target = |argument: &&String| argument.starts_with("--target=");
    zig.args(arguments.iter().filter(|argument| !target(argument)));
    let status = zig.status().context("cannot run zig")?;
    ensure!(status.success(), "zig cc failed: {status}");
    Ok(())
}
