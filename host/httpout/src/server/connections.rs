//! All open connections: how many there may be, which of them make no progress, and how they end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::Waker;
use std::time::Duration;

use ::http::Version;
use atomic_waker::AtomicWaker;
use httpout_plugins::Connection;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::server::sendfile::FileQueue;

/// The open connections of a server.
pub(crate) struct Connections {
    maxc: Option<usize>,
    maxp: Option<usize>,
    timeout: Option<Duration>,
    last_id: AtomicU64,
    open: Mutex<Open>,
    /// Told when a connection is gone.
    gone: Notify,
}

#[derive(Default)]
struct Open {
    links: HashMap<u64, Weak<Link>>,
    by_peer: HashMap<IpAddr, usize>,
}

/// Why a connection is turned away.
#[derive(Debug, Error)]
pub(crate) enum Full {
    #[error("there are {0} connections already (option `maxc`)")]
    Server(usize),
    #[error("{peer} has {limit} connections already (option `maxp`)")]
    Peer { peer: IpAddr, limit: usize },
}

/// One open connection, as the rest of the server sees it. It counts as open until this is dropped.
pub(crate) struct Link {
    pub(crate) connection: Connection,
    /// What the kernel is to send.
    pub(crate) files: FileQueue,
    /// Requests whose answer is being made.
    handling: AtomicU32,
    /// Grows with each request and each write.
    progress: AtomicU64,
    order: AtomicU8,
    waker: AtomicWaker,
    connections: Arc<Connections>,
}

/// What a connection is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    Serve,
    /// Finish the open requests, then close.
    Drain,
    /// Close now.
    Close,
}

impl Connections {
    pub(super) fn new(
        maxc: Option<usize>,
        maxp: Option<usize>,
        timeout: Option<Duration>,
    ) -> Arc<Connections> {
        Arc::new(Connections {
            maxc,
            maxp,
            timeout,
            last_id: AtomicU64::new(0),
            open: Mutex::default(),
            gone: Notify::new(),
        })
    }

    /// Takes a connection in, if the limits allow.
    pub(super) fn admit(
        self: &Arc<Self>,
        socket: &TcpStream,
        peer: SocketAddr,
    ) -> Result<Arc<Link>, Full> {
        let mut open = self.open();
        let address = peer.ip().to_canonical();
        match (self.maxc, self.maxp, open.by_peer.get(&address)) {
            (Some(limit), _, _) if open.links.len() >= limit => return Err(Full::Server(limit)),
            (_, Some(limit), Some(&count)) if count >= limit => {
                return Err(Full::Peer {
                    peer: address,
                    limit,
                });
            }
            _ => {}
        }
        let id = self.last_id.fetch_add(1, Relaxed) + 1;
        let link = Arc::new(Link {
            connection: Connection {
                id,
                peer,
                local: socket.local_addr().unwrap_or(peer),
                secure: false,
            },
            files: FileQueue::default(),
            handling: AtomicU32::new(0),
            progress: AtomicU64::new(0),
            order: AtomicU8::new(Order::Serve as u8),
            waker: AtomicWaker::new(),
            connections: self.clone(),
        });
        open.links.insert(id, Arc::downgrade(&link));
        *open.by_peer.entry(address).or_default() += 1;
        Ok(link)
    }

    /// Closes connections that have made no progress for the time of option `timeout`, for ever.
    ///
    /// Looking at all of them now and then costs a request nothing, unlike a timer for each.
    pub(super) async fn sweep(self: Arc<Self>) {
        const ROUNDS: u32 = 4;
        let Some(timeout) = self.timeout else {
            return;
        };
        let mut seen: HashMap<u64, (u64, u32)> = HashMap::new();
        loop {
            tokio::time::sleep(timeout / ROUNDS).await;
            let mut still = HashMap::new();
            for link in self.links() {
                let progress = link.progress.load(Relaxed);
                let rounds = match seen.get(&link.connection.id) {
                    Some((last, rounds)) if *last == progress && !link.is_handling() => rounds + 1,
                    _ => 0,
                };
                if rounds >= ROUNDS {
                    link.tell(Order::Close);
                } else {
                    still.insert(link.connection.id, (progress, rounds));
                }
            }
            seen = still;
        }
    }

    /// Lets every connection finish its open requests, for a bounded time. Returns how many are left.
    pub(super) async fn drain(&self, limit: Duration) -> usize {
        for link in self.links() {
            link.tell(Order::Drain);
        }
        let all_gone = async {
            loop {
                let gone = self.gone.notified();
                if self.open().links.is_empty() {
                    break;
                }
                gone.await;
            }
        };
        let _ = tokio::time::timeout(limit, all_gone).await;
        self.open().links.len()
    }

    fn links(&self) -> Vec<Arc<Link>> {
        self.open()
            .links
            .values()
            .filter_map(Weak::upgrade)
            .collect()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no holder panics")
    }
}

impl Link {
    /// Counts as progress, see option `timeout`.
    pub(crate) fn note_progress(&self) {
        // Two threads that count at once may count one: it has changed all the same.
        self.progress
            .store(self.progress.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// While the answer to a request is being made, the connection is not idle.
    pub(super) fn start_handling(self: &Arc<Self>) -> Handling {
        self.note_progress();
        self.handling.fetch_add(1, Relaxed);
        Handling(self.clone())
    }

    /// Whether the kernel can send files on this connection: its bytes are neither encrypted nor framed by HTTP/2.
    pub(crate) fn sends_files(&self, version: Version) -> bool {
        cfg!(target_os = "linux") && !self.connection.secure && version < Version::HTTP_2
    }

    fn is_handling(&self) -> bool {
        self.handling.load(Relaxed) > 0
    }

    /// What to do, for the connection's task, which is woken when that changes.
    pub(super) fn order(&self, waker: &Waker) -> Order {
        self.waker.register(waker);
        match self.order.load(Relaxed) {
            0 => Order::Serve,
            1 => Order::Drain,
            _ => Order::Close,
        }
    }

    fn tell(&self, order: Order) {
        // What was told before may be more urgent.
        self.order.fetch_max(order as u8, Relaxed);
        self.waker.wake();
    }
}

/// The answer to one request is being made.
pub(super) struct Handling(Arc<Link>);

impl Drop for Handling {
    fn drop(&mut self) {
        self.0.note_progress();
        self.0.handling.fetch_sub(1, Relaxed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.links.remove(&self.connection.id);
        let peer = self.connection.peer.ip().to_canonical();
        if let Some(count) = open.by_peer.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                open.by_peer.remove(&peer);
            }
        }
        drop(open);
        self.connections.gone.notify_waiters();
    }
}
