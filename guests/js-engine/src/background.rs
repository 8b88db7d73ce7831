//! What the script posted while it was loaded: timers, tasks, and what waits for them. It runs in an instance of its own,
//! where it may wait for all that requests wait for.

use std::cell::Cell;

use crate::bindings::exports::httpout::plugin::background::Guest;
use crate::bindings::wasi::io::poll::Pollable;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::{Component, time, waits, with_engine};

thread_local! {
    static IS_BEGUN: Cell<bool> = const { Cell::new(false) };
}

impl Guest for Component {
    fn run() -> Result<Vec<Pollable>, String> {
        time::begin_call();
        let turn = with_engine(turn);
        turn.map(|()| waits::pollables())
            .map_err(|fault| fault.traced())
    }
}

fn turn(engine: &Engine) -> Result<(), Fault> {
    if !IS_BEGUN.replace(true) {
        engine.begin_background()?;
    }
    engine.run_due()
}
