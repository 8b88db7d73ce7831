//! Bytes on their way into a file, a lot at a time, on a thread that may block.

use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::pwritev;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::resource::OpenFile;
use crate::resource::place::WriteError;

/// Bytes that are gathered before they are written: few enough to be in the cache of the core still. While they are
/// written, as many may gather again.
const GATHERED: usize = 128 << 10;

/// The most pieces that one system call takes (Linux: IOV_MAX).
const PIECES: usize = 1024;

/// Writes to a file from a position on.
pub(crate) struct Writer {
    file: Arc<OpenFile>,
    /// Where the gathered bytes go.
    position: u64,
    gathered: Vec<Bytes>,
    length: usize,
    writing: Option<JoinHandle<io::Result<Written>>>,
}

/// What has been written.
struct Written {
    /// Behind it.
    position: u64,
    /// Buffers are cheapest to free where they were made.
    pieces: Vec<Bytes>,
}

impl Writer {
    pub(crate) fn new(file: Arc<OpenFile>) -> Writer {
        Writer {
            file,
            position: 0,
            gathered: Vec::new(),
            length: 0,
            writing: None,
        }
    }

    pub(crate) fn file(&self) -> &OpenFile {
        &self.file
    }

    /// Takes bytes. Waits only where the disk is behind.
    ///
    /// # Returns
    /// The position up to which everything is in the file, where that has changed.
    pub(crate) async fn push(&mut self, bytes: Bytes) -> Result<Option<u64>, WriteError> {
        self.length += bytes.len();
        self.gathered.push(bytes);
        if self.length < GATHERED && self.gathered.len() < PIECES {
            return Ok(None);
        }
        let written = self.wait().await?;
        self.start();
        Ok(written)
    }

    /// Writes what has gathered, and waits until everything is in the file.
    pub(crate) async fn flush(&mut self) -> Result<(), WriteError> {
        self.wait().await?;
        if self.length > 0 {
            self.start();
            self.wait().await?;
        }
        Ok(())
    }

    /// What follows goes elsewhere.
    pub(crate) async fn seek(&mut self, position: u64) -> Result<(), WriteError> {
        self.flush().await?;
        self.position = position;
        Ok(())
    }

    fn start(&mut self) {
        let file = self.file.clone();
        let pieces = std::mem::take(&mut self.gathered);
        let position = self.position;
        self.position += std::mem::take(&mut self.length) as u64;
        self.writing = Some(spawn_blocking(move || {
            let position = write(&file, &pieces, position)?;
            Ok(Written { position, pieces })
        }));
    }

    async fn wait(&mut self) -> Result<Option<u64>, WriteError> {
        let Some(writing) = self.writing.take() else {
            return Ok(None);
        };
        let written = writing.await.map_err(io::Error::other).flatten();
        let Written {
            position,
            mut pieces,
        } = written.map_err(WriteError)?;
        pieces.clear();
        if self.gathered.is_empty() {
            self.gathered = pieces;
        }
        Ok(Some(position))
    }
}

fn write(file: &File, pieces: &[Bytes], mut position: u64) -> io::Result<u64> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut rest = &mut slices[..];
    while !rest.is_empty() {
        match pwritev(file, rest, position) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                position += count as u64;
                IoSlice::advance_slices(&mut rest, count);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(position)
}
