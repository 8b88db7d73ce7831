//! The bytes of a connection, as hyper reads and writes them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::server::framing::Framing;
use crate::server::sendfile;
use crate::server::wire::Wire;

/// A connection as hyper wants it.
pub(super) struct Stream {
    socket: TokioIo<Socket>,
}

/// A socket whose requests are looked at while they are read.
struct Socket {
    transport: Transport,
    framing: Framing,
}

/// How bytes travel.
pub(super) enum Transport {
    Plain(Wire),
    Tls(Box<TlsStream<Wire>>),
}

impl Stream {
    pub(super) fn new(transport: Transport) -> Stream {
        Stream {
            socket: TokioIo::new(Socket {
                transport,
                framing: Framing::default(),
            }),
        }
    }
}

impl Stream {
    /// What is left of bytes that were to be written.
    fn note_unsent(&self, length: usize, written: &Poll<io::Result<usize>>) {
        let count = match written {
            Poll::Ready(Ok(count)) => *count,
            _ => 0,
        };
        let link = &self.socket.inner().transport.wire().link;
        link.set_unsent(length - count);
    }
}

impl Transport {
    /// Whether the client and we have agreed on HTTP/2 (ALPN).
    pub(super) fn is_http2(&self) -> bool {
        match self {
            Transport::Plain(_) => false,
            Transport::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    fn wire(&self) -> &Wire {
        match self {
            Transport::Plain(wire) => wire,
            Transport::Tls(stream) => stream.get_ref().0,
        }
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Transport::Plain(wire) => Pin::new(wire).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
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
            return not_to_be_sent();
        }
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.note_unsent(bytes.len(), &written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !slices.iter().any(|slice| sendfile::is_placeholder(slice)) {
            let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
            let length = slices.iter().map(|slice| slice.len()).sum();
            self.note_unsent(length, &written);
            return written;
        }
        match &self.socket.inner().transport {
            Transport::Plain(wire) => wire.poll_write_files(context, slices),
            Transport::Tls(_) => not_to_be_sent(),
        }
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

fn not_to_be_sent() -> Poll<io::Result<usize>> {
    Poll::Ready(Err(io::Error::other(
        "a placeholder is not to be sent itself",
    )))
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = &mut *self;
        let Wire { socket: tcp, link } = socket.transport.wire();
        if link.is_live() {
            // Also for what has come already; it holds for a while only. Best effort: without it a live upload is later.
            let _ = sockopt::set_tcp_quickack(tcp, true);
        }
        let before = buffer.filled().len();
        match link.read_size() {
            None => ready!(socket.transport.poll_read(context, buffer))?,
            Some(size) => {
                let size = size.min(buffer.remaining());
                let mut part = ReadBuf::new(buffer.initialize_unfilled_to(size));
                ready!(socket.transport.poll_read(context, &mut part))?;
                let count = part.filled().len();
                buffer.advance(count);
            }
        }
        if let Some(request) = socket.framing.look(&buffer.filled()[before..]) {
            socket.transport.wire().link.set_two_lengths(request);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(wire) => Pin::new(wire).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(wire) => Pin::new(wire).poll_write_vectored(context, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(wire) => Pin::new(wire).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(wire) => Pin::new(wire).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
