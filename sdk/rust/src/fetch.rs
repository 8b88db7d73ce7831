//! Requests to other servers.
//!
//! The server must be told with option `plugin_allow` which ones a plugin may ask; without that it refuses a plugin
//! that uses this module. A [`Fetch`] is a response that is on its way. Wait for it without holding anything up:
//!
//! ```ignore
//! fn on_request(&mut self, _: &Exchange) -> Next {
//!     let fetch = self.fetch.insert(Request::get("https://example.org/").send());
//!     fetch.wait_next()
//! }
//!
//! fn resume(&mut self, exchange: &Exchange) -> Next {
//!     let fetch = self.fetch.as_mut().expect("begun in `on_request`");
//!     let Some(outcome) = fetch.poll() else {
//!         return fetch.wait_next();
//!     };
//!     // A `Response`, or why there is none.
//! }
//! ```
//!
//! or within the time of one call (`plugin_timeout`): `Request::get("https://example.org/").send().wait()`.

use std::fmt;

use crate::Next;
use crate::bindings::wasi::io::poll::Pollable;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};

mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "httpout:plugin/http-client",
        with: {
            "wasi:io/error@0.2.12": crate::bindings::wasi::io::error,
            "wasi:io/poll@0.2.12": crate::bindings::wasi::io::poll,
            "wasi:io/streams@0.2.12": crate::bindings::wasi::io::streams,
            "wasi:clocks/monotonic-clock@0.2.12": crate::bindings::wasi::clocks::monotonic_clock,
        },
        generate_all,
    });
}

use bindings::wasi::http::outgoing_handler;
use bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, Scheme,
};

/// What is read of a body at once, in bytes.
const BLOCK: u64 = 64 << 10;

/// What may be written of a body at once without asking, in bytes (wasi:io).
const WRITE: usize = 4096;

/// A request, before it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    url: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request of this method, such as `GET`, for an `http://` or `https://` URL.
    pub fn new(method: &str, url: &str) -> Request {
        Request {
            method: method.to_owned(),
            url: url.to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A GET request.
    pub fn get(url: &str) -> Request {
        Request::new("GET", url)
    }

    /// Adds a field. `Host` and those that frame the message are the server's; given here, the request fails.
    pub fn field(mut self, name: &str, value: &str) -> Request {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body; it is sent with its length.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    /// Sends it. What is wrong with it is what the response turns out to be.
    pub fn send(self) -> Fetch {
        Fetch {
            state: match self.start() {
                Ok(response) => State::Head(response),
                Err(error) => State::Over(Some(Err(error))),
            },
        }
    }

    fn start(self) -> Result<FutureIncomingResponse, Error> {
        let fields = Fields::new();
        let refused = |what: &str| Error(format!("`{what}` cannot be sent"));
        for (name, value) in &self.fields {
            let value = latin1(value).ok_or_else(|| refused(name))?;
            let added = fields.append(name, &value);
            added.map_err(|_| refused(name))?;
        }
        if !self.body.is_empty() {
            let length = self.body.len().to_string();
            let added = fields.append("content-length", length.as_bytes());
            added.map_err(|_| refused("content-length"))?;
        }
        let (scheme, authority, target) =
            split(&self.url).ok_or_else(|| Error(format!("`{}` is no URL", self.url)))?;
        let request = OutgoingRequest::new(fields);
        let bad_url = |()| Error(format!("`{}` is no URL", self.url));
        request.set_scheme(Some(&scheme)).map_err(bad_url)?;
        request.set_authority(Some(authority)).map_err(bad_url)?;
        request
            .set_path_with_query(Some(&target))
            .map_err(bad_url)?;
        let method = request.set_method(&Method::Other(self.method.clone()));
        method.map_err(|()| refused(&self.method))?;
        if self.body.is_empty() {
            return Ok(outgoing_handler::handle(request, None)?);
        }
        let body = request.body().map_err(|()| refused("the body"))?;
        let response = outgoing_handler::handle(request, None)?;
        let stream = body.write().map_err(|()| refused("the body"))?;
        write(&stream, &self.body)?;
        drop(stream);
        OutgoingBody::finish(body, None)?;
        Ok(response)
    }
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Such as 200.
    pub status: u16,
    /// In order, names in lower case, bytes of values as code points (ISO-8859-1).
    pub fields: Vec<(String, String)>,
    /// All of it: at most `plugin_fetch_size` bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of the first field of that name, given in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there is no response: it was not granted, nobody answered, the answer was too long or too slow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Error {
        let text = match code {
            ErrorCode::HttpRequestDenied => "it is not granted (option `plugin_allow`)",
            ErrorCode::DestinationIpProhibited => {
                "none of its addresses is public or granted (option `plugin_allow`)"
            }
            ErrorCode::ConnectionLimitReached => {
                "too many requests are under way (option `plugin_fetches`)"
            }
            ErrorCode::DnsError(_) => "its name is not known",
            ErrorCode::DnsTimeout => "its name was not found in time",
            ErrorCode::ConnectionRefused => "it refuses to be connected to",
            ErrorCode::ConnectionTimeout => "it was not connected to in time",
            ErrorCode::ConnectionReadTimeout => "it does not answer in time",
            ErrorCode::TlsCertificateError => "its certificate is not trusted",
            ErrorCode::HttpRequestUriInvalid => "it has no URL that can be asked",
            other => return Error(format!("{other:?}")),
        };
        Error(text.to_owned())
    }
}

/// A response that is on its way. Dropped, it is given up.
pub struct Fetch {
    state: State,
}

enum State {
    Head(FutureIncomingResponse),
    Body(Response, Incoming),
    /// None once the outcome has been taken.
    Over(Option<Result<Response, Error>>),
}

/// A body that comes in. In the order in which it has to be dropped.
struct Incoming {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
}

impl Fetch {
    /// The outcome, once, as soon as it is there; none before. Never waits.
    pub fn poll(&mut self) -> Option<Result<Response, Error>> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Over(None)) {
                State::Head(future) => match future.get() {
                    None => {
                        self.state = State::Head(future);
                        return None;
                    }
                    Some(Ok(Ok(response))) => match begin(response) {
                        Ok((head, incoming)) => State::Body(head, incoming),
                        Err(error) => State::Over(Some(Err(error))),
                    },
                    Some(Ok(Err(code))) => State::Over(Some(Err(code.into()))),
                    Some(Err(())) => State::Over(None),
                },
                State::Body(mut response, incoming) => match incoming.stream.read(BLOCK) {
                    Ok(bytes) if bytes.is_empty() => {
                        self.state = State::Body(response, incoming);
                        return None;
                    }
                    Ok(bytes) => {
                        response.body.extend_from_slice(&bytes);
                        State::Body(response, incoming)
                    }
                    Err(StreamError::Closed) => State::Over(Some(Ok(response))),
                    Err(error) => State::Over(Some(Err(broken(&error)))),
                },
                State::Over(outcome) => return outcome,
            };
        }
    }

    /// Ready as soon as `poll` may have more; none when it has.
    pub fn pollable(&self) -> Option<Pollable> {
        match &self.state {
            State::Head(future) => Some(future.subscribe()),
            State::Body(_, incoming) => Some(incoming.stream.subscribe()),
            State::Over(_) => None,
        }
    }

    /// Call `resume` as soon as there is more.
    pub fn wait_next(&self) -> Next {
        Next::Wait(self.pollable().into_iter().collect())
    }

    /// The outcome, within this call.
    pub fn wait(mut self) -> Result<Response, Error> {
        loop {
            if let Some(outcome) = self.poll() {
                return outcome;
            }
            match self.pollable() {
                Some(pollable) => pollable.block(),
                None => return Err(Error("the outcome was taken already".to_owned())),
            }
        }
    }
}

/// The head of a response, and its body as it comes.
fn begin(response: IncomingResponse) -> Result<(Response, Incoming), Error> {
    let text = |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect();
    let fields = response.headers().entries().into_iter();
    let head = Response {
        status: response.status(),
        fields: fields.map(|(name, value)| (name, text(value))).collect(),
        body: Vec::new(),
    };
    let taken = |()| Error("the body was taken already".to_owned());
    let body = response.consume().map_err(taken)?;
    let stream = body.stream().map_err(taken)?;
    let incoming = Incoming {
        stream,
        _body: body,
        _response: response,
    };
    Ok((head, incoming))
}

fn write(stream: &OutputStream, body: &[u8]) -> Result<(), Error> {
    for block in body.chunks(WRITE) {
        let written = stream.blocking_write_and_flush(block);
        written.map_err(|error| broken(&error))?;
    }
    Ok(())
}

fn broken(error: &StreamError) -> Error {
    match error {
        StreamError::Closed => Error("the connection is closed".to_owned()),
        StreamError::LastOperationFailed(error) => Error(error.to_debug_string()),
    }
}

/// Scheme, authority and target of a URL.
fn split(url: &str) -> Option<(Scheme, &str, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return None,
    };
    let (rest, _) = rest.split_once('#').unwrap_or((rest, ""));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let slash = if target.starts_with('/') { "" } else { "/" };
    Some((scheme, authority, format!("{slash}{target}")))
}

/// The bytes of a field's value.
fn latin1(value: &str) -> Option<Vec<u8>> {
    value.chars().map(|c| u8::try_from(c).ok()).collect()
}
