//! The documented `read`: a response body that a plugin makes, piece by piece.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::decide::Patience;
use crate::error::Fault;
use crate::exchange::Exchange;
use crate::exports::ReadResult;
use crate::shared::Shared;
use crate::to_its_end::to_its_end;

/// A response body that a plugin makes. Nothing is asked of it but when the connection wants more.
pub struct ReadBody {
    shared: Shared,
    exchange: Arc<Exchange>,
    /// The largest block, in bytes.
    max: u32,
    /// What `use-read` promised, in bytes.
    promised: Option<u64>,
    /// What is still to come of it.
    left: Option<u64>,
    asked: Option<Asked>,
}

type Asked = Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send>>;

impl ReadBody {
    pub(crate) fn new(
        shared: Shared,
        exchange: Arc<Exchange>,
        max: u32,
        length: Option<u64>,
    ) -> ReadBody {
        ReadBody {
            shared,
            exchange,
            max,
            promised: length,
            left: length,
            asked: None,
        }
    }

    /// What is still to come, in bytes; none where only the end will tell.
    pub fn length(&self) -> Option<u64> {
        self.left
    }

    /// The next bytes, as soon as the plugin has some; none at the end.
    pub fn poll_block(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        if self.left == Some(0) {
            return Poll::Ready(None);
        }
        let (shared, exchange, max) = (&self.shared, &self.exchange, self.max);
        let asked = self
            .asked
            .get_or_insert_with(|| Box::pin(next_block(shared.clone(), exchange.clone(), max)));
        let block = ready!(asked.as_mut().poll(context));
        self.asked = None;
        match block.and_then(|block| self.check(block)) {
            Ok(block) => Poll::Ready(block.map(Ok)),
            Err(fault) => {
                self.shared.log(&self.exchange, &fault);
                Poll::Ready(Some(Err(fault)))
            }
        }
    }

    /// Counts a block, or the end, which must be as long as was promised.
    fn check(&mut self, block: Option<Bytes>) -> Result<Option<Bytes>, Fault> {
        let rest = match (&block, self.left) {
            (Some(block), Some(left)) => left.checked_sub(block.len() as u64).map(Some),
            (Some(_), None) => Some(None),
            (None, None) => Some(Some(0)),
            (None, Some(_)) => None,
        };
        self.left = rest.ok_or(Fault::Promise(self.promised.unwrap_or_default()))?;
        Ok(block)
    }
}

/// Calls `read` until it has bytes, or says that there are no more.
pub(crate) async fn next_block(
    shared: Shared,
    exchange: Arc<Exchange>,
    max: u32,
) -> Result<Option<Bytes>, Fault> {
    let mut patience = Patience::new();
    loop {
        let mut session = shared.hold().await;
        let read = async move { session.read(max).await };
        match to_its_end(&exchange, read).await? {
            ReadResult::Data(data) if data.is_empty() || data.len() > max as usize => {
                let length = data.len();
                return Err(Fault::Read { length, max });
            }
            ReadResult::Data(data) => return Ok(Some(data.into())),
            ReadResult::Eof => return Ok(None),
            ReadResult::Pending(wait) => {
                let waited = patience.wait(&shared, wait).await;
                let call = "read";
                waited.map_err(|limit| Fault::Stalled { call, limit })??;
            }
        }
    }
}
