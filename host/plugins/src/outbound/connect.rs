//! From a granted name to a connection: each address is checked, and exactly the checked one is connected to.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

use crate::outbound::destination::Way;
use crate::outbound::{Client, Target};

/// The addresses of a name that are looked at.
const MOST_ADDRESSES: usize = 16;

/// A connection, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Client {
    /// Where to connect to: addresses that were granted, or that a granted name has and that are public.
    pub(super) async fn addresses(
        &self,
        target: &Target,
        deadline: Instant,
        slot: &Arc<OwnedSemaphorePermit>,
    ) -> Result<Vec<SocketAddr>, Error> {
        match self.destinations.way(&target.wanted()) {
            None => {
                self.warn(target, "it is not granted by option `plugin_allow`");
                Err(Error::HttpRequestDenied)
            }
            Some(Way::Connect(addresses)) => Ok(addresses),
            Some(Way::Resolve) => {
                let resolved = resolve(target, deadline, slot.clone()).await;
                let resolved = resolved.inspect_err(|error| self.debug(target, error))?;
                let checked = self.destinations.check(&target.wanted(), &resolved);
                if checked.is_empty() {
                    let reason =
                        "none of its addresses is public or granted by option `plugin_allow`";
                    self.warn(target, reason);
                    return Err(Error::DestinationIpProhibited);
                }
                Ok(checked)
            }
        }
    }
}

/// All that the system knows of a name. The request counts as under way until the system has answered: it cannot be
/// told to stop.
async fn resolve(
    target: &Target,
    deadline: Instant,
    slot: Arc<OwnedSemaphorePermit>,
) -> Result<Vec<SocketAddr>, Error> {
    let name = (target.host.clone(), target.port);
    let resolving = spawn_blocking(move || {
        let _slot = slot;
        let resolved = name.to_socket_addrs()?;
        std::io::Result::Ok(resolved.take(MOST_ADDRESSES).collect::<Vec<_>>())
    });
    let unknown = Error::DnsError {
        rcode: None,
        info_code: None,
    };
    match timeout_at(deadline, resolving).await {
        Ok(Ok(Ok(addresses))) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(unknown),
        Err(_) => Err(Error::DnsTimeout),
    }
}

/// Connects to one of the addresses, and speaks TLS where that is given.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    host: &str,
    tls: Option<Option<&TlsConnector>>,
    deadline: Instant,
) -> Result<Box<dyn Stream>, Error> {
    let socket = connect_tcp(addresses, deadline).await?;
    // A small request must not wait for the acknowledgement of its head.
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else {
        return Ok(Box::new(socket));
    };
    let tls = tls.ok_or(Error::HttpRequestDenied)?;
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(name).map_err(|_| Error::HttpRequestUriInvalid)?;
    let handshake = timeout_at(deadline, tls.connect(name.to_owned(), socket)).await;
    let stream = handshake.map_err(|_| Error::ConnectionTimeout)?;
    Ok(Box::new(stream.map_err(|error| tls_error(&error))?))
}

/// The first address that answers. Each gets its share of the time, so that one that is silent leaves some for others.
async fn connect_tcp(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, Error> {
    let mut outcome = Error::DestinationUnavailable;
    for (others, address) in (1..=addresses.len() as u32).rev().zip(addresses) {
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left / others, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => outcome = Error::Connect(error),
            Err(_) => outcome = Error::ConnectionTimeout,
        }
    }
    Err(outcome)
}

fn tls_error(error: &std::io::Error) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
        _ => Error::TlsProtocolError,
    }
}
