//! The server, and the clocks.

use rquickjs::{Ctx, Object, Result};

use super::add_functions;
use crate::bindings::httpout::plugin::host::{self, LogLevel};
use crate::time;

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, log error_string option_value config now block set_alarm gc);
    Ok(())
}

/// GPAC's levels: 1 error, 2 warning, 3 information, 4 debug.
fn log(level: u32, message: String) {
    let level = match level {
        0 => return,
        1 => LogLevel::Error,
        2 => LogLevel::Warn,
        3 => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    host::log(level, message.trim_end());
}

fn error_string(code: i32) -> String {
    host::error_string(code)
}

fn option_value(name: String) -> Option<String> {
    host::option_value(&name)
}

fn config() -> Vec<Vec<String>> {
    let pairs = host::config().into_iter();
    pairs.map(|(name, value)| vec![name, value]).collect()
}

/// Milliseconds of a clock that never goes back.
fn now() -> f64 {
    time::now()
}

/// Waits, and lets nothing else of this request happen.
fn block(milliseconds: f64) {
    time::block(milliseconds);
}

/// When the script is to be called next, by the same clock; none where it waits for nothing.
fn set_alarm(at: Option<f64>) {
    time::set_alarm(at);
}

fn gc(ctx: Ctx<'_>) {
    ctx.run_gc();
}
