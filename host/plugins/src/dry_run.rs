//! A request that nobody made, to see what a script answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use tokio::time::timeout;

use crate::call::Session;
use crate::decide::{Refusal, RequestBody, decide};
use crate::decision::{Body, Decision};
use crate::error::{CloseCode, Fault};
use crate::exchange::Exchange;
use crate::plugin::Plugin;
use crate::read::next_block;
use crate::shared::Shared;

/// Of a body that `read` makes, so much is asked for.
const ENOUGH: u32 = 64 << 10;

/// What a plugin has decided about a request that nobody made.
#[derive(Debug)]
pub struct DryReply {
    /// Its decision.
    pub decision: Decision,
    /// The beginning of the body that `read` gave.
    pub read: Vec<u8>,
    /// There is no more of it.
    pub is_whole: bool,
}

/// A request without a body.
struct Nothing;

impl RequestBody for Nothing {
    type Error = Infallible;

    async fn next(&mut self) -> Result<Option<Bytes>, Infallible> {
        Ok(None)
    }
}

/// Asks a plugin, and makes all calls that a real request would make.
///
/// # Errors
/// It failed.
pub(crate) async fn dry_run(plugin: &Arc<Plugin>, exchange: Exchange) -> Result<DryReply, Fault> {
    let exchange = Arc::new(exchange);
    let shared = Shared::new(plugin.clone(), Session::open(plugin).await?);
    let limits = &plugin.spec.limits;
    // What may wait for an hour is not waited for here.
    let body = &mut Nothing;
    let deciding = timeout(limits.reply, decide(&shared, &exchange, body));
    let decided = deciding.await.map_err(|_| Fault::NeverSent(limits.reply))?;
    let decided = decided.map_err(|refusal| match refusal {
        Refusal::Fault(fault) => fault,
        Refusal::Body(never) => match never {},
    })?;
    let status = decided.decision.reply.map_or(200, |reply| reply.as_u16());
    exchange.status.store(status, Relaxed);
    let mut reply = DryReply {
        decision: decided.decision,
        read: Vec::new(),
        is_whole: false,
    };
    if let Body::Read(length) = reply.decision.body {
        let reading = read(&shared, &exchange, length, &mut reply);
        // A body that goes on for ever is shown as far as it has come.
        if let Ok(failed) = timeout(limits.call, reading).await {
            failed?;
        }
    }
    shared.hold().await.close(CloseCode::Complete).await?;
    Ok(reply)
}

async fn read(
    shared: &Shared,
    exchange: &Arc<Exchange>,
    length: Option<u64>,
    reply: &mut DryReply,
) -> Result<(), Fault> {
    while reply.read.len() < ENOUGH as usize && !reply.is_whole {
        let block = next_block(shared.clone(), exchange.clone(), ENOUGH).await?;
        reply.is_whole = block.is_none();
        reply.read.extend(block.iter().flatten());
        let has_all = |length| reply.read.len() as u64 >= length;
        reply.is_whole |= length.is_some_and(has_all);
    }
    Ok(())
}
