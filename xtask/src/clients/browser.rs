//! A browser that shows the player page, and what it tells of it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::child::{self, Running};
use crate::{npm, paths, tools};

/// Where the script is, and what it needs of npm, below the top.
const FOLDER: &str = "tests/clients";

/// A browser says something each quarter of a second, unless it starts or ends.
const SILENCE: Duration = Duration::from_secs(60);

/// What it shows at one moment.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) at: Instant,
    /// In seconds, by the player.
    pub(super) latency: Option<f64>,
    /// In seconds, by the clock in the picture.
    pub(super) camera: Option<f64>,
    pub(super) target: Option<f64>,
    pub(super) dropped: u64,
    pub(super) frames: u64,
    pub(super) stalls: u64,
    /// Answers 503.
    pub(super) refused: u64,
    pub(super) is_playing: bool,
}

/// What it says.
pub(super) enum Word {
    Sample(Sample),
    Error(String),
}

pub(super) struct Browser {
    _running: Running,
    words: Receiver<String>,
}

/// Installs what is needed, and fails where it cannot be had.
pub(super) fn prepare() -> Result<()> {
    tools::require("node", "nodejs")?;
    tools::require("chromium", "chromium")?;
    npm::install(&paths::root().join(FOLDER))
}

impl Browser {
    /// Shows a page for so many seconds of playing, then takes a picture of it.
    pub(super) fn open(url: &str, seconds: u32, picture: &Path, log: &Path) -> Result<Browser> {
        let mut command = child::tied(&tools::require("node", "nodejs")?);
        command
            .arg("watch.mjs")
            .arg(tools::require("chromium", "chromium")?)
            .args([url, &seconds.to_string()])
            .arg(picture)
            .current_dir(paths::root().join(FOLDER))
            .stdout(Stdio::piped())
            .stderr(child::log_file(log)?);
        let mut running = Running::start(&mut command)?;
        let stdout = running.take_stdout().context("its output is not ours")?;
        let (sender, words) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // Ends when the other side has seen enough.
            lines.try_for_each(|line| sender.send(line))
        });
        Ok(Browser {
            _running: running,
            words,
        })
    }

    /// The next word; none at the end.
    pub(super) fn next(&self) -> Result<Option<Word>> {
        match self.words.recv_timeout(SILENCE) {
            Ok(line) => parse(&line).map(Some),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => bail!("the browser says nothing"),
        }
    }
}

fn parse(line: &str) -> Result<Word> {
    let values: Vec<&str> = line.split('\t').collect();
    let number = |at: usize| values.get(at).and_then(|value| value.parse::<f64>().ok());
    let count = |at: usize| values.get(at).and_then(|value| value.parse().ok());
    match values.first() {
        Some(&"error") => Ok(Word::Error(values[1..].join(" "))),
        Some(&"sample") => Ok(Word::Sample(Sample {
            at: Instant::now(),
            latency: number(2),
            camera: number(3),
            target: number(4),
            dropped: count(6).unwrap_or(0),
            frames: count(7).unwrap_or(0),
            stalls: count(8).unwrap_or(0),
            refused: count(10).unwrap_or(0),
            is_playing: values.last() == Some(&"playing"),
        })),
        _ => bail!("the browser says `{line}`"),
    }
}
