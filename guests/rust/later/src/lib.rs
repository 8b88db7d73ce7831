//! Answers later, below `/later/`: `later.wasm?patience=20`.
//!
//! `/later/timer/250` is answered after 250 ms. `/later/wait` is answered when another request asks for
//! `/later/wake/17`, where 17 is its number, which stands in the server's log; after `patience` seconds (20 unless
//! given) nobody came.

use std::time::Duration;

use httpout_sdk::{Exchange, Next, Plugin, config_value, log, wake};

#[derive(Default)]
struct Later {
    /// When nothing more is waited for, in microseconds from the request; none before it waits.
    end: Option<u64>,
    is_wakeful: bool,
}

impl Plugin for Later {
    fn init() -> Result<(), String> {
        patience().map(|_| ())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let path = exchange.path();
        let Some(rest) = path.strip_prefix("/later/") else {
            return Next::Send;
        };
        match rest.split_once('/').unwrap_or((rest, "")) {
            ("timer", milliseconds) => match milliseconds.parse() {
                Ok(milliseconds) => self.wait(exchange, Duration::from_millis(milliseconds)),
                Err(_) => answer(exchange, 400, "a number of milliseconds is missing\n"),
            },
            ("wait", "") => {
                log::info(&format!("waits for /later/wake/{}", exchange.id()));
                self.is_wakeful = true;
                self.wait(exchange, patience().unwrap_or_default())
            }
            ("wake", id) => match id.parse().map(wake) {
                Ok(true) => answer(exchange, 200, "it is awake\n"),
                _ => answer(exchange, 404, "no such request waits\n"),
            },
            _ => Next::Send,
        }
    }

    /// The timer is over, or somebody has woken this request: only the clock tells.
    fn resume(&mut self, exchange: &Exchange) -> Next {
        let is_over = self.end.is_some_and(|end| exchange.elapsed_us() >= end);
        match (self.is_wakeful, is_over) {
            (true, true) => answer(exchange, 504, "nobody came\n"),
            (true, false) => answer(exchange, 200, "somebody came\n"),
            (false, _) => answer(exchange, 200, "it is time\n"),
        }
    }
}

impl Later {
    fn wait(&mut self, exchange: &Exchange, time: Duration) -> Next {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.end = Some(exchange.elapsed_us().saturating_add(microseconds));
        Next::after(time)
    }
}

fn answer(exchange: &Exchange, status: u16, text: &str) -> Next {
    exchange.set_reply(status);
    exchange.add_header("content-type", "text/plain; charset=utf-8");
    exchange.set_body(text);
    Next::Send
}

/// How long a request waits to be woken.
fn patience() -> Result<Duration, String> {
    let given = config_value("patience").unwrap_or_else(|| "20".to_owned());
    let seconds = given.parse().map(Duration::from_secs);
    seconds.map_err(|_| format!("`patience`: `{given}` is no number of seconds"))
}

httpout_sdk::export!(Later);
