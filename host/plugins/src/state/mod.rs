//! State that outlives a request: the interface `state` of the contract.
//!
//! A plugin has a [`Space`] by its name: [`entries`] with their rules, and [`watchers`] who wait for them. The
//! [`StateKeeper`] keeps all of them in a [`file`].

mod entries;
mod file;
mod keeper;
mod space;
mod watchers;

use bytes::Bytes;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, subscribe};

use crate::bindings::httpout::plugin::state;
use crate::store::StoreState;

use entries::{LONGEST_KEY, Time};
use watchers::{MOST_WATCHES, Watch};

pub use keeper::{StateError, StateKeeper};
pub(crate) use space::{Space, Spaces};

impl state::Host for StoreState {
    fn get(&mut self, key: String) -> Result<Option<state::Entry>> {
        let get = |entry: &entries::Entry| (entry.value.clone(), entry.version);
        let found = self
            .common
            .space
            .read(|entries, now| entries.get(&key, now).map(get));
        Ok(found.map(|(value, version)| (value.into(), version)))
    }

    fn set(
        &mut self,
        key: String,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> Result<Result<u64, String>> {
        let (value, limit) = (Bytes::from(value), self.spec.limits.state);
        let set = self
            .common
            .space
            .change(|entries, now| entries.set(&key, value, expiry(now, ttl_ms), limit, now));
        Ok(set.map_err(|refusal| refusal.to_string()))
    }

    fn delete(&mut self, key: String) -> Result<bool> {
        Ok(self
            .common
            .space
            .change(|entries, now| entries.delete(&key, now)))
    }

    fn increment(
        &mut self,
        key: String,
        delta: i64,
        ttl_ms: Option<u64>,
    ) -> Result<Result<i64, String>> {
        let limit = self.spec.limits.state;
        let sum = self
            .common
            .space
            .change(|entries, now| entries.increment(&key, delta, expiry(now, ttl_ms), limit, now));
        Ok(sum.map_err(|refusal| refusal.to_string()))
    }

    fn compare_and_set(
        &mut self,
        key: String,
        version: u64,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> Result<Result<u64, u64>> {
        let (value, limit) = (Bytes::from(value), self.spec.limits.state);
        let set = self.common.space.change(|entries, now| {
            entries.compare_and_set(&key, version, value, expiry(now, ttl_ms), limit, now)
        });
        Ok(set.unwrap_or_else(|refusal| {
            if self.common.space.may_complain() {
                let plugin = &*self.spec.name;
                tracing::warn!(target: "plugin", plugin, "compare-and-set refused: {refusal}");
            }
            Err(version)
        }))
    }

    fn keys(&mut self, prefix: String, after: Option<String>, limit: u32) -> Result<Vec<String>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let keys = self
            .common
            .space
            .read(|entries, now| entries.keys(&prefix, after.as_deref(), limit, now));
        Ok(keys.iter().map(|key| key.as_ref().to_owned()).collect())
    }

    fn watch(&mut self, key: String, version: u64) -> Result<Resource<DynPollable>> {
        if key.len() > LONGEST_KEY {
            let reason = format!("watch: the key is longer than {LONGEST_KEY} bytes");
            return Err(wasmtime::Error::msg(reason));
        }
        let (place, expiry) = self.common.space.read(|entries, now| {
            if entries.version(&key, now) != version {
                return Ok((None, None));
            }
            let place = entries.watchers.add(&key).ok_or_else(|| {
                let reason = format!("watch: more than {MOST_WATCHES} at a time");
                wasmtime::Error::msg(reason)
            })?;
            let expiry = entries.get(&key, now).and_then(|entry| entry.expiry);
            Ok::<_, wasmtime::Error>((Some(place), expiry))
        })?;
        let watch = Watch {
            space: self.common.space.clone(),
            key: key.into(),
            place,
            expiry,
        };
        let watch = self.table.push(watch)?;
        subscribe(&mut self.table, watch)
    }
}

/// When an entry ceases to exist.
fn expiry(now: Time, ttl: Option<u64>) -> Option<Time> {
    ttl.map(|ttl| now.saturating_add(ttl))
}
