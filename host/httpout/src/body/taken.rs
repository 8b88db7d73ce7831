//! The body of a request that a plugin takes (`write`).

use bytes::Bytes;
use httpout_plugins::{Exchange, RequestBody};

use crate::body::Upload;
use crate::error::Reject;

/// The body of a request, counted and bounded.
pub(crate) struct Taken<'a> {
    upload: &'a mut Upload,
    exchange: &'a Exchange,
    /// In bytes; none is unlimited.
    limit: Option<u64>,
    /// In bytes.
    received: u64,
}

impl<'a> Taken<'a> {
    pub(crate) fn new(
        upload: &'a mut Upload,
        exchange: &'a Exchange,
        limit: Option<u64>,
    ) -> Taken<'a> {
        Taken {
            upload,
            exchange,
            limit,
            received: 0,
        }
    }

    fn check_size(&self, bytes: u64) -> Result<(), Reject> {
        match self.limit {
            Some(limit) if bytes > limit => Err(Reject::TooLarge { limit }),
            _ => Ok(()),
        }
    }
}

impl RequestBody for Taken<'_> {
    type Error = Reject;

    async fn next(&mut self) -> Result<Option<Bytes>, Reject> {
        // Before the client is told to go on.
        self.check_size(self.upload.length().unwrap_or(0))?;
        let Some(bytes) = self.upload.next().await? else {
            return Ok(None);
        };
        let count = bytes.len() as u64;
        self.received += count;
        self.exchange.add_bytes_received(count);
        self.check_size(self.received)?;
        Ok(Some(bytes))
    }
}
