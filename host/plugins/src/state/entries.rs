//! The entries of one name space: their versions, their room and their times to live.
//!
//! Who asks says what time it is, and how much room there is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use crate::state::watchers::Watchers;

/// The longest key, in bytes.
pub(super) const LONGEST_KEY: usize = 1024;

/// The most keys in one answer.
const MOST_KEYS: usize = 1000;

/// What an entry takes beside its key and its value, in bytes: without it, short ones would take much more than counts.
const OVERHEAD: usize = 128;

/// Expired entries that are removed with each change, though their room is not needed yet.
const REMOVED_AT_ONCE: usize = 16;

/// Milliseconds on a clock that does not go back.
pub(super) type Time = u64;

/// All entries of a plugin, and those who wait for them to change.
#[derive(Debug, Default)]
pub(super) struct Entries {
    by_key: BTreeMap<Arc<str>, Entry>,
    /// Those with a time to live, in the order in which these end.
    by_expiry: BTreeSet<(Time, Arc<str>)>,
    last_version: u64,
    /// In bytes.
    size: usize,
    pub(super) watchers: Watchers,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) value: Bytes,
    pub(super) version: u64,
    /// From then on it does not exist.
    pub(super) expiry: Option<Time>,
}

/// Why nothing was changed.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    #[error("the key is longer than {LONGEST_KEY} bytes")]
    LongKey,
    #[error("the state of a plugin has at most {0} bytes (option `plugin_state_size`)")]
    NoRoom(usize),
    #[error("the value is no decimal number of 64 bits")]
    NoNumber,
    #[error("the sum does not fit into 64 bits")]
    Overflow,
}

impl Entries {
    /// Entries as they were kept, with the version that came last.
    pub(super) fn restore(
        last_version: u64,
        entries: impl IntoIterator<Item = (Arc<str>, Entry)>,
    ) -> Entries {
        let mut restored = Entries {
            last_version,
            ..Entries::default()
        };
        for (key, entry) in entries {
            restored.insert(key, entry);
        }
        restored
    }

    /// All that exist, to be kept, and the version that came last.
    pub(super) fn all(&self, now: Time) -> (u64, Vec<(Arc<str>, Entry)>) {
        let existing = self.by_key.iter().filter(|(_, entry)| entry.exists(now));
        let entries = existing.map(|(key, entry)| (key.clone(), entry.clone()));
        (self.last_version, entries.collect())
    }

    pub(super) fn get(&self, key: &str, now: Time) -> Option<&Entry> {
        self.by_key.get(key).filter(|entry| entry.exists(now))
    }

    /// 0 for a key that does not exist.
    pub(super) fn version(&self, key: &str, now: Time) -> u64 {
        self.get(key, now).map_or(0, |entry| entry.version)
    }

    pub(super) fn set(
        &mut self,
        key: &str,
        value: Bytes,
        expiry: Option<Time>,
        limit: usize,
        now: Time,
    ) -> Result<u64, Refusal> {
        if key.len() > LONGEST_KEY {
            return Err(Refusal::LongKey);
        }
        self.expire(now, REMOVED_AT_ONCE);
        self.make_room(key, &value, limit, now)?;
        let known = self.remove(key).map(|(key, _)| key);
        let key = known.unwrap_or_else(|| Arc::from(key));
        self.last_version += 1;
        self.watchers.tell(&key);
        let version = self.last_version;
        let entry = Entry {
            value,
            version,
            expiry,
        };
        self.insert(key, entry);
        Ok(version)
    }

    /// Whether there was one.
    pub(super) fn delete(&mut self, key: &str, now: Time) -> bool {
        let existed = self.get(key, now).is_some();
        if self.remove(key).is_some() {
            self.watchers.tell(key);
        }
        existed
    }

    pub(super) fn increment(
        &mut self,
        key: &str,
        delta: i64,
        expiry: Option<Time>,
        limit: usize,
        now: Time,
    ) -> Result<i64, Refusal> {
        let (number, expiry) = match self.get(key, now) {
            Some(entry) => (parse(&entry.value)?, entry.expiry),
            None => (0, expiry),
        };
        let sum = number.checked_add(delta).ok_or(Refusal::Overflow)?;
        self.set(key, sum.to_string().into(), expiry, limit, now)?;
        Ok(sum)
    }

    /// The new version, or the one that stands.
    pub(super) fn compare_and_set(
        &mut self,
        key: &str,
        version: u64,
        value: Bytes,
        expiry: Option<Time>,
        limit: usize,
        now: Time,
    ) -> Result<Result<u64, u64>, Refusal> {
        let standing = self.get(key, now);
        let expiry = expiry.or(standing.and_then(|entry| entry.expiry));
        let standing = standing.map_or(0, |entry| entry.version);
        if standing != version {
            return Ok(Err(standing));
        }
        self.set(key, value, expiry, limit, now).map(Ok)
    }

    /// Those that begin with `prefix` and come behind `after`, at most `limit`.
    pub(super) fn keys(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now: Time,
    ) -> Vec<Arc<str>> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let range = self.by_key.range::<str, _>((from, Bound::Unbounded));
        range
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(_, entry)| entry.exists(now))
            .take(limit.min(MOST_KEYS))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Removes entries whose time is over, at most so many. How many there were.
    fn expire(&mut self, now: Time, most: usize) -> usize {
        let mut removed = 0;
        while removed < most
            && let Some((expiry, _)) = self.by_expiry.first()
            && *expiry <= now
            && let Some((_, key)) = self.by_expiry.pop_first()
        {
            self.remove(&key);
            self.watchers.tell(&key);
            removed += 1;
        }
        removed
    }

    /// Sees to it that an entry finds room. One that becomes smaller always does.
    fn make_room(
        &mut self,
        key: &str,
        value: &[u8],
        limit: usize,
        now: Time,
    ) -> Result<(), Refusal> {
        let new = room(key, value);
        loop {
            let old = self.by_key.get(key);
            let old = old.map_or(0, |entry| room(key, &entry.value));
            if new <= old || (self.size - old).saturating_add(new) <= limit {
                return Ok(());
            }
            if self.expire(now, 1) == 0 {
                return Err(Refusal::NoRoom(limit));
            }
        }
    }

    fn insert(&mut self, key: Arc<str>, entry: Entry) {
        self.size += room(&key, &entry.value);
        if let Some(expiry) = entry.expiry {
            self.by_expiry.insert((expiry, key.clone()));
        }
        self.by_key.insert(key, entry);
    }

    fn remove(&mut self, key: &str) -> Option<(Arc<str>, Entry)> {
        let (key, entry) = self.by_key.remove_entry(key)?;
        self.size -= room(&key, &entry.value);
        if let Some(expiry) = entry.expiry {
            self.by_expiry.remove(&(expiry, key.clone()));
        }
        Some((key, entry))
    }
}

impl Entry {
    fn exists(&self, now: Time) -> bool {
        self.expiry.is_none_or(|expiry| now < expiry)
    }
}

fn room(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + OVERHEAD
}

fn parse(value: &[u8]) -> Result<i64, Refusal> {
    let text = std::str::from_utf8(value).map_err(|_| Refusal::NoNumber)?;
    text.parse().map_err(|_| Refusal::NoNumber)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 1000;

    fn set(entries: &mut Entries, key: &str, size: usize, expiry: Option<Time>, now: Time) -> bool {
        let value = vec![b'x'; size].into();
        entries.set(key, value, expiry, LIMIT, now).is_ok()
    }

    #[test]
    fn versions_grow_also_across_deletion_and_expiry() {
        let mut entries = Entries::default();
        let set = |entries: &mut Entries, expiry, now| {
            let version = entries.set("a", Bytes::new(), expiry, LIMIT, now);
            version.expect("there is room")
        };
        let first = set(&mut entries, None, 0);
        assert_eq!(entries.version("a", 0), first);
        assert!(entries.delete("a", 0) && !entries.delete("a", 0));
        assert_eq!(entries.version("a", 0), 0);
        let second = set(&mut entries, Some(5), 0);
        assert_eq!(
            (entries.version("a", 4), entries.version("a", 5)),
            (second, 0)
        );
        let third = set(&mut entries, None, 5);
        assert!(first < second && second < third);
    }

    #[test]
    fn an_expired_entry_does_not_exist() {
        let mut entries = Entries::default();
        set(&mut entries, "a", 1, Some(10), 0);
        assert!(entries.get("a", 9).is_some() && entries.get("a", 10).is_none());
        assert_eq!(entries.keys("", None, 9, 10).len(), 0);
        assert!(!entries.delete("a", 10));
        set(&mut entries, "n", 0, Some(10), 0);
        assert_eq!(entries.increment("n", 1, None, LIMIT, 10), Ok(1));
        assert_eq!(entries.get("n", 99).expect("for ever").expiry, None);
    }

    #[test]
    fn an_increment_keeps_the_time_to_live_and_refuses_what_is_no_number() {
        let mut entries = Entries::default();
        let text = |text: &'static str| Bytes::from_static(text.as_bytes());
        entries
            .set("n", text("41"), Some(10), LIMIT, 0)
            .expect("there is room");
        assert_eq!(entries.increment("n", 1, Some(99), LIMIT, 0), Ok(42));
        assert_eq!(entries.get("n", 0).expect("exists").expiry, Some(10));
        for no_number in ["", " 1", "1.0", "0x1", "9223372036854775808"] {
            entries
                .set("x", text(no_number), None, LIMIT, 0)
                .expect("there is room");
            assert_eq!(
                entries.increment("x", 1, None, LIMIT, 0),
                Err(Refusal::NoNumber)
            );
        }
        assert_eq!(
            entries.increment("min", i64::MIN, Some(9), LIMIT, 0),
            Ok(i64::MIN)
        );
        assert_eq!(
            entries.increment("min", -1, None, LIMIT, 0),
            Err(Refusal::Overflow)
        );
        let min = entries.get("min", 0).expect("stays");
        assert_eq!(
            (&min.value[..], min.expiry),
            (&b"-9223372036854775808"[..], Some(9))
        );
    }

    #[test]
    fn room_is_counted_and_expired_entries_give_theirs_back_first() {
        let mut entries = Entries::default();
        assert!(!set(&mut entries, "a", LIMIT - OVERHEAD, None, 0));
        assert_eq!(entries.size, 0);
        assert!(set(&mut entries, "a", LIMIT - OVERHEAD - 1, Some(5), 0));
        assert!(!set(&mut entries, "b", 0, None, 4));
        assert!(entries.get("a", 4).is_some());
        assert!(set(&mut entries, "b", 0, None, 5));
        assert_eq!(entries.size, OVERHEAD + 1);
        // What exceeds a limit that has become smaller may still become smaller itself.
        let smaller = |size: usize| vec![0; size].into();
        set(&mut entries, "b", 9, None, 5);
        assert!(entries.set("b", smaller(9), None, 1, 5).is_ok());
        assert_eq!(
            entries.set("b", smaller(10), None, 1, 5),
            Err(Refusal::NoRoom(1))
        );
    }

    #[test]
    fn keys_come_in_order_from_a_place_on() {
        let mut entries = Entries::default();
        for key in ["b/2", "a", "b/1", "b", "b/3", "c"] {
            set(&mut entries, key, 0, None, 0);
        }
        let keys = |prefix, after, limit| entries.keys(prefix, after, limit, 0).join(" ");
        assert_eq!(keys("b", None, 9), "b b/1 b/2 b/3");
        assert_eq!(keys("b/", None, 2), "b/1 b/2");
        assert_eq!(keys("b/", Some("b/2"), 2), "b/3");
        assert_eq!(keys("b/", Some("a"), 1), "b/1");
        assert_eq!(keys("b/", Some("c"), 9), "");
        assert_eq!(keys("", None, 0), "");
    }

    #[derive(Debug, Clone)]
    enum Step {
        Set(u8, usize, Option<Time>),
        Delete(u8),
        CompareAndSet(u8, u64, usize),
        Pass(Time),
    }

    fn step() -> impl Strategy<Value = Step> {
        let key = || 0..6_u8;
        let size = || 0..300_usize;
        let ttl = proptest::option::of(0..9_u64);
        prop_oneof![
            (key(), size(), ttl).prop_map(|(key, size, ttl)| Step::Set(key, size, ttl)),
            key().prop_map(Step::Delete),
            (key(), 0..9_u64, size())
                .prop_map(|(key, version, size)| Step::CompareAndSet(key, version, size)),
            (0..4_u64).prop_map(Step::Pass),
        ]
    }

    /// What exists: sizes, versions and expiries, without any order or account.
    #[derive(Default)]
    struct Model(BTreeMap<u8, (usize, u64, Option<Time>)>);

    impl Model {
        fn pass(&mut self, now: Time) {
            let exists = |expiry: Option<Time>| expiry.is_none_or(|expiry| now < expiry);
            self.0.retain(|_, (_, _, expiry)| exists(*expiry));
        }

        fn fits(&self, key: u8, size: usize) -> bool {
            let others = self.0.iter().filter(|(other, _)| **other != key);
            let taken: usize = others.map(|(_, (size, ..))| size + 1 + OVERHEAD).sum();
            let is_smaller = self.0.get(&key).is_some_and(|(old, ..)| size <= *old);
            is_smaller || taken + size + 1 + OVERHEAD <= LIMIT
        }
    }

    proptest! {
        /// What exists is what was set, and something is refused only where it does not fit beside what exists.
        #[test]
        fn entries_are_those_of_a_model(steps in proptest::collection::vec(step(), 0..80)) {
            let (mut entries, mut model, mut now) = (Entries::default(), Model::default(), 0);
            for step in steps {
                let last = entries.last_version;
                let value = |size| Bytes::from(vec![b'x'; size]);
                match step {
                    Step::Set(key, size, ttl) => {
                        let expiry = ttl.map(|ttl| now + ttl);
                        let fits = model.fits(key, size);
                        let set = entries.set(&key.to_string(), value(size), expiry, LIMIT, now);
                        prop_assert_eq!(set, if fits { Ok(last + 1) } else { Err(Refusal::NoRoom(LIMIT)) });
                        if fits {
                            model.0.insert(key, (size, last + 1, expiry));
                        }
                    }
                    Step::Delete(key) => {
                        let existed = model.0.remove(&key).is_some();
                        prop_assert_eq!(entries.delete(&key.to_string(), now), existed);
                    }
                    Step::CompareAndSet(key, version, size) => {
                        let (_, standing, expiry) = model.0.get(&key).copied().unwrap_or_default();
                        let fits = model.fits(key, size);
                        let expected = match standing == version {
                            false => Ok(Err(standing)),
                            true if fits => Ok(Ok(last + 1)),
                            true => Err(Refusal::NoRoom(LIMIT)),
                        };
                        let key_text = key.to_string();
                        let set = entries.compare_and_set(&key_text, version, value(size), None, LIMIT, now);
                        if set == Ok(Ok(last + 1)) {
                            model.0.insert(key, (size, last + 1, expiry));
                        }
                        prop_assert_eq!(set, expected);
                    }
                    Step::Pass(time) => now += time,
                }
                model.pass(now);
                for key in 0..6 {
                    let entry = entries.get(&key.to_string(), now);
                    let found = entry.map(|entry| (entry.value.len(), entry.version, entry.expiry));
                    prop_assert_eq!(found, model.0.get(&key).copied());
                }
                let rooms = entries.by_key.iter().map(|(key, entry)| room(key, &entry.value));
                prop_assert_eq!(entries.size, rooms.sum::<usize>());
                prop_assert!(entries.size <= LIMIT);
                let expiring = entries.by_key.values().filter(|entry| entry.expiry.is_some());
                prop_assert_eq!(entries.by_expiry.len(), expiring.count());
            }
        }
    }
}
