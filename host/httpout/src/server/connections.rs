//! All open connections: how many there may be, which of them make no progress, and how they end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::Waker;
use std::time::Duration;

use ::http::{Method, StatusCode, Version};
use atomic_waker::AtomicWaker;
use httpout_plugins::Connection;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::body::{BLOCK, Delivery};
use crate::metrics::Figures;
use crate::server::connection::STREAMS;
use crate::server::sendfile::FileQueue;
use crate::settings::ServerSettings;

/// The most of an answer that is written though nobody takes it, in bytes: those to uploads are short.
const UNTAKEN: usize = 64 << 10;

/// The open connections of a server.
pub(crate) struct Connections {
    maxc: Option<usize>,
    maxp: Option<usize>,
    timeout: Option<Duration>,
    /// None also where each response ends its connection.
    max_client_errors: Option<usize>,
    block_size: Option<usize>,
    /// None where nobody asks for them.
    figures: Option<Arc<Figures>>,
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
    #[error(
        "there are {0} connections already, which is the limit of option `maxc`: a larger one, or 0 for none, lets more in"
    )]
    Server(usize),
    #[error(
        "{peer} has {limit} connections already, which is the limit of option `maxp`: \
         a browser beside an encoder needs `--maxp=32`, or 0 for none"
    )]
    Peer { peer: IpAddr, limit: usize },
}

/// One open connection, as the rest of the server sees it. It counts as open until this is dropped.
pub(crate) struct Link {
    pub(crate) connection: Connection,
    /// What the kernel is to send.
    pub(crate) files: FileQueue,
    /// Requests whose answer is being made.
    handling: AtomicU32,
    /// Requests of which the head has come.
    requests: AtomicU64,
    /// The first request that names two lengths, of HTTP/1; 0 is none.
    two_lengths: AtomicU64,
    /// Error responses since the last success.
    errors: AtomicUsize,
    /// Live uploads that come in.
    live: AtomicU32,
    /// Bytes of the answer that need not reach the client.
    untaken: AtomicUsize,
    /// A body could not be sent whole.
    is_broken: AtomicBool,
    /// Bytes of responses that are ready and that the socket does not take yet.
    unsent: AtomicU64,
    /// Grows with each request and each write.
    progress: AtomicU64,
    order: AtomicU8,
    waker: AtomicWaker,
    connections: Arc<Connections>,
}

/// What a connection is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Serve,
    /// Finish the open requests, then close.
    Drain,
    /// Close now.
    Close,
}

impl Connections {
    pub(super) fn new(
        settings: &ServerSettings,
        figures: Option<Arc<Figures>>,
    ) -> Arc<Connections> {
        Arc::new(Connections {
            maxc: settings.maxc,
            maxp: settings.maxp,
            timeout: settings.timeout,
            max_client_errors: settings
                .max_client_errors
                .filter(|_| !settings.fields.close),
            block_size: settings.block_size,
            figures,
            last_id: AtomicU64::new(0),
            open: Mutex::default(),
            gone: Notify::new(),
        })
    }

    /// Those of programs of ours, which count with nobody else's.
    pub(super) fn private(maxc: usize, timeout: Duration) -> Arc<Connections> {
        Arc::new(Connections {
            maxc: Some(maxc),
            maxp: None,
            timeout: Some(timeout),
            max_client_errors: None,
            block_size: None,
            figures: None,
            last_id: AtomicU64::new(0),
            open: Mutex::default(),
            gone: Notify::new(),
        })
    }

    /// None where nobody asks for them.
    pub(super) fn figures(&self) -> Option<Arc<Figures>> {
        self.figures.clone()
    }

    /// Takes a connection in, if the limits allow.
    pub(super) fn admit(
        self: &Arc<Self>,
        socket: &TcpStream,
        peer: SocketAddr,
        secure: bool,
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
                secure,
            },
            files: FileQueue::default(),
            handling: AtomicU32::new(0),
            requests: AtomicU64::new(0),
            two_lengths: AtomicU64::new(0),
            errors: AtomicUsize::new(0),
            live: AtomicU32::new(0),
            untaken: AtomicUsize::new(0),
            is_broken: AtomicBool::new(false),
            unsent: AtomicU64::new(0),
            progress: AtomicU64::new(0),
            order: AtomicU8::new(Order::Serve as u8),
            waker: AtomicWaker::new(),
            connections: self.clone(),
        });
        open.links.insert(id, Arc::downgrade(&link));
        *open.by_peer.entry(address).or_default() += 1;
        if let Some(figures) = &self.figures {
            figures.count_accepted();
        }
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
        self.finish(Order::Drain, limit).await
    }

    /// Closes every connection, and lets plugins hear of it, for a bounded time.
    pub(super) async fn cut(&self, limit: Duration) {
        self.finish(Order::Close, limit).await;
    }

    /// Tells all connections to end. Returns how many are left after that time.
    async fn finish(&self, order: Order, limit: Duration) -> usize {
        for link in self.links() {
            link.tell(order);
        }
        let _ = tokio::time::timeout(limit, self.until(|_| true)).await;
        self.open().links.len()
    }

    /// Ends when there has been a client and the last one has left.
    pub(super) async fn abandoned(&self) {
        self.until(|last_id| last_id > 0).await;
    }

    /// Ends when there is no client.
    pub(super) async fn empty(&self) {
        self.until(|_| true).await;
    }

    /// Waits until no connection is open, and this holds of the last number given to one.
    async fn until(&self, holds: impl Fn(u64) -> bool) {
        loop {
            let gone = self.gone.notified();
            if self.open().links.is_empty() && holds(self.last_id.load(Relaxed)) {
                break;
            }
            gone.await;
        }
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

    /// Counts bytes that were written, for the page of metrics.
    pub(super) fn count_sent(&self, bytes: usize) {
        if let Some(figures) = &self.connections.figures {
            figures.count_sent(bytes);
        }
    }

    /// Counts bytes that were read, for the page of metrics.
    pub(super) fn count_received(&self, bytes: usize) {
        if let Some(figures) = &self.connections.figures {
            figures.count_received(bytes);
        }
    }

    /// Counts a request that is answered, for the page of metrics.
    pub(crate) fn count_request(&self, method: &Method, status: StatusCode) {
        if let Some(figures) = &self.connections.figures {
            figures.count_request(method, status);
        }
    }

    /// While the answer to a request is being made, the connection is not idle.
    pub(crate) fn start_handling(self: &Arc<Self>) -> Handling {
        self.note_progress();
        Handling {
            link: self.clone(),
            others: self.handling.fetch_add(1, Relaxed),
        }
    }

    /// Counts a request; whether it names two lengths.
    pub(super) fn names_two_lengths(&self) -> bool {
        self.requests.fetch_add(1, Relaxed) + 1 == self.two_lengths.load(Relaxed)
    }

    /// The request of this number, from 1, names two lengths.
    pub(super) fn set_two_lengths(&self, request: u64) {
        self.two_lengths.store(request, Relaxed);
    }

    /// Counts errors in a row; whether this response is the one that ends the connection (option `max_client_errors`).
    pub(crate) fn ends_with(&self, status: StatusCode, version: Version) -> bool {
        let is_error = status.as_u16() >= 400;
        match self.connections.max_client_errors {
            Some(limit) if is_error && version < Version::HTTP_2 => {
                self.errors.fetch_add(1, Relaxed) + 1 >= limit
            }
            _ => {
                self.errors.store(0, Relaxed);
                false
            }
        }
    }

    /// How files reach this connection: the kernel sends them where bytes are neither encrypted nor framed by HTTP/2.
    pub(crate) fn delivery(self: &Arc<Self>, version: Version) -> Delivery {
        let given = self.connections.block_size.map(|size| size as u64);
        match self.connection.secure || !cfg!(target_os = "linux") {
            _ if version >= Version::HTTP_2 => Delivery::Stream(given.unwrap_or(BLOCK)),
            true => Delivery::Blocks(self.clone(), given.unwrap_or(BLOCK)),
            false => Delivery::Kernel(self.clone(), given.unwrap_or(u64::MAX)),
        }
    }

    /// Acknowledges each packet at once, as long as a live upload comes in. Encoders send a chunk in several small packets
    /// and let TCP gather them: the next would wait 40 ms for the acknowledgement of the last.
    pub(crate) fn receive_live(self: &Arc<Self>) -> Live {
        self.live.fetch_add(1, Relaxed);
        Live(self.clone())
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.load(Relaxed) > 0
    }

    /// Whether the client of the latest request may leave without its answer, and its connection go on.
    pub(crate) fn set_optional_answer(&self, is_optional: bool) {
        let untaken = if is_optional { UNTAKEN } else { 0 };
        self.untaken.store(untaken, Relaxed);
    }

    /// Whether so many bytes more of the answer need not reach the client.
    pub(super) fn may_lose(&self, length: usize) -> bool {
        let take = |untaken: usize| untaken.checked_sub(length);
        self.untaken.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// What has been promised cannot be sent: the connection ends with a reset, which no client takes for the end of a
    /// body.
    pub(crate) fn set_broken(&self) {
        self.is_broken.store(true, Relaxed);
    }

    /// Ends the connection with a reset, whatever it is doing.
    pub(crate) fn cut(&self) {
        self.set_broken();
        self.tell(Order::Close);
    }

    /// Bytes of responses that are ready and that the client does not take yet, as far as they were to be written at once.
    pub(crate) fn unsent(&self) -> u64 {
        self.unsent.load(Relaxed)
    }

    pub(super) fn set_unsent(&self, bytes: usize) {
        self.unsent.store(bytes as u64, Relaxed);
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Relaxed)
    }

    /// Option `block_size`, as far as it is about reading.
    pub(super) fn read_size(&self) -> Option<usize> {
        self.connections.block_size
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
pub(crate) struct Handling {
    pub(crate) link: Arc<Link>,
    /// Requests of the connection of which that held when this one came.
    others: u32,
}

impl Handling {
    /// Whether there are more of them than a client can have open: it resets what it has begun.
    pub(crate) fn is_excessive(&self) -> bool {
        self.others >= STREAMS
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.link.note_progress();
        self.link.handling.fetch_sub(1, Relaxed);
    }
}

/// A live upload comes in.
pub(crate) struct Live(Arc<Link>);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Relaxed);
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
        if let Some(figures) = &self.connections.figures {
            figures.count_closed();
        }
        self.connections.gone.notify_waiters();
    }
}
