//! The documented `throttle`: plugins that say how fast a response body goes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::error::Fault;
use crate::exchange::Exchange;
use crate::shared::Shared;
use crate::to_its_end::to_its_end;

/// The plugins of an exchange that asked for `throttle`.
pub struct Throttle {
    sessions: Vec<Shared>,
    exchange: Arc<Exchange>,
    pause: Option<Pause>,
}

type Pause = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

impl Throttle {
    pub(crate) fn new(sessions: Vec<Shared>, exchange: Arc<Exchange>) -> Throttle {
        Throttle {
            sessions,
            exchange,
            pause: None,
        }
    }

    /// Ready when the next block may go: so many bytes of the body have gone, of so many, or of 0 where that is not known.
    ///
    /// # Errors
    /// A plugin failed, or asks for more time than there is.
    pub fn poll_pass(
        &mut self,
        context: &mut Context<'_>,
        done: u64,
        total: u64,
    ) -> Poll<Result<(), Fault>> {
        let (sessions, exchange) = (&self.sessions, &self.exchange);
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(wait(sessions.clone(), exchange.clone(), done, total)));
        let passed = ready!(pause.as_mut().poll(context));
        self.pause = None;
        Poll::Ready(passed)
    }
}

/// Waits as long as the plugin that asks for most.
async fn wait(
    sessions: Vec<Shared>,
    exchange: Arc<Exchange>,
    done: u64,
    total: u64,
) -> Result<(), Fault> {
    let mut longest = Duration::ZERO;
    for shared in &sessions {
        let pause = ask(shared, &exchange, done, total).await;
        longest = longest.max(pause.inspect_err(|fault| shared.log(&exchange, fault))?);
    }
    if !longest.is_zero() {
        tokio::time::sleep(longest).await;
    }
    Ok(())
}

async fn ask(
    shared: &Shared,
    exchange: &Arc<Exchange>,
    done: u64,
    total: u64,
) -> Result<Duration, Fault> {
    let mut session = shared.hold().await;
    let throttle = async move { session.throttle(done, total).await };
    let pause = to_its_end(exchange, throttle).await?;
    let limit = shared.plugin.spec.limits.reply;
    match Duration::from_micros(pause) {
        time if time <= limit => Ok(time),
        _ => Err(Fault::Throttle { pause, limit }),
    }
}
