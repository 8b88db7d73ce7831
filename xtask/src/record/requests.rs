//! The requests of a connection, as far as a recording needs to know them: where bodies are, which are made short.

/// Part of what a client has sent at once.
pub(crate) enum Piece {
    /// A line that stays as it is.
    Line(String),
    /// The first line of a request to this path.
    Request { line: String, path: String },
    /// `Content-Length`: so many bytes follow.
    Length(usize),
    /// `Content-Range`: they are put behind what the file has.
    Append { first: usize, length: usize },
    /// The empty line behind the fields.
    EndOfHead,
    /// A chunk of so many bytes follows.
    Chunk(usize),
    /// A text that stands for some bytes of a body.
    Body(String),
}

/// What a server has to answer.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Due {
    /// 100: the client asks before it sends.
    Continue,
    /// The request is complete.
    Answer,
}

enum Expected {
    RequestLine,
    Field,
    ChunkSize,
    /// So many bytes of a chunk, or of a body whose length was told.
    Bytes {
        left: u64,
        is_chunk: bool,
    },
    EndOfChunk,
    EndOfBody,
}

/// What has come on a connection.
pub(crate) struct Requests {
    connection: usize,
    /// Which request of the connection, which piece of its body.
    request: usize,
    piece: usize,
    expected: Expected,
    line: Vec<u8>,
    length: u64,
    is_chunked: bool,
    expects: bool,
}

impl Requests {
    pub(crate) fn new(connection: usize) -> Requests {
        Requests {
            connection,
            request: 0,
            piece: 0,
            expected: Expected::RequestLine,
            line: Vec::new(),
            length: 0,
            is_chunked: false,
            expects: false,
        }
    }

    /// Takes what has come at once.
    pub(crate) fn take(&mut self, mut bytes: &[u8], due: &mut Vec<Due>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            if let Expected::Bytes { left, is_chunk } = self.expected {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                bytes = &bytes[count..];
                pieces.push(Piece::Body(self.name()));
                self.expect_bytes(left - count as u64, is_chunk, due);
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                self.line.extend_from_slice(bytes);
                break;
            };
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            pieces.push(self.take_line(line.trim_end_matches('\r'), due));
        }
        pieces
    }

    /// A text for the next piece of the body: like no other of the session, so that nothing can be taken for another.
    fn name(&mut self) -> String {
        self.piece += 1;
        format!("[{}.{}.{}]", self.connection, self.request, self.piece)
    }

    fn expect_bytes(&mut self, left: u64, is_chunk: bool, due: &mut Vec<Due>) {
        self.expected = match (left, is_chunk) {
            (0, true) => Expected::EndOfChunk,
            (0, false) => {
                due.push(Due::Answer);
                Expected::RequestLine
            }
            _ => Expected::Bytes { left, is_chunk },
        };
    }

    fn take_line(&mut self, line: &str, due: &mut Vec<Due>) -> Piece {
        match self.expected {
            Expected::RequestLine => self.begin(line),
            Expected::Field if line.is_empty() => self.end_of_head(due),
            Expected::Field => self.field(line),
            Expected::ChunkSize => {
                let size = u64::from_str_radix(line.trim(), 16).unwrap_or(0);
                self.expected = match size {
                    0 => Expected::EndOfBody,
                    left => Expected::Bytes {
                        left,
                        is_chunk: true,
                    },
                };
                Piece::Chunk(0)
            }
            Expected::EndOfChunk => {
                self.expected = Expected::ChunkSize;
                Piece::Line(line.to_owned())
            }
            Expected::EndOfBody | Expected::Bytes { .. } => {
                due.push(Due::Answer);
                self.expected = Expected::RequestLine;
                Piece::Line(line.to_owned())
            }
        }
    }

    fn begin(&mut self, line: &str) -> Piece {
        *self = Requests {
            request: self.request + 1,
            expected: Expected::Field,
            ..Requests::new(self.connection)
        };
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let line = line.to_owned();
        Piece::Request { line, path }
    }

    fn field(&mut self, line: &str) -> Piece {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "host" => return Piece::Line("Host: localhost".to_owned()),
            "transfer-encoding" => self.is_chunked = value.eq_ignore_ascii_case("chunked"),
            "expect" => self.expects = true,
            "content-length" => {
                self.length = value.parse().unwrap_or(0);
                return Piece::Length(0);
            }
            "content-range" => {
                return Piece::Append {
                    first: 0,
                    length: 0,
                };
            }
            _ => {}
        }
        Piece::Line(line.to_owned())
    }

    fn end_of_head(&mut self, due: &mut Vec<Due>) -> Piece {
        if self.expects {
            due.push(Due::Continue);
        }
        match self.is_chunked {
            true => self.expected = Expected::ChunkSize,
            false => self.expect_bytes(self.length, false, due),
        }
        Piece::EndOfHead
    }
}
