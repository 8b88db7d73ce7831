//! Media that only ffmpeg can read: it gives them to us as something that we can, as fast as they are to be played.

use std::io;
use std::process::Stdio;

use tokio::process::Command;

use crate::input::{Input, Origin};

/// Starts ffmpeg on an input, for an output of this extension.
pub(super) fn start(origin: &Origin, extension: Option<&str>) -> io::Result<Input> {
    let mut command = Command::new("ffmpeg");
    command.args([
        "-hide_banner",
        "-loglevel",
        "error",
        "-nostdin",
        "-re",
        "-i",
    ]);
    match origin {
        // `file:` keeps a name with a colon from being taken for a protocol.
        Origin::File(path) => {
            let mut url = std::ffi::OsString::from("file:");
            url.push(path);
            command.arg(url)
        }
        Origin::Http(url) => command.arg(url.to_string()),
        _ => {
            let reason = "only a file or a URL can be read by ffmpeg, which this media needs";
            return Err(io::Error::other(reason));
        }
    };
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
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    child.map(Input::Process).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other(
            "its timestamps are in a format that httpout does not read, and the program `ffmpeg`, which does, is missing",
        ),
        _ => error,
    })
}
