//! The server's log on standard error. Whoever reads it may be slow, or gone: that holds nobody up.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use httpout_options::Log;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that wait to be written. What comes on top of them is lost, and counted.
const WAITING: usize = 10_000;

/// How long the end of the process waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What the targets of our events begin with.
const OWN: [&str; 2] = ["httpout", "plugin"];

static LINES: OnceLock<SyncSender<Vec<u8>>> = OnceLock::new();

static LOST: AtomicU64 = AtomicU64::new(0);

/// Writes the last lines when it is dropped, as far as somebody reads them.
#[derive(Debug)]
pub struct Guard {
    writer: JoinHandle<()>,
}

/// Starts the log. Until then, and if the thread cannot be started, lines are written at once.
pub fn start(level: Log) -> Option<Guard> {
    let level = match level {
        Log::Error => LevelFilter::ERROR,
        Log::Warn => LevelFilter::WARN,
        Log::Info => LevelFilter::INFO,
        Log::Debug => LevelFilter::DEBUG,
        Log::Trace => LevelFilter::TRACE,
    };
    // What the libraries say of each frame is not about clients.
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_targets(OWN.map(|target| (target, level)));
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| Line)
        .with_ansi(false)
        .log_internal_errors(false)
        .finish()
        .with(targets)
        .init();
    let (sender, receiver) = sync_channel(WAITING);
    let builder = std::thread::Builder::new().name("log".to_owned());
    let writer = builder.spawn(move || write(&receiver)).ok()?;
    LINES.set(sender).ok()?;
    Some(Guard { writer })
}

/// Writes a line, which ends with a line break.
pub(crate) fn line(bytes: &[u8]) {
    let Some(lines) = LINES.get() else {
        let _ = io::stderr().write_all(bytes);
        return;
    };
    if lines.try_send(bytes.to_vec()).is_err() {
        LOST.fetch_add(1, Relaxed);
    }
}

/// What may go wrong with request after request, and is said at most once a second.
pub(crate) struct Complaint {
    state: Mutex<(Option<Instant>, u32)>,
}

impl Complaint {
    pub(crate) const fn new() -> Complaint {
        Complaint {
            state: Mutex::new((None, 0)),
        }
    }

    /// Whether something was said in the last minute.
    pub(crate) fn is_recent(&self) -> bool {
        let (said, _) = *self.state.lock().expect("no holder panics");
        said.is_some_and(|said| said.elapsed() < Duration::from_secs(60))
    }

    /// It has happened again: how often since it was last said, if that is to be said at this point.
    pub(crate) fn times(&self) -> Option<u32> {
        let mut state = self.state.lock().expect("no holder panics");
        let (said, times) = &mut *state;
        *times += 1;
        let is_early = |said: Instant| said.elapsed() < Duration::from_secs(1);
        if said.is_some_and(is_early) {
            return None;
        }
        *said = Some(Instant::now());
        Some(std::mem::take(times))
    }
}

/// Where tracing writes: each event in one call.
struct Line;

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        line(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines until an empty one asks for the end.
fn write(lines: &Receiver<Vec<u8>>) {
    let mut stderr = io::stderr();
    for line in lines {
        if line.is_empty() {
            return;
        }
        let lost = LOST.swap(0, Relaxed);
        if lost > 0 {
            let _ = writeln!(
                stderr,
                "{lost} lines of the log were lost: nobody read fast enough"
            );
        }
        let _ = stderr.write_all(&line);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST_LINES;
        let asked = || {
            LINES
                .get()
                .is_none_or(|lines| lines.try_send(Vec::new()).is_ok())
        };
        let mut is_asked = asked();
        while !(is_asked && self.writer.is_finished()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
            is_asked = is_asked || asked();
        }
    }
}
