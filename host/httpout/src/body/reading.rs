//! A block of a file: at once where the kernel has it in memory, else read on a thread that may block.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::pread;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::resource::OpenFile;

/// The block of a file that is being read, if one is.
#[derive(Debug, Default)]
pub(super) enum Reading {
    #[default]
    Nothing,
    Done(io::Result<Bytes>),
    UnderWay(JoinHandle<io::Result<Bytes>>),
}

impl Reading {
    /// Begins to read so many bytes at a position.
    pub(super) fn begin(&mut self, file: &Arc<OpenFile>, position: u64, size: usize) {
        *self = if is_in_memory(file, position, size) {
            Reading::Done(read(file, position, size))
        } else {
            let file = file.clone();
            Reading::UnderWay(spawn_blocking(move || read(&file, position, size)))
        };
    }

    /// What has been begun: fewer bytes than asked for only at the end of the file, an error where there are none. None
    /// where nothing has.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let block = match self {
            Reading::Nothing => return Poll::Ready(None),
            Reading::Done(block) => std::mem::replace(block, Ok(Bytes::new())),
            Reading::UnderWay(task) => {
                let read = ready!(Pin::new(task).poll(context));
                read.map_err(io::Error::other).flatten()
            }
        };
        *self = Reading::Nothing;
        Poll::Ready(Some(block))
    }
}

/// The length is promised already: a file that became shorter can only be cut.
pub(crate) fn became_shorter() -> io::Error {
    let text = "the file became shorter while it was sent";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// Whether reading would not wait for the disk: its first and its last byte are there, and so in all likelihood what is
/// between them. To be wrong costs a wait, nothing else.
#[cfg(target_os = "linux")]
fn is_in_memory(file: &OpenFile, position: u64, size: usize) -> bool {
    use rustix::io::{ReadWriteFlags, preadv2};
    let is_there = |position: u64| {
        let mut byte = [0];
        let mut slices = [io::IoSliceMut::new(&mut byte)];
        preadv2(file, &mut slices, position, ReadWriteFlags::NOWAIT) == Ok(1)
    };
    is_there(position) && (size < 2 || is_there(position + size as u64 - 1))
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &OpenFile, _: u64, _: usize) -> bool {
    false
}

fn read(file: &OpenFile, position: u64, size: usize) -> io::Result<Bytes> {
    let mut block = Vec::with_capacity(size);
    match pread(file, spare_capacity(&mut block), position)? {
        0 => Err(became_shorter()),
        _ => Ok(block.into()),
    }
}
