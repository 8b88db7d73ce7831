//! The server's log on standard error. Whoever reads it may be slow, or gone: that holds nobody up.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use httpout_options::Log;
use tracing::level_filters::LevelFilter;

/// Lines that wait to be written. What comes on top of them is lost, and counted.
const WAITING: usize = 10_000;

/// How long the end of the process waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

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
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(|| Line)
        .with_ansi(false)
        .log_internal_errors(false)
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
