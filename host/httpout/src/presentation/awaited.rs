//! Waits for files that are about to come.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::presentation::{Key, Presentations};

/// The most files that are waited for; who asks for a further one does not wait.
const FILES: usize = 4096;

/// Who waits for which file.
#[derive(Debug, Default)]
pub(super) struct Seats {
    awaited: HashMap<Key, Seat>,
}

#[derive(Debug, Default)]
struct Seat {
    came: Arc<Notify>,
    waiting: usize,
}

/// A wait for a file. It is over when this is dropped.
pub(crate) struct Awaited {
    presentations: Arc<Presentations>,
    key: Key,
    came: Pin<Box<OwnedNotified>>,
    /// The longest that it makes sense to wait.
    pub(crate) limit: Duration,
}

impl Seats {
    pub(super) fn take(&mut self, key: &Key) -> Option<OwnedNotified> {
        if self.awaited.len() >= FILES && !self.awaited.contains_key(key) {
            return None;
        }
        let seat = self.awaited.entry(key.clone()).or_default();
        seat.waiting += 1;
        Some(seat.came.clone().notified_owned())
    }

    /// Wakes all who wait for a file.
    pub(super) fn wake(&self, key: &[u8]) {
        if let Some(seat) = self.awaited.get(key) {
            seat.came.notify_waiters();
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.awaited.is_empty()
    }

    fn leave(&mut self, key: &Key) {
        if let Some(seat) = self.awaited.get_mut(key) {
            seat.waiting -= 1;
            if seat.waiting == 0 {
                self.awaited.remove(key);
            }
        }
    }
}

impl Awaited {
    pub(super) fn new(
        presentations: Arc<Presentations>,
        key: Key,
        came: OwnedNotified,
        limit: Duration,
    ) -> Awaited {
        Awaited {
            presentations,
            key,
            came: Box::pin(came),
            limit,
        }
    }

    /// Waits until something of the file is there, or all of it.
    pub(crate) fn came(&mut self) -> Pin<&mut OwnedNotified> {
        self.came.as_mut()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.presentations.register().seats.leave(&self.key);
    }
}
