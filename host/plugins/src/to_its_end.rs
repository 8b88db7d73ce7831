//! Calls that run to their end, also where nobody waits for them any more.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use crate::exchange::Exchange;

/// Runs a call. If this is dropped before its end and a plugin wants to know the end of the exchange, the call goes on in
/// a task of its own: an instance that was interrupted cannot be called any more. It is bounded by its own deadline.
pub(crate) async fn to_its_end<C>(exchange: &Arc<Exchange>, call: C) -> C::Output
where
    C: Future<Output: Send + 'static> + Send + 'static,
{
    let running = Running {
        call: Some(Box::pin(call)),
        exchange,
    };
    running.await
}

struct Running<'a, C: Future<Output: Send + 'static> + Send + 'static> {
    /// None when it has ended.
    call: Option<Pin<Box<C>>>,
    exchange: &'a Exchange,
}

impl<C: Future<Output: Send + 'static> + Send + 'static> Future for Running<'_, C> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<C::Output> {
        let call = self.call.as_mut().expect("is polled until it is ready");
        let polled = call.as_mut().poll(context);
        if polled.is_ready() {
            self.call = None;
        }
        polled
    }
}

impl<C: Future<Output: Send + 'static> + Send + 'static> Drop for Running<'_, C> {
    fn drop(&mut self) {
        let is_wanted = self.exchange.is_closed_by_plugins.load(Relaxed);
        // Without a runtime the process is ending.
        if let Some(call) = self.call.take().filter(|_| is_wanted)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(call);
        }
    }
}
