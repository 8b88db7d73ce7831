//! From a request to what one plugin decides: `on-request`, then `write` and `resume` for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout_at};

use crate::call::{BackOff, Session};
use crate::decision::Decision;
use crate::error::Fault;
use crate::exchange::Exchange;
use crate::exports::Pollables;
use crate::shared::Shared;
use crate::to_its_end::to_its_end;

/// An instance while it is called.
type Held = OwnedMutexGuard<Session>;

/// Bytes of a request body that a plugin is given at once.
const PIECE: usize = 64 << 10;

/// The body of a request, as it comes in.
pub trait RequestBody: Send {
    /// Why there is no more of it.
    type Error: Send;

    /// The next bytes, at least one; none at the end. They are taken from the client when this is called.
    ///
    /// # Errors
    /// It broke off, is too slow, or too long.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

/// Why there is no decision.
#[derive(Debug)]
pub enum Refusal<E> {
    /// A plugin failed.
    Fault(Fault),
    /// The body of the request, which a plugin takes, did.
    Body(E),
}

impl<E> From<Fault> for Refusal<E> {
    fn from(fault: Fault) -> Self {
        Refusal::Fault(fault)
    }
}

/// What one plugin has decided, and which calls are still to be made to its instance.
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    pub(crate) wants_throttle: bool,
    pub(crate) wants_close: bool,
    pub(crate) wants_write: bool,
}

/// What comes next.
enum Step {
    Resume,
    Write,
    Done(Decided),
}

/// Asks a plugin about an exchange, for as long as it takes to decide.
pub(crate) async fn decide<B: RequestBody>(
    shared: &Shared,
    exchange: &Arc<Exchange>,
    body: &mut B,
) -> Result<Decided, Refusal<B::Error>> {
    let mut patience = Patience::new();
    let first = on_request(shared.hold().await, exchange.clone());
    let mut wait = to_its_end(exchange, first).await?;
    loop {
        match next_step(shared).await? {
            Step::Write => {
                // What comes depends on the client, who may take for ever.
                shared.pass.decided();
                wait = write_body(shared, exchange, wait, body).await?;
                patience = Patience::new();
            }
            Step::Resume => {
                let waited = patience.wait(shared, wait).await;
                waited.map_err(Fault::NeverSent)??;
                wait = to_its_end(exchange, resume(shared.hold().await)).await?;
            }
            Step::Done(decided) => return Ok(decided),
        }
    }
}

async fn next_step(shared: &Shared) -> Result<Step, Fault> {
    let mut session = shared.hold().await;
    let current = session.current();
    match current.sent {
        false if current.dropped => Err(Fault::Dropped),
        _ if current.is_writing() => Ok(Step::Write),
        true => {
            current.decided = true;
            Ok(Step::Done(Decided {
                decision: std::mem::take(&mut current.decision),
                wants_throttle: current.wants_throttle,
                wants_close: current.wants_close,
                wants_write: current.wants_write,
            }))
        }
        false => {
            let (plugin, request) = (&*shared.plugin.spec.name, current.exchange.id);
            tracing::debug!(target: "plugin", plugin, request, "the reply comes later");
            Ok(Step::Resume)
        }
    }
}

/// The documented `write`, for one piece of the body after the other, until it ends or the plugin refuses the rest. What
/// comes then is to be waited for.
async fn write_body<B: RequestBody>(
    shared: &Shared,
    exchange: &Arc<Exchange>,
    mut wait: Pollables,
    body: &mut B,
) -> Result<Pollables, Refusal<B::Error>> {
    let mut rest = Bytes::new();
    while accepts_more(shared).await {
        if !wait.is_empty() {
            let waited = Patience::new().wait(shared, wait).await;
            let call = "write";
            waited.map_err(|limit| Fault::Stalled { call, limit })??;
        }
        if rest.is_empty() {
            let next = body.next().await;
            rest = next.map_err(Refusal::Body)?.unwrap_or_default();
        }
        let piece = rest.split_to(rest.len().min(PIECE));
        wait = to_its_end(exchange, write(shared.hold().await, piece)).await?;
    }
    Ok(wait)
}

async fn accepts_more(shared: &Shared) -> bool {
    let mut session = shared.hold().await;
    let current = session.current();
    current.is_writing() && (current.sent || !current.dropped)
}

/// How long a plugin may keep an exchange waiting, several waits together.
pub(crate) struct Patience {
    since: Instant,
    back_off: BackOff,
}

impl Patience {
    pub(crate) fn new() -> Patience {
        Patience {
            since: Instant::now(),
            back_off: BackOff::new(),
        }
    }

    /// Waits for what a call returned, for the time of option `timeout` or what the plugin asked for in its place.
    ///
    /// # Errors
    /// That time, where it is over.
    pub(crate) async fn wait(
        &mut self,
        shared: &Shared,
        pollables: Pollables,
    ) -> Result<Result<(), Fault>, Duration> {
        let mut session = shared.hold().await;
        let asked = session.current().timeout;
        let limit = asked.unwrap_or(shared.plugin.spec.limits.reply);
        let end = self.since + limit;
        // A wait for what is ready already would never see a timer.
        if Instant::now() >= end {
            return Err(limit);
        }
        let waiting = session.wait(pollables, &mut self.back_off);
        timeout_at(end, waiting).await.map_err(|_| limit)
    }
}

async fn on_request(mut session: Held, exchange: Arc<Exchange>) -> Result<Pollables, Fault> {
    session.on_request(exchange).await
}

async fn resume(mut session: Held) -> Result<Pollables, Fault> {
    session.resume().await
}

async fn write(mut session: Held, piece: Bytes) -> Result<Pollables, Fault> {
    session.write(&piece).await
}
