//! A TCP connection that notes the progress of what is written, also from below TLS, which holds back some of it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::server::connections::Link;
use crate::server::sendfile;

/// So many bytes or less are copied together: send(2) costs less than writev(2) by more than the copy.
const FLAT: usize = 2 << 10;

/// A socket, and the connection that it is of.
pub(super) struct Wire {
    pub(super) socket: TcpStream,
    pub(super) link: Arc<Link>,
}

impl Wire {
    /// Writes slices of which some stand for parts of files.
    pub(super) fn poll_write_files(
        &self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.noting(sendfile::poll_write(
            &self.socket,
            &self.link.files,
            context,
            slices,
        ))
    }

    fn noting(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.link.note_progress();
            self.link.count_sent(bytes);
        }
        written
    }

    /// The same for an answer of so many bytes. Encoders leave without taking it, and what they have sent behind that
    /// request is still to be read and done: an answer that nobody takes counts as written.
    fn noting_answer(
        &self,
        written: Poll<io::Result<usize>>,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        match self.noting(written) {
            Poll::Ready(Err(error)) if has_left(&error) && self.link.may_lose(length) => {
                Poll::Ready(Ok(length))
            }
            written => written,
        }
    }
}

fn has_left(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.link.is_broken() {
            // Best effort: without it the end looks like that of a body without a length.
            let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        self.link.count_received(buffer.filled().len() - before);
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.noting_answer(written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [slice] = slices {
            return self.poll_write(context, slice);
        }
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        if length <= FLAT {
            let mut flat = [0; FLAT];
            let mut rest = &mut flat[..];
            for slice in slices {
                let (part, behind) = rest.split_at_mut(slice.len());
                part.copy_from_slice(slice);
                rest = behind;
            }
            return self.poll_write(context, &flat[..length]);
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.noting_answer(written, length)
    }

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
