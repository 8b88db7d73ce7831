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

    pub(crate) fn write_down(&mut self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::requests::Requests;

    fn record(packets: &[&str]) -> String {
        let (mut tape, mut requests, mut due) = (Tape::default(), Requests::new(1), Vec::new());
        tape.opened();
        for packet in packets {
            let pieces = requests.take(packet.as_bytes(), &mut due);
            tape.add(1, Event::Packet(pieces));
        }
        due.into_iter()
            .for_each(|due| tape.add(1, Event::Answered(due)));
        tape.add(1, Event::Closed);
        assert_eq!(tape.open, 0);
        tape.write_down()
    }

    #[test]
    fn packets_stay_as_they_came_and_bodies_are_short() {
        let recorded = record(&[
            "PUT /a HTTP/1.1\r\nHost: 127.0.0.1:1\r\nTransfer-Encoding: chunked\r\n\r\n5d",
            "c\r\n",
            &"x".repeat(1000),
            &("x".repeat(500) + "\r\n0\r\n\r\n"),
        ]);
        let expected = "1+ PUT /a HTTP/1.1\n1+ Host: localhost\n1+ Transfer-Encoding: chunked\n1>\n\
                        1> e\n1>> [1.1.1]\n1+ [1.1.2]\n1+ 0\n1>\n1<\n1 x\n";
        assert_eq!(recorded, expected);
    }

    #[test]
    fn parts_are_behind_each_other() {
        let part = |range: &str| {
            let length = "Content-Length: 300";
            format!(
                "PUT /a HTTP/1.1\r\n{length}\r\n{range}\r\n{}",
                "x".repeat(300)
            )
        };
        let recorded = record(&[&part(""), &part("Content-Range: bytes 300-599/*\r\n")]);
        let expected = "1+ PUT /a HTTP/1.1\n1+ Content-Length: 7\n1+\n1>> [1.1.1]\n\
                        1+ PUT /a HTTP/1.1\n1+ Content-Length: 7\n1+ Content-Range: bytes 7-13/*\n1+\n1>> [1.2.1]\n\
                        1<\n1<\n1 x\n";
        assert_eq!(recorded, expected);
    }
}
