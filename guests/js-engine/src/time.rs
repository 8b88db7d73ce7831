//! The clocks of scripts: `Date`, timers, and the end of a call that takes too long.

use std::cell::Cell;

use crate::bindings::httpout::plugin::script;
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::io::poll::Pollable;

// No `Option`: what stood in one that is empty would stay in the snapshot, and make it another each time.
const NEVER: f64 = f64::INFINITY;

thread_local! {
    /// When the next timer is due, on the monotonic clock in milliseconds; `NEVER` without any.
    static ALARM: Cell<f64> = const { Cell::new(NEVER) };
    /// When the call that runs has to be over, on the same clock in nanoseconds; 0 until the script has run for a while.
    static END: Cell<u64> = const { Cell::new(0) };
    /// Nanoseconds that one call may take.
    static LIMIT: Cell<Option<u64>> = const { Cell::new(None) };
    /// Milliseconds of the clock that timers see while the script is loaded, which goes only while the script waits: the
    /// snapshot must not depend on how fast the machine is. `NEVER` afterwards.
    static LOADING: Cell<f64> = const { Cell::new(0.0) };
    /// A script has begun to run.
    static IS_STARTED: Cell<bool> = const { Cell::new(false) };
    static STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// Milliseconds of the monotonic clock.
pub(crate) fn now() -> f64 {
    match LOADING.get() {
        NEVER => monotonic_clock::now() as f64 / 1e6,
        loading => loading,
    }
}

/// The script has been loaded.
pub(crate) fn end_loading() {
    LOADING.set(NEVER);
    ALARM.set(NEVER);
}

/// Waits for the next timer while the script is loaded; false if there is none.
pub(crate) fn await_alarm() -> bool {
    let (alarm, loading) = (ALARM.get(), LOADING.get());
    if alarm < NEVER {
        block(alarm - loading);
        LOADING.set(alarm.max(loading));
    }
    alarm < NEVER
}

/// Sets the time of the next timer.
pub(crate) fn set_alarm(at: Option<f64>) {
    ALARM.set(at.unwrap_or(NEVER));
}

pub(crate) fn has_alarm() -> bool {
    ALARM.get() < NEVER
}

pub(crate) fn is_alarm_due() -> bool {
    has_alarm() && ALARM.get() <= now()
}

/// Ready when the next timer is due.
pub(crate) fn alarm() -> Option<Pollable> {
    // Rounded up: a wait that ends early would come back for nothing.
    let at = (ALARM.get() * 1e6).ceil() as u64;
    has_alarm().then(|| monotonic_clock::subscribe_instant(at))
}

/// Waits within the call.
pub(crate) fn block(milliseconds: f64) {
    monotonic_clock::subscribe_duration((milliseconds.max(0.0) * 1e6) as u64).block();
}

/// A call of the server begins.
pub(crate) fn begin_call() {
    IS_STARTED.set(true);
    END.set(0);
    STOPPED.set(false);
}

/// Whether the script has to be stopped. QuickJS asks every some ten thousand steps.
pub(crate) fn is_over() -> bool {
    let now = monotonic_clock::now();
    if END.get() == 0 {
        // Most calls never come so far.
        END.set(now.saturating_add(limit()));
        return false;
    }
    let is_over = now >= END.get();
    STOPPED.set(is_over);
    is_over
}

/// Whether the last call was stopped.
pub(crate) fn was_stopped() -> bool {
    STOPPED.get()
}

/// Nanoseconds that a script may take, a little less than the server allows, so that it is told where it was.
fn limit() -> u64 {
    LIMIT.get().unwrap_or_else(|| {
        let limit = script::time_limit().saturating_mul(1_000_000) / 10 * 9;
        LIMIT.set(Some(limit));
        limit
    })
}

/// What `Date` asks: microseconds since 1970.
///
/// QuickJS also asks when it starts, for seeds and origins that are replaced by our own. It gets the same each time, so
/// that the same script leaves the same snapshot, whose code is in the server's cache.
#[unsafe(no_mangle)]
extern "C" fn __rquickjs_host_now_us() -> f64 {
    if !IS_STARTED.get() {
        return 0.0;
    }
    let now = wall_clock::now();
    now.seconds as f64 * 1e6 + f64::from(now.nanoseconds) / 1e3
}
