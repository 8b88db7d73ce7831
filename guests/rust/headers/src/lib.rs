//! Adds fields to every response: `headers.wasm?x-gpac=foo&x-served-by=httpout`.

use httpout_sdk::{Exchange, Next, Plugin, config};

#[derive(Default)]
struct Headers;

impl Plugin for Headers {
    fn on_request(&mut self, exchange: &Exchange) -> Next {
        for (name, value) in config() {
            exchange.add_header(&name, &value);
        }
        Next::Send
    }
}

httpout_sdk::export!(Headers);
