//! A client that speaks HTTP/2 frame by frame (RFC 9113), to do what well-behaved ones do not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::Server;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A connection to the server, without TLS.
pub(crate) struct Http2 {
    stream: TcpStream,
    last: u32,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Http2 {
    pub(crate) fn connect(server: &Server) -> Http2 {
        let stream = TcpStream::connect(server.address).expect("the server listens");
        // A test that waits in vain fails instead of hanging.
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).expect("is a socket");
        let mut client = Http2 { stream, last: 0 };
        client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        client.send(SETTINGS, 0, 0, &[]);
        client
    }

    /// Begins a request without a body; its stream.
    pub(crate) fn ask(&mut self, method: &str, path: &str) -> u32 {
        self.last = if self.last == 0 { 1 } else { self.last + 2 };
        // The names are entries of the static table (RFC 7541 A), the values are as they are.
        let mut fields = vec![0x86];
        for (name, value) in [(1, "test"), (2, method), (4, path)] {
            fields.push(name);
            fields.push(u8::try_from(value.len()).expect("is short"));
            fields.extend_from_slice(value.as_bytes());
        }
        self.send(HEADERS, END_STREAM | END_HEADERS, self.last, &fields);
        self.last
    }

    /// Takes a request back (CANCEL).
    pub(crate) fn reset(&mut self, stream: u32) {
        self.send(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    }

    /// Waits until the server has seen all that was sent.
    pub(crate) fn ping(&mut self) {
        self.send(PING, 0, 0, &[0; 8]);
        while self.read().kind != PING {}
    }

    /// The body of the answer on a stream.
    pub(crate) fn read_body(&mut self, stream: u32) -> String {
        let mut body = Vec::new();
        loop {
            let frame = self.read();
            if frame.stream != stream {
                continue;
            }
            assert!(frame.kind != RST_STREAM, "the stream is reset");
            if frame.kind == DATA {
                body.extend_from_slice(&frame.payload);
            }
            if matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0 {
                return String::from_utf8_lossy(&body).into_owned();
            }
        }
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("is short");
        let mut frame = length.to_be_bytes()[1..].to_vec();
        frame.extend_from_slice(&[kind, flags]);
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.write(&frame);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    fn read(&mut self) -> Frame {
        let [a, b, c, kind, flags] = self.read_exact();
        let stream = u32::from_be_bytes(self.read_exact());
        let length = u32::from_be_bytes([0, a, b, c]);
        let mut payload = vec![0; usize::try_from(length).expect("fits")];
        self.stream
            .read_exact(&mut payload)
            .expect("the server answers");
        Frame {
            kind,
            flags,
            stream,
            payload,
        }
    }

    fn read_exact<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream
            .read_exact(&mut bytes)
            .expect("the server answers");
        bytes
    }
}
