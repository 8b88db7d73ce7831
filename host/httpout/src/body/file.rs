//! Parts of a file as a body.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::body::reading::Reading;
use crate::http::range::Part;
use crate::resource::OpenFile;
use crate::server::FileQueue;

/// Parts of one open file, in the order in which they are sent.
#[derive(Debug)]
pub(crate) struct FileContent {
    file: Arc<OpenFile>,
    parts: VecDeque<Part>,
    /// All parts together, in bytes.
    length: u64,
    reading: Reading,
    /// The kernel knows of the part at the front.
    is_queued: bool,
}

impl FileContent {
    pub(crate) fn new(file: Arc<OpenFile>, parts: impl IntoIterator<Item = Part>) -> FileContent {
        let parts: VecDeque<Part> = parts.into_iter().collect();
        FileContent {
            file,
            length: parts.iter().map(|part| part.length()).sum(),
            parts,
            reading: Reading::default(),
            is_queued: false,
        }
    }

    /// What is still to be sent, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The next block of this size or less.
    pub(crate) fn poll_block(
        &mut self,
        context: &mut Context<'_>,
        size: u64,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let Some(part) = self.parts.front().copied() else {
            return Poll::Ready(None);
        };
        if matches!(self.reading, Reading::Nothing) {
            let size = part.length().min(size) as usize;
            self.reading.begin(&self.file, part.first, size);
        }
        let block = ready!(self.reading.poll(context));
        let advance = |block: &Bytes| self.advance(block.len() as u64);
        Poll::Ready(block.map(|block| block.inspect(advance)))
    }

    /// What stands for the next bytes, this many or less, where the kernel sends them.
    pub(crate) fn next_placeholder(&mut self, queue: &FileQueue, size: u64) -> Option<Bytes> {
        let part = *self.parts.front()?;
        if !self.is_queued {
            queue.push(self.file.clone(), part);
            self.is_queued = true;
        }
        let placeholder = FileQueue::placeholder(part.length().min(size));
        self.advance(placeholder.len() as u64);
        Some(placeholder)
    }

    /// The same, as a part of its own: the kernel gathers no more than these bytes.
    pub(crate) fn next_block_placeholder(&mut self, queue: &FileQueue, size: u64) -> Option<Bytes> {
        let Part { first, last } = *self.parts.front()?;
        let placeholder = FileQueue::placeholder((last - first + 1).min(size));
        let last = first + placeholder.len() as u64 - 1;
        queue.push(self.file.clone(), Part { first, last });
        self.advance(placeholder.len() as u64);
        Some(placeholder)
    }

    fn advance(&mut self, count: u64) {
        self.length -= count;
        if let Some(part) = self.parts.front_mut() {
            if part.length() > count {
                part.first += count;
            } else {
                self.parts.pop_front();
                self.is_queued = false;
            }
        }
    }
}
