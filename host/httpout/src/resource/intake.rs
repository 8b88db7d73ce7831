//! A whole file that comes in: who follows it has each piece at once, the disk a lot at a time.

use bytes::Bytes;

use crate::error::Reject;
use crate::resource::store::{Stored, Upload};
use crate::resource::writer::Writer;

/// A file on its way to its name. It is given up with this value unless it is published.
pub(crate) struct Intake {
    upload: Upload,
    writer: Writer,
    /// In bytes.
    length: u64,
}

impl Intake {
    pub(crate) fn new(upload: Upload) -> Intake {
        let writer = Writer::new(upload.version.file().clone());
        Intake {
            upload,
            writer,
            length: 0,
        }
    }

    /// How long it will be, in bytes, where that is known. Comes before the first bytes.
    ///
    /// # Errors
    /// 507 where there is no room for as many.
    pub(crate) fn announce(&self, total: Option<u64>) -> Result<(), Reject> {
        self.writer.file().reserve(total.unwrap_or(0))?;
        self.upload.version.announce(total);
        Ok(())
    }

    /// By now, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Adds bytes at the end, which can be kept. Waits only where the disk is behind.
    pub(crate) async fn push(&mut self, bytes: Bytes) -> Result<(), Reject> {
        self.length += bytes.len() as u64;
        self.writer.file().reserve(self.length)?;
        if self.upload.is_followed {
            self.upload.version.append(bytes.clone());
        }
        self.upload.observe(&bytes);
        if let Some(stored) = self.writer.push(bytes).await? {
            self.upload.version.stored(stored);
        }
        Ok(())
    }

    /// Waits until all of it is in the file.
    pub(crate) async fn flush(&mut self) -> Result<(), Reject> {
        Ok(self.writer.flush().await?)
    }

    /// All of it has been flushed: it gets its name. May block.
    ///
    /// # Errors
    /// As [`Upload::publish`].
    pub(crate) fn publish(self) -> Result<Stored, Reject> {
        self.upload.publish()
    }
}
