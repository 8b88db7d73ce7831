//! One connection: HTTP/1.0, HTTP/1.1 or HTTP/2, with TLS or without, from its first byte to its end.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
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
    let transport = match tls {
        None => Some(Transport::Plain(wire)),
        // Boxed: a plain connection would carry the large state of a handshake.
        Some(acceptor) => Box::pin(handshake(wire, &acceptor, &link)).await,
    };
    if let Some(transport) = transport {
        serve_requests(transport, link, site).await;
    }
}

/// Ends without a result where the client cannot be talked to, or when the connection is told to drain or close.
async fn handshake(wire: Wire, acceptor: &TlsAcceptor, link: &Link) -> Option<Transport> {
    let mut accepting = pin!(tls::accept(wire, acceptor));
    let accepted = poll_fn(|context| match link.order(context.waker()) {
        Order::Serve => accepting.as_mut().poll(context),
        Order::Drain | Order::Close => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
    });
    match accepted.await {
        Ok(stream) => stream.map(Transport::Tls),
        Err(error) => {
            let id = link.connection.id;
            tracing::debug!(connection = id, "no TLS connection: {error}");
            None
        }
    }
}

/// Serves requests until the client or the server has had enough, or the connection is told to drain or close.
async fn serve_requests(transport: Transport, link: Arc<Link>, site: Arc<Site>) {
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        if link.names_two_lengths() {
            request.extensions_mut().insert(TwoLengths);
        }
        handler::handle(site.clone(), link.clone(), request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    if transport.is_http2() {
        builder = builder.http2_only();
    }
    builder
        .http1()
        // Idle connections are found by `Connections::sweep`, which costs no timer for each request.
        .header_read_timeout(None)
        .keep_alive(!site.fields.close);
    builder
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD);
    let stream = Stream::new(transport);
    let mut connection = pin!(builder.serve_connection(stream, service));
    let mut draining = false;
    let ended = poll_fn(|context| {
        match link.order(context.waker()) {
            Order::Serve => {}
            Order::Drain if draining => {}
            Order::Drain => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            Order::Close => return Poll::Ready(Ok(())),
        }
        connection.as_mut().poll(context)
    });
    if let Err(error) = ended.await {
        let id = link.connection.id;
        tracing::debug!(connection = id, "connection ended: {error}");
    }
}
