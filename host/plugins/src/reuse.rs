//! Instances that answer further requests, one after another (option `plugin_reuse`).
//!
//! Only an instance that is completely done with a request is kept: nothing failed in it, the guest has given up all that
//! belonged to the request, and no handle is left. How many requests each answers is chosen by chance, so that no plugin
//! comes to rely on what an instance remembers.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::Store;
use wasmtime::component::{Instance, ResourceAny};

use crate::plugin::Plugin;
use crate::store::StoreState;

/// How long an instance waits for its next request.
const IDLE: Duration = Duration::from_secs(5);

/// How often it is looked whether one has waited for too long.
const LOOK: Duration = Duration::from_secs(1);

/// An instance, with all that it holds.
pub(crate) struct Live {
    pub(crate) store: Store<StoreState>,
    pub(crate) instance: Instance,
    /// Further requests that it may answer.
    uses: u32,
    /// Given back when the instance is gone.
    _permit: OwnedSemaphorePermit,
}

impl Live {
    /// A fresh instance of a plugin of which each answers at most so many further requests.
    pub(crate) fn new(
        store: Store<StoreState>,
        instance: Instance,
        permit: OwnedSemaphorePermit,
        most: u32,
    ) -> Live {
        Live {
            store,
            instance,
            uses: chance(most),
            _permit: permit,
        }
    }

    /// Whether it may answer another request.
    pub(crate) fn is_reusable(&self) -> bool {
        self.uses > 0
    }
}

/// A number from 1 to `most`, 0 where that is 0.
fn chance(most: u32) -> u32 {
    match most {
        0 | 1 => most,
        // The standard library's tables are keyed by chance, and so is the hash of anything.
        _ => 1 + (RandomState::new().hash_one(most) % u64::from(most)) as u32,
    }
}

/// Keeps an instance for the next request, after the guest has dropped its value of this one. What does not come clean is
/// thrown away, as it would be without reuse.
pub(crate) async fn give_back(plugin: Arc<Plugin>, mut live: Live, request: ResourceAny) {
    live.store.set_epoch_deadline(1);
    let dropping = request.resource_drop_async(&mut live.store);
    let dropped = tokio::time::timeout(plugin.spec.limits.call, dropping).await;
    let state = live.store.data();
    let gave_up_exchange = state
        .current
        .as_ref()
        .is_some_and(|current| current.dropped);
    if !matches!(dropped, Ok(Ok(()))) || !gave_up_exchange || !state.table.is_empty() {
        let plugin = &*plugin.spec.name;
        return tracing::debug!(target: "plugin", plugin, "an instance is not reused: it holds on to its request");
    }
    if state.is_large() {
        let plugin = &*plugin.spec.name;
        return tracing::debug!(target: "plugin", plugin, "an instance is not reused: it has taken more than half of its memory");
    }
    live.store.data_mut().renew(plugin.state());
    live.uses -= 1;
    plugin.engine.keep(plugin.id, live);
}

/// The instances that wait for their next request.
#[derive(Default)]
pub(crate) struct Idle {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// By the number of their plugin, the one that has waited longest first.
    lists: HashMap<u64, VecDeque<(Instant, Live)>>,
    is_looked_after: bool,
}

impl Idle {
    /// The number of a plugin.
    pub(crate) fn next_id() -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(0);
        LAST.fetch_add(1, Relaxed)
    }

    /// Takes the instance of a plugin that was used last.
    pub(crate) fn take(&self, plugin: u64) -> Option<Live> {
        let (_, live) = self.waiting().lists.get_mut(&plugin)?.pop_back()?;
        Some(live)
    }

    /// Keeps an instance; whether somebody is to begin to look after all of them.
    pub(crate) fn put(&self, plugin: u64, live: Live) -> bool {
        let mut waiting = self.waiting();
        let list = waiting.lists.entry(plugin).or_default();
        list.push_back((Instant::now(), live));
        !std::mem::replace(&mut waiting.is_looked_after, true)
    }

    /// Throws one away, whosever it is, where another instance is wanted and there is no room.
    pub(crate) fn evict(&self) {
        let evicted = {
            let mut waiting = self.waiting();
            waiting.lists.values_mut().find_map(VecDeque::pop_front)
        };
        // Not under the lock: it takes longer than that is to be held.
        drop(evicted);
    }

    /// Throws away all of a plugin that is gone.
    pub(crate) fn forget(&self, plugin: u64) {
        let forgotten = self.waiting().lists.remove(&plugin);
        drop(forgotten);
    }

    /// Throws away what has waited for too long, until nothing waits.
    pub(crate) async fn look_after(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let (overdue, is_over) = self.overdue(Instant::now());
            drop(overdue);
            if is_over {
                return;
            }
        }
    }

    fn overdue(&self, now: Instant) -> (Vec<Live>, bool) {
        let mut waiting = self.waiting();
        let mut overdue = Vec::new();
        for list in waiting.lists.values_mut() {
            while let Some((since, _)) = list.front()
                && now.duration_since(*since) > IDLE
            {
                overdue.extend(list.pop_front().map(|(_, live)| live));
            }
        }
        waiting.lists.retain(|_, list| !list.is_empty());
        waiting.is_looked_after = !waiting.lists.is_empty();
        (overdue, !waiting.is_looked_after)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instance_has_its_own_number_of_requests_within_the_limit() {
        assert_eq!((chance(0), chance(1)), (0, 1));
        let chosen: Vec<u32> = (0..1000).map(|_| chance(4)).collect();
        for number in 1..=4 {
            assert!(chosen.contains(&number));
        }
        assert!(chosen.iter().all(|number| (1..=4).contains(number)));
    }
}
