//! What can go wrong: a plugin that cannot be loaded, a call that fails, and how an exchange ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustc_demangle::demangle;
use thiserror::Error;
use wasmtime::WasmBacktrace;

use crate::spec::{Kind, PluginSpec};

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
    /// A directory, a device, a FIFO.
    #[error("plugin `{}` is not a file", shown(.0))]
    NotAFile(PathBuf),
    /// There is nothing in it.
    #[error("plugin `{}` is empty", shown(.0))]
    Empty(PathBuf),
    /// More than is read.
    #[error("plugin `{}` is too large: at most {} MiB are read", shown(.path), .limit >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// In bytes.
        limit: u64,
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
    #[error(
        "plugin `{}` imports `{}`, which this server does not give: {reason}", shown(.path), escape(.import)
    )]
    Import {
        /// The file.
        path: PathBuf,
        /// The interface.
        import: String,
        /// In one line.
        reason: String,
    },
    /// It was built for a contract that this server does not speak.
    #[error(
        "plugin `{}` was built for `httpout:plugin@{}`, this server has `httpout:plugin@{}`: build it again with the server's `wit/`",
        shown(.path), escape(.theirs), .ours
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version that it names.
        theirs: String,
        /// Ours.
        ours: &'static str,
    },
    /// It imports outbound HTTP, and no destination is granted.
    #[error(
        "plugin `{}` asks other servers (`wasi:http`): name those that it may reach with option `plugin_allow`",
        shown(.0)
    )]
    Outbound(PathBuf),
    /// A directory that was granted cannot be opened.
    #[error("cannot open directory `{}` of option `plugin_dirs`: {reason}", shown(.path))]
    Directory {
        /// As it was granted.
        path: PathBuf,
        /// In one line.
        reason: String,
    },
    /// It does not export the contract's handler.
    #[error(
        "`{}` is no plugin: it exports {exports} and no `httpout:plugin/handler`", shown(.path)
    )]
    NoHandler {
        /// The file.
        path: PathBuf,
        /// What it exports instead.
        exports: String,
    },
    /// Its handler is not that of the contract.
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
    /// The file of a script holds other things.
    #[error("script `{}` is not text in UTF-8", shown(.0))]
    NotText(PathBuf),
    /// A script that cannot be loaded: where, and why.
    #[error("{0}")]
    Script(String),
    /// The binary has no engine for them.
    #[error(
        "this httpout was built without its engine of scripts: `cargo xtask build` has it built in"
    )]
    NoScripts,
    /// The WebAssembly engine cannot be set up.
    #[error("cannot set up the WebAssembly engine: {0}")]
    Engine(String),
}

impl LoadError {
    /// `init` has failed.
    pub(crate) fn init(spec: &PluginSpec, fault: Fault) -> LoadError {
        let reason = match fault {
            // It says where in which file.
            Fault::Init(reason) if spec.kind == Kind::Script => return LoadError::Script(reason),
            Fault::Init(reason) => reason,
            other => other.to_string(),
        };
        LoadError::Init {
            path: spec.path.clone(),
            reason,
        }
    }
}

/// What is said of a fault, in bytes: names of functions and errors are as long as the guest likes.
const LONGEST_REASON: usize = 8 << 10;

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
    /// It has failed again and again, and is left alone for a while.
    #[error("it has failed again and again; it is asked again in {} s", seconds(*.0))]
    Resting(Duration),
    /// The plugin gave the exchange up.
    #[error("{0}")]
    Failed(String),
    /// `init` returned an error.
    #[error("init: {0}")]
    Init(String),
    /// `read` or `write` keeps the exchange waiting.
    #[error("`{call}` brought nothing within {} s (option `timeout`)", limit.as_secs())]
    Stalled {
        /// The function of the contract.
        call: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// `read` gave no bytes, or too many.
    #[error("`read` gave {length} bytes, not 1 to {max}")]
    Read {
        /// What it gave.
        length: usize,
        /// What it was asked for.
        max: u32,
    },
    /// The body that `read` gave is not as long as `use-read` had said.
    #[error("the body is not the {0} bytes that `use-read` promised")]
    Promise(u64),
    /// `throttle` asks for a pause that is no pause any more.
    #[error("`throttle` asks for {pause} µs, more than {} s (option `timeout`)", limit.as_secs())]
    Throttle {
        /// In microseconds.
        pause: u64,
        /// The limit.
        limit: Duration,
    },
}

impl Fault {
    /// Whether the plugin has failed; else it was not asked.
    pub(crate) fn is_of_plugin(&self) -> bool {
        !matches!(self, Fault::Busy(_) | Fault::Resting(_))
    }

    /// Seconds after which it is worth asking again, where the plugin was not asked.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Fault::Busy(_) => Some(1),
            Fault::Resting(wait) => Some(seconds(*wait)),
            _ => None,
        }
    }

    /// How an exchange has ended whose body was cut by this fault.
    pub fn close_code(&self) -> CloseCode {
        match self {
            Fault::Stalled { .. } => CloseCode::TimedOut,
            _ => CloseCode::PluginFailed,
        }
    }

    /// What an error of the engine says: the cause, and the guest's functions that led to it, innermost first.
    ///
    /// Names come from the guest, so the text is escaped: no guest writes lines of its own into the log.
    pub(crate) fn trap(error: &wasmtime::Error) -> Fault {
        Fault::trap_after(error, "")
    }

    /// The same, with what the guest had written to its standard error.
    pub(crate) fn trap_after(error: &wasmtime::Error, said: &str) -> Fault {
        let mut reason = error.root_cause().to_string();
        if let Some(option) = limit_of(&reason) {
            reason += &format!(" (option `{option}`)");
        }
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
        Fault::Trap(escape_within(&reason, LONGEST_REASON))
    }

    /// The plugin says that it has failed.
    pub(crate) fn failed(reason: &str) -> Fault {
        Fault::Failed(escape_within(reason, LONGEST_REASON))
    }

    /// `init` returned this error.
    pub(crate) fn init(reason: &str) -> Fault {
        Fault::Init(escape_within(reason, LONGEST_REASON))
    }
}

/// In whole seconds, at least one.
fn seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1000)
        .max(1)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// The option that sets the limit which an error of the engine is about: its errors have texts only.
pub(crate) fn limit_of(reason: &str) -> Option<&'static str> {
    const LIMITS: [(&str, &str); 8] = [
        ("resource table has no free keys", "plugin_handles"),
        ("handle limit exceeded", "plugin_handles"),
        ("hostcalls has been exhausted", "plugin_body"),
        ("call stack exhausted", "plugin_stack"),
        ("module table does not fit", "plugin_table"),
        ("table minimum size", "plugin_table"),
        ("module memory does not fit", "plugin_memory"),
        ("memory minimum size", "plugin_memory"),
    ];
    let found = LIMITS.iter().find(|(text, _)| reason.contains(text));
    found.map(|(_, option)| *option)
}

/// In one line, without what plays with a terminal; quotes stay as they are.
pub(crate) fn escape(text: &str) -> String {
    let parts = text.chars().map(|c| match c {
        '"' | '\'' => c.to_string(),
        _ => c.escape_debug().to_string(),
    });
    parts.collect()
}

/// The same, of at most so many bytes: what is longer is cut. What is escaped may take several times as many.
pub(crate) fn escape_within(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most);
    let mut escaped = escape(&text[..end]);
    if end < text.len() || escaped.len() > most {
        escaped.truncate(escaped.floor_char_boundary(most));
        escaped += " …";
    }
    escaped
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
    /// GF_SCRIPT_ERR: a plugin that takes part in the body failed, so that the body was cut.
    PluginFailed,
    /// GF_IP_CONNECTION_CLOSED: the client left before the end.
    ConnectionClosed,
    /// GF_IP_UDP_TIMEOUT: a plugin brought no more bytes of the body, so that it was cut.
    TimedOut,
}

impl CloseCode {
    /// The number that plugins see.
    pub fn number(self) -> i32 {
        match self {
            CloseCode::Complete => 1,
            CloseCode::ReadFailed => -3,
            CloseCode::PluginFailed => -8,
            CloseCode::ConnectionClosed => -43,
            CloseCode::TimedOut => -46,
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
