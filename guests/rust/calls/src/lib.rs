//! Does what the query of a request for `/calls` says, call by call, and logs each call. The tests of the contract ask it.
//!
//! `/calls?use=read,close&length=5&read=ab,-,cde&write=wait&throttle=1000&reply=200&send=no&on=sleep&wake=17`

use std::collections::VecDeque;
use std::time::Duration;

use httpout_sdk::{Exchange, Next, Plugin, Pollable, ReadResult, config_value, log, timer, wake};

#[derive(Default)]
struct Calls {
    /// What `read` is to do, one call after the other; then the body ends.
    reads: VecDeque<String>,
    writes: String,
    throttle: String,
    sends: String,
    written: usize,
    pieces: usize,
}

impl Plugin for Calls {
    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let url = exchange.url();
        let Some(query) = url.strip_prefix("/calls?") else {
            return Next::Send;
        };
        say("on-request");
        exchange.set_reply(200);
        let mut length = None;
        let mut uses = "";
        let mut action = "";
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                // Of several plugins, this one alone.
                "only" if config_value("name").as_deref() != Some(value) => {
                    exchange.set_reply(0);
                }
                "reply" => drop(exchange.set_reply(value.parse().expect("a status"))),
                "use" => uses = value,
                "length" => length = value.parse().ok(),
                "read" => self.reads = value.split(',').map(str::to_owned).collect(),
                "write" => self.writes = value.to_owned(),
                "throttle" => self.throttle = value.to_owned(),
                "send" => self.sends = value.to_owned(),
                "body" => drop(exchange.set_body(value)),
                "bytes" => {
                    let count = value.parse().expect("a number");
                    exchange.set_body_bytes(&vec![b'x'; count]);
                }
                "on" => action = value,
                "wake" => {
                    let is_there = wake(value.parse().expect("a number"));
                    exchange.set_body(&format!("{is_there}"));
                }
                _ => {}
            }
        }
        for name in uses.split(',') {
            match name {
                "read" => exchange.use_read(length),
                "write" => exchange.use_write(),
                "throttle" => exchange.use_throttle(),
                "close" => exchange.use_close(),
                _ => false,
            };
        }
        if action == "id,sleep" {
            exchange.id();
            act("sleep");
        }
        act(action);
        match self.sends.as_str() {
            "" => Next::Send,
            "no" | "never" => Next::Wait(Vec::new()),
            _ => Next::Wait(never()),
        }
    }

    fn resume(&mut self, exchange: &Exchange) -> Next {
        match self.sends.as_str() {
            "never" => Next::Wait(Vec::new()),
            "spin" => Next::Wait(vec![timer(Duration::ZERO)]),
            _ => {
                say("resume");
                exchange.add_header("x-resumed", "yes");
                Next::Send
            }
        }
    }

    fn read(&mut self, _: &Exchange, max: u32) -> ReadResult {
        let what = self.reads.pop_front();
        if what.as_deref() != Some("spin") {
            say("read");
        }
        let Some(what) = what else {
            return ReadResult::Eof;
        };
        let full = |more: usize| ReadResult::Data(vec![b'x'; max as usize + more]);
        match what.as_str() {
            "-" => ReadResult::Pending(Vec::new()),
            "~" => ReadResult::Pending(never()),
            "spin" => {
                self.reads.push_front(what);
                ReadResult::Pending(vec![timer(Duration::ZERO)])
            }
            "endless" => {
                self.reads.push_front(what);
                full(0)
            }
            "full" => full(0),
            "long" => full(1),
            "none" => ReadResult::Data(Vec::new()),
            _ => {
                act(&what);
                ReadResult::Data(what.into_bytes())
            }
        }
    }

    fn write(&mut self, exchange: &Exchange, data: &[u8]) -> Vec<Pollable> {
        say(&format!("write {}", data.len()));
        self.written += data.len();
        if data.is_empty() {
            exchange.add_header("x-written", &self.written.to_string());
            return Vec::new();
        }
        self.pieces += 1;
        match self.writes.as_str() {
            "refuse" => {
                exchange.set_reply(418);
                exchange.set_body("no more");
                Vec::new()
            }
            "pass" => {
                let is_taken = exchange.set_reply(0);
                exchange.add_header("x-zero", &is_taken.to_string());
                Vec::new()
            }
            "timer" => vec![timer(Duration::from_millis(1))],
            "pause" => vec![timer(Duration::from_millis(100))],
            "wait" => never(),
            what => {
                act(what);
                Vec::new()
            }
        }
    }

    fn throttle(&mut self, _: &Exchange, done: u64, total: u64) -> u64 {
        say(&format!("throttle {done}/{total}"));
        act(&self.throttle);
        self.throttle.parse().unwrap_or(0)
    }

    fn close(&mut self, exchange: &Exchange, error: i32) {
        let (status, sent) = (exchange.status(), exchange.bytes_sent());
        let received = exchange.bytes_received();
        say(&format!(
            "close {error}: {status}, {sent} sent, {received} received"
        ));
    }
}

fn act(what: &str) {
    match what {
        "trap" => panic!("told to"),
        "hang" => std::thread::sleep(Duration::from_secs(3600)),
        "sleep" => {
            std::thread::sleep(Duration::from_millis(300));
            say("slept");
        }
        _ => {}
    }
}

fn never() -> Vec<Pollable> {
    vec![timer(Duration::from_secs(3600))]
}

fn say(text: &str) {
    log::info(&format!("call: {text}."));
}

httpout_sdk::export!(Calls);
