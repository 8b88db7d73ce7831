//! Parts of what is still being written, as a body.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::body::BLOCK;
use crate::body::reading::{Reading, became_shorter};
use crate::http::range::Part;
use crate::resource::{Next, Reader};
use crate::server::{Handling, Link};

/// Bytes of a version, as soon as they are there.
pub(crate) struct GrowingContent {
    reader: Reader,
    spans: VecDeque<Span>,
    reading: Reading,
    /// Of a source that may be silent for a time.
    link: Option<Arc<Link>>,
    /// Held while it is silent, from the first bytes on: the client is not idle.
    waiting: Option<Handling>,
    has_begun: bool,
}

/// From a position up to another.
#[derive(Debug, Clone, Copy)]
struct Span {
    position: u64,
    end: u64,
    /// Its length has been told. Otherwise it may end earlier, with the version.
    is_promised: bool,
}

impl GrowingContent {
    /// All, up to the end.
    pub(crate) fn whole(reader: Reader) -> GrowingContent {
        let (first, last) = (0, u64::MAX);
        GrowingContent::up_to(reader, Part { first, last })
    }

    /// A part, or what there will be of it.
    pub(crate) fn up_to(reader: Reader, part: Part) -> GrowingContent {
        GrowingContent::new(reader, &[part], false)
    }

    /// These parts, which are there already or will be.
    pub(crate) fn parts(reader: Reader, parts: &[Part]) -> GrowingContent {
        GrowingContent::new(reader, parts, true)
    }

    fn new(reader: Reader, parts: &[Part], is_promised: bool) -> GrowingContent {
        let spans = parts.iter().map(|part| Span {
            position: part.first,
            end: part.last.saturating_add(1),
            is_promised,
        });
        GrowingContent {
            reader,
            spans: spans.collect(),
            reading: Reading::default(),
            link: None,
            waiting: None,
            has_begun: false,
        }
    }

    /// The client stays as long as the source, however long that is silent.
    pub(crate) fn wait_with(&mut self, link: Arc<Link>) {
        self.link = Some(link);
    }

    /// What is still to be sent, in bytes, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        let lengths = self
            .spans
            .iter()
            .map(|span| span.is_promised.then_some(span.end - span.position));
        lengths.sum()
    }

    /// The next bytes, as soon as there are any.
    pub(crate) fn poll_block(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let Poll::Ready(next) = self.poll_version(context) else {
            if let Some(link) = self.link.as_ref().filter(|_| self.has_begun) {
                self.waiting.get_or_insert_with(|| link.start_handling());
            }
            return Poll::Pending;
        };
        self.waiting = None;
        self.has_begun = true;
        Poll::Ready(next)
    }

    fn poll_version(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let Some(span) = self.spans.front_mut() else {
                return Poll::Ready(None);
            };
            if let Some(block) = ready!(self.reading.poll(context)) {
                return Poll::Ready(Some(block.inspect(|block| self.advance(block))));
            }
            let wanted = span.end - span.position;
            match ready!(self.reader.poll_next(span.position, context)) {
                Next::Bytes(mut bytes) => {
                    bytes.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
                    self.advance(&bytes);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Next::InFile(limit) => {
                    let size = wanted.min(limit - span.position).min(BLOCK) as usize;
                    let file = self.reader.file();
                    self.reading.begin(file, span.position, size);
                }
                Next::End if span.is_promised => {
                    return Poll::Ready(Some(Err(became_shorter())));
                }
                Next::End => {
                    self.spans.pop_front();
                }
                Next::Failed => {
                    let error = io::Error::other("what it follows has failed");
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn advance(&mut self, sent: &Bytes) {
        if let Some(span) = self.spans.front_mut() {
            span.position += sent.len() as u64;
            if span.position == span.end {
                self.spans.pop_front();
            }
        }
    }
}
