//! A live stream: what its source sends goes to the clients that are there, and is forgotten (documents: HTTP server
//! sink).

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use ::http::HeaderValue;
use bytes::Bytes;
use tokio::sync::Notify;

use crate::resource::tail::Tail;
use crate::server::Link;

/// What is kept beyond what a client may be behind, in bytes: for those that would read, but have not had their turn yet.
const SLACK: u64 = 1 << 20;

/// The most pieces that are kept: an hour of the frames of a radio stream.
const PIECES: usize = 1 << 17;

/// The most that is kept where clients may be behind without limit, in bytes.
const MOST: u64 = 64 << 20;

/// The latest bytes of a stream, and the positions of all its readers. No reader has a queue of its own.
pub(crate) struct Live {
    /// As clients ask for it, for the log.
    name: String,
    /// What a client may be behind, in bytes (option `max_async_buf`).
    behind: u64,
    /// What a client gets of what was sent before it came, in bytes (option `burst`).
    burst: u64,
    state: Mutex<State>,
    over: Notify,
}

#[derive(Default)]
struct State {
    tail: Tail,
    readers: HashMap<u64, Entry>,
    last_id: u64,
    /// Where the file begins that is being sent.
    begun_at: u64,
    /// What every client gets first: without it, players cannot read what follows.
    beginning: Bytes,
    facts: Facts,
    title: Option<Arc<str>>,
    availability: Availability,
    /// The source, where it waits for readers.
    source: Option<Waker>,
}

/// Whether clients may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Availability {
    #[default]
    Open,
    /// A file is over, its source is not.
    Between,
    /// The source is over.
    Over,
}

/// What the first bytes of a stream tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) media_type: Option<HeaderValue>,
    /// Hertz.
    pub(crate) sample_rate: Option<u32>,
    pub(crate) channels: Option<u32>,
    /// Bits per second.
    pub(crate) bit_rate: Option<u32>,
}

/// For whom a source waits before it sends more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It comes when it comes.
    Nobody,
    /// As fast as one client takes it.
    Fastest,
    /// As fast as all clients take it (option `blockio`).
    All,
}

struct Entry {
    position: u64,
    /// Where the file ends that it came for.
    end: Option<u64>,
    waker: Option<Waker>,
    /// Of HTTP/1, which holds what its client has not taken yet. HTTP/2 asks for no more than its client takes.
    link: Option<Arc<Link>>,
    is_cut: bool,
}

/// A client of a live stream.
pub(crate) struct LiveReader {
    live: Arc<Live>,
    id: u64,
    has_begun: bool,
}

/// What comes next.
pub(crate) enum LiveNext {
    Bytes(Bytes),
    End,
    /// The client was too slow, and what comes next is gone.
    Cut,
}

impl Live {
    /// An empty stream. A limit of 0 is none.
    pub(crate) fn new(name: &[u8], behind: u64, burst: u64) -> Live {
        Live {
            name: name.escape_ascii().to_string(),
            behind: if behind == 0 { MOST } else { behind.min(MOST) },
            burst,
            state: Mutex::default(),
            over: Notify::new(),
        }
    }

    /// A client comes. It begins where a piece of the source begins. `link` is that of HTTP/1.
    pub(crate) fn join(self: &Arc<Self>, link: Option<Arc<Link>>) -> LiveReader {
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        let latest = match state.availability {
            Availability::Open => state.tail.start_of_latest(self.burst),
            Availability::Between | Availability::Over => state.tail.end(),
        };
        let entry = Entry {
            // Nothing of a file that is over.
            position: latest.max(state.begun_at),
            end: None,
            waker: None,
            link,
            is_cut: false,
        };
        state.readers.insert(id, entry);
        wake(state.source.take());
        LiveReader {
            live: self.clone(),
            id,
            has_begun: false,
        }
    }

    pub(crate) fn availability(&self) -> Availability {
        self.state().availability
    }

    pub(crate) fn facts(&self) -> Facts {
        self.state().facts.clone()
    }

    pub(crate) fn set_facts(&self, facts: Facts) {
        self.state().facts = facts;
    }

    pub(crate) fn set_title(&self, title: Option<Arc<str>>) {
        self.state().title = title;
    }

    /// What every client gets before anything else.
    pub(crate) fn set_beginning(&self, beginning: Bytes) {
        self.state().beginning = beginning;
    }

    /// Waits until a client is there (option `hold`).
    pub(crate) async fn client(&self) {
        poll_fn(|context| {
            let mut state = self.state();
            if !state.readers.is_empty() {
                return Poll::Ready(());
            }
            state.source = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits until readers have taken what was sent to all these streams of a source, as far as they are waited for: the
    /// fastest is that of all of them. Nobody waits for nobody.
    pub(crate) async fn room(streams: &[(&Live, Patience)]) {
        poll_fn(|context| {
            let asked = streams.iter().map(|(live, patience)| {
                let has_room = live.has_room(*patience, context);
                (patience, has_room)
            });
            let (mut fastest, mut is_blocked) = (None, false);
            for (patience, has_room) in asked {
                match (patience, has_room) {
                    (Patience::Fastest, Some(has_room)) => {
                        fastest = Some(has_room || fastest.unwrap_or(false));
                    }
                    (_, has_room) => is_blocked |= has_room == Some(false),
                }
            }
            match is_blocked || fastest == Some(false) {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        })
        .await;
    }

    /// Whether those have taken what was sent who are waited for; none where nobody is. They wake the source.
    fn has_room(&self, patience: Patience, context: &Context<'_>) -> Option<bool> {
        let mut state = self.state();
        let lags = state.readers.values().map(|entry| state.lag(entry));
        let lag = match patience {
            Patience::Nobody => None,
            Patience::Fastest => lags.min(),
            Patience::All => lags.max(),
        };
        state.source = Some(context.waker().clone());
        lag.map(|lag| lag <= self.behind / 2)
    }

    /// Sends a piece to all clients. Those that are too far behind are cut.
    pub(crate) fn send(&self, piece: Bytes, patience: Patience) {
        if piece.is_empty() {
            return;
        }
        let mut state = self.state();
        match state.availability {
            Availability::Open => {}
            Availability::Between => state.begun_at = state.tail.end(),
            // The server is stopping.
            Availability::Over => return,
        }
        let waited_for = state.waited_for(self.behind, patience);
        state.tail.push(piece);
        state.availability = Availability::Open;
        let kept = self.behind.max(self.burst) + SLACK;
        let end = state.tail.end();
        state.tail.trim(kept, PIECES, end);
        let cut = state.cut(self.behind, waited_for);
        let wakers = state.wakers();
        drop(state);
        for link in cut {
            let (peer, behind) = (link.connection.peer.ip().to_canonical(), self.behind);
            tracing::warn!(
                "{peer} was cut off `{}`: it was more than {behind} bytes behind (option `max_async_buf`)",
                self.name
            );
            link.cut();
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits until the source is over.
    pub(crate) async fn over(&self) {
        loop {
            let over = self.over.notified();
            if self.availability() == Availability::Over {
                return;
            }
            over.await;
        }
    }

    /// The file is over: clients that are there get what is left of it.
    pub(crate) fn end(&self, availability: Availability) {
        let mut state = self.state();
        state.availability = availability;
        let end = state.tail.end();
        for entry in state.readers.values_mut() {
            entry.end.get_or_insert(end);
        }
        let wakers = state.wakers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        self.over.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl State {
    /// Bytes that a reader has not asked for yet.
    fn lag(&self, entry: &Entry) -> u64 {
        self.tail.end().saturating_sub(entry.position)
    }

    /// The position from which on readers are waited for. The fastest one here is not where it is that of another stream
    /// that the source waits for.
    fn waited_for(&self, behind: u64, patience: Patience) -> u64 {
        let first = self.readers.values().map(|entry| entry.position).max();
        let has_room = |first: &u64| self.tail.end().saturating_sub(*first) <= behind / 2;
        match patience {
            Patience::Nobody => u64::MAX,
            Patience::Fastest => first.filter(has_room).unwrap_or(u64::MAX),
            Patience::All => 0,
        }
    }

    /// The connections of readers that do not take what they are sent, and are too far behind.
    fn cut(&mut self, behind: u64, waited_for: u64) -> Vec<Arc<Link>> {
        let end = self.tail.end();
        let mut cut = Vec::new();
        for entry in self.readers.values_mut() {
            let Some(link) = entry.link.as_ref().filter(|_| !entry.is_cut) else {
                continue;
            };
            let unsent = link.unsent();
            let lag = end.saturating_sub(entry.position) + unsent;
            if unsent > 0 && lag > behind && entry.position < waited_for {
                entry.is_cut = true;
                cut.push(link.clone());
            }
        }
        cut
    }

    fn wakers(&mut self) -> Vec<Waker> {
        let readers = self.readers.values_mut();
        readers.filter_map(|entry| entry.waker.take()).collect()
    }
}

impl LiveReader {
    /// What comes next, as soon as it is there.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<LiveNext> {
        let mut state = self.live.state();
        let state = &mut *state;
        let Some(entry) = state
            .readers
            .get_mut(&self.id)
            .filter(|entry| !entry.is_cut)
        else {
            return Poll::Ready(LiveNext::Cut);
        };
        if entry.end.is_some_and(|end| entry.position >= end) {
            return Poll::Ready(LiveNext::End);
        }
        if entry.position == state.tail.end() {
            entry.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        if entry.position < state.tail.start() {
            return Poll::Ready(LiveNext::Cut);
        }
        if !std::mem::replace(&mut self.has_begun, true) && !state.beginning.is_empty() {
            return Poll::Ready(LiveNext::Bytes(state.beginning.clone()));
        }
        let mut bytes = state.tail.gather(entry.position);
        if let Some(end) = entry.end {
            bytes.truncate(usize::try_from(end - entry.position).unwrap_or(usize::MAX));
        }
        entry.position += bytes.len() as u64;
        wake(state.source.take());
        Poll::Ready(LiveNext::Bytes(bytes))
    }

    /// Whether the client has got anything yet.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// What the stream is playing.
    pub(crate) fn title(&self) -> Option<Arc<str>> {
        self.live.state().title.clone()
    }
}

impl Drop for LiveReader {
    fn drop(&mut self) {
        let mut state = self.live.state();
        let entry = state.readers.remove(&self.id);
        let source = state.source.take();
        drop(state);
        wake(source);
        // Its link may be the last: that must not be dropped while others wait for the lock.
        drop(entry);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
