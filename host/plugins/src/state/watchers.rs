//! Those who wait for a key to change: they are told once, and are ready from then on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::Notify;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::Pollable;

use crate::state::entries::Time;
use crate::state::space::Space;

/// Watches of a plugin at a time. Each instance may hold a few of them, and there are bounded many of these.
pub(super) const MOST_WATCHES: usize = 10_000;

/// Whom to tell about which key.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    by_key: HashMap<Box<str>, BTreeMap<u64, Arc<Notify>>>,
    count: usize,
    last_id: u64,
}

/// A place among the watchers.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    told: Arc<Notify>,
}

impl Watchers {
    /// None where there are too many.
    pub(super) fn add(&mut self, key: &str) -> Option<Place> {
        if self.count >= MOST_WATCHES {
            return None;
        }
        self.count += 1;
        self.last_id += 1;
        let told = Arc::new(Notify::new());
        let watchers = self.by_key.entry(key.into()).or_default();
        watchers.insert(self.last_id, told.clone());
        Some(Place {
            id: self.last_id,
            told,
        })
    }

    /// The key has changed.
    pub(super) fn tell(&mut self, key: &str) {
        for told in self.by_key.remove(key).unwrap_or_default().into_values() {
            self.count -= 1;
            // Kept until it is waited for, so that none is lost.
            told.notify_one();
        }
    }

    fn remove(&mut self, key: &str, place: &Place) {
        let Some(watchers) = self.by_key.get_mut(key) else {
            return;
        };
        if watchers.remove(&place.id).is_some() {
            self.count -= 1;
        }
        if watchers.is_empty() {
            self.by_key.remove(key);
        }
    }
}

/// One who waits for a key to have another version: what stands behind the pollable of `watch`.
pub(super) struct Watch {
    pub(super) space: Arc<Space>,
    pub(super) key: Box<str>,
    /// None from when it has changed on.
    pub(super) place: Option<Place>,
    /// When it changes by itself. No other time can be set without a change.
    pub(super) expiry: Option<Time>,
}

#[async_trait]
impl Pollable for Watch {
    async fn ready(&mut self) {
        let Some(place) = &self.place else {
            return;
        };
        tokio::select! {
            () = place.told.notified() => {}
            () = self.space.wait_until(self.expiry) => {}
        }
        self.leave();
    }
}

impl Watch {
    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            let Watch { space, key, .. } = self;
            space.read(|entries, _| entries.watchers.remove(key, &place));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_gives_the_place_back() {
        let mut watchers = Watchers::default();
        let mut places: Vec<Place> = (0..MOST_WATCHES)
            .map(|_| watchers.add("a").expect("there is a place"))
            .collect();
        assert!(watchers.add("b").is_none());
        watchers.remove("a", &places.pop().expect("there are many"));
        assert!(watchers.add("b").is_some());
        watchers.tell("a");
        assert_eq!(watchers.count, 1);
        // Told already.
        watchers.remove("a", &places[0]);
        assert_eq!(watchers.count, 1);
    }
}
