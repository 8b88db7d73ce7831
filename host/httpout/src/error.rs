//! What can go wrong: before the server serves, and with one request.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use ::http::StatusCode;
use httpout_options::UsageError;
use httpout_plugins::{Fault, LoadError, StateError};
use rustix::io::Errno;
use thiserror::Error;

/// Why the server does not start. Each is one line that the user can act on.
#[derive(Debug, Error)]
pub enum StartupError {
    /// The command line is wrong.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// An option's value cannot be used.
    #[error("option `{option}`: {reason}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What is wrong, and what would do.
        reason: String,
    },
    /// What is wrong stands in the configuration file.
    #[error("{}:{line}: {error}", shown(Path::new(.file)))]
    ConfigFile {
        /// The file as it was named.
        file: String,
        /// The line of it.
        line: usize,
        /// What is wrong.
        error: Box<StartupError>,
    },
    /// A part of the command line that this version cannot do yet.
    #[error("{0} is not supported by this version of httpout yet")]
    NotYet(String),
    /// An input cannot be taken.
    #[error("input `{}`: {reason}", .input.escape_debug())]
    Input {
        /// As it was named.
        input: String,
        /// What is wrong, and what would do.
        reason: String,
    },
    /// An output cannot be made.
    #[error("output `{}`: {reason}", .output.escape_debug())]
    Output {
        /// As it was named.
        output: String,
        /// What is wrong, and what would do.
        reason: String,
    },
    /// There is nothing to serve.
    #[error("nothing to serve: name a directory (`httpout DIR`) or a plugin (`--plugin FILE`)")]
    NothingToServe,
    /// A plugin cannot be loaded.
    #[error("option `plugin`: {0}")]
    Plugin(#[from] LoadError),
    /// A script cannot be loaded.
    #[error("option `js`: {0}")]
    Script(LoadError),
    /// The state of plugins cannot be kept.
    #[error("option `plugin_state`: {0}")]
    State(#[from] StateError),
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {}", bind_reason(.source))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refuses threads or signals.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

impl StartupError {
    /// The exit code of the command: 2 where the command line is at fault, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            StartupError::Bind { .. } | StartupError::Runtime(_) => 1,
            _ => 2,
        }
    }
}

/// What a message shows of a path.
pub(crate) fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

fn bind_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use (choose another with `--port`, 0 takes any free one)".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied (ports below 1024 need privileges, choose another with `--port`)"
                .to_owned()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address (option `ifce`)".to_owned()
        }
        _ => error.to_string(),
    }
}

/// A request that is not answered with a representation. Whose fault it is follows from the status.
#[derive(Debug, Error)]
pub(crate) enum Reject {
    #[error("{0}")]
    BadRequest(&'static str),
    #[error("there is no such resource here")]
    NotFound,
    #[error("this stream is over")]
    StreamIsOver,
    #[error("directories are not listed here")]
    Directory,
    #[error("the server may not read this file")]
    Unreadable,
    #[error(
        "a page of another site may not change what is here (option `cors=on` lets all of them)"
    )]
    ForeignOrigin,
    #[error("too many requests of this connection are still being worked on")]
    TooMany,
    #[error("what was asked for has not come in time")]
    Late,
    #[error("too many directories are being listed at the same time")]
    Busy,
    #[error("{method} is not allowed here")]
    MethodNotAllowed { method: String, allow: &'static str },
    #[error("{0} is not a method that this server knows")]
    UnknownMethod(String),
    #[error("`chunked` is the only transfer coding that this server knows")]
    UnknownCoding,
    #[error("{0}")]
    Conflict(&'static str),
    #[error("the server may not write here")]
    Unwritable,
    #[error("uploads have at most {limit} bytes here")]
    TooLarge { limit: u64 },
    #[error(
        "the body has a coding that this server does not take: send it without `Content-Encoding`"
    )]
    UnsupportedCoding,
    #[error("nothing has come for {0} s")]
    TooSlow(u64),
    #[error("the body ended early, or is malformed")]
    Incomplete,
    #[error("there is no room left")]
    StorageFull,
    #[error("files in memory have at most {limit} bytes together")]
    MemoryFull { limit: u64 },
    #[error("the server failed to write this file")]
    Write(io::Error),
    #[error("the condition of the request does not hold")]
    PreconditionFailed,
    #[error("the ranges cannot be satisfied")]
    RangeNotSatisfiable { length: u64 },
    #[error("the server failed to read this file")]
    Read(#[from] io::Error),
    #[error("{}", of_plugin(.0))]
    Plugin(#[from] Fault),
}

impl Reject {
    /// The status that tells the client.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Reject::BadRequest(_) | Reject::Incomplete => StatusCode::BAD_REQUEST,
            Reject::NotFound | Reject::StreamIsOver => StatusCode::NOT_FOUND,
            Reject::Directory | Reject::Unreadable | Reject::Unwritable | Reject::ForeignOrigin => {
                StatusCode::FORBIDDEN
            }
            Reject::Conflict(_) => StatusCode::CONFLICT,
            Reject::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Reject::UnsupportedCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reject::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Reject::StorageFull | Reject::MemoryFull { .. } => StatusCode::INSUFFICIENT_STORAGE,
            Reject::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Reject::UnknownMethod(_) | Reject::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Reject::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Reject::RangeNotSatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Reject::Plugin(Fault::NeverSent(_)) => StatusCode::GATEWAY_TIMEOUT,
            Reject::TooMany
            | Reject::Busy
            | Reject::Late
            | Reject::Plugin(Fault::Busy(_) | Fault::Resting(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Reject::Read(error) | Reject::Write(error) if is_exhausted(error) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Reject::Read(_) | Reject::Write(_) | Reject::Plugin(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl Reject {
    /// Seconds after which it is worth asking again, for a status of 503.
    pub(crate) fn retry_after(&self) -> u64 {
        match self {
            Reject::Plugin(fault) => fault.retry_after().unwrap_or(1),
            _ => 1,
        }
    }
}

/// What a client may know of a fault; the log has the rest.
fn of_plugin(fault: &Fault) -> &'static str {
    match fault {
        Fault::Busy(_) => "too many requests are being worked on",
        Fault::NeverSent(_) => "a plugin of the server did not answer in time",
        _ => "a plugin of the server failed",
    }
}

/// Whether there are no descriptors left, which passes.
fn is_exhausted(error: &io::Error) -> bool {
    let number = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(number, Some(Errno::MFILE | Errno::NFILE))
}
