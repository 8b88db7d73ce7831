//! Files sent by the kernel, without a copy through this process (sendfile(2)).
//!
//! hyper frames the message and asks for the body's bytes. The body of a file gives it placeholders instead: slices of
//! one static array that nobody reads. The socket's writer knows them by their address, and asks the kernel to send
//! what stands next in the connection's [`FileQueue`].

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::net::{SendFlags, sockopt};
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::body::became_shorter;
use crate::http::range::Part;
use crate::resource::OpenFile;

/// The longest placeholder, in bytes.
const PLACEHOLDER: usize = 1 << 20;

static NEVER_READ: [u8; PLACEHOLDER] = [0; PLACEHOLDER];

/// From this length on, a part is sent in full packets only; shorter ones would wait for each other.
const CORKED: u64 = 1 << 20;

/// The parts of files that a connection is to send, in the order of their placeholders.
#[derive(Debug, Default)]
pub(crate) struct FileQueue {
    spans: Mutex<VecDeque<Span>>,
}

#[derive(Debug)]
struct Span {
    file: Arc<OpenFile>,
    position: u64,
    left: u64,
    cork: Cork,
}

/// Whether a part is sent in full packets only.
#[derive(Debug, PartialEq, Eq)]
enum Cork {
    No,
    /// From its first byte on.
    Wanted,
    Set,
}

impl FileQueue {
    /// Takes a part that is to be sent, before its first placeholder is given to hyper.
    pub(crate) fn push(&self, file: Arc<OpenFile>, part: Part) {
        self.spans().push_back(Span {
            file,
            position: part.first,
            left: part.length(),
            cork: match part.length() >= CORKED {
                true => Cork::Wanted,
                false => Cork::No,
            },
        });
    }

    /// What stands for the next bytes of a part of which `left` are to be sent.
    pub(crate) fn placeholder(left: u64) -> Bytes {
        let length = usize::try_from(left).unwrap_or(usize::MAX);
        Bytes::from_static(&NEVER_READ[..length.min(PLACEHOLDER)])
    }

    /// The head of a corked part leaves with its beginning. Before a shorter one that would make a packet more, because
    /// both together are longer than one: a head of its own is cheaper.
    fn flags_of_head(&self) -> SendFlags {
        match self.spans().front() {
            Some(span) if span.cork != Cork::No => SendFlags::MORE,
            _ => SendFlags::empty(),
        }
    }

    fn spans(&self) -> MutexGuard<'_, VecDeque<Span>> {
        self.spans.lock().expect("no holder panics")
    }
}

/// Whether a slice stands for bytes of a file.
pub(super) fn is_placeholder(slice: &[u8]) -> bool {
    !slice.is_empty() && NEVER_READ.as_ptr_range().contains(&slice.as_ptr())
}

/// Writes slices of which at least one is a placeholder: what stands before it, or the bytes it stands for.
pub(super) fn poll_write(
    socket: &TcpStream,
    queue: &FileQueue,
    context: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let first = slices.iter().find(|slice| !slice.is_empty());
    match first {
        Some(slice) if !is_placeholder(slice) => {
            let flags = queue.flags_of_head();
            poll_io(socket, context, || {
                Ok(rustix::net::send(socket, slice, flags)?)
            })
        }
        _ => {
            let placeholders = slices
                .iter()
                .take_while(|slice| slice.is_empty() || is_placeholder(slice));
            let wanted = placeholders.map(|slice| slice.len()).sum();
            poll_send_file(socket, queue, context, wanted)
        }
    }
}

fn poll_send_file(
    socket: &TcpStream,
    queue: &FileQueue,
    context: &mut Context<'_>,
    wanted: usize,
) -> Poll<io::Result<usize>> {
    let mut spans = queue.spans();
    let span = spans.front_mut().expect("each placeholder has its span");
    let count = usize::try_from(span.left).unwrap_or(usize::MAX).min(wanted);
    if span.cork == Cork::Wanted {
        // Best effort: without it packets are smaller.
        let _ = sockopt::set_tcp_cork(socket, true);
        span.cork = Cork::Set;
    }
    let sent = ready!(poll_io(socket, context, || {
        let mut position = span.position;
        Ok(rustix::fs::sendfile(
            socket,
            &*span.file,
            Some(&mut position),
            count,
        )?)
    }));
    let sent = match sent {
        Ok(0) => Err(became_shorter()),
        sent => sent,
    };
    if let Ok(count) = sent {
        span.position += count as u64;
        span.left -= count as u64;
    }
    if span.cork == Cork::Set && (span.left == 0 || sent.is_err()) {
        let _ = sockopt::set_tcp_cork(socket, false);
    }
    if span.left == 0 {
        spans.pop_front();
    }
    Poll::Ready(sent)
}

/// Tries until it works or the socket is full, and then waits until it is not.
fn poll_io<T>(
    socket: &TcpStream,
    context: &mut Context<'_>,
    mut operation: impl FnMut() -> io::Result<T>,
) -> Poll<io::Result<T>> {
    loop {
        ready!(socket.poll_write_ready(context))?;
        match socket.try_io(Interest::WRITABLE, &mut operation) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return Poll::Ready(done),
        }
    }
}
