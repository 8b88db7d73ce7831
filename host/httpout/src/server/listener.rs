//! The listening socket, and what is done with each connection that comes in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::error::StartupError;
use crate::server::connection;
use crate::server::connections::{Connections, Full};
use crate::settings::{Interface, Listen};
use crate::site::Site;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1024;

/// What a client is told that comes on top of the limits.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 42\r\nRetry-After: 1\r\nConnection: close\r\n\r\n503: too many connections, try again soon\n";

/// Binds the address of the settings: all interfaces, IPv6 and IPv4, unless they name one.
pub(super) fn bind(listen: &Listen) -> Result<TcpListener, StartupError> {
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

/// Accepts connections for ever, each served by a task of its own.
pub(super) async fn accept(listener: TcpListener, connections: Arc<Connections>, site: Arc<Site>) {
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        match connections.admit(&socket, peer) {
            Ok(link) => {
                // Nagle would hold back the last bytes of an answer for up to 40 ms.
                let _ = SockRef::from(&socket).set_tcp_nodelay(true);
                tokio::spawn(connection::serve(socket, link, site.clone()));
            }
            Err(full) => {
                tokio::spawn(turn_away(socket, full));
            }
        }
    }
}

/// A client that is gone already is no reason to pause; exhausted descriptors are.
async fn pause_after(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::error!("cannot accept connections: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Says 503, and waits until the client has read it: a close with unread bytes would take the answer back.
async fn turn_away(mut socket: TcpStream, full: Full) {
    tracing::warn!("a client was turned away: {full}");
    let answer = async {
        socket.write_all(FULL).await?;
        socket.shutdown().await?;
        let mut unread = [0; 1024];
        for _ in 0..64 {
            if socket.read(&mut unread).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    // A client that left, or does not read, is no concern of ours.
    let _ = tokio::time::timeout(Duration::from_secs(1), answer).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_the_503_is_right() {
        let text = std::str::from_utf8(FULL).expect("is ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("has a head");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
