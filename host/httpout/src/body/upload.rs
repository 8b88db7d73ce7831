//! The body of a request, as it comes in.

use std::sync::Arc;
use std::time::Duration;

use ::http::{Version, header, request::Parts};
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::body::blocks::Blocks;
use crate::error::Reject;
use crate::resource::Begun;
use crate::server::{Link, Live};
use crate::within::within;

/// What is read of a body that nobody wants, in bytes, so that the connection can be kept. Beyond it is closed.
const DRAINED: u64 = 256 << 20;

/// The same over HTTP/2, where a client with more is told to stop. Some take that for an error of the answer, so that
/// what is on its way already is read.
const DRAINED_HTTP2: u64 = 1 << 20;

/// The body of a request. A client that expects 100 (Continue) gets it when the first bytes are asked for.
pub(crate) struct Upload {
    incoming: Incoming,
    /// As the head says, in bytes.
    length: Option<u64>,
    /// In bytes.
    received: u64,
    link: Arc<Link>,
    /// Packets are acknowledged at once as long as it comes in.
    _live: Option<Live>,
    /// The longest wait for more; none is for ever.
    timeout: Option<Duration>,
    blocks: Blocks,
    /// The client may send the body, or may not.
    is_held_back: bool,
    is_http1: bool,
    /// Nothing more is to be read: it has ended, or broken off.
    is_over: bool,
    /// The write that the request begins, until it has come to its name.
    pub(crate) begun: Option<Begun>,
}

impl Upload {
    /// The connection that the request has come by.
    pub(crate) fn link(&self) -> Arc<Link> {
        self.link.clone()
    }

    pub(crate) fn new(
        incoming: Incoming,
        head: &Parts,
        link: Arc<Link>,
        timeout: Option<Duration>,
    ) -> Upload {
        let is_http1 = head.version < Version::HTTP_2;
        let length = incoming.size_hint().exact();
        let live = (is_http1 && length.is_none()).then(|| link.receive_live());
        Upload {
            length,
            received: 0,
            _live: live,
            blocks: Blocks::default(),
            is_held_back: head.headers.contains_key(header::EXPECT),
            is_http1,
            is_over: incoming.is_end_stream(),
            incoming,
            link,
            timeout,
            begun: None,
        }
    }

    /// In bytes; none where only the end will tell.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next bytes, which can be kept; none at the end. Trailers are read and forgotten.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Reject> {
        self.is_held_back = false;
        while !self.is_over {
            let frame = within(self.timeout, self.incoming.frame()).await;
            self.link.note_progress();
            match frame {
                Some(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.received += bytes.len() as u64;
                        return Ok(Some(self.blocks.keep(bytes)));
                    }
                }
                Some(None) => self.is_over = true,
                // All has come, though the connection has broken before HTTP/2 could tell.
                Some(Some(Err(_))) if self.length == Some(self.received) => self.is_over = true,
                Some(Some(Err(error))) => {
                    self.is_over = true;
                    tracing::debug!(connection = self.link.connection.id, "body: {error}");
                    return Err(Reject::Incomplete);
                }
                None => {
                    self.is_over = true;
                    let limit = self.timeout.unwrap_or_default();
                    return Err(Reject::TooSlow(limit.as_secs()));
                }
            }
        }
        Ok(None)
    }

    /// Reads the rest away beside the answer, within a bound: a client that still sends would lose an answer whose
    /// connection is closed, and some encoders end with it.
    pub(crate) fn drain(mut self) {
        // A client that was not told to go on may send nothing.
        if self.is_over || (self.is_held_back && self.is_http1) {
            return;
        }
        tokio::spawn(async move {
            let mut left = match self.is_http1 {
                true => DRAINED,
                false => DRAINED_HTTP2,
            };
            while let Ok(Some(bytes)) = self.next().await {
                left = left.saturating_sub(bytes.len() as u64);
                if left == 0 {
                    break;
                }
            }
        });
    }
}
