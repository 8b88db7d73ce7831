//! A program that runs beside us and never outlives us.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};

use crate::process;

/// A started program. It is ended, by its own process, when this is dropped.
pub(crate) struct Running {
    child: Child,
    shown: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let shown = process::shown(command);
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run `{shown}`"))?;
        Ok(Self { child, shown })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    pub(crate) fn take_stdout(&mut self) -> Option<impl Read + Send + use<>> {
        self.child.stdout.take()
    }

    /// The exit status if it has ended already.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot ask after `{}`", self.shown))
    }

    pub(crate) fn wait(mut self) -> Result<ExitStatus> {
        self.child
            .wait()
            .with_context(|| format!("cannot wait for `{}`", self.shown))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command for `program` that also ends when we are killed, where the system can do that (Linux, util-linux).
pub(crate) fn tied(program: &Path) -> Command {
    let tie = ["--pdeathsig", "TERM"];
    let works = Command::new("setpriv")
        .args(tie)
        .arg("true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(tie).arg(program);
    command
}

/// A new file for what a program prints.
pub(crate) fn log_file(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write `{}`", path.display()))
}
