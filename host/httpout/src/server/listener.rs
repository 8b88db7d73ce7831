//! The listening socket, and what is done with each connection that comes in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::error::StartupError;
use crate::log::Complaint;
use crate::server::connections::{Connections, Full};
use crate::server::{connection, refusal};
use crate::settings::{Interface, Listen};
use crate::site::Site;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1024;

/// A socket that listens.
pub(super) struct Listener {
    socket: TcpListener,
    interface: Interface,
    /// None where it is plain.
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Binds the address of the settings: all interfaces, IPv6 and IPv4, unless they name one.
    pub(super) fn bind(
        listen: &Listen,
        tls: Option<&TlsAcceptor>,
    ) -> Result<Listener, StartupError> {
        Ok(Listener {
            socket: bind(listen)?,
            interface: listen.interface.clone(),
            tls: tls.filter(|_| listen.secure).cloned(),
        })
    }

    /// What people and scripts are told.
    pub(super) fn announcement(&self) -> io::Result<String> {
        let url = self.url()?;
        Ok(match &self.interface {
            Interface::Address(_) => format!("listening on {url}"),
            Interface::Named(name) => format!("listening on {url} (interface {name})"),
            Interface::All => format!("listening on {url} (all interfaces)"),
        })
    }

    /// Where it can be reached, as far as one URL tells.
    pub(super) fn url(&self) -> io::Result<String> {
        let address = self.socket.local_addr()?;
        let port = address.port();
        let scheme = match self.tls {
            Some(_) => "https",
            None => "http",
        };
        Ok(match &self.interface {
            Interface::Address(_) => format!("{scheme}://{address}/"),
            Interface::Named(_) => format!("{scheme}://0.0.0.0:{port}/"),
            Interface::All => format!("{scheme}://127.0.0.1:{port}/"),
        })
    }

    /// Accepts connections for ever, each served by a task of its own.
    pub(super) async fn accept(self, connections: Arc<Connections>, site: Arc<Site>) {
        let complaint = Complaint::new();
        loop {
            let (socket, peer) = match self.socket.accept().await {
                Ok(accepted) => accepted,
                // A client that is gone already is no reason to pause; exhausted descriptors are.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    if let Some(times) = complaint.times() {
                        tracing::error!(times, "cannot accept connections: {error}");
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            match connections.admit(&socket, peer, self.tls.is_some()) {
                Ok(link) => {
                    // Nagle would hold back the last bytes of an answer for up to 40 ms.
                    let _ = SockRef::from(&socket).set_tcp_nodelay(true);
                    let tls = self.tls.clone();
                    tokio::spawn(connection::serve(socket, tls, link, site.clone()));
                }
                Err(full) => self.turn_away(socket, &full),
            }
        }
    }

    /// Says 503; where TLS is spoken a handshake would cost more than the client is to have, and it is closed.
    fn turn_away(&self, mut socket: TcpStream, full: &Full) {
        tracing::warn!("a client was turned away: {full}");
        if self.tls.is_none() {
            let answer = refusal::full(full);
            tokio::spawn(async move { refusal::tell(&mut socket, answer.as_bytes()).await });
        }
    }
}

fn bind(listen: &Listen) -> Result<TcpListener, StartupError> {
    let any_v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, listen.port));
    let any_v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, listen.port));
    let interface = match &listen.interface {
        Interface::Address(address) => {
            let address = SocketAddr::from((*address, listen.port));
            return open(address, None).map_err(|source| StartupError::Bind { address, source });
        }
        Interface::Named(name) => Some(name.as_str()),
        Interface::All => None,
    };
    match open(any_v6, interface) {
        // A machine without IPv6.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => open(any_v4, interface),
        result => result,
    }
    .map_err(|source| StartupError::Bind {
        address: any_v4,
        source,
    })
}

fn open(address: SocketAddr, interface: Option<&str>) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        socket.set_only_v6(false)?;
    }
    #[cfg(target_os = "linux")]
    socket.bind_device(interface.map(str::as_bytes))?;
    // Connections of a server that has just stopped must not keep its successor from binding.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
