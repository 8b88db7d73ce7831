//! Media that ffmpeg makes of its test sources, and what is read of them.

use std::process::Command;

use crate::support::{Client, Tree};

/// Makes a file of so many seconds, in the format that its name says; its path and its bytes.
pub(crate) fn make(tree: &Tree, name: &str, seconds: &str) -> (String, Vec<u8>) {
    let path = tree.text(name);
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]);
    let sound = format!("sine=440:duration={seconds}");
    command.args(["-f", "lavfi", "-i", &sound]);
    if name.ends_with(".ts") {
        let picture = format!("testsrc=duration={seconds}:size=320x240:rate=25");
        command.args(["-f", "lavfi", "-i", &picture]);
        command.args(["-c:v", "mpeg2video", "-c:a", "mp2"]);
    }
    if name.ends_with(".mp3") {
        command.args(["-b:a", "64k", "-metadata", "title=Tone"]);
        command.args(["-metadata", "artist=Sine"]);
    }
    let made = command.arg(&path).status().expect("ffmpeg is installed");
    assert!(made.success(), "{name}");
    let bytes = std::fs::read(&path).expect("was made");
    (path, bytes)
}

/// Makes a FIFO; its path.
pub(crate) fn fifo(tree: &Tree, name: &str) -> String {
    let path = tree.text(name);
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo is installed").success());
    path
}

/// Asks for a live stream: the connection, behind the head of the answer.
pub(crate) fn listen(server: &crate::support::Server, target: &str) -> Client {
    let mut client = Client::connect(server);
    client.send(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    let head = client.read_head();
    let coding = head.field("transfer-encoding");
    assert_eq!((head.status, coding), (200, Some("chunked")));
    client
}

/// What comes until the stream is over.
pub(crate) fn rest(client: &mut Client) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(chunk) = client.read_chunk() {
        all.extend(chunk);
    }
    all
}

/// At least so many bytes.
pub(crate) fn some(client: &mut Client, count: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(client.read_chunk().expect("more is to come"));
    }
    all
}
