//! Promises that were rejected and that nobody handles: as an exception that nobody catches.

use std::cell::RefCell;

use rquickjs::{Ctx, Persistent, Value};

use crate::engine::keep;
use crate::fault::Fault;

thread_local! {
    static UNHANDLED: RefCell<Vec<(Persistent<Value<'static>>, Fault)>> =
        const { RefCell::new(Vec::new()) };
}

/// QuickJS tells of a promise that is rejected without a handler, and of one that gets its handler later.
pub(crate) fn track<'js>(ctx: Ctx<'js>, promise: Value<'js>, reason: Value<'js>, is_handled: bool) {
    let promise = keep(&ctx, promise);
    UNHANDLED.with_borrow_mut(|unhandled| match is_handled {
        true => unhandled.retain(|(known, _)| *known != promise),
        false => unhandled.push((promise, Fault::of_value(&reason))),
    });
}

/// The first one that nobody handles, after all that was ready has run; the others are forgotten.
pub(crate) fn first() -> Option<Fault> {
    let unhandled = UNHANDLED.take();
    unhandled.into_iter().next().map(|(_, fault)| fault)
}
