//! The name space of one plugin, and those of all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::state::entries::{Entries, Time};

/// What a plugin keeps, shared by all of its instances. Nothing waits while it is locked.
#[derive(Debug)]
pub(crate) struct Space {
    entries: Mutex<Entries>,
    clock: Clock,
    changed: Arc<Changed>,
    last_complaint: Mutex<Option<Instant>>,
}

/// How often it is said that a plugin finds no room.
const COMPLAINTS: Duration = Duration::from_secs(10);

/// The name spaces of all plugins, by their names.
#[derive(Debug)]
pub(crate) struct Spaces {
    by_name: Mutex<BTreeMap<String, Arc<Space>>>,
    pub(super) clock: Clock,
    pub(super) changed: Arc<Changed>,
}

/// Tells whoever keeps the state that it has changed.
#[derive(Debug, Default)]
pub(super) struct Changed {
    is_set: AtomicBool,
    notify: Notify,
}

/// Counts milliseconds from a moment of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Space {
    /// Looks at the entries, at this time.
    pub(super) fn read<T>(&self, read: impl FnOnce(&mut Entries, Time) -> T) -> T {
        let mut entries = self.entries.lock().expect("no holder panics");
        // Within the lock, so that time does not go back for anybody.
        let now = self.clock.now();
        read(&mut entries, now)
    }

    /// The same, for what changes something that is kept.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Entries, Time) -> T) -> T {
        let done = self.read(change);
        self.changed.set();
        done
    }

    /// Whether it may be said in the log that there is no room: a guest could try again and again.
    pub(super) fn may_complain(&self) -> bool {
        let mut last = self.last_complaint.lock().expect("no holder panics");
        let may = last.is_none_or(|last| last.elapsed() >= COMPLAINTS);
        if may {
            *last = Some(Instant::now());
        }
        may
    }

    /// Waits for a time; for ever without one.
    pub(super) async fn wait_until(&self, time: Option<Time>) {
        match time.and_then(|time| self.clock.0.checked_add(Duration::from_millis(time))) {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}

impl Default for Spaces {
    fn default() -> Spaces {
        Spaces {
            by_name: Mutex::default(),
            clock: Clock(Instant::now()),
            changed: Arc::default(),
        }
    }
}

impl Spaces {
    /// The name space of the plugin of that name.
    pub(crate) fn of(&self, name: &str) -> Arc<Space> {
        let mut spaces = self.by_name.lock().expect("no holder panics");
        let space = spaces
            .entry(name.to_owned())
            .or_insert_with(|| self.make(Entries::default()));
        space.clone()
    }

    /// Gives a plugin that has none yet the name space that was kept.
    pub(super) fn restore(&self, name: String, entries: Entries) {
        let mut spaces = self.by_name.lock().expect("no holder panics");
        spaces.entry(name).or_insert_with(|| self.make(entries));
    }

    /// In the order of their names.
    pub(super) fn all(&self) -> Vec<(String, Arc<Space>)> {
        let spaces = self.by_name.lock().expect("no holder panics");
        let spaces = spaces.iter();
        spaces
            .map(|(name, space)| (name.clone(), space.clone()))
            .collect()
    }

    fn make(&self, entries: Entries) -> Arc<Space> {
        Arc::new(Space {
            entries: Mutex::new(entries),
            clock: self.clock,
            changed: self.changed.clone(),
            last_complaint: Mutex::default(),
        })
    }
}

impl Changed {
    pub(super) fn set(&self) {
        // Looked at first: without anybody to take it, this stays a read.
        if !self.is_set.load(SeqCst) && !self.is_set.swap(true, SeqCst) {
            self.notify.notify_one();
        }
    }

    /// Waits until something has changed that was not taken.
    pub(super) async fn wait(&self) {
        while !self.is_set.load(SeqCst) {
            self.notify.notified().await;
        }
    }

    /// Whether something has changed since this was asked last.
    pub(super) fn take(&self) -> bool {
        self.is_set.swap(false, SeqCst)
    }
}

impl Clock {
    pub(super) fn now(self) -> Time {
        Time::try_from(self.0.elapsed().as_millis()).unwrap_or(Time::MAX)
    }
}
