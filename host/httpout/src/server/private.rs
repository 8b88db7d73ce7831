//! A listener for programs of ours on this machine: no option of the server's limits it, and no plugin sees it.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::server::connection;
use crate::server::connections::Connections;
use crate::site::Site;

/// Connections at a time: a program has a few for each quality, and one for each file that ends.
const CONNECTIONS: usize = 256;

/// How long one may send nothing at its beginning: others than our programs can connect too.
const IDLE: Duration = Duration::from_secs(10);

/// How long what has come is waited for at the end.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// Between two looks whether all who have connected are accepted.
const ACCEPTING: Duration = Duration::from_millis(5);

/// A socket of loopback that listens at any free port.
pub(crate) struct PrivateListener {
    socket: TcpListener,
    connections: Arc<Connections>,
}

impl PrivateListener {
    pub(crate) async fn bind() -> io::Result<PrivateListener> {
        Ok(PrivateListener {
            socket: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
            connections: Connections::private(CONNECTIONS, IDLE),
        })
    }

    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    /// Accepts connections for ever. Each is answered by a site of its own, made in the order in which they came.
    pub(crate) async fn accept(&self, site: impl Fn() -> Site) {
        let accepting = async {
            loop {
                match self.socket.accept().await {
                    Ok((socket, peer)) => match self.connections.admit(&socket, peer, false) {
                        Ok(link) => {
                            let _ = SockRef::from(&socket).set_tcp_nodelay(true);
                            let site = Arc::new(site());
                            tokio::spawn(connection::serve(socket, None, link, site));
                        }
                        Err(full) => tracing::warn!("a program of ours was turned away: {full}"),
                    },
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    // There are no descriptors left.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        tokio::join!(accepting, self.connections.clone().sweep());
    }

    /// Lets what has come of programs that have ended be written, within a bound.
    pub(crate) async fn finish(&self) {
        let all = async {
            while self.has_waiting() {
                sleep(ACCEPTING).await;
            }
            // A connection that is told to end would not read what it has not begun to.
            self.connections.empty().await;
        };
        let _ = timeout(LAST_REQUESTS, all).await;
        self.connections.drain(LAST_REQUESTS).await;
    }

    /// Whether somebody has connected who is not accepted yet.
    fn has_waiting(&self) -> bool {
        let mut asked = [PollFd::new(&self.socket, PollFlags::IN)];
        matches!(poll(&mut asked, Some(&Timespec::default())), Ok(1..))
    }
}
