//! A client that sends exactly what it is told, and reads HTTP/1 answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::Server;

/// A connection to the server.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) version: String,
    /// Names in lower case, in their order.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Client {
        Client::connect_to(server.address)
    }

    pub(crate) fn connect_to(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("the server listens");
        // A test that waits in vain fails instead of hanging.
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).expect("is a socket");
        Client {
            stream: BufReader::new(stream),
        }
    }

    /// Asks once on a connection of its own.
    pub(crate) fn get(server: &Server, target: &str) -> Response {
        Client::ask(server, "GET", target, "")
    }

    /// Asks once, with more fields, each with its line break.
    pub(crate) fn ask(server: &Server, method: &str, target: &str, fields: &str) -> Response {
        let mut client = Client::connect(server);
        client.send(&format!(
            "{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n"
        ));
        client.read_response(method)
    }

    /// Uploads once, with more fields, each with its line break.
    pub(crate) fn put(server: &Server, target: &str, fields: &str, body: &[u8]) -> Response {
        let mut client = Client::connect(server);
        let length = body.len();
        client.send(&format!(
            "PUT {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n{fields}\r\n"
        ));
        client.send_bytes(body);
        client.read_response("PUT")
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes());
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream
            .get_mut()
            .write_all(bytes)
            .expect("the server reads");
    }

    /// Sends a chunk of a chunked body; an empty one ends it.
    pub(crate) fn send_chunk(&mut self, bytes: &[u8]) {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.send_bytes(&chunk);
    }

    /// Sends bytes that need not be text, or as many of them as the server takes.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) {
        // A server that refuses need not read to the end.
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Sends, and says whether the server has not closed the connection.
    pub(crate) fn is_open_after(&mut self, bytes: &[u8]) -> bool {
        self.try_send(bytes);
        let socket = self.stream.get_ref();
        socket.set_nonblocking(true).expect("is a socket");
        let peeked = socket.peek(&mut [0]);
        socket.set_nonblocking(false).expect("is a socket");
        matches!(peeked, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Waits until an answer has come, which is not read.
    pub(crate) fn has_answer(&mut self) -> bool {
        let peeked = self.stream.get_ref().peek(&mut [0]);
        peeked.is_ok_and(|count| count > 0)
    }

    /// Sends no more.
    pub(crate) fn shutdown(&mut self) {
        // The server may have closed already.
        let _ = self.stream.get_mut().shutdown(std::net::Shutdown::Write);
    }

    /// All that comes until the server closes.
    pub(crate) fn read_all(&mut self) -> String {
        let mut all = Vec::new();
        match self.stream.read_to_end(&mut all) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Reads the answer to a request of that method.
    pub(crate) fn read_response(&mut self, method: &str) -> Response {
        let mut response = self.read_head();
        let has_body = method != "HEAD" && !matches!(response.status, 204 | 304);
        let length = response.field("content-length").map(str::parse);
        if !has_body {
            return response;
        }
        if response.field("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.read_chunk() {
                response.body.extend_from_slice(&chunk);
            }
            return response;
        }
        match length {
            Some(length) => {
                response.body = self.read_exact(length.expect("is a number"));
            }
            None => {
                self.stream
                    .read_to_end(&mut response.body)
                    .expect("a body up to the end");
            }
        }
        response
    }

    /// The next chunk of a chunked body, as soon as it has come; none at its end.
    pub(crate) fn read_chunk(&mut self) -> Option<Vec<u8>> {
        let size = self.read_line();
        let size = usize::from_str_radix(&size, 16);
        let size = size.unwrap_or_else(|error| panic!("not the size of a chunk: {error}"));
        let mut chunk = self.read_exact(size + 2);
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }

    /// Reads chunks until they make up a text.
    pub(crate) fn read_chunks(&mut self, expected: &str) {
        let mut text = Vec::new();
        while text.len() < expected.len() {
            text.extend(self.read_chunk().expect("more is to come"));
        }
        assert_eq!(String::from_utf8_lossy(&text), expected);
    }

    /// Reads that many bytes.
    pub(crate) fn read_exact(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream
            .read_exact(&mut bytes)
            .expect("as many bytes as expected");
        bytes
    }

    /// Reads status line and fields.
    pub(crate) fn read_head(&mut self) -> Response {
        let status_line = self.read_line();
        let mut words = status_line.split(' ');
        let version = words.next().unwrap_or_default().to_owned();
        let status = words.next().and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a status line: {status_line:?}"));
        let mut fields = Vec::new();
        loop {
            let line = self.read_line();
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Response {
            status,
            version,
            fields,
            body: Vec::new(),
        }
    }

    /// Reads an answer whose body ends before its length is reached; the bytes that came.
    pub(crate) fn read_cut_body(&mut self) -> usize {
        while !self.read_line().is_empty() {}
        let mut body = Vec::new();
        match self.stream.read_to_end(&mut body) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
        body.len()
    }

    /// Whether the server has closed the connection, with nothing more to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    /// Whether the server ends the connection with a reset, with nothing more to read.
    pub(crate) fn is_reset(&mut self) -> bool {
        let end = self.stream.read_to_end(&mut Vec::new());
        end.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
    }

    /// Whether the server ends the connection with a reset, whatever comes before.
    pub(crate) fn is_reset_after_data(&mut self) -> bool {
        let end = std::io::copy(&mut self.stream, &mut std::io::sink());
        end.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
    }

    fn read_line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream
            .read_until(b'\n', &mut line)
            .expect("the server answers");
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }
}

impl Response {
    /// The value of the only field of that name, in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(
            found.next().is_none(),
            "several fields {name:?}: {:?}",
            self.fields
        );
        value
    }

    /// The values of all fields of that name, in lower case, as one list.
    pub(crate) fn list(&self, name: &str) -> String {
        let found = self.fields.iter().filter(|(known, _)| known == name);
        let values: Vec<&str> = found.map(|(_, value)| value.as_str()).collect();
        values.join(", ").to_ascii_lowercase()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}
