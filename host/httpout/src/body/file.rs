//! Parts of a file as a body.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::http::range::Part;
use crate::server::FileQueue;

/// Parts of one open file, in the order in which they are sent.
#[derive(Debug)]
pub(crate) struct FileContent {
    file: Arc<File>,
    parts: VecDeque<Part>,
    /// All parts together, in bytes.
    length: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    /// The kernel knows of the part at the front.
    is_queued: bool,
}

impl FileContent {
    pub(crate) fn new(file: Arc<File>, parts: impl IntoIterator<Item = Part>) -> FileContent {
        let parts: VecDeque<Part> = parts.into_iter().collect();
        FileContent {
            file,
            length: parts.iter().map(|part| part.length()).sum(),
            parts,
            reading: None,
            is_queued: false,
        }
    }

    /// What is still to be sent, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The next block of this size or less, read on a thread that may block.
    pub(crate) fn poll_block(
        &mut self,
        context: &mut Context<'_>,
        size: u64,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let Some(part) = self.parts.front().copied() else {
            return Poll::Ready(None);
        };
        let reading = self.reading.get_or_insert_with(|| {
            let file = self.file.clone();
            let size = part.length().min(size) as usize;
            spawn_blocking(move || read(&file, part.first, size))
        });
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let block = read.map_err(io::Error::other).flatten();
        Poll::Ready(Some(
            block.inspect(|block| self.advance(block.len() as u64)),
        ))
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

/// The length is promised already: a file that became shorter can only be cut.
pub(crate) fn became_shorter() -> io::Error {
    let text = "the file became shorter while it was sent";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// Reads at a position; fewer bytes than asked for only at the end of the file, none never.
pub(super) fn read(file: &File, position: u64, size: usize) -> io::Result<Bytes> {
    let mut block = vec![0; size];
    match file.read_at(&mut block, position)? {
        0 => Err(became_shorter()),
        count => {
            block.truncate(count);
            Ok(block.into())
        }
    }
}
