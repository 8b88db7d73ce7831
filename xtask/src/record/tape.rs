//! What was recorded, and how it is written down.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::record::requests::{Due, Piece};

pub(crate) enum Event {
    Packet(Vec<Piece>),
    Answered(Due),
    Closed,
}

/// Events of all connections in their order.
#[derive(Default)]
pub(crate) struct Tape {
    events: Vec<(usize, Event)>,
    /// Connections that are open.
    pub(crate) open: usize,
}

/// The upload that a connection is in.
#[derive(Default)]
struct Upload {
    path: String,
    appends: bool,
    /// The pieces that tell the length of what follows, by event and place in its packet.
    told: Vec<(usize, usize)>,
}

impl Tape {
    pub(crate) fn opened(&mut self) {
        self.open += 1;
    }

    pub(crate) fn add(&mut self, connection: usize, event: Event) {
        if matches!(event, Event::Closed) {
            self.open -= 1;
        }
        self.events.push((connection, event));
    }

    pub(crate) fn has_body_of(&self, name: &str) -> bool {
        let mut is_that = HashMap::new();
        self.events.iter().any(|(connection, event)| {
            let Event::Packet(pieces) = event else {
                return false;
            };
            pieces.iter().any(|piece| match piece {
                Piece::Request { path, .. } => {
                    is_that.insert(*connection, path.ends_with(name));
                    false
                }
                Piece::Body(_) => is_that.get(connection).is_some_and(|is_that| *is_that),
                _ => false,
            })
        })
    }

    pub(crate) fn to_text(&mut self) -> String {
        self.measure();
        let mut text = String::new();
        for (connection, event) in &self.events {
            let written = match event {
                Event::Packet(pieces) => write_packet(&mut text, *connection, pieces),
                Event::Answered(Due::Continue) => writeln!(text, "{connection}< 100"),
                Event::Answered(Due::Answer) => writeln!(text, "{connection}<"),
                Event::Closed => writeln!(text, "{connection} x"),
            };
            written.expect("a string takes everything");
        }
        text
    }

    /// Lets lengths and positions be those of the short texts that stand for the bodies.
    fn measure(&mut self) {
        let mut uploads: HashMap<usize, Upload> = HashMap::new();
        let mut files: HashMap<String, usize> = HashMap::new();
        for event in 0..self.events.len() {
            let (connection, Event::Packet(pieces)) = &mut self.events[event] else {
                continue;
            };
            let upload = uploads.entry(*connection).or_default();
            let mut added = Vec::new();
            for (place, piece) in pieces.iter_mut().enumerate() {
                match piece {
                    Piece::Request { path, .. } => {
                        *upload = Upload {
                            path: path.clone(),
                            ..Upload::default()
                        };
                    }
                    Piece::Length(_) => upload.told.push((event, place)),
                    Piece::Chunk(_) => upload.told = vec![(event, place)],
                    Piece::Append { first, .. } => {
                        *first = files.get(&upload.path).copied().unwrap_or(0);
                        upload.appends = true;
                        upload.told.push((event, place));
                    }
                    Piece::EndOfHead if !upload.appends => {
                        files.insert(upload.path.clone(), 0);
                    }
                    Piece::EndOfHead | Piece::Line(_) => {}
                    Piece::Body(text) => {
                        *files.entry(upload.path.clone()).or_default() += text.len();
                        added.extend(upload.told.iter().map(|told| (*told, text.len())));
                    }
                }
            }
            for ((event, place), count) in added {
                if let (_, Event::Packet(pieces)) = &mut self.events[event]
                    && let Piece::Length(length)
                    | Piece::Chunk(length)
                    | Piece::Append { length, .. } = &mut pieces[place]
                {
                    *length += count;
                }
            }
        }
    }
}

/// A packet: lines that go together, the last of them with or without its line break.
fn write_packet(text: &mut String, connection: usize, pieces: &[Piece]) -> std::fmt::Result {
    let packet: String = pieces.iter().map(shown).collect();
    let mut lines: Vec<&str> = packet.split('\n').collect();
    let (last, arrow) = match lines.pop().unwrap_or_default() {
        "" => (lines.pop().unwrap_or_default(), ">"),
        rest => (rest, ">>"),
    };
    for line in lines {
        writeln!(text, "{}", format!("{connection}+ {line}").trim_end())?;
    }
    writeln!(text, "{}", format!("{connection}{arrow} {last}").trim_end())
}

fn shown(piece: &Piece) -> String {
    match piece {
        Piece::Line(line) | Piece::Request { line, .. } => format!("{line}\n"),
        Piece::Length(length) => format!("Content-Length: {length}\n"),
        Piece::Append { first, length } => {
            let last = (first + length).saturating_sub(1);
            format!("Content-Range: bytes {first}-{last}/*\n")
        }
        Piece::EndOfHead => "\n".to_owned(),
        Piece::Chunk(size) => format!("{size:x}\n"),
        Piece::Body(text) => text.clone(),
    }
}
