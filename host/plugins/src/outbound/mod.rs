//! Requests of plugins to other servers (wasi:http): to granted destinations only, at checked addresses, within limits.
//!
//! The guest follows redirects itself; each is a request of its own and checked again.

mod address;
mod body;
mod connect;
mod destination;

use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use wasmtime_wasi::runtime::spawn;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::client_tls::client_tls;
use crate::log::{Level, PluginLog};
use crate::outbound::body::LimitedBody;
use crate::outbound::destination::{Destinations, Wanted};
use crate::spec::PluginSpec;

pub use destination::Destination;

/// The largest head of a response, and what is read ahead of its body, in bytes.
const HEAD: usize = 64 << 10;

/// What a guest may write at once into the body of a request, in bytes.
const WRITE: usize = 64 << 10;

/// What comes of a request: a response, and what is to run for its body to come.
type Answered = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

/// Asks other servers, for all instances of a plugin.
pub(crate) struct Client {
    destinations: Destinations,
    /// None where no destination may be asked over TLS.
    tls: Option<TlsConnector>,
    /// Requests that may be under way; closed where there may never be one.
    slots: Arc<Semaphore>,
    /// The longest that each wait for another server takes.
    time: Duration,
    /// The largest body of a response in bytes.
    size: u64,
    log: Arc<PluginLog>,
}

impl Client {
    /// A client where destinations were granted, none otherwise.
    pub(crate) fn new(spec: &PluginSpec, log: Arc<PluginLog>) -> Option<Arc<Client>> {
        if spec.grants.destinations.is_empty() {
            return None;
        }
        let destinations = Destinations::new(spec.grants.destinations.clone());
        let slots = Semaphore::new(spec.limits.fetches);
        if spec.limits.fetches == 0 {
            slots.close();
        }
        Some(Arc::new(Client {
            tls: destinations.allow_https().then(|| client_tls("plugins")),
            destinations,
            slots: Arc::new(slots),
            time: spec.limits.reply,
            size: spec.limits.fetch_size,
            log,
        }))
    }

    async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Answered, Error> {
        let (target, request) = Target::take_from(request)?;
        let slot = self.slots.clone().try_acquire_owned();
        let slot = slot.map_err(|error| match error {
            TryAcquireError::Closed => Error::ConfigurationError,
            TryAcquireError::NoPermits => {
                self.warn(
                    &target,
                    "too many requests under way (option `plugin_fetches`)",
                );
                Error::ConnectionLimitReached
            }
        })?;
        let slot = Arc::new(slot);
        let bounded = |asked: Option<Duration>| asked.unwrap_or(self.time).min(self.time);
        let deadline = Instant::now() + bounded(options.connect_timeout);

        let addresses = self.addresses(&target, deadline, &slot).await?;
        let tls = (target.scheme == Scheme::HTTPS).then_some(self.tls.as_ref());
        let stream = connect::connect(&addresses, &target.host, tls, deadline).await;
        let stream = stream.inspect_err(|error| self.debug(&target, error))?;
        let mut builder = http1::Builder::new();
        let (mut sender, connection) = builder
            .max_buf_size(HEAD)
            .handshake(TokioIo::new(stream))
            .await?;
        let connection = spawn(async move {
            // What ends it is seen where the response or its body is awaited.
            let _ = connection.await;
            drop(slot);
        });
        let responding = timeout(
            bounded(options.first_byte_timeout),
            sender.send_request(request),
        );
        let response = responding
            .await
            .map_err(|_| Error::ConnectionReadTimeout)??;

        let between = bounded(options.between_bytes_timeout);
        let response = response.map(|body| LimitedBody::new(body, self.size, between));
        let running = Box::new(async move {
            connection.await;
            Ok(())
        });
        Ok((response.map(|body| body.boxed_unsync()), running))
    }

    fn warn(&self, target: &Target, reason: &str) {
        let line = format!("asking `{}` refused: {reason}", target.shown());
        self.log.write(Level::WARN, None, &line);
    }

    fn debug(&self, target: &Target, error: &Error) {
        let line = format!("asking `{}` failed: {error}", target.shown());
        self.log.write(Level::DEBUG, None, &line);
    }
}

/// Whom a request is for.
struct Target {
    scheme: Scheme,
    /// A name, or an address, in brackets if it is one of IPv6.
    host: String,
    port: u16,
}

impl Target {
    /// The target, and the request in the form in which it goes there: nothing that the guest wrote can make it one for
    /// somebody else.
    fn take_from(mut request: Request<WasiBody>) -> Result<(Target, Request<WasiBody>), Error> {
        if request.method() == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme.take(), parts.authority.take()) else {
            return Err(Error::HttpRequestUriInvalid);
        };
        if authority.as_str().contains('@') {
            return Err(Error::HttpRequestUriInvalid);
        }
        let path = parts.path_and_query.take();
        let path = path.as_ref().map_or("/", |path| path.as_str());
        if !path.starts_with('/') {
            return Err(Error::HttpRequestUriInvalid);
        }
        *request.uri_mut() = Uri::try_from(path).map_err(|_| Error::HttpRequestUriInvalid)?;

        let of_scheme = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(of_scheme);
        let host = authority.host().to_owned();
        let field = match port == of_scheme {
            true => host.clone(),
            false => format!("{host}:{port}"),
        };
        let field = HeaderValue::try_from(field).map_err(|_| Error::HttpRequestUriInvalid)?;
        request.headers_mut().insert(header::HOST, field);
        let target = Target { scheme, host, port };
        Ok((target, request))
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            scheme: &self.scheme,
            host: &self.host,
            port: self.port,
        }
    }

    fn shown(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// What wasi:http asks of the server.
pub(crate) struct Hooks {
    pub(crate) client: Option<Arc<Client>>,
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answered, Error>> + Send> {
        let client = self.client.clone();
        Box::new(async move {
            let client = client.ok_or(Error::HttpRequestDenied)?;
            client.send(request, options.unwrap_or_default()).await
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        WRITE
    }

    // The guest is told; what a server far away does is not for this server's log.
    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        match error.is_timeout() {
            true => ErrorCode::HttpResponseTimeout,
            false => ErrorCode::HttpProtocolError,
        }
    }

    fn p2_error_from_connect(&mut self, _: &std::io::Error) -> ErrorCode {
        ErrorCode::ConnectionRefused
    }

    fn p2_error_from_tls(&mut self, _: &std::io::Error) -> ErrorCode {
        ErrorCode::TlsProtocolError
    }
}
