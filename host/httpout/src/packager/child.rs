//! ffmpeg, at work: started, listened to, and ended.

use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child as Process, ChildStderr, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::packager::tools::missing;

/// How long it may take to write what it has when it is asked to end.
const LAST_WORK: Duration = Duration::from_secs(5);

/// How long its last lines are waited for: what it has started may hold the pipe.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Lines of it that go into the log in a second, and the most bytes of one.
const LINES: u32 = 20;
const LONGEST: u64 = 1000;

/// What it says of each segment or of itself, and nobody can mend.
const USUAL: [&str; 4] = [
    "Cannot use rename on non file protocol",
    "No bit rate set for stream",
    "deprecated pixel format used",
    // It would read what it has written, of a presentation in single files.
    "HTTP error 404 Not Found",
];

/// A process. It ends with this value, at once.
pub(super) struct Child {
    process: Process,
    saying: JoinHandle<Option<String>>,
}

impl Child {
    /// Starts it; what it reads, if it is to be fed. What it says goes into the log under this name.
    pub(super) fn start(
        arguments: Vec<OsString>,
        is_fed: bool,
        name: Arc<str>,
    ) -> io::Result<(Child, Option<ChildStdin>)> {
        let stdin = match is_fed {
            true => Stdio::piped(),
            false => Stdio::null(),
        };
        let mut process = Command::new("ffmpeg")
            .args(arguments)
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A signal of the terminal is for us: it is to end when we ask it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(missing)?;
        let stdin = process.stdin.take();
        let stderr = process.stderr.take();
        let saying = tokio::spawn(async move {
            match stderr {
                Some(stderr) => pass_on(stderr, &name).await,
                None => None,
            }
        });
        Ok((Child { process, saying }, stdin))
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id().unwrap_or_default()
    }

    /// Waits for its end. It may be dropped, and be called again.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// The last thing that it has said, once it has ended.
    pub(super) async fn last_words(mut self) -> Option<String> {
        let said = timeout(LAST_LINES, &mut self.saying).await;
        self.saying.abort();
        said.ok()?.ok()?
    }

    /// Has it finish what it writes, within a bound.
    pub(super) async fn end(mut self) {
        let id = self.process.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(id, Signal::TERM);
        }
        if timeout(LAST_WORK, self.process.wait()).await.is_err() {
            let _ = self.process.kill().await;
        }
        self.last_words().await;
    }
}

/// Writes its lines into the log, as many as fit; the last one that tells of an error.
async fn pass_on(stderr: ChildStderr, name: &str) -> Option<String> {
    let mut reader = BufReader::new(stderr);
    let mut last = None;
    let mut second = (Instant::now(), 0);
    let mut left_out = 0;
    loop {
        let mut line = Vec::new();
        let read = (&mut reader)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .await;
        if !matches!(read, Ok(1..)) {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let text: String = text.trim().chars().flat_map(shown).collect();
        if text.is_empty() || text.ends_with(']') {
            continue;
        }
        if USUAL.iter().any(|usual| text.contains(usual)) {
            tracing::debug!("ffmpeg of `{name}`: {text}");
            continue;
        }
        if second.0.elapsed() >= Duration::from_secs(1) {
            say_left_out(name, std::mem::take(&mut left_out));
            second = (Instant::now(), 0);
        }
        second.1 += 1;
        if text.contains("[error]") || text.contains("[fatal]") {
            last = Some(text.clone());
        }
        match second.1 <= LINES {
            true => tracing::warn!("ffmpeg of `{name}`: {text}"),
            false => left_out += 1,
        }
    }
    say_left_out(name, left_out);
    last
}

/// What plays with terminals is escaped; quotes are not.
fn shown(character: char) -> impl Iterator<Item = char> {
    let is_plain = matches!(character, '\'' | '"' | '\\');
    let plain = is_plain.then_some(character);
    let escaped = (!is_plain).then(|| character.escape_debug());
    plain.into_iter().chain(escaped.into_iter().flatten())
}

fn say_left_out(name: &str, lines: u32) {
    if lines > 0 {
        tracing::warn!("ffmpeg of `{name}`: {lines} more lines");
    }
}
