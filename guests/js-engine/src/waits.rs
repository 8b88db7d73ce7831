//! What scripts wait for beside timers: answers of other servers, and changes of state. The server awaits it while no
//! script runs, and drops what it awaited before it calls: it is asked for anew each time.

use std::cell::Cell;

use crate::bindings::wasi::io::poll::Pollable;
use crate::native::{fetch, state};
use crate::time;

thread_local! {
    /// The script has been loaded, and requests begin.
    static IS_LOADED: Cell<bool> = const { Cell::new(false) };
    /// The script has pieces of the request's body that it has not looked at.
    static HOLDS_BODY: Cell<bool> = const { Cell::new(false) };
}

/// What the next call of the script waits for.
pub(crate) fn pollables() -> Vec<Pollable> {
    let mut all: Vec<Pollable> = time::alarm().into_iter().collect();
    fetch::add_pollables(&mut all);
    state::add_pollables(&mut all);
    all
}

/// Whether a call can come.
pub(crate) fn is_any() -> bool {
    time::has_alarm() || is_any_but_timers()
}

pub(crate) fn is_any_but_timers() -> bool {
    fetch::is_awaited() || state::is_watched()
}

/// A request is over: handles do not survive it.
pub(crate) fn clear() {
    fetch::clear();
    state::clear();
    HOLDS_BODY.set(false);
}

/// Requests begin.
pub(crate) fn loaded() {
    IS_LOADED.set(true);
}

/// Handles would not survive the snapshot.
pub(crate) fn is_loaded() -> bool {
    IS_LOADED.get()
}

/// Whether the client is to wait with the next piece of the request's body.
pub(crate) fn hold_body(holds: bool) {
    HOLDS_BODY.set(holds);
}

pub(crate) fn holds_body() -> bool {
    HOLDS_BODY.get()
}
