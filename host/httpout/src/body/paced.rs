//! A body that goes as fast as plugins let it (`throttle`).

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use httpout_plugins::Throttle;

use crate::body::{Broken, Content, Delivery};

/// Holds each block back until it may go.
pub(super) struct Pace {
    throttle: Throttle,
    /// The largest block, in bytes.
    block: u64,
    held: Option<Bytes>,
    /// In bytes, without what is held.
    done: u64,
    /// Of the whole body, in bytes; 0 where it is not known.
    total: u64,
}

impl Pace {
    pub(super) fn new(throttle: Throttle, content: &Content, block: u64) -> Pace {
        Pace {
            throttle,
            block,
            held: None,
            done: 0,
            total: content.length().unwrap_or(0),
        }
    }

    /// What is held, in bytes.
    pub(super) fn held(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.len() as u64)
    }

    /// The next block of the content, when it may go.
    pub(super) fn poll_next(
        &mut self,
        content: &mut Content,
        delivery: &Delivery,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        if self.held.is_none() {
            let next = match content {
                Content::Bytes(bytes) if bytes.len() as u64 > self.block => {
                    Some(Ok(bytes.split_to(self.block as usize)))
                }
                content => ready!(content.poll_next(delivery, context)),
            };
            match next {
                Some(Ok(block)) => self.held = Some(block),
                end_or_error => return Poll::Ready(end_or_error),
            }
        }
        // Asked when there is a block, so that nobody is asked at the end.
        ready!(self.throttle.poll_pass(context, self.done, self.total))?;
        let block = self.held.take();
        self.done += block.as_ref().map_or(0, |block| block.len() as u64);
        Poll::Ready(block.map(Ok))
    }
}
