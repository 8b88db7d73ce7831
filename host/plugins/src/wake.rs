//! The documented `wake`: a request that waits is called again because another one says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

/// The requests of one plugin that can be woken, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Sleepers {
    by_id: Mutex<HashMap<u64, Arc<Notify>>>,
}

/// How one request is woken. Most never are: it can be found only once it is [`set`](Alarm::set).
#[derive(Debug)]
pub(crate) struct Alarm {
    id: u64,
    sleepers: Arc<Sleepers>,
    /// Holds a call that came while nobody waited, until somebody does.
    bell: Option<Arc<Notify>>,
}

impl Sleepers {
    /// Wakes a request of this plugin; false if there is none of that number.
    pub(crate) fn wake(&self, id: u64) -> bool {
        let sleepers = self.by_id.lock().expect("no holder panics");
        let bell = sleepers.get(&id);
        bell.inspect(|bell| bell.notify_one()).is_some()
    }
}

impl Alarm {
    pub(crate) fn new(id: u64, sleepers: Arc<Sleepers>) -> Alarm {
        Alarm {
            id,
            sleepers,
            bell: None,
        }
    }

    /// Can be found by its number from now on. What is to be waited for.
    pub(crate) fn set(&mut self) -> Arc<Notify> {
        let bell = self.bell.get_or_insert_with(|| {
            let bell = Arc::new(Notify::new());
            let mut sleepers = self.sleepers.by_id.lock().expect("no holder panics");
            sleepers.insert(self.id, bell.clone());
            bell
        });
        bell.clone()
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if self.bell.is_some() {
            let mut sleepers = self.sleepers.by_id.lock().expect("no holder panics");
            sleepers.remove(&self.id);
        }
    }
}
