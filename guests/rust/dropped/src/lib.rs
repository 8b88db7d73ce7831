//! Gives up each exchange without a reply, which the SDK's glue never does. The tests of the contract ask it.

use httpout_sdk::bindings::exports::httpout::plugin::handler::{Guest, GuestRequest, ReadResult};
use httpout_sdk::{Exchange, Pollable, log};
use std::cell::RefCell;

struct Dropped;

struct Request(RefCell<Option<Exchange>>);

impl Guest for Dropped {
    type Request = Request;

    fn init() -> Result<(), String> {
        Ok(())
    }
}

impl GuestRequest for Request {
    fn new(exchange: Exchange) -> Self {
        exchange.use_close();
        Request(RefCell::new(Some(exchange)))
    }

    fn on_request(&self) -> Vec<Pollable> {
        if let Some(exchange) = self.0.take().filter(|exchange| exchange.path() == "/write") {
            exchange.set_reply(200);
            exchange.use_write();
        }
        Vec::new()
    }

    fn resume(&self) -> Vec<Pollable> {
        panic!("there is nothing to reply to");
    }

    fn read(&self, _: u32) -> ReadResult {
        ReadResult::Eof
    }

    fn write(&self, _: Vec<u8>) -> Vec<Pollable> {
        panic!("there is nothing to write for");
    }

    fn throttle(&self, _: u64, _: u64) -> u64 {
        0
    }

    fn close(&self, error: i32) {
        log::info(&format!("call: close {error}."));
    }
}

httpout_sdk::bindings::export!(Dropped with_types_in httpout_sdk::bindings);
