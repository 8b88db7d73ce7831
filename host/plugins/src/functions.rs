//! Functions that were compiled, each by itself: what is compiled again as part of another component, such as the engine of
//! scripts with another script's memory, takes little then.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use wasmtime::CacheStore;

use crate::cache::Cache;

/// What all of them may take, in bytes; beyond it only those of the last component stay.
const SIZE: usize = 64 << 20;

/// The functions that are at hand while a plugin is loaded.
#[derive(Default)]
pub(crate) struct Functions {
    /// None where nothing is kept from start to start.
    cache: Option<Arc<Cache>>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_key: HashMap<Vec<u8>, Function>,
    /// Those on disk are here.
    is_loaded: bool,
    has_news: bool,
}

struct Function {
    code: Vec<u8>,
    is_used: bool,
}

impl Functions {
    pub(crate) fn new(cache: Option<Arc<Cache>>) -> Functions {
        Functions {
            cache,
            held: Mutex::default(),
        }
    }

    /// A plugin has been loaded: keeps what is new on disk, and nothing in memory. May block.
    pub(crate) fn put_away(&self) {
        let mut held = std::mem::take(&mut *self.held());
        let Some(cache) = self.cache.as_ref().filter(|_| held.has_news) else {
            return;
        };
        let size = |held: &Held| -> usize {
            let functions = held.by_key.iter();
            functions.map(|(key, one)| key.len() + one.code.len()).sum()
        };
        if size(&held) > SIZE {
            held.by_key.retain(|_, function| function.is_used);
        }
        if size(&held) <= SIZE {
            cache.store_functions(&encode(&held));
        }
    }

    /// With those on disk, from the first time on that one is asked for.
    fn loaded(&self) -> MutexGuard<'_, Held> {
        let mut held = self.held();
        if !held.is_loaded {
            held.is_loaded = true;
            let bytes = self.cache.as_ref();
            let bytes = bytes.and_then(|cache| cache.load_functions());
            for (key, code) in decode(&bytes.unwrap_or_default()) {
                let (code, is_used) = (code.to_owned(), false);
                held.by_key
                    .insert(key.to_owned(), Function { code, is_used });
            }
        }
        held
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no holder panics")
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let mut held = self.loaded();
        let function = held.by_key.get_mut(key)?;
        function.is_used = true;
        Some(Cow::Owned(function.code.clone()))
    }

    fn insert(&self, key: &[u8], code: Vec<u8>) -> bool {
        let mut held = self.held();
        held.has_news = true;
        let is_used = true;
        held.by_key
            .insert(key.to_owned(), Function { code, is_used });
        true
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Functions").finish_non_exhaustive()
    }
}

/// Key and code of one function after the other, each behind its length.
fn encode(held: &Held) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, function) in &held.by_key {
        for part in [key, &function.code] {
            // None is larger than all of them may be.
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

/// The same backwards, as far as it makes sense.
fn decode(mut bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut part = || {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some(part)
    };
    std::iter::from_fn(|| Some((part()?, part()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_and_what_is_cut_short_is_not() {
        let functions = Functions::default();
        functions.insert(b"one", vec![1; 300]);
        functions.insert(b"two", Vec::new());
        let bytes = encode(&functions.held());
        let mut found = decode(&bytes);
        found.sort_unstable();
        assert_eq!(found, [(&b"one"[..], &[1; 300][..]), (b"two", b"")]);
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end]).len() < 2);
        }
    }
}
