//! Response bodies. A body says what is sent; the connection decides how.

mod blocks;
mod file;
mod growing;
mod live;
mod paced;
mod reading;
mod taken;
mod upload;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use httpout_plugins::{CloseCode, Fault, ReadBody};

pub(crate) use blocks::Blocks;
pub(crate) use file::FileContent;
pub(crate) use growing::GrowingContent;
pub(crate) use live::{LiveContent, METADATA_INTERVAL};
use paced::Pace;
pub(crate) use reading::became_shorter;
pub(crate) use taken::Taken;
pub(crate) use upload::Upload;

use crate::ending::Ending;
use crate::server::{Handling, Link};

/// Bytes that are read of a file, or sent of those in memory, at a time, unless option `block_size` says so.
pub(crate) const BLOCK: u64 = 256 << 10;

/// What a plugin gives at once, and what is sent between two calls of `throttle`, in bytes, unless option `block_size`
/// says so.
pub(crate) const PLUGIN_BLOCK: u64 = 64 << 10;

/// What is sent as a body.
#[derive(Default)]
pub(crate) enum Content {
    #[default]
    Empty,
    Bytes(Bytes),
    File(FileContent),
    Growing(GrowingContent),
    Live(Box<LiveContent>),
    /// Of a live stream that is only asked about (HEAD): nothing, and no length.
    OnlyAsked,
    /// What a plugin makes.
    Read(ReadBody),
}

/// A body that cannot be sent whole, and how its exchange ends.
pub(crate) struct Broken {
    code: CloseCode,
    error: io::Error,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        Broken {
            code: CloseCode::ReadFailed,
            error,
        }
    }
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Broken {
        Broken {
            code: fault.close_code(),
            error: io::Error::other(fault),
        }
    }
}

/// A response body, and with it the end of its exchange: it is over when this is dropped.
pub(crate) struct Body {
    content: Content,
    /// The connection has it; before, its client may have left already.
    is_handed_over: bool,
    ending: Option<Box<Ending>>,
    delivery: Delivery,
    /// How fast plugins let it go.
    pace: Option<Box<Pace>>,
    /// Held while a plugin makes the connection wait.
    waiting: Option<Handling>,
}

/// How the files of a body reach the connection.
pub(crate) enum Delivery {
    /// HTTP/1: the kernel sends them, so many bytes at a time.
    Kernel(Arc<Link>, u64),
    /// The same, and it gathers no more than those: others decide when the next may go.
    KernelBlocks(Arc<Link>, u64),
    /// HTTP/1: they are read, so many bytes at a time.
    Blocks(Arc<Link>, u64),
    /// HTTP/2: they are read, so many bytes at a time.
    Stream(u64),
}

impl Delivery {
    /// In blocks that can be counted, of so many bytes.
    fn in_blocks(self, size: u64) -> Delivery {
        match self {
            Delivery::Kernel(link, _) | Delivery::KernelBlocks(link, _) => {
                Delivery::KernelBlocks(link, size)
            }
            Delivery::Blocks(link, _) => Delivery::Blocks(link, size),
            Delivery::Stream(_) => Delivery::Stream(size),
        }
    }

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
            Delivery::KernelBlocks(link, size) => {
                Poll::Ready(file.next_block_placeholder(&link.files, *size).map(Ok))
            }
            Delivery::Blocks(_, size) | Delivery::Stream(size) => file.poll_block(context, *size),
        }
    }

    /// The body will never be whole. HTTP/2 says so by itself.
    fn set_broken(&self) {
        match self {
            Delivery::Kernel(link, _)
            | Delivery::KernelBlocks(link, _)
            | Delivery::Blocks(link, _) => link.set_broken(),
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
            Content::Live(_) | Content::OnlyAsked => None,
            Content::Read(read) => read.length(),
        }
    }

    /// The next block.
    fn poll_next(
        &mut self,
        delivery: &Delivery,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        let next = match self {
            Content::Empty | Content::OnlyAsked => None,
            Content::Bytes(bytes) if bytes.is_empty() => None,
            // Not all at once: the connection would take it for sent.
            Content::Bytes(bytes) => Some(Ok(bytes.split_to(bytes.len().min(BLOCK as usize)))),
            Content::File(file) => ready!(delivery.poll_next(file, context)),
            Content::Growing(growing) => ready!(growing.poll_block(context)),
            Content::Live(live) => ready!(live.poll_block(context)),
            Content::Read(read) => {
                let block = ready!(read.poll_block(context));
                return Poll::Ready(block.map(|block| block.map_err(Broken::from)));
            }
        };
        Poll::Ready(next.map(|block| block.map_err(Broken::from)))
    }
}

impl Body {
    /// `block_size` is the option's, where it is given.
    pub(crate) fn new(
        content: Content,
        ending: Option<Box<Ending>>,
        delivery: Delivery,
        block_size: Option<usize>,
    ) -> Body {
        let throttle = ending.as_ref().and_then(|ending| {
            let open = Some(&ending.open).filter(|open| !open.is_empty());
            open?.throttle(&ending.exchange)
        });
        let block = block_size.map_or(PLUGIN_BLOCK, |size| size as u64);
        Body {
            delivery: match throttle {
                Some(_) => delivery.in_blocks(block),
                None => delivery,
            },
            pace: throttle.map(|throttle| Box::new(Pace::new(throttle, &content, block))),
            content,
            is_handed_over: false,
            ending,
            waiting: None,
        }
    }

    /// The connection takes it from now on.
    pub(crate) fn hand_over(&mut self) {
        self.is_handed_over = true;
    }

    /// The next block, as soon as there is one and it may go.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        match &mut self.pace {
            None => self.content.poll_next(&self.delivery, context),
            Some(pace) => pace.poll_next(&mut self.content, &self.delivery, context),
        }
    }

    /// What is still to be sent, in bytes; none where only the end will tell.
    fn length(&self) -> Option<u64> {
        let held = self.pace.as_ref().map_or(0, |pace| pace.held());
        self.content.length().map(|length| length + held)
    }

    /// Plugins have a say in what comes next.
    fn is_up_to_plugins(&self) -> bool {
        self.pace.is_some() || matches!(self.content, Content::Read(_))
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
        let Poll::Ready(next) = body.poll_next(context) else {
            if let Some(ending) = body.ending.as_ref().filter(|_| body.is_up_to_plugins()) {
                body.waiting.get_or_insert_with(|| ending.start_waiting());
            }
            return Poll::Pending;
        };
        body.waiting = None;
        if let Some(Err(_)) = next {
            body.delivery.set_broken();
        }
        if let Some(ending) = &mut body.ending {
            match &next {
                Some(Ok(block)) => ending.exchange.add_bytes_sent(block.len() as u64),
                Some(Err(broken)) => ending.set_code(broken.code),
                None => {}
            }
        }
        Poll::Ready(next.map(|block| block.map(Frame::data).map_err(|broken| broken.error)))
    }

    fn is_end_stream(&self) -> bool {
        self.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.length()
            .map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if self.is_handed_over
            && self.length() == Some(0)
            && let Some(ending) = &mut self.ending
        {
            ending.set_code(CloseCode::Complete);
        }
    }
}
