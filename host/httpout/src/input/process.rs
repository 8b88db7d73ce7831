//! Media that only ffmpeg can read: it gives them to us as something that we can, as fast as they are to be played.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinSet;

use crate::input::{Input, Origin, read};

/// ffmpeg, at work on an input. It ends with this value.
pub(crate) struct Process {
    child: Child,
    /// What passes on to it that which it cannot open itself.
    feeding: JoinSet<()>,
}

/// Starts ffmpeg on an input that begins with `start`, for an output of this extension.
pub(super) fn start(
    origin: &Origin,
    input: Input,
    start: Bytes,
    extension: Option<&str>,
) -> io::Result<Input> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-re"]);
    let url = match (origin, &input) {
        (Origin::File(path), Input::File(_)) => Some(file_url(path)),
        (Origin::Http(url), _) => Some(url.to_string().into()),
        _ => None,
    };
    let is_fed = url.is_none();
    command.arg("-i").arg(url.unwrap_or("pipe:0".into()));
    match extension {
        Some("mp3") => command.args(["-vn", "-f", "mp3"]),
        Some("aac") => command.args(["-vn", "-f", "adts"]),
        Some("ogg" | "oga" | "opus") => command.args(["-vn", "-f", "ogg"]),
        Some("ts" | "m2ts" | "mts") => command.args(["-c", "copy", "-f", "mpegts"]),
        _ => {
            let reason = "its timestamps are in a format that httpout does not read, and ffmpeg could make \
                          `.ts`, `.mp3`, `.aac` or `.ogg` of it only: name the output so, or give option `ext`";
            return Err(io::Error::other(reason));
        }
    };
    let child = command
        .arg("pipe:1")
        .stdin(if is_fed {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other(
            "its timestamps are in a format that httpout does not read, and the program `ffmpeg`, which does, is missing",
        ),
        _ => error,
    })?;
    let mut feeding = JoinSet::new();
    if let Some(stdin) = child.stdin.take() {
        feeding.spawn(feed(input, start, stdin));
    }
    Ok(Input::Process(Box::new(Process { child, feeding })))
}

/// A file as ffmpeg takes it: `file:` keeps a name with a colon from being taken for a protocol.
pub(crate) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// Passes an input on, until it or the program ends: then it is what comes of it that ends too.
async fn feed(mut input: Input, mut block: Bytes, mut stdin: ChildStdin) {
    while !block.is_empty() && stdin.write_all(&block).await.is_ok() {
        block = match input.read().await {
            Ok(block) => block,
            Err(error) => {
                tracing::warn!("an input has broken off: {error}");
                return;
            }
        };
    }
}

impl Process {
    /// The next bytes that it makes; empty at the end.
    pub(super) async fn read(&mut self) -> io::Result<Bytes> {
        match &mut self.child.stdout {
            Some(out) => read(out).await,
            None => Ok(Bytes::new()),
        }
    }

    /// How it has ended.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Whether it reads what we pass on to it.
    pub(super) fn is_fed(&self) -> bool {
        !self.feeding.is_empty()
    }
}
