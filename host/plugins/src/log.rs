//! The lines of a plugin in the server's log: marked, escaped, and so many bytes a second.

use std::sync::Mutex;
use std::time::{Duration, Instant};

pub(crate) use tracing::Level;

use crate::error::escape_within;

/// The longest message in bytes as it is written; of a longer one the beginning is shown.
const LONGEST: usize = 8 << 10;

/// What a line costs beside its message: empty ones are not free.
const FRAME: usize = 64;

const SECOND: Duration = Duration::from_secs(1);

/// What all instances of a plugin write their lines with.
pub(crate) struct PluginLog {
    plugin: String,
    /// Bytes that may be written in a second (option `plugin_log`).
    limit: usize,
    window: Mutex<Window>,
}

/// A second, and what was written in it.
struct Window {
    began: Instant,
    written: usize,
    dropped: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It is written, after so many that were dropped.
    Write {
        dropped: u64,
    },
    /// It is the first that is dropped.
    BeginToDrop,
    Drop,
}

impl PluginLog {
    pub(crate) fn new(plugin: &str, limit: usize) -> PluginLog {
        PluginLog {
            plugin: plugin.to_owned(),
            limit,
            window: Mutex::new(Window {
                began: Instant::now(),
                written: 0,
                dropped: 0,
            }),
        }
    }

    /// Writes a line, if the server's log takes that level and there was not too much.
    pub(crate) fn write(&self, level: Level, request: Option<u64>, message: &str) {
        if !is_enabled(level) {
            return;
        }
        let plugin = &*self.plugin;
        // A guest must not be able to write lines that look like the server's own.
        let message = escape_within(message, LONGEST);
        let verdict = self.admit(Instant::now(), message.len());
        match verdict {
            Verdict::Write { dropped: 0 } => {}
            Verdict::Write { dropped } => {
                tracing::warn!(target: "plugin", plugin, "{dropped} lines were dropped (option `plugin_log`)");
            }
            Verdict::BeginToDrop => {
                let limit = self.limit;
                tracing::warn!(target: "plugin", plugin, "more than {limit} bytes in a second: lines are dropped (option `plugin_log`)");
                return;
            }
            Verdict::Drop => return,
        }
        macro_rules! line {
            ($level:ident) => {
                tracing::event!(target: "plugin", Level::$level, plugin, request, "{message}")
            };
        }
        match level {
            Level::TRACE => line!(TRACE),
            Level::DEBUG => line!(DEBUG),
            Level::INFO => line!(INFO),
            Level::WARN => line!(WARN),
            Level::ERROR => line!(ERROR),
        }
    }

    fn admit(&self, now: Instant, length: usize) -> Verdict {
        let mut window = self.window.lock().expect("no holder panics");
        if now.saturating_duration_since(window.began) >= SECOND {
            window.began = now;
            window.written = 0;
        }
        let written = window.written + FRAME + length;
        // The first line of a second is written, however long.
        if window.written == 0 || written <= self.limit {
            window.written = written;
            let dropped = std::mem::take(&mut window.dropped);
            return Verdict::Write { dropped };
        }
        // No shorter line goes past one that was dropped.
        window.written = self.limit.max(window.written);
        window.dropped += 1;
        match window.dropped {
            1 => Verdict::BeginToDrop,
            _ => Verdict::Drop,
        }
    }
}

fn is_enabled(level: Level) -> bool {
    match level {
        Level::TRACE => tracing::enabled!(target: "plugin", Level::TRACE),
        Level::DEBUG => tracing::enabled!(target: "plugin", Level::DEBUG),
        Level::INFO => tracing::enabled!(target: "plugin", Level::INFO),
        Level::WARN => tracing::enabled!(target: "plugin", Level::WARN),
        Level::ERROR => tracing::enabled!(target: "plugin", Level::ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_limit_of_a_second_is_dropped_and_counted() {
        let log = PluginLog::new("a", 1000);
        let begin = Instant::now() + SECOND;
        let admit = |after: u64, length| log.admit(begin + Duration::from_millis(after), length);
        assert_eq!(admit(0, 500), Verdict::Write { dropped: 0 });
        assert_eq!(admit(1, 300), Verdict::Write { dropped: 0 });
        assert_eq!(admit(2, 300), Verdict::BeginToDrop);
        assert_eq!(admit(3, 1), Verdict::Drop);
        assert_eq!(admit(999, 1), Verdict::Drop);
        assert_eq!(admit(1000, 5000), Verdict::Write { dropped: 3 });
        assert_eq!(admit(1001, 1), Verdict::BeginToDrop);
        assert_eq!(admit(2000, 1), Verdict::Write { dropped: 1 });
    }
}
