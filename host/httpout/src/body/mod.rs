//! Response bodies. A body says what is sent; the connection decides how.

mod blocks;
mod file;
mod growing;
mod upload;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use httpout_plugins::CloseCode;

pub(crate) use file::{FileContent, became_shorter};
pub(crate) use growing::GrowingContent;
pub(crate) use upload::Upload;

use crate::ending::Ending;
use crate::server::Link;

/// Bytes of a file that are read at a time, unless option `block_size` says so.
const BLOCK: u64 = 256 << 10;

/// What is sent as a body.
#[derive(Debug, Default)]
pub(crate) enum Content {
    #[default]
    Empty,
    Bytes(Bytes),
    File(FileContent),
    Growing(GrowingContent),
}

/// A response body, and with it the end of its exchange: it is over when this is dropped.
pub(crate) struct Body {
    content: Content,
    ending: Option<Box<Ending>>,
    delivery: Delivery,
}

/// How the files of a body reach the connection.
pub(crate) enum Delivery {
    /// The kernel sends them, so many bytes at a time.
    Kernel(Arc<Link>, u64),
    /// They are read, so many bytes at a time.
    Blocks(u64),
}

impl Delivery {
    pub(crate) fn by_kernel(link: Arc<Link>, block_size: Option<usize>) -> Delivery {
        Delivery::Kernel(link, block_size.map_or(u64::MAX, |size| size as u64))
    }

    pub(crate) fn by_blocks(block_size: Option<usize>) -> Delivery {
        Delivery::Blocks(block_size.map_or(BLOCK, |size| size as u64))
    }
}

impl Content {
    /// What is still to be sent, in bytes; none where only the end will tell.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Content::Empty => Some(0),
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::File(file) => Some(file.length()),
            Content::Growing(growing) => growing.length(),
        }
    }
}

impl Body {
    pub(crate) fn new(content: Content, ending: Option<Box<Ending>>, delivery: Delivery) -> Body {
        Body {
            content,
            ending,
            delivery,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = &mut *self;
        let next = match &mut body.content {
            Content::Empty => None,
            Content::Bytes(bytes) => Some(Ok(std::mem::take(bytes))).filter(|next| !is_empty(next)),
            Content::File(file) => match &body.delivery {
                Delivery::Kernel(link, size) => file.next_placeholder(&link.files, *size).map(Ok),
                Delivery::Blocks(size) => ready!(file.poll_block(context, *size)),
            },
            Content::Growing(growing) => ready!(growing.poll_block(context)),
        };
        if let Some(ending) = &mut body.ending {
            match &next {
                Some(Ok(block)) => ending.exchange.add_bytes_sent(block.len() as u64),
                Some(Err(_)) => ending.set_code(CloseCode::ReadFailed),
                None => {}
            }
        }
        Poll::Ready(next.map(|block| block.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.content.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.content
            .length()
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if self.content.length() == Some(0)
            && let Some(ending) = &mut self.ending
        {
            ending.set_code(CloseCode::Complete);
        }
    }
}

fn is_empty(block: &io::Result<Bytes>) -> bool {
    block.as_ref().is_ok_and(Bytes::is_empty)
}
