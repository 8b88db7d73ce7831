//! Parts of what is still being written, as a body.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::body::BLOCK;
use crate::body::file::{became_shorter, read};
use crate::http::range::Part;
use crate::resource::{Next, Seat, Version};

/// Bytes of a version from its beginning or in parts, as soon as they are there.
#[derive(Debug)]
pub(crate) struct GrowingContent {
    version: Arc<Version>,
    spans: VecDeque<Span>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    seat: Seat,
}

/// From a position up to another, or to the end of the version.
#[derive(Debug, Clone, Copy)]
struct Span {
    position: u64,
    end: Option<u64>,
}

impl GrowingContent {
    /// From a position to the end.
    pub(crate) fn follow(version: Arc<Version>, position: u64) -> GrowingContent {
        let end = None;
        GrowingContent::new(version, [Span { position, end }])
    }

    /// These parts, which are there already or will be.
    pub(crate) fn parts(version: Arc<Version>, parts: &[Part]) -> GrowingContent {
        let spans = parts.iter().map(|part| Span {
            position: part.first,
            end: Some(part.last.saturating_add(1)),
        });
        GrowingContent::new(version, spans)
    }

    fn new(version: Arc<Version>, spans: impl IntoIterator<Item = Span>) -> GrowingContent {
        GrowingContent {
            version,
            spans: spans.into_iter().collect(),
            reading: None,
            seat: Seat::default(),
        }
    }

    /// What is still to be sent, in bytes, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        let lengths = self
            .spans
            .iter()
            .map(|span| Some(span.end? - span.position));
        lengths.sum()
    }

    /// The next bytes, as soon as there are any.
    pub(crate) fn poll_block(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let Some(span) = self.spans.front_mut() else {
                return Poll::Ready(None);
            };
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(context));
                self.reading = None;
                let block = read.map_err(io::Error::other).flatten();
                return Poll::Ready(Some(block.inspect(|block| self.advance(block))));
            }
            let next = self
                .version
                .poll_next(span.position, &mut self.seat, context);
            let wanted = span.end.map_or(u64::MAX, |end| end - span.position);
            match (ready!(next), span.end) {
                (Next::Bytes(mut bytes), _) => {
                    bytes.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
                    self.advance(&bytes);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                (Next::InFile(limit), _) => {
                    let file = self.version.file.clone();
                    let position = span.position;
                    let size = wanted.min(limit - position).min(BLOCK) as usize;
                    self.reading = Some(spawn_blocking(move || read(&file, position, size)));
                }
                (Next::End, None) => {
                    self.spans.pop_front();
                }
                (Next::End, Some(_)) => return Poll::Ready(Some(Err(became_shorter()))),
                (Next::Failed, _) => {
                    let error = io::Error::other("the upload that it follows has failed");
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn advance(&mut self, sent: &Bytes) {
        if let Some(span) = self.spans.front_mut() {
            span.position += sent.len() as u64;
            if span.end == Some(span.position) {
                self.spans.pop_front();
            }
        }
    }
}

impl Drop for GrowingContent {
    fn drop(&mut self) {
        self.version.leave(&self.seat);
    }
}
