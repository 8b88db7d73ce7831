//! What outlives a request, as `js/state.js` uses it. Versions are numbers that a script's numbers hold: they count changes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use rquickjs::convert::List;
use rquickjs::{ArrayBuffer, Ctx, Exception, Object, Result};

use super::add_functions;
use super::bytes::Bytes;
use crate::bindings::httpout::plugin::state;
use crate::bindings::wasi::io::poll::Pollable;
use crate::waits;

thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
    /// Keys and the versions that are known, by numbers.
    static WATCHES: RefCell<BTreeMap<u32, (String, u64)>> = const { RefCell::new(BTreeMap::new()) };
}

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, state_get state_set state_delete state_increment state_compare_and_set state_keys
        state_watch state_is_changed state_unwatch);
    Ok(())
}

/// What the server is to wait for.
pub(crate) fn add_pollables(all: &mut Vec<Pollable>) {
    WATCHES.with_borrow(|watches| {
        let watches = watches.values();
        all.extend(watches.map(|(key, version)| state::watch(key, *version)));
    });
}

pub(crate) fn is_watched() -> bool {
    WATCHES.with_borrow(|watches| !watches.is_empty())
}

/// Nothing is watched any more.
pub(crate) fn clear() {
    WATCHES.take();
}

/// Value and version.
fn state_get<'js>(ctx: Ctx<'js>, key: String) -> Result<Option<List<(ArrayBuffer<'js>, f64)>>> {
    let entry = state::get(&key);
    let entry = entry.map(|(value, version)| {
        let value = ArrayBuffer::new(ctx, value)?;
        Ok(List((value, version as f64)))
    });
    entry.transpose()
}

fn state_set(ctx: Ctx<'_>, key: String, value: Bytes, ttl: Option<f64>) -> Result<f64> {
    let version = state::set(&key, &value.0, milliseconds(ttl));
    let version = version.map_err(|reason| refused(&ctx, &key, &reason))?;
    Ok(version as f64)
}

fn state_delete(key: String) -> bool {
    state::delete(&key)
}

fn state_increment(ctx: Ctx<'_>, key: String, delta: f64, ttl: Option<f64>) -> Result<f64> {
    let sum = state::increment(&key, delta as i64, milliseconds(ttl));
    let sum = sum.map_err(|reason| refused(&ctx, &key, &reason))?;
    Ok(sum as f64)
}

/// The new version; none where the key has another one.
fn state_compare_and_set(
    ctx: Ctx<'_>,
    key: String,
    version: f64,
    value: Bytes,
    ttl: Option<f64>,
) -> Result<Option<f64>> {
    let known = version as u64;
    match state::compare_and_set(&key, known, &value.0, milliseconds(ttl)) {
        Ok(version) => Ok(Some(version as f64)),
        Err(standing) if standing == known => Err(refused(
            &ctx,
            &key,
            "there is no room, or the key is too long",
        )),
        Err(_) => Ok(None),
    }
}

fn state_keys(prefix: String, after: Option<String>) -> Vec<String> {
    state::keys(&prefix, after.as_deref(), u32::MAX)
}

fn state_watch(ctx: Ctx<'_>, key: String, version: f64) -> Result<u32> {
    if !waits::is_loaded() {
        return Err(Exception::throw_type(
            &ctx,
            "state can be watched for a request only, not while the script is loaded",
        ));
    }
    let number = LAST.get() + 1;
    LAST.set(number);
    WATCHES.with_borrow_mut(|watches| watches.insert(number, (key, version as u64)));
    Ok(number)
}

fn state_is_changed(number: u32) -> bool {
    WATCHES.with_borrow(|watches| {
        let watch = watches.get(&number);
        watch.is_none_or(|(key, version)| state::watch(key, *version).ready())
    })
}

fn state_unwatch(number: u32) {
    WATCHES.with_borrow_mut(|watches| watches.remove(&number));
}

fn milliseconds(ttl: Option<f64>) -> Option<u64> {
    ttl.map(|ttl| ttl.max(0.0) as u64)
}

fn refused(ctx: &Ctx<'_>, key: &str, reason: &str) -> rquickjs::Error {
    Exception::throw_message(ctx, &format!("state `{key}`: {reason}"))
}
