//! The body of another server's response: so many bytes, and not too slowly.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};
use wasmtime_wasi_http::Error;

/// A body that fails where it becomes too large, or where nothing comes for too long.
pub(super) struct LimitedBody {
    body: Incoming,
    limit: u64,
    left: u64,
    between: Duration,
    quiet: Pin<Box<Sleep>>,
}

impl LimitedBody {
    pub(super) fn new(body: Incoming, limit: u64, between: Duration) -> LimitedBody {
        LimitedBody {
            body,
            limit,
            left: limit,
            between,
            quiet: Box::pin(sleep(between)),
        }
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        // Before a byte of it is kept, where it says how long it is.
        if this.body.size_hint().lower() > this.left {
            return Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(this.limit)))));
        }
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = this.left.checked_sub(length) else {
                    return Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(this.limit)))));
                };
                this.left = left;
                this.quiet.as_mut().reset(Instant::now() + this.between);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(other) => Poll::Ready(other.map(|frame| frame.map_err(Error::from))),
            Poll::Pending => {
                ready!(this.quiet.as_mut().poll(context));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
