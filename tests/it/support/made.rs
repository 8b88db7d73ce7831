//! Presentations that the server has ffmpeg make, and the films that they are made of.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::server::command;
use crate::support::{Client, Response, Server, Tree};

/// How long a test waits for a fact. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a film with sound of so many seconds, with so many pictures from key frame to key frame of 25 a second, in the
/// format that its name says; its path.
pub(crate) fn film(tree: &Tree, name: &str, seconds: u32, group: u32) -> String {
    let path = tree.text(name);
    let picture = format!("testsrc=duration={seconds}:size=192x108:rate=25");
    let sound = format!("sine=440:duration={seconds}");
    let group = group.to_string();
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
        .args(["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
        ])
        .args(["-g", &group, "-sc_threshold", "0", "-c:a", "aac", &path])
        .status();
    assert!(made.expect("ffmpeg is installed").success(), "{name}");
    path
}

/// Starts a server whose outputs have the ports that they say, with these arguments.
pub(crate) fn start(arguments: &[&str]) -> Server {
    Server::spawn(&mut line(arguments))
}

/// The command of such a server.
pub(crate) fn line(arguments: &[&str]) -> Command {
    let mut command = command(["--maxc=0", "--maxp=0", "--reqlog=REC", "--port=0"]);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The arguments of live media in segments of 1 s and chunks of 0.1 s.
pub(crate) const LIVE: [&str; 2] = ["--dmode=dynamic", "--cdur=0.1"];

/// Asks until the answer is what is waited for.
pub(crate) fn get_until(
    server: &Server,
    target: &str,
    is_wanted: impl Fn(&Response) -> bool,
) -> Response {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = Client::get(server, target);
        if is_wanted(&answer) {
            return answer;
        }
        let status = answer.status;
        assert!(Instant::now() < deadline, "{target}: {status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The manifest, as soon as it is there.
pub(crate) fn manifest(server: &Server, target: &str) -> String {
    let answer = Client::get(server, target);
    assert_eq!(answer.status, 200, "{target}");
    assert_eq!(answer.field("content-type"), Some("application/dash+xml"));
    answer.text().to_owned()
}

/// The value of the first attribute of that name.
pub(crate) fn attribute<'a>(manifest: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = manifest.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

/// The process by which media are made, from the last line of the log that tells it.
pub(crate) fn maker(server: &Server) -> u32 {
    let log = server.wait_for_log("is made by ffmpeg, process ");
    let (_, rest) = log
        .rsplit_once("is made by ffmpeg, process ")
        .expect("is there");
    let id = rest.split(':').next().expect("has an end");
    id.parse().expect("is a number")
}

/// Whether a process runs.
pub(crate) fn runs(process: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat"));
    state.is_ok_and(|state| !state.contains(") Z "))
}

/// Waits for the end of a process.
pub(crate) fn wait_for_end(process: u32) {
    let deadline = Instant::now() + PATIENCE;
    while runs(process) {
        assert!(Instant::now() < deadline, "process {process} does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}
