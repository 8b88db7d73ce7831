//! One connection: HTTP/1.0, HTTP/1.1 or HTTP/2 without TLS, from its first byte to its end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;

use crate::handler;
use crate::server::connections::{Link, Order};
use crate::server::stream::Stream;
use crate::site::Site;

/// Serves the requests of a connection until it ends, is told to drain, or is closed.
pub(super) async fn serve(socket: TcpStream, link: Arc<Link>, site: Arc<Site>) {
    let service = service_fn(|request| {
        let handling = link.start_handling();
        let answering = handler::handle(site.clone(), link.clone(), request);
        async move {
            let response = answering.await;
            drop(handling);
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // Idle connections are found by `Connections::sweep`, which costs no timer for each request.
        .header_read_timeout(None)
        .keep_alive(!site.fields.close);
    let stream = Stream::new(socket, link.clone());
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
