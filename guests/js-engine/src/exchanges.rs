//! The exchanges of this instance, by numbers that scripts' objects hold.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bindings::httpout::plugin::http::Exchange;

/// Names an exchange. No two of an instance are the same: a script that keeps a request never has another one in hand.
pub(crate) type Number = u32;

thread_local! {
    static LAST: Cell<Number> = const { Cell::new(0) };
    static OPEN: RefCell<BTreeMap<Number, Open>> = const { RefCell::new(BTreeMap::new()) };
}

struct Open {
    exchange: Rc<Exchange>,
    is_sent: bool,
    /// The body of the request comes to the script, and has not ended.
    takes_body: bool,
}

/// Keeps an exchange until it is over.
pub(crate) fn add(exchange: Exchange) -> Number {
    let number = LAST.get() + 1;
    LAST.set(number);
    let open = Open {
        exchange: Rc::new(exchange),
        is_sent: false,
        takes_body: false,
    };
    OPEN.with_borrow_mut(|all| all.insert(number, open));
    number
}

/// An exchange that is not over.
pub(crate) fn find(number: Number) -> Option<Rc<Exchange>> {
    OPEN.with_borrow(|all| all.get(&number).map(|open| open.exchange.clone()))
}

/// The documented `send()`; false if it comes too late.
pub(crate) fn send(number: Number) -> bool {
    OPEN.with_borrow_mut(|all| {
        let Some(open) = all.get_mut(&number) else {
            return false;
        };
        open.is_sent = true;
        open.exchange.send()
    })
}

/// Whether `send()` has been called.
pub(crate) fn is_sent(number: Number) -> bool {
    OPEN.with_borrow(|all| all.get(&number).is_some_and(|open| open.is_sent))
}

/// The body of the request comes to the script.
pub(crate) fn take_body(number: Number) {
    set_takes_body(number, true);
}

/// It has ended.
pub(crate) fn end_body(number: Number) {
    set_takes_body(number, false);
}

fn set_takes_body(number: Number, takes_body: bool) {
    OPEN.with_borrow_mut(|all| {
        if let Some(open) = all.get_mut(&number) {
            open.takes_body = takes_body;
        }
    });
}

/// Whether more of it is to come.
pub(crate) fn takes_body(number: Number) -> bool {
    OPEN.with_borrow(|all| all.get(&number).is_some_and(|open| open.takes_body))
}

/// The exchange is over.
pub(crate) fn remove(number: Number) {
    let gone = OPEN.with_borrow_mut(|all| all.remove(&number));
    drop(gone);
}
