//! Response bodies. A body says what is sent; the connection decides how.

mod blocks;
mod file;
mod growing;
mod reading;
mod upload;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use httpout_plugins::CloseCode;

pub(crate) use file::FileContent;
pub(crate) use growing::GrowingContent;
pub(crate) use reading::became_shorter;
pub(crate) use upload::Upload;

use crate::ending::Ending;
use crate::server::Link;

/// Bytes of a file that are read at a time, unless option `block_size` says so.
pub(crate) const BLOCK: u64 = 256 << 10;

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
    /// HTTP/1: the kernel sends them, so many bytes at a time.
    Kernel(Arc<Link>, u64),
    /// HTTP/1: they are read, so many bytes at a time.
    Blocks(Arc<Link>, u64),
    /// HTTP/2: they are read, so many bytes at a time.
    Stream(u64),
}

impl Delivery {
    /// The next bytes of a file, or what stands for them.
    fn poll_next(
        &self,
        file: &mut FileContent,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        match self {
            Delivery::Kernel(link, size) => {
                Poll::Ready(file.next_placeholder(&link.files, *size).map(Ok))
            }
            Delivery::Blocks(_, size) | Delivery::Stream(size) => file.poll_block(context, *size),
        }
    }

    /// The body will never be whole. HTTP/2 says so by itself.
    fn set_broken(&self) {
        match self {
            Delivery::Kernel(link, _) | Delivery::Blocks(link, _) => link.set_broken(),
            Delivery::Stream(_) => {}
        }
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
            Content::File(file) => ready!(body.delivery.poll_next(file, context)),
            Content::Growing(growing) => ready!(growing.poll_block(context)),
        };
        if let Some(Err(_)) = next {
            body.delivery.set_broken();
        }
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
