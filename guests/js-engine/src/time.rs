//! The clocks of scripts: `Date`, timers, and the end of a call that takes too long.

use std::cell::Cell;

use crate::bindings::httpout::plugin::script;
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::io::poll::Pollable;

thread_local! {
    /// When the next timer is due, on the monotonic clock in milliseconds.
    static ALARM: Cell<Option<f64>> = const { Cell::new(None) };
    /// When the call that runs has to be over; none until the script has run for a while.
    static END: Cell<Option<u64>> = const { Cell::new(None) };
    /// Nanoseconds that one call may take.
    static LIMIT: Cell<Option<u64>> = const { Cell::new(None) };
    /// A script has begun to run.
    static IS_STARTED: Cell<bool> = const { Cell::new(false) };
    static STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// Milliseconds of the monotonic clock.
pub(crate) fn now() -> f64 {
    monotonic_clock::now() as f64 / 1e6
}

/// Sets the time of the next timer.
pub(crate) fn set_alarm(at: Option<f64>) {
    ALARM.set(at);
}

/// Forgets the next timer, and says whether there was one.
pub(crate) fn cancel_alarm() -> bool {
    ALARM.take().is_some()
}

pub(crate) fn has_alarm() -> bool {
    ALARM.get().is_some()
}

pub(crate) fn is_alarm_due() -> bool {
    ALARM.get().is_some_and(|at| at <= now())
}

/// Ready when the next timer is due.
pub(crate) fn alarm() -> Option<Pollable> {
    // Rounded up: a wait that ends early would come back for nothing.
    ALARM
        .get()
        .map(|at| monotonic_clock::subscribe_instant((at * 1e6).ceil() as u64))
}

/// Waits within the call.
pub(crate) fn block(milliseconds: f64) {
    monotonic_clock::subscribe_duration((milliseconds.max(0.0) * 1e6) as u64).block();
}

/// A call of the server begins.
pub(crate) fn begin_call() {
    IS_STARTED.set(true);
    END.set(None);
    STOPPED.set(false);
}

/// Whether the script has to be stopped. QuickJS asks every some ten thousand steps.
pub(crate) fn is_over() -> bool {
    let now = monotonic_clock::now();
    let Some(end) = END.get() else {
        // Most calls never come so far, and ask no clock.
        END.set(Some(now.saturating_add(limit())));
        return false;
    };
    let is_over = now >= end;
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
