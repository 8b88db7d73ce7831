//! What an input holds, as ffprobe sees it.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::packager::tools::missing;

/// How long ffprobe may take: a server may be slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is probed.
#[derive(Debug, Clone)]
pub(super) enum Sample<'a> {
    /// A file or a URL that ffprobe opens.
    Url(&'a OsStr),
    /// The beginning of what it is given, and how long that took to come.
    Bytes(Bytes, Duration),
}

/// An input, as far as it matters for what is made of it.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) streams: Vec<Stream>,
    /// It has a beginning and an end, as files do.
    pub(super) has_duration: bool,
    pub(super) keys: Keys,
    /// Of what comes through us.
    pub(super) arrival: Option<Arrival>,
}

/// How the beginning of an input has come, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) took: f64,
    /// How much of it there is to be played.
    pub(super) seen: f64,
    /// Where its last key frame is.
    pub(super) last_key: f64,
}

/// When the first video has key frames, in seconds from its beginning.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) times: Vec<f64>,
    /// Up to where it has been looked.
    pub(super) end: f64,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Stream {
    pub(super) index: usize,
    #[serde(default)]
    pub(super) codec_type: String,
    #[serde(default)]
    pub(super) codec_name: String,
    #[serde(default)]
    pub(super) pix_fmt: String,
    #[serde(default)]
    pub(super) channels: u32,
    #[serde(default)]
    disposition: Disposition,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    duration: Option<String>,
    start_time: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Streams {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Deserialize)]
struct Packets {
    #[serde(default)]
    packets: Vec<Packet>,
}

#[derive(Debug, Deserialize)]
struct Packet {
    pts_time: Option<String>,
    #[serde(default)]
    flags: String,
}

impl Packet {
    fn time(&self) -> Option<f64> {
        self.pts_time.as_deref()?.parse().ok()
    }

    fn is_key(&self) -> bool {
        self.flags.starts_with('K')
    }
}

impl Stream {
    pub(super) fn is_video(&self) -> bool {
        // The cover of an album is none.
        self.codec_type == "video" && self.disposition.attached_pic == 0
    }

    pub(super) fn is_audio(&self) -> bool {
        self.codec_type == "audio"
    }
}

/// Looks into an input: at its streams, and for so many seconds at the key frames of its video, if it could be copied.
/// Of what has no end it is looked at `of_live` seconds.
pub(super) async fn probe(
    sample: &Sample<'_>,
    of_file: f64,
    of_live: f64,
    could_be_copied: impl Fn(&Stream) -> bool,
) -> io::Result<Facts> {
    const STREAMS: &str = "stream=index,codec_type,codec_name,pix_fmt,channels:stream_disposition=attached_pic:format=duration,start_time";
    let found: Streams = ask(sample, &["-show_entries", STREAMS]).await?;
    let is_url = matches!(sample, Sample::Url(_));
    let has_duration = is_url && found.format.duration.is_some();
    let mut facts = Facts {
        streams: found.streams,
        has_duration,
        keys: Keys::default(),
        arrival: None,
    };
    let video = facts.streams.iter().find(|stream| stream.is_video());
    let looked_at = match sample {
        Sample::Url(_) => video.filter(|video| could_be_copied(video)),
        Sample::Bytes(..) => {
            video.or_else(|| facts.streams.iter().find(|stream| stream.is_audio()))
        }
    };
    if let Some(video) = looked_at {
        let seconds = if has_duration { of_file } else { of_live };
        let interval = format!("%+{seconds}");
        let index = video.index.to_string();
        let wanted = [
            "-select_streams",
            &index,
            "-read_intervals",
            &interval,
            "-show_entries",
            "packet=pts_time,flags",
        ];
        let packets = ask::<Packets>(sample, &wanted).await?.packets;
        facts.keys = keys(&packets);
        if let Sample::Bytes(_, took) = sample {
            let start = found.format.start_time;
            let start = start.and_then(|start| start.parse().ok()).unwrap_or(0.0);
            facts.arrival = Some(arrival(&packets, start, *took));
        }
    }
    Ok(facts)
}

/// `start` is when the input begins, in its own time.
fn arrival(packets: &[Packet], start: f64, took: Duration) -> Arrival {
    let last = |packets: &mut dyn Iterator<Item = &Packet>| {
        packets.filter_map(Packet::time).fold(start, f64::max) - start
    };
    Arrival {
        took: took.as_secs_f64(),
        seen: last(&mut packets.iter()),
        last_key: last(&mut packets.iter().filter(|packet| packet.is_key())),
    }
}

fn keys(packets: &[Packet]) -> Keys {
    let timed = packets
        .iter()
        .filter_map(|packet| Some((packet.time()?, packet.is_key())));
    let timed: Vec<(f64, bool)> = timed.collect();
    // What comes before the first key frame is left out.
    let first = timed.iter().find(|(_, is_key)| *is_key);
    let start = first.map_or(0.0, |(time, _)| *time);
    let times = timed.iter().filter(|(_, is_key)| *is_key);
    let end = timed.iter().map(|(time, _)| *time).fold(start, f64::max);
    Keys {
        times: times.map(|(time, _)| time - start).collect(),
        end: end - start,
    }
}

async fn ask<T: DeserializeOwned>(sample: &Sample<'_>, wanted: &[&str]) -> io::Result<T> {
    let mut command = Command::new("ffprobe");
    command.args([
        "-hide_banner",
        "-loglevel",
        "error",
        "-print_format",
        "json",
    ]);
    command.args(wanted).arg("-i");
    let stdin = match sample {
        Sample::Url(url) => {
            command.arg(url);
            Stdio::null()
        }
        Sample::Bytes(..) => {
            command.arg("pipe:0");
            Stdio::piped()
        }
    };
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().map_err(missing)?;
    let stdin = child.stdin.take();
    let feeding = async {
        if let (Some(mut stdin), Sample::Bytes(bytes, _)) = (stdin, sample) {
            // It ends when it has seen enough.
            let _ = stdin.write_all(bytes).await;
        }
    };
    let looking = async { tokio::join!(feeding, child.wait_with_output()).1 };
    let output = timeout(PATIENCE, looking).await;
    let output = output.map_err(|_| io::Error::other("ffprobe comes to no end"))??;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = said.lines().last().unwrap_or("ffprobe fails").trim();
        return Err(io::Error::other(last.escape_debug().to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_frames_are_counted_from_the_first() {
        let packet = |time: &str, flags: &str| Packet {
            pts_time: Some(time.to_owned()),
            flags: flags.to_owned(),
        };
        let found = keys(&[
            packet("1.5", "__"),
            packet("2.0", "K_"),
            packet("2.5", "__"),
            packet("3.0", "K_"),
            packet("3.5", "__"),
        ]);
        assert_eq!((found.times, found.end), (vec![0.0, 1.0], 1.5));
        assert!(keys(&[]).times.is_empty());
    }
}
