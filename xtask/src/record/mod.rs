//! `cargo xtask record`: what real encoders send, byte by byte, for `tests/data/ingest`.

mod requests;
mod sessions;
mod sink;
mod tape;

use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use anyhow::{Context, Result, ensure};

use crate::child::Running;
use crate::record::sessions::{End, SESSIONS, Session};
use crate::record::sink::Sink;
use crate::{paths, process, tools, usage};

const FOLDER: &str = "tests/data/ingest";

/// The longest that one run of an encoder may take.
const LONGEST: Duration = Duration::from_secs(60);

pub(crate) fn command(names: &[String]) -> Result<()> {
    let known = |name: &String| SESSIONS.iter().any(|session| session.name == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let known: Vec<&str> = SESSIONS.iter().map(|session| session.name).collect();
        let known = known.join(", ");
        return Err(usage::Error::new(format!("`{name}` is none of {known}")).into());
    }
    let wanted =
        |session: &&Session| names.is_empty() || names.iter().any(|name| name == session.name);
    SESSIONS.iter().filter(wanted).try_for_each(record)
}

fn record(session: &Session) -> Result<()> {
    let sink = Sink::start().context("cannot listen")?;
    let mut text = String::new();
    for run in session.runs {
        let mut words = run.command.split_whitespace();
        let name = words.next().unwrap_or_default();
        let program = tools::require(name, session.package)?;
        let url = sink.url();
        let mut encoder = Command::new(program);
        encoder.args(words.map(|word| word.replace("URL", &url)));
        println!("$ {}", process::shown(&encoder));
        text += &format!("# {}\n", run.command);
        let mut encoder = Running::start(encoder.stdout(Stdio::null()))?;
        match run.end {
            End::ItsOwn => ensure!(
                wait(&mut encoder)?.success(),
                "`{}` failed",
                encoder.shown()
            ),
            End::KilledIn(name) => wait_for(|| Ok(sink.has_body_of(name).then_some(())))?,
        }
        drop(encoder);
        wait_for(|| Ok(sink.is_quiet().then_some(())))?;
    }
    let path = paths::root()
        .join(FOLDER)
        .join(format!("{}.txt", session.name));
    fs::write(&path, text + &sink.into_text())
        .with_context(|| format!("cannot write `{}`", path.display()))
}

fn wait(encoder: &mut Running) -> Result<ExitStatus> {
    wait_for(|| encoder.ended())
}

/// Asks again and again until there is an answer.
fn wait_for<T>(mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + LONGEST;
    while Instant::now() < deadline {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(io::Error::from(io::ErrorKind::TimedOut))
        .context("the encoder does not do what is waited for")
}
