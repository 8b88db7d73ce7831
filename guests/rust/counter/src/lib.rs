//! Shows what an instance remembers of the requests before, below `/counter/`. The tests of loading and of reuse ask it.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use httpout_sdk::{Exchange, Next, Plugin, config, config_value, log};

/// Requests that this instance has seen.
static SEEN: AtomicU32 = AtomicU32::new(0);

/// What `init` has read.
static CONFIG: OnceLock<HashMap<String, String>> = OnceLock::new();

/// When `init` ran, where it is to look.
static BEGUN: OnceLock<Instant> = OnceLock::new();

#[derive(Default)]
struct Counter;

impl Plugin for Counter {
    fn init() -> Result<(), String> {
        CONFIG.get_or_init(|| config().into_iter().collect());
        if config_value("init").as_deref() == Some("clock") {
            BEGUN.get_or_init(Instant::now);
        }
        log::info("init runs");
        Ok(())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let seen = SEEN.fetch_add(1, Relaxed) + 1;
        let path = exchange.path();
        match path.strip_prefix("/counter/").unwrap_or_default() {
            "count" => text(exchange, &seen.to_string()),
            "config" => text(exchange, &format!("{:?}", CONFIG.get())),
            "close" => {
                exchange.use_close();
                text(exchange, &seen.to_string());
            }
            "leak" => {
                std::mem::forget(Next::after(Duration::from_secs(3600)));
                text(exchange, &seen.to_string());
            }
            "said" => {
                eprintln!("said by {seen}");
                text(exchange, &seen.to_string());
            }
            "panic" => panic!("this guest panics"),
            "wait" => return Next::after(Duration::from_secs(3600)),
            _ => {}
        }
        Next::Send
    }

    fn close(&mut self, _: &Exchange, _: i32) {
        if config_value("close").as_deref() == Some("panic") {
            panic!("this guest panics in close");
        }
    }
}

fn text(exchange: &Exchange, body: &str) {
    exchange.set_reply(200);
    exchange.set_body(body);
}

httpout_sdk::export!(Counter);
