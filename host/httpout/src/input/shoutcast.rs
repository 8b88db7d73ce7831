//! Servers that begin their answers with `ICY 200 OK`, as SHOUTcast does: everything else in them is HTTP/1.0.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const ICY: &[u8; 4] = b"ICY ";
const HTTP: &[u8] = b"HTTP/1.0 ";

/// A connection whose answer begins as HTTP has it.
pub(super) struct Translated<S> {
    stream: S,
    start: Start,
}

enum Start {
    /// So many of these bytes have come.
    Coming([u8; 4], usize),
    /// What is still to be read in place of the first bytes.
    Known(Vec<u8>),
    Read,
}

impl<S> Translated<S> {
    pub(super) fn new(stream: S) -> Translated<S> {
        Translated {
            stream,
            start: Start::Coming([0; 4], 0),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Translated<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.start {
                Start::Coming(first, count) => {
                    let mut rest = ReadBuf::new(&mut first[*count..]);
                    ready!(Pin::new(&mut this.stream).poll_read(context, &mut rest))?;
                    let more = rest.filled().len();
                    *count += more;
                    // What ends or differs before is as it is.
                    if more == 0 || *count == first.len() {
                        let first = match first == ICY {
                            true => HTTP,
                            false => &first[..*count],
                        };
                        this.start = Start::Known(first.to_vec());
                    }
                }
                Start::Known(first) if first.is_empty() => this.start = Start::Read,
                Start::Known(first) => {
                    let count = first.len().min(buffer.remaining());
                    buffer.put_slice(&first[..count]);
                    first.drain(..count);
                    return Poll::Ready(Ok(()));
                }
                Start::Read => return Pin::new(&mut this.stream).poll_read(context, buffer),
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Translated<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
