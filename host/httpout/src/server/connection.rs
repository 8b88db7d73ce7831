//! One connection: HTTP/1.0, HTTP/1.1 or HTTP/2, with TLS or without, from its first byte to its end.

use std::future::poll_fn;
use std::io;
use std::ops::DerefMut;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::handler;
use crate::server::connections::{Link, Order};
use crate::server::stream::{Stream, Transport};
use crate::server::tls;
use crate::server::wire::Wire;
use crate::site::Site;

/// Requests that an HTTP/2 client may have open.
pub(super) const STREAMS: u32 = 100;

/// The longest head of an HTTP/2 request, in bytes.
const HEAD: u32 = 64 << 10;

/// How often it is looked whether more of a preface has come that came in parts.
const MORE_OF_THE_PREFACE: Duration = Duration::from_millis(10);

/// Of a request: it has both `Transfer-Encoding` and `Content-Length`, of which one cannot be seen any more.
#[derive(Debug, Clone)]
pub(crate) struct TwoLengths;

/// Serves a connection from its handshake, if there is one, to its end.
pub(super) async fn serve(
    socket: TcpStream,
    tls: Option<TlsAcceptor>,
    link: Arc<Link>,
    site: Arc<Site>,
) {
    let wire = Wire {
        socket,
        link: link.clone(),
    };
    match tls {
        None => {
            let beginning = unless_told(&link, begins_http2(&wire.socket)).await;
            if let Some(is_http2) = beginning {
                serve_requests(Transport::Plain(wire), is_http2, link, site).await;
            }
        }
        Some(acceptor) => {
            // Boxed: a plain connection would carry the large state of a handshake.
            let handshake = Box::pin(tls::accept(wire, &acceptor));
            if let Some(Some(stream)) = unless_told(&link, handshake).await {
                let transport = Transport::Tls(stream);
                let is_http2 = transport.is_http2();
                serve_requests(transport, is_http2, link, site).await;
            }
        }
    }
}

/// Waits for the beginning of a connection. None where the client cannot be talked to, or when the connection is told to
/// drain or close.
async fn unless_told<T>(link: &Link, beginning: impl Future<Output = io::Result<T>>) -> Option<T> {
    let mut beginning = pin!(beginning);
    let begun = poll_fn(|context| match link.order(context.waker()) {
        Order::Serve => beginning.as_mut().poll(context),
        Order::Drain | Order::Close => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
    });
    match begun.await {
        Ok(begun) => Some(begun),
        Err(error) => {
            let id = link.connection.id;
            tracing::debug!(connection = id, "not begun: {error}");
            None
        }
    }
}

/// Whether a plain connection begins as HTTP/2 does where client and server know of each other (RFC 9113 3.4).
///
/// Looked at without being read, so that HTTP/1, the usual case, begins with a single read of the whole head.
async fn begins_http2(socket: &TcpStream) -> io::Result<bool> {
    const PREFACE: &[u8] = b"PRI ";
    let mut first = [0; PREFACE.len()];
    loop {
        let count = socket.peek(&mut first).await?;
        match &first[..count] {
            PREFACE => return Ok(true),
            [] => return Ok(false),
            part if !PREFACE.starts_with(part) => return Ok(false),
            // It is readable already, and would be so at once again.
            _ => tokio::time::sleep(MORE_OF_THE_PREFACE).await,
        }
    }
}

/// Serves requests until the client or the server has had enough, or the connection is told to drain or close.
async fn serve_requests(transport: Transport, is_http2: bool, link: Arc<Link>, site: Arc<Site>) {
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        if link.names_two_lengths() {
            request.extensions_mut().insert(TwoLengths);
        }
        handler::handle(site.clone(), link.clone(), request)
    });
    let stream = Stream::new(transport);
    let ended = if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEAD);
        let connection = builder.serve_connection(stream, service);
        // Boxed: one of HTTP/1 would keep room for it.
        let connection = Box::pin(connection);
        obey(&link, connection, |connection| {
            connection.graceful_shutdown()
        })
        .await
    } else {
        let mut builder = http1::Builder::new();
        builder
            // Idle connections are found by `Connections::sweep`, which costs no timer for each request.
            .header_read_timeout(None)
            .keep_alive(!site.fields.close);
        let connection = pin!(builder.serve_connection(stream, service));
        obey(&link, connection, |connection| {
            connection.graceful_shutdown()
        })
        .await
    };
    if let Err(error) = ended {
        let id = link.connection.id;
        tracing::debug!(connection = id, "connection ended: {error}");
    }
}

/// Runs a connection until it ends by itself or is told to close; one that is told to drain finishes its requests.
async fn obey<C: Future<Output = hyper::Result<()>>>(
    link: &Link,
    mut connection: Pin<impl DerefMut<Target = C>>,
    drain: impl Fn(Pin<&mut C>),
) -> hyper::Result<()> {
    let mut draining = false;
    poll_fn(|context| {
        match link.order(context.waker()) {
            Order::Serve => {}
            Order::Drain if draining => {}
            Order::Drain => {
                draining = true;
                drain(connection.as_mut());
            }
            Order::Close => return Poll::Ready(Ok(())),
        }
        connection.as_mut().poll(context)
    })
    .await
}
