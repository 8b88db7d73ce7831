//! The glue between the contract's exports and the `Plugin` trait.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::exports::httpout::plugin::handler::{Guest, GuestRequest, ReadResult};
use crate::{Exchange, Next, Plugin, Pollable};

/// The exports of a component whose plugin is `P`.
pub struct Component<P>(PhantomData<P>);

/// One request and the plugin value that handles it.
pub struct Request<P> {
    plugin: RefCell<P>,
    exchange: Exchange,
}

impl<P: Plugin> Guest for Component<P> {
    type Request = Request<P>;

    fn init() -> Result<(), String> {
        P::init()
    }
}

impl<P: Plugin> Request<P> {
    fn follow(&self, next: Next) -> Vec<Pollable> {
        match next {
            Next::Send => {
                self.exchange.send();
                Vec::new()
            }
            Next::Wait(pollables) => pollables,
        }
    }
}

impl<P: Plugin> GuestRequest for Request<P> {
    fn new(exchange: Exchange) -> Self {
        let plugin = RefCell::new(P::default());
        Request { plugin, exchange }
    }

    fn on_request(&self) -> Vec<Pollable> {
        let next = self.plugin.borrow_mut().on_request(&self.exchange);
        self.follow(next)
    }

    fn resume(&self) -> Vec<Pollable> {
        let next = self.plugin.borrow_mut().resume(&self.exchange);
        self.follow(next)
    }

    fn read(&self, max: u32) -> ReadResult {
        self.plugin.borrow_mut().read(&self.exchange, max)
    }

    fn write(&self, data: Vec<u8>) -> Vec<Pollable> {
        self.plugin.borrow_mut().write(&self.exchange, &data)
    }

    fn throttle(&self, done: u64, total: u64) -> u64 {
        let mut plugin = self.plugin.borrow_mut();
        plugin.throttle(&self.exchange, done, total)
    }

    fn close(&self, error: i32) {
        self.plugin.borrow_mut().close(&self.exchange, error);
    }
}
