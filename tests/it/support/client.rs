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

    pub(crate) fn send(&mut self, text: &str) {
        self.stream
            .get_mut()
            .write_all(text.as_bytes())
            .expect("the server reads");
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
        let mut response = Response {
            status,
            version,
            fields,
            body: Vec::new(),
        };
        if method == "HEAD" || matches!(status, 204 | 304) {
            return response;
        }
        match response.field("content-length").map(str::parse) {
            Some(length) => {
                response.body = vec![0; length.expect("is a number")];
                self.stream
                    .read_exact(&mut response.body)
                    .expect("the whole body");
            }
            None => {
                self.stream
                    .read_to_end(&mut response.body)
                    .expect("a body up to the end");
            }
        }
        response
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

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}
