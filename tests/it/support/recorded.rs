//! The requests that a recorded client sends, found in its bytes.

/// What a client has done.
#[derive(Clone)]
pub(crate) enum Event {
    Begin(Request),
    /// Some of the body.
    Body(String),
    End,
}

/// The head of a request.
#[derive(Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) is_chunked: bool,
    /// The first position of `Content-Range`.
    pub(crate) first: Option<usize>,
    length: usize,
}

#[derive(Default)]
enum Expected {
    #[default]
    RequestLine,
    Field(Request),
    ChunkSize,
    /// So many bytes of a chunk, or of a body whose length was told.
    Bytes(usize, Framing),
    EndOfChunk,
    EndOfBody,
}

#[derive(Clone, Copy, PartialEq)]
enum Framing {
    Chunk,
    Length,
}

/// The requests of a connection.
#[derive(Default)]
pub(crate) struct Requests {
    expected: Expected,
    line: String,
}

impl Requests {
    /// Takes what was sent at once.
    pub(crate) fn take(&mut self, mut text: &str) -> Vec<Event> {
        let mut events = Vec::new();
        while !text.is_empty() {
            if let Expected::Bytes(left, framing) = self.expected {
                let (bytes, rest) = text.split_at(left.min(text.len()));
                events.push(Event::Body(bytes.to_owned()));
                text = rest;
                self.expected = bytes_left(left - bytes.len(), framing, &mut events);
                continue;
            }
            let Some((line, rest)) = text.split_once("\r\n") else {
                self.line += text;
                break;
            };
            text = rest;
            let line = std::mem::take(&mut self.line) + line;
            self.expected = match std::mem::take(&mut self.expected) {
                Expected::RequestLine => Expected::Field(begin(&line)),
                Expected::Field(request) if line.is_empty() => end_of_head(request, &mut events),
                Expected::Field(request) => Expected::Field(field(request, &line)),
                Expected::ChunkSize => match usize::from_str_radix(&line, 16) {
                    Ok(0) => Expected::EndOfBody,
                    size => Expected::Bytes(size.expect("a size"), Framing::Chunk),
                },
                Expected::EndOfChunk => Expected::ChunkSize,
                Expected::EndOfBody | Expected::Bytes(..) => {
                    events.push(Event::End);
                    Expected::RequestLine
                }
            };
        }
        events
    }
}

fn begin(line: &str) -> Request {
    let mut words = line.split(' ').map(str::to_owned);
    Request {
        method: words.next().unwrap_or_default(),
        path: words.next().expect("a request line"),
        ..Request::default()
    }
}

fn field(mut request: Request, line: &str) -> Request {
    let (name, value) = line.split_once(": ").expect("a field");
    match name.to_ascii_lowercase().as_str() {
        "transfer-encoding" => request.is_chunked = value == "chunked",
        "content-length" => request.length = value.parse().expect("a length"),
        "content-range" => {
            let first = value.trim_start_matches("bytes ").split('-').next();
            request.first = first.and_then(|first| first.parse().ok());
        }
        _ => {}
    }
    request
}

fn end_of_head(request: Request, events: &mut Vec<Event>) -> Expected {
    let (is_chunked, length) = (request.is_chunked, request.length);
    events.push(Event::Begin(request));
    match is_chunked {
        true => Expected::ChunkSize,
        false => bytes_left(length, Framing::Length, events),
    }
}

fn bytes_left(left: usize, framing: Framing, events: &mut Vec<Event>) -> Expected {
    match (left, framing) {
        (0, Framing::Chunk) => Expected::EndOfChunk,
        (0, Framing::Length) => {
            events.push(Event::End);
            Expected::RequestLine
        }
        _ => Expected::Bytes(left, framing),
    }
}
