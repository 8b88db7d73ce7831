//! Where HTTP/1 requests begin and end in the bytes of a connection, to see what hyper resolves in silence.
//!
//! A request with both `Transfer-Encoding` and `Content-Length` is how requests are smuggled past a proxy. RFC 9112 6.3
//! lets a server refuse it, which is what we do. hyper drops the length before anybody sees it, so that the heads are
//! looked at here, on their way to hyper. All other mistakes are refused by hyper, after which nothing is read here.

/// The longest line whose content matters, in bytes: a field that frames the message.
const LONGEST: usize = 256;

/// How far the reading of a connection's requests has come.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// Heads that are complete.
    heads: u64,
    next: Next,
    /// The beginning of a line of which more is to come.
    line: Vec<u8>,
    fields: Fields,
}

/// What the next bytes are.
#[derive(Debug, Default)]
enum Next {
    #[default]
    Head,
    /// So many bytes of a body or a chunk.
    Data {
        left: u64,
        then: Then,
    },
    ChunkSize,
    Trailers,
    /// HTTP/2, or what hyper refuses.
    Nothing,
}

#[derive(Debug, Clone, Copy)]
enum Then {
    Head,
    ChunkSize,
}

/// What a head has said until now.
#[derive(Debug, Default)]
struct Fields {
    has_line: bool,
    is_chunked: bool,
    length: Option<u64>,
}

impl Framing {
    /// Looks at the bytes that come next. The number of the head, from 1, that names two lengths, if one does.
    pub(super) fn look(&mut self, mut bytes: &[u8]) -> Option<u64> {
        while !bytes.is_empty() {
            match self.next {
                Next::Nothing => return None,
                Next::Data { left, then } => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[taken..];
                    self.next = match (left - taken as u64, then) {
                        (0, Then::Head) => Next::Head,
                        (0, Then::ChunkSize) => Next::ChunkSize,
                        (left, then) => Next::Data { left, then },
                    };
                }
                _ => {
                    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                        self.keep(bytes);
                        return None;
                    };
                    let (line, rest) = bytes.split_at(end);
                    bytes = &rest[1..];
                    if self.line.is_empty() {
                        self.end_line(line);
                    } else {
                        self.keep(line);
                        let line = std::mem::take(&mut self.line);
                        self.end_line(&line);
                    }
                    if self.fields.is_chunked && self.fields.length.is_some() {
                        self.next = Next::Nothing;
                        return Some(self.heads + 1);
                    }
                }
            }
        }
        None
    }

    fn keep(&mut self, mut part: &[u8]) {
        if matches!(self.next, Next::ChunkSize) && self.line.iter().all(|byte| *byte == b'0') {
            // hyper takes any number of zeros in front of a size: one stands for all.
            let zeros = part.iter().take_while(|byte| **byte == b'0').count();
            part = &part[zeros..];
            self.line = b"0".to_vec();
        }
        let room = LONGEST.saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn end_line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.next = match self.next {
            Next::Head if line.is_empty() => self.end_head(),
            Next::Head => self.field(line),
            Next::ChunkSize => match chunk_size(line) {
                Some(0) => Next::Trailers,
                // The line break behind a chunk belongs to it.
                Some(size) => Next::Data {
                    left: size.saturating_add(2),
                    then: Then::ChunkSize,
                },
                None => Next::Nothing,
            },
            Next::Trailers if line.is_empty() => Next::Head,
            _ => Next::Trailers,
        };
    }

    fn field(&mut self, line: &[u8]) -> Next {
        if !self.fields.has_line {
            self.fields.has_line = true;
            return match line {
                b"PRI * HTTP/2.0" => Next::Nothing,
                _ => Next::Head,
            };
        }
        // Most lines end the search here, by their first letter.
        if !matches!(line.first(), Some(b'c' | b'C' | b't' | b'T')) {
            return Next::Head;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.fields.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let digits = value.get(1..).unwrap_or_default().trim_ascii();
            let length = std::str::from_utf8(digits).ok();
            // hyper refuses what is no number, unless it is beside a transfer coding.
            let length = length.and_then(|length| length.parse().ok());
            self.fields.length = Some(length.unwrap_or(u64::MAX));
            // Of a line that was cut the length is not known: taken for one with two.
            self.fields.is_chunked |= line.len() >= LONGEST;
        }
        Next::Head
    }

    fn end_head(&mut self) -> Next {
        // Empty lines before a request are skipped (RFC 9112 2.2).
        if !self.fields.has_line {
            return Next::Head;
        }
        self.heads += 1;
        match std::mem::take(&mut self.fields) {
            Fields {
                is_chunked: true, ..
            } => Next::ChunkSize,
            Fields {
                length: Some(left @ 1..),
                ..
            } => Next::Data {
                left,
                then: Then::Head,
            },
            _ => Next::Head,
        }
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit());
    // A line that was cut has more digits than any size.
    let digits = std::str::from_utf8(&line[..digits.count()]).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same answer however the bytes are cut.
    fn look(text: &str) -> Option<u64> {
        let at_once = Framing::default().look(text.as_bytes());
        for size in 1..40 {
            let mut framing = Framing::default();
            let parts = text.as_bytes().chunks(size);
            let found = parts.filter_map(|part| framing.look(part)).next();
            assert_eq!(found, at_once, "{text:?} in parts of {size}");
        }
        at_once
    }

    const BOTH: &str = "PUT /a HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn two_lengths_are_found_in_either_order_and_case() {
        assert_eq!(look(BOTH), Some(1));
        assert_eq!(
            look("PUT / HTTP/1.1\ntransfer-encoding:chunked\nA: b\nCONTENT-LENGTH:x\n\n"),
            Some(1)
        );
    }

    #[test]
    fn one_length_is_no_cause() {
        for text in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "PUT / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ] {
            assert_eq!(look(text), None, "{text:?}");
        }
    }

    #[test]
    fn bodies_are_no_heads() {
        let inner = "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
        let size = inner.len();
        let sized = format!("PUT / HTTP/1.1\r\nContent-Length: {size}\r\n\r\n{inner}");
        assert_eq!(look(&sized), None);
        let head = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunked =
            format!("{head}{size:x};a=b\r\n{inner}\r\n1\r\nx\r\n0\r\nContent-Length: 1\r\n\r\n");
        assert_eq!(look(&chunked), None);
        let all = format!("\r\n\n{sized}{chunked}{sized}{BOTH}");
        assert_eq!(look(&all), Some(4));
    }

    #[test]
    fn zeros_in_front_of_a_chunk_s_size_hide_nothing() {
        let head = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for count in [1, 255, 256, 257, 3000] {
            let zeros = "0".repeat(count);
            let body = format!("{zeros}3\r\nabc\r\n{zeros};a=b\r\n\r\n");
            assert_eq!(look(&format!("{head}{body}{BOTH}")), Some(2), "{count}");
        }
    }

    #[test]
    fn http_2_is_left_alone() {
        let text = format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{BOTH}");
        assert_eq!(look(&text), None);
    }
}
