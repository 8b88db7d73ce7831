//! The bytes of a connection, as hyper reads and writes them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::server::connections::Link;
use crate::server::sendfile;

/// A socket that notes the progress of what is written.
pub(super) struct Stream {
    socket: TokioIo<TcpStream>,
    link: Arc<Link>,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, link: Arc<Link>) -> Stream {
        Stream {
            socket: TokioIo::new(socket),
            link,
        }
    }

    fn noting(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            self.link.note_progress();
        }
        written
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if sendfile::is_placeholder(bytes) {
            return Poll::Ready(Err(io::Error::other(
                "a placeholder is not to be sent itself",
            )));
        }
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.noting(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = if slices.iter().any(|slice| sendfile::is_placeholder(slice)) {
            sendfile::poll_write(self.socket.inner(), &self.link.files, context, slices)
        } else {
            Pin::new(&mut self.socket).poll_write_vectored(context, slices)
        };
        self.noting(written)
    }

    /// Head and body leave in one write, and placeholders are not copied.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
