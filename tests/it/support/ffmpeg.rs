//! ffmpeg, the encoder and player that most people have.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest that ffmpeg may take. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// An encoder that runs. It ends with this value.
pub(crate) struct Running {
    child: Child,
}

fn command() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-loglevel", "warning", "-y"]);
    command.stdin(Stdio::null());
    command
}

/// Starts it with these arguments.
pub(crate) fn start(arguments: &[String]) -> Running {
    let child = command().args(arguments).spawn();
    let child = child.expect("ffmpeg is installed (Debian: apt-get install ffmpeg)");
    Running { child }
}

impl Running {
    /// Waits for its end, which is a good one.
    pub(crate) fn wait(mut self) {
        let status = self.end();
        assert!(status.success(), "ffmpeg: {status}");
    }

    fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("is a child of ours") {
                return status;
            }
            assert!(Instant::now() < deadline, "ffmpeg does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plays a URL for so many seconds of media, or up to its end; the frames that were shown.
pub(crate) fn play(url: &str, seconds: u32) -> u32 {
    let seconds = seconds.to_string();
    let child = command()
        .args(["-rw_timeout", "30000000", "-i", url, "-t", &seconds])
        .args(["-map", "0:v", "-progress", "pipe:1", "-f", "null", "-"])
        .stdout(Stdio::piped())
        .spawn();
    let child = child.expect("ffmpeg is installed (Debian: apt-get install ffmpeg)");
    let mut player = Running { child };
    let mut stdout = player.child.stdout.take().expect("is piped");
    // A pipe would be full after some minutes only.
    player.wait();
    let mut progress = String::new();
    stdout.read_to_string(&mut progress).expect("is text");
    let mut lines = progress.lines().rev();
    let frames = lines.find_map(|line| line.strip_prefix("frame="));
    frames
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}
