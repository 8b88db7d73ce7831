//! What encoders send, byte by byte, played to disk and to memory: the files of `tests/data/ingest`.
//!
//! All of them are held to the same: what has come of a file is read before more of it is sent, a file that is there
//! is never read in part, and what was sent is what is there, also when nobody waits for an answer.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use crate::support::recorded::{Event, Request, Requests};
use crate::support::{Client, Live};

#[test]
fn ffmpeg_dash() {
    play("ffmpeg-dash");
}

#[test]
fn ffmpeg_dash_by_post_and_without_kept_connections() {
    play("ffmpeg-dash-post");
}

#[test]
fn ffmpeg_dash_ends_abruptly_and_comes_again() {
    play("ffmpeg-dash-killed");
}

#[test]
fn ffmpeg_hls() {
    play("ffmpeg-hls");
}

#[test]
fn ffmpeg_hls_in_fragments() {
    play("ffmpeg-hls-fmp4");
}

#[test]
fn gstreamer_by_curl() {
    play("gstreamer-curl");
}

#[test]
fn gstreamer() {
    play("gstreamer");
}

#[test]
fn gpac() {
    play("gpac");
}

#[test]
fn shaka_packager() {
    play("shaka-packager");
}

fn play(name: &str) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/ingest");
    let session = std::fs::read_to_string(data.join(format!("{name}.txt")));
    let session = session.expect("is there");
    for live in [Live::start(&[]), Live::in_memory(&[])] {
        let mut player = Player {
            live,
            connections: HashMap::new(),
            files: HashMap::new(),
            logged: HashMap::new(),
        };
        for (number, line) in (1..).zip(session.lines()) {
            eprintln!("{name}.txt:{number}: {line}");
            player.step(line);
        }
        player.finish();
    }
}

struct Player {
    live: Live,
    connections: HashMap<String, Connection>,
    /// What is there, by path.
    files: HashMap<String, String>,
    /// How often the log has to hold a line.
    logged: HashMap<String, usize>,
}

struct Connection {
    client: Client,
    /// What goes out with the next packet.
    held: String,
    requests: Requests,
    upload: Option<Upload>,
    /// The statuses of answers that have not been read.
    answers: VecDeque<u16>,
}

/// A request that is under way.
struct Upload {
    request: Request,
    /// All of it was sent at once.
    is_whole: bool,
    /// What has come of its body.
    body: String,
    /// Those who follow it; none where the name has another content until it is complete.
    readers: Vec<Client>,
}

impl Upload {
    /// It is looked at before anybody gets it, see option `splice`.
    fn is_dash(&self) -> bool {
        self.request.path.ends_with(".mpd")
    }
}

impl Player {
    fn step(&mut self, line: &str) {
        if line.starts_with('#') {
            return;
        }
        let end = line.find(|letter: char| !letter.is_ascii_digit());
        let (name, action) = line.split_at(end.expect("an action"));
        let mut connection = self.connections.remove(name).unwrap_or_else(|| Connection {
            client: Client::connect(&self.live.server),
            held: String::new(),
            requests: Requests::default(),
            upload: None,
            answers: VecDeque::new(),
        });
        let (action, text) = action.split_once(' ').unwrap_or((action, ""));
        match (action, text) {
            ("+", _) => connection.held += &format!("{text}\r\n"),
            (">", _) => self.send(&mut connection, &format!("{text}\r\n")),
            (">>", _) => self.send(&mut connection, text),
            ("<", "100") => assert_eq!(connection.client.read_head().status, 100),
            ("<", _) => {
                let status = connection.client.read_response("PUT").status;
                assert_eq!(Some(status), connection.answers.pop_front());
            }
            ("", "x") => return self.close(connection),
            _ => panic!("{line:?} is no step"),
        }
        self.connections.insert(name.to_owned(), connection);
    }

    fn send(&mut self, connection: &mut Connection, text: &str) {
        let packet = std::mem::take(&mut connection.held) + text;
        connection.client.send(&packet);
        let mut events = connection.requests.take(&packet).into_iter().peekable();
        while let Some(event) = events.next() {
            match event {
                Event::Begin(request) => {
                    let is_whole = events.clone().any(|event| matches!(event, Event::End));
                    connection.upload = Some(self.begin(request, is_whole));
                }
                Event::Body(mut text) => {
                    while let Some(Event::Body(more)) = events.peek() {
                        text += more;
                        events.next();
                    }
                    let upload = connection.upload.as_mut().expect("a head came before");
                    self.follow(upload, &text);
                }
                Event::End => {
                    let upload = connection.upload.take().expect("a head came before");
                    connection.answers.push_back(self.end(upload));
                }
            }
        }
    }

    /// A head has been sent, or all of the request.
    fn begin(&mut self, request: Request, is_whole: bool) -> Upload {
        let is_chunked = request.is_chunked;
        let mut upload = Upload {
            request,
            is_whole,
            body: String::new(),
            readers: Vec::new(),
        };
        let Request { path, first, .. } = &upload.request;
        if upload.request.method == "DELETE" {
            return upload;
        }
        self.wait_for("Opening", path);
        let is_manifest = path.ends_with(".mpd") || path.ends_with(".m3u8");
        let is_new = !self.files.contains_key(path);
        let is_live = is_chunked && !is_manifest;
        if !is_whole && first.is_none() && (is_new || is_live) {
            let reader = self.reader(path, "");
            upload.readers.push(reader);
        }
        upload
    }

    /// Some of the body has been sent: whoever follows gets it before more is.
    fn follow(&self, upload: &mut Upload, text: &str) {
        let is_first = upload.body.is_empty();
        upload.body += text;
        if upload.is_dash() && !upload.readers.is_empty() {
            return;
        }
        for reader in &mut upload.readers {
            reader.read_chunks(text);
        }
        if !is_first && upload.readers.len() == 1 {
            // Late, and as players ask for what is live: it begins with the first byte.
            let mut late = self.reader(&upload.request.path, "Range: bytes=0-\r\n");
            late.read_chunks(&upload.body);
            upload.readers.push(late);
        }
        if upload.readers.is_empty() && !upload.is_whole && upload.request.first.is_none() {
            self.check(&upload.request.path);
        }
    }

    /// The request is complete: what it was for is done, whether its client stays for the answer or not.
    fn end(&mut self, mut upload: Upload) -> u16 {
        let Request { path, first, .. } = &upload.request;
        let is_there = self.files.contains_key(path);
        let status = match (upload.request.method.as_str(), is_there) {
            ("DELETE", true) => {
                self.wait_for("Deleting", path);
                self.files.remove(path);
                200
            }
            ("DELETE", false) => 404,
            (_, is_there) => {
                let is_dash = upload.is_dash();
                for reader in &mut upload.readers {
                    if is_dash {
                        reader.read_chunks(&upload.body);
                    }
                    assert_eq!(reader.read_chunk(), None);
                }
                self.wait_for("Closing", path);
                let file = self.files.entry(path.clone()).or_default();
                file.truncate(first.unwrap_or(0));
                *file += &upload.body;
                if is_there { 200 } else { 201 }
            }
        };
        self.check(path);
        status
    }

    /// The client leaves: what it has not sent to its end is not kept, and who followed it is cut.
    fn close(&mut self, connection: Connection) {
        let Connection { client, upload, .. } = connection;
        drop(client);
        let Some(mut upload) = upload else { return };
        for reader in &mut upload.readers {
            assert!(reader.is_reset() || reader.is_closed());
        }
        let path = &upload.request.path;
        self.wait_for("Aborting", path);
        let trouble = format!("{path} of 127.0.0.1 failed: the body ended early");
        self.live.server.wait_for_log(&trouble);
        self.check(path);
    }

    fn finish(&self) {
        assert!(self.connections.is_empty(), "all clients have left");
        self.files.keys().for_each(|path| self.check(path));
    }

    fn reader(&self, path: &str, fields: &str) -> Client {
        let (reader, head) = self.live.follow(path.trim_start_matches('/'), fields);
        let coding = head.field("transfer-encoding");
        assert_eq!((head.status, coding), (200, Some("chunked")));
        reader
    }

    /// A GET gives what is there.
    fn check(&self, path: &str) {
        let answer = Client::get(&self.live.server, path);
        match self.files.get(path) {
            Some(file) => assert_eq!((answer.status, answer.text()), (200, file.as_str())),
            None => assert_eq!(answer.status, 404),
        }
    }

    fn wait_for(&mut self, what: &str, path: &str) {
        let line = format!("{what} output {}\n", path.trim_start_matches('/'));
        let times = self.logged.entry(line.clone()).or_default();
        *times += 1;
        self.live.server.wait_for_times(&line, *times);
    }
}
