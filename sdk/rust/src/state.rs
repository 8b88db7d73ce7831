//! What outlives a request: entries that all instances of the plugin share, on all servers of the process.
//!
//! ```ignore
//! let hits = state::increment("hits", 1)?;
//! state::set_for(&format!("seen/{address}"), "yes", Duration::from_secs(60))?;
//! ```
//!
//! A key has at most 1024 bytes; all entries of a plugin have the room of option `plugin_state_size`. Each change gives a
//! key a new, greater version; one that does not exist has version 0. Nothing here waits.

use std::time::Duration;

use crate::Pollable;
use crate::bindings::httpout::plugin::state;

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes that were set.
    pub value: Vec<u8>,
    /// Grows with each change.
    pub version: u64,
}

/// Why [`compare_and_set`] has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// The key has another version, this one: look again.
    Version(u64),
    /// There is no room, or the key is too long; the server's log says so. To try again is in vain.
    Refused,
}

/// The entry of a key.
pub fn get(key: &str) -> Option<Entry> {
    state::get(key).map(|(value, version)| Entry { value, version })
}

/// The value of a key, where it is text.
pub fn get_text(key: &str) -> Option<String> {
    String::from_utf8(state::get(key)?.0).ok()
}

/// The version of a key, 0 where it does not exist.
pub fn version(key: &str) -> u64 {
    state::get(key).map_or(0, |(_, version)| version)
}

/// Makes an entry or replaces it, for ever. The new version, or why there is none.
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<u64, String> {
    state::set(key, value.as_ref(), None)
}

/// The same, for a time.
pub fn set_for(key: &str, value: impl AsRef<[u8]>, time: Duration) -> Result<u64, String> {
    state::set(key, value.as_ref(), Some(milliseconds(time)))
}

/// Whether there was an entry.
pub fn delete(key: &str) -> bool {
    state::delete(key)
}

/// Adds to a number; a missing one counts as 0. The sum, or why there is none.
pub fn increment(key: &str, delta: i64) -> Result<i64, String> {
    state::increment(key, delta, None)
}

/// The same, where a new entry is for a time. One that exists keeps its own.
pub fn increment_for(key: &str, delta: i64, time: Duration) -> Result<i64, String> {
    state::increment(key, delta, Some(milliseconds(time)))
}

/// Sets a value if the version of the key is still that one; 0 makes a new entry. The new version. Without a time the
/// entry keeps that which it has.
pub fn compare_and_set(
    key: &str,
    version: u64,
    value: impl AsRef<[u8]>,
    time: Option<Duration>,
) -> Result<u64, Unchanged> {
    let time = time.map(milliseconds);
    let set = state::compare_and_set(key, version, value.as_ref(), time);
    set.map_err(|standing| match standing == version {
        true => Unchanged::Refused,
        false => Unchanged::Version(standing),
    })
}

/// At most 1000 keys that begin with `prefix` and come behind `after`, in order.
pub fn keys(prefix: &str, after: Option<&str>) -> Vec<String> {
    state::keys(prefix, after, u32::MAX)
}

/// All keys that begin with `prefix`, in order, asked for as the iterator comes to them.
pub fn all_keys(prefix: &str) -> impl Iterator<Item = String> {
    let more = move |last: &Vec<String>| Some(keys(prefix, Some(last.last()?)));
    std::iter::successors(Some(keys(prefix, None)), more)
        .take_while(|keys| !keys.is_empty())
        .flatten()
}

/// Ready as soon as the key has another version than this, for [`Next::Wait`](crate::Next::Wait). Read the entry first,
/// and watch its version: nothing is missed.
pub fn watch(key: &str, version: u64) -> Pollable {
    state::watch(key, version)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
