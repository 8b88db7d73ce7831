//! What can go wrong: a plugin that cannot be loaded, a call that fails, and how an exchange ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustc_demangle::demangle;
use thiserror::Error;
use wasmtime::WasmBacktrace;

/// Why a file cannot serve as a plugin. Each is one line that the user can act on.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read plugin `{}`: {source}", shown(.path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Neither a component nor a core module.
    #[error("`{}` is not a WebAssembly component", shown(.0))]
    NotWasm(PathBuf),
    /// A core module, which lacks the component's types.
    #[error(
        "`{}` is a core WebAssembly module: build it as a component (Rust: target `wasm32-wasip2`)",
        shown(.0)
    )]
    CoreModule(PathBuf),
    /// It does not compile.
    #[error("cannot compile plugin `{}`: {reason}", shown(.path))]
    Compile {
        /// The file.
        path: PathBuf,
        /// In one line.
        reason: String,
    },
    /// It imports what the server does not give.
    #[error("plugin `{}` imports what is not granted: {reason}", shown(.path))]
    Import {
        /// The file.
        path: PathBuf,
        /// In one line.
        reason: String,
    },
    /// It does not export the contract's handler.
    #[error(
        "`{}` is no plugin for this server (world `httpout:plugin/plugin@0.1.0`): {reason}",
        shown(.path)
    )]
    World {
        /// The file.
        path: PathBuf,
        /// In one line.
        reason: String,
    },
    /// Its `init` failed or trapped.
    #[error("plugin `{}` refuses to start: {reason}", shown(.path))]
    Init {
        /// The file.
        path: PathBuf,
        /// In one line.
        reason: String,
    },
    /// The WebAssembly engine cannot be set up.
    #[error("cannot set up the WebAssembly engine: {0}")]
    Engine(String),
}

/// A plugin failed at one request. The server answers for it and goes on.
#[derive(Debug, Error)]
pub enum Fault {
    /// The guest trapped: a panic, an exhausted stack or memory, an illegal instruction.
    #[error("trap: {0}")]
    Trap(String),
    /// One call took too long.
    #[error("`{call}` took longer than {} ms (option `plugin_timeout`)", limit.as_millis())]
    Deadline {
        /// The function of the contract.
        call: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The exchange was dropped without `send`.
    #[error("the exchange was dropped without `send`")]
    Dropped,
    /// No reply came in time.
    #[error("no `send` within {} s (option `timeout`)", .0.as_secs())]
    NeverSent(Duration),
    /// All instances are in use.
    #[error("no free instance within {} ms", .0.as_millis())]
    Busy(Duration),
    /// `init` returned an error.
    #[error("init: {0}")]
    Init(String),
}

impl Fault {
    /// What an error of the engine says: the cause, and the guest's functions that led to it, innermost first.
    ///
    /// Names come from the guest, so the text is escaped: no guest writes lines of its own into the log.
    pub(crate) fn trap(error: &wasmtime::Error) -> Fault {
        Fault::trap_after(error, "")
    }

    /// The same, with what the guest had written to its standard error.
    pub(crate) fn trap_after(error: &wasmtime::Error, said: &str) -> Fault {
        let mut reason = error.root_cause().to_string();
        let backtrace = error.downcast_ref::<WasmBacktrace>();
        let frames = backtrace.map_or(&[][..], |backtrace| backtrace.frames());
        let names = frames.iter().filter_map(|frame| frame.func_name());
        let mut functions: Vec<String> =
            names.map(|name| format!("{:#}", demangle(name))).collect();
        // A function that called itself without end is named once.
        functions.dedup();
        if !functions.is_empty() {
            reason += &format!(" in {}", functions.join(" < "));
        }
        if !said.is_empty() {
            reason += &format!("; it said: {said}");
        }
        Fault::Trap(escape(&reason))
    }

    /// `init` returned this error.
    pub(crate) fn init(reason: &str) -> Fault {
        Fault::Init(escape(reason))
    }
}

/// In one line, without what plays with a terminal; quotes stay as they are.
pub(crate) fn escape(text: &str) -> String {
    let parts = text.chars().map(|c| match c {
        '"' | '\'' => c.to_string(),
        _ => c.escape_debug().to_string(),
    });
    parts.collect()
}

/// A path in one line.
pub(crate) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// How an exchange ended: the argument of the documented `close`, in GPAC's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// GF_EOS: the response was sent whole.
    Complete,
    /// GF_IO_ERR: the server could not read on.
    ReadFailed,
    /// GF_IP_CONNECTION_CLOSED: the client left before the end.
    ConnectionClosed,
}

impl CloseCode {
    /// The number that plugins see.
    pub fn number(self) -> i32 {
        match self {
            CloseCode::Complete => 1,
            CloseCode::ReadFailed => -3,
            CloseCode::ConnectionClosed => -43,
        }
    }
}

/// The text of a code, for any code that GPAC gives to `close`.
pub(crate) fn error_string(code: i32) -> &'static str {
    match code {
        1 => "end of stream",
        0 => "no error",
        -1 => "bad parameter",
        -2 => "out of memory",
        -3 => "input or output failed",
        -4 => "not supported",
        -5 => "corrupted data",
        -8 => "script error",
        -9 => "buffer too small",
        -12 => "no such URL",
        -13 => "service error",
        -14 => "remote service error",
        -16 => "URL removed",
        -40 => "address not found",
        -41 => "cannot connect",
        -42 => "network failure",
        -43 => "connection closed",
        -44 => "no data on the network",
        -45 => "operation would block",
        -46 => "timeout",
        -50 => "authentication failed",
        -53 => "not found",
        _ => "unknown error",
    }
}
