//! Requests to other servers (wasi:http). None of these functions waits: `js/waits.js` asks again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use rquickjs::convert::List;
use rquickjs::{ArrayBuffer, Ctx, Exception, IntoJs, Object, Result, Value};
use url::{Position, Url};

use super::add_functions;
use super::bytes::Bytes;
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, Scheme,
};
use crate::bindings::wasi::io::poll::Pollable;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::waits;

/// What is read of a body at once, in bytes.
const BLOCK: u64 = 64 << 10;

thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
    static FETCHES: RefCell<BTreeMap<u32, Fetch>> = const { RefCell::new(BTreeMap::new()) };
}

/// One request under way.
struct Fetch {
    url: Url,
    upload: Option<Upload>,
    answer: Answer,
    /// The script wants what has not come.
    is_awaited: bool,
}

enum Answer {
    Head(FutureIncomingResponse),
    Body(Incoming),
}

/// A body that comes in. In the order in which it has to be dropped.
struct Incoming {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
}

/// A body that goes out. In the order in which it has to be dropped.
struct Upload {
    stream: OutputStream,
    body: OutgoingBody,
    bytes: Vec<u8>,
    sent: usize,
}

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, fetch_begin fetch_head fetch_read fetch_close);
    Ok(())
}

/// What the server is to wait for.
pub(crate) fn add_pollables(all: &mut Vec<Pollable>) {
    FETCHES.with_borrow(|fetches| {
        for fetch in fetches.values().filter(|fetch| fetch.is_awaited) {
            all.extend(
                fetch
                    .upload
                    .as_ref()
                    .map(|upload| upload.stream.subscribe()),
            );
            all.push(match &fetch.answer {
                Answer::Head(future) => future.subscribe(),
                Answer::Body(incoming) => incoming.stream.subscribe(),
            });
        }
    });
}

pub(crate) fn is_awaited() -> bool {
    FETCHES.with_borrow(|fetches| fetches.values().any(|fetch| fetch.is_awaited))
}

/// Gives all of them up.
pub(crate) fn clear() {
    drop(FETCHES.take());
}

/// Sends a request; `fields` are names and values by turns. The number of what comes of it.
fn fetch_begin(
    ctx: Ctx<'_>,
    method: String,
    url: String,
    fields: Vec<String>,
    body: Option<Bytes>,
) -> Result<u32> {
    if !waits::is_loaded() {
        return Err(Exception::throw_type(
            &ctx,
            "fetch: other servers can be asked for a request only, not while the script is loaded",
        ));
    }
    let url = Url::parse(&url).map_err(|error| failed(&ctx, &url, &error.to_string()))?;
    let fetch = begin(
        &method,
        url.clone(),
        &fields,
        body.map(|Bytes(bytes)| bytes),
    );
    let fetch = fetch.map_err(|reason| failed(&ctx, url.as_str(), &reason))?;
    let number = LAST.get() + 1;
    LAST.set(number);
    FETCHES.with_borrow_mut(|fetches| fetches.insert(number, fetch));
    Ok(number)
}

/// Status and fields, names and values by turns.
type Head = List<(u16, Vec<String>)>;

/// The head of what came of a request; none as long as there are none.
fn fetch_head(ctx: Ctx<'_>, number: u32) -> Result<Option<Head>> {
    with(&ctx, number, |fetch| Ok(fetch.head()?.map(List)))
}

/// The next bytes of the body; null at its end, undefined as long as there are none.
fn fetch_read<'js>(ctx: Ctx<'js>, number: u32) -> Result<Value<'js>> {
    match with(&ctx, number, Fetch::read)? {
        Read::Bytes(bytes) => ArrayBuffer::new(ctx.clone(), bytes)?.into_js(&ctx),
        Read::NotYet => Ok(Value::new_undefined(ctx)),
        Read::End => {
            fetch_close(number);
            Ok(Value::new_null(ctx))
        }
    }
}

/// Gives it up.
fn fetch_close(number: u32) {
    let gone = FETCHES.with_borrow_mut(|fetches| fetches.remove(&number));
    drop(gone);
}

fn with<R>(
    ctx: &Ctx<'_>,
    number: u32,
    f: impl FnOnce(&mut Fetch) -> std::result::Result<R, String>,
) -> Result<R> {
    let done = FETCHES.with_borrow_mut(|fetches| {
        let fetch = fetches
            .get_mut(&number)
            .ok_or_else(|| (String::new(), "it was given up".to_owned()))?;
        f(fetch).map_err(|reason| (fetch.url.to_string(), reason))
    });
    done.map_err(|(url, reason)| {
        fetch_close(number);
        failed(ctx, &url, &reason)
    })
}

fn failed(ctx: &Ctx<'_>, url: &str, reason: &str) -> rquickjs::Error {
    Exception::throw_type(ctx, &format!("fetch: {url}: {reason}"))
}

fn begin(
    method: &str,
    url: Url,
    fields: &[String],
    body: Option<Vec<u8>>,
) -> std::result::Result<Fetch, String> {
    let refused = |what: &str| format!("`{what}` cannot be sent");
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err("only `http:` and `https:` can be asked".to_owned()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name: give `headers: { authorization: … }`".to_owned());
    }
    let sent = Fields::new();
    for field in fields.chunks_exact(2) {
        let (name, value) = (&field[0], &field[1]);
        let value = latin1(value).ok_or_else(|| refused(name))?;
        sent.append(name, &value).map_err(|_| refused(name))?;
    }
    if let Some(body) = &body {
        let length = body.len().to_string();
        let added = sent.append("content-length", length.as_bytes());
        added.map_err(|_| refused("content-length"))?;
    }
    let request = OutgoingRequest::new(sent);
    let is_set = request.set_scheme(Some(&scheme)).is_ok()
        && request.set_authority(Some(&authority(&url))).is_ok()
        && request
            .set_path_with_query(Some(&url[Position::BeforePath..Position::AfterQuery]))
            .is_ok();
    if !is_set {
        return Err("it cannot be asked for".to_owned());
    }
    let is_set = request.set_method(&Method::Other(method.to_owned()));
    is_set.map_err(|()| refused(method))?;
    let outgoing = body.map(|bytes| (request.body(), bytes));
    let denied = |code: ErrorCode| reason(&code, &url);
    let future = outgoing_handler::handle(request, None).map_err(denied)?;
    let mut fetch = Fetch {
        upload: outgoing.and_then(|(body, bytes)| Upload::new(body.ok()?, bytes)),
        answer: Answer::Head(future),
        is_awaited: false,
        url,
    };
    fetch.send();
    Ok(fetch)
}

impl Fetch {
    /// Sends what can be sent at once of the body.
    fn send(&mut self) {
        self.upload = self.upload.take().and_then(Upload::send);
    }

    fn head(&mut self) -> std::result::Result<Option<(u16, Vec<String>)>, String> {
        self.send();
        self.is_awaited = false;
        let Answer::Head(future) = &self.answer else {
            return Err("its head was taken already".to_owned());
        };
        let response = match future.get() {
            None => {
                self.is_awaited = true;
                return Ok(None);
            }
            Some(Ok(response)) => response.map_err(|code| reason(&code, &self.url))?,
            Some(Err(())) => return Err("its head was taken already".to_owned()),
        };
        let text = |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect();
        let fields = response.headers().entries().into_iter();
        let fields = fields.flat_map(|(name, value)| [name, text(value)]);
        let head = (response.status(), fields.collect());
        self.answer = Answer::Body(Incoming::new(response)?);
        Ok(Some(head))
    }

    fn read(&mut self) -> std::result::Result<Read, String> {
        self.send();
        self.is_awaited = false;
        let Answer::Body(incoming) = &self.answer else {
            return Err("its head has not come".to_owned());
        };
        match incoming.stream.read(BLOCK) {
            Ok(bytes) if bytes.is_empty() => {
                self.is_awaited = true;
                Ok(Read::NotYet)
            }
            Ok(bytes) => Ok(Read::Bytes(bytes)),
            Err(StreamError::Closed) => Ok(Read::End),
            Err(StreamError::LastOperationFailed(error)) => Err(error.to_debug_string()),
        }
    }
}

enum Read {
    Bytes(Vec<u8>),
    NotYet,
    End,
}

impl Incoming {
    fn new(response: IncomingResponse) -> std::result::Result<Incoming, String> {
        let taken = |()| "its body was taken already".to_owned();
        let body = response.consume().map_err(taken)?;
        Ok(Incoming {
            stream: body.stream().map_err(taken)?,
            _body: body,
            _response: response,
        })
    }
}

impl Upload {
    fn new(body: OutgoingBody, bytes: Vec<u8>) -> Option<Upload> {
        Some(Upload {
            stream: body.write().ok()?,
            body,
            bytes,
            sent: 0,
        })
    }

    /// What is still to be sent. A server that takes no more has answered before, or its answer is an error.
    fn send(mut self) -> Option<Upload> {
        while self.sent < self.bytes.len() {
            let room = self.stream.check_write().ok()?;
            if room == 0 {
                return Some(self);
            }
            let rest = &self.bytes[self.sent..];
            let count = rest.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            self.stream.write(&rest[..count]).ok()?;
            self.sent += count;
        }
        drop(self.stream);
        OutgoingBody::finish(self.body, None).ok()?;
        None
    }
}

/// Host and port, without a port that is that of the scheme.
fn authority(url: &Url) -> String {
    url[Position::BeforeHost..Position::AfterPort].to_owned()
}

fn reason(code: &ErrorCode, url: &Url) -> String {
    match code {
        ErrorCode::HttpRequestDenied => {
            return format!("it is not granted: plugin_allow={}", authority(url));
        }
        ErrorCode::DestinationIpProhibited => {
            "none of its addresses is public or granted: plugin_allow=ADDRESS beside the name"
        }
        ErrorCode::ConnectionLimitReached => {
            "too many requests are under way (option `plugin_fetches`)"
        }
        ErrorCode::ConfigurationError => "no other server is asked in a dry run",
        ErrorCode::DnsError(_) => "its name is not known",
        ErrorCode::DnsTimeout => "its name was not found in time",
        ErrorCode::ConnectionRefused => "it refuses to be connected to",
        ErrorCode::ConnectionTimeout => "it was not connected to in time",
        ErrorCode::ConnectionReadTimeout => "it does not answer in time",
        ErrorCode::TlsCertificateError => "its certificate is not trusted",
        other => return format!("{other:?}"),
    }
    .to_owned()
}

/// The bytes of a field's value.
fn latin1(value: &str) -> Option<Vec<u8>> {
    value.chars().map(|c| u8::try_from(c).ok()).collect()
}
