//! Media that are pulled from another server.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use ::http::{HeaderValue, Request, StatusCode, Uri, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use httpout_plugins::client_tls;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::input::icy::Metadata;
use crate::input::shoutcast::Translated;

/// How long a server may take until it answers.
const ANSWER: Duration = Duration::from_secs(10);

/// How often a server may send us elsewhere.
const REDIRECTS: usize = 5;

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// A response whose body is being read.
pub(crate) struct Response {
    body: Incoming,
    metadata: Option<Metadata>,
    /// The title that came last, until it is taken.
    title: Option<String>,
    /// Its connection, which ends with this value.
    _connection: JoinSet<()>,
}

/// Asks for a URL, and for others that the server names in its place.
pub(super) async fn get(url: &Uri) -> io::Result<Response> {
    let mut url = url.clone();
    for _ in 0..=REDIRECTS {
        let answer = timeout(ANSWER, ask(&url)).await;
        let (response, connection) =
            answer.map_err(|_| io::Error::other("the server does not answer"))??;
        let status = response.status();
        if status == StatusCode::OK {
            let interval = response.headers().get("icy-metaint");
            let interval = interval.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            return Ok(Response {
                metadata: interval.filter(|bytes| *bytes > 0).map(Metadata::new),
                title: None,
                body: response.into_body(),
                _connection: connection,
            });
        }
        let place = response.headers().get(header::LOCATION);
        match place.filter(|_| status.is_redirection()) {
            Some(place) => url = resolve(&url, place)?,
            None => return Err(io::Error::other(format!("the server answers {status}"))),
        }
    }
    Err(io::Error::other(
        "the server sends us elsewhere again and again",
    ))
}

impl Response {
    /// The next bytes; empty at the end.
    pub(super) async fn read(&mut self) -> io::Result<Bytes> {
        while let Some(frame) = self.body.frame().await {
            let data = frame.map_err(io::Error::other)?.into_data();
            let Ok(mut data) = data else { continue };
            if let Some(metadata) = &mut self.metadata {
                let (media, title) = metadata.take(data);
                data = media;
                self.title = title.or(self.title.take());
            }
            if !data.is_empty() {
                return Ok(data);
            }
        }
        Ok(Bytes::new())
    }

    /// The title that has come between the bytes, once.
    pub(super) fn take_title(&mut self) -> Option<String> {
        self.title.take()
    }

    /// Whether nothing more will come, as the server has said beforehand. Otherwise it may have been interrupted.
    pub(super) fn is_whole(&self) -> bool {
        self.body.size_hint().exact() == Some(0)
    }

    /// Whether the server has said how much will come.
    pub(super) fn has_length(&self) -> bool {
        self.body.size_hint().exact().is_some()
    }
}

async fn ask(url: &Uri) -> io::Result<(hyper::Response<Incoming>, JoinSet<()>)> {
    let host = url.host().unwrap_or_default();
    let is_secure = url.scheme_str() == Some("https");
    let port = url.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let socket = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let stream: Box<dyn Stream> = match is_secure {
        true => {
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
            let name = name.map_err(io::Error::other)?;
            Box::new(tls().connect(name, socket).await?)
        }
        false => Box::new(socket),
    };
    let handshake = http1::handshake(TokioIo::new(Translated::new(stream))).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    let mut running = JoinSet::new();
    running.spawn(async move {
        // Whoever reads the body hears of it too.
        let _ = connection.await;
    });
    let authority = url.authority().map_or(host, |authority| authority.as_str());
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let (credentials, place) = match authority.rsplit_once('@') {
        Some((credentials, place)) => (Some(credentials), place),
        None => (None, authority),
    };
    let mut request = Request::get(target)
        .header(header::HOST, place)
        .header(
            header::USER_AGENT,
            concat!("httpout/", env!("CARGO_PKG_VERSION")),
        )
        .header(header::ACCEPT, "*/*")
        // Titles, where it has any.
        .header("icy-metadata", "1");
    if let Some(credentials) = credentials {
        // RFC 7617 2
        let credentials: Vec<u8> = percent_decode_str(credentials).collect();
        let value = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        request = request.header(header::AUTHORIZATION, value);
    }
    let request = request.body(Empty::<Bytes>::new());
    let request = request.map_err(io::Error::other)?;
    let response = sender.send_request(request).await;
    Ok((response.map_err(io::Error::other)?, running))
}

/// A location, which may be relative to the URL (RFC 9110 10.2.2).
fn resolve(url: &Uri, place: &HeaderValue) -> io::Result<Uri> {
    let malformed = || io::Error::other("the server names no URL that it sends us to");
    let place = place.to_str().map_err(|_| malformed())?;
    let whole = match (place.contains("://"), url.scheme_str(), url.authority()) {
        (false, Some(scheme), Some(authority)) if place.starts_with('/') => {
            format!("{scheme}://{authority}{place}")
        }
        (false, Some(scheme), Some(authority)) => {
            let (directory, _) = url.path().rsplit_once('/').unwrap_or_default();
            format!("{scheme}://{authority}{directory}/{place}")
        }
        _ => place.to_owned(),
    };
    whole.parse().map_err(|_| malformed())
}

fn tls() -> &'static TlsConnector {
    static TLS: OnceLock<TlsConnector> = OnceLock::new();
    TLS.get_or_init(|| client_tls("inputs"))
}
