//! Does everything wrong, one thing for each path below `/faulty/`. The tests hold that only that request suffers.

use httpout_sdk::{Exchange, Next, Plugin, Pollable, config_value, log, monotonic_clock, random};

struct Faulty;

impl Default for Faulty {
    fn default() -> Self {
        if config_value("constructor").as_deref() == Some("panic") {
            panic!("told to panic in the constructor");
        }
        Faulty
    }
}

impl Plugin for Faulty {
    fn init() -> Result<(), String> {
        match config_value("init").as_deref() {
            Some("error") => Err("told to fail".to_owned()),
            Some("forge") => Err("one\n2026-01-01 ERROR httpout: two".to_owned()),
            Some("panic") => panic!("told to panic"),
            Some("loop") => spin(),
            _ => Ok(()),
        }
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let path = exchange.path();
        match path.strip_prefix("/faulty/").unwrap_or_default() {
            "panic" => panic!("this guest panics"),
            "loop" => spin(),
            "memory" => hoard(),
            "stack" => {
                exchange.set_body(&deep(1).to_string());
            }
            "sleep" => std::thread::sleep(std::time::Duration::from_secs(3600)),
            "poll" => monotonic_clock::subscribe_duration(u64::MAX / 2).block(),
            "handles" => {
                let timers: Vec<Pollable> = (0..100_000).map(|_| timer()).collect();
                return Next::Wait(timers);
            }
            "churn" => {
                // Never many at a time.
                (0..10_000).for_each(|_| drop(timer()));
                exchange.set_reply(200);
                exchange.set_body("dropped in time");
            }
            "strings" => {
                exchange.set_reply(200);
                exchange.set_body(&strings(exchange));
            }
            "string" => {
                exchange.set_attribute("large", &"x".repeat(30_000_000));
            }
            "body" => {
                let taken = exchange.set_body(&"x".repeat(1_100_000));
                exchange.set_reply(200);
                exchange.set_body(&format!("taken={taken}"));
            }
            "attributes" => {
                (0..5000).for_each(|n| exchange.set_attribute(&n.to_string(), "x"));
                exchange.set_attribute("0", "again");
                let kept = (0..5000).filter(|n| exchange.attribute(&n.to_string()).is_some());
                let kept = kept.count();
                exchange.set_reply(200);
                exchange.set_body(&format!("{kept} {:?}", exchange.attribute("0")));
            }
            "random" => drop(random::get_random_bytes(50_000_000)),
            "controls" => log::info(&"\u{1}".repeat(8000)),
            "flood" => (0..100_000).for_each(|n| log::info(&format!("flood {n}"))),
            "reason" => exchange.fail(&"because ".repeat(100_000)),
            "never" => return Next::Wait(Vec::new()),
            "close" => {
                exchange.use_close();
                exchange.set_reply(200);
                exchange.set_body("the fault comes at the end");
            }
            _ => {}
        }
        Next::Send
    }

    fn resume(&mut self, _: &Exchange) -> Next {
        Next::Wait(Vec::new())
    }

    fn close(&mut self, _: &Exchange, _: i32) {
        panic!("this guest panics in close");
    }
}

fn timer() -> Pollable {
    monotonic_clock::subscribe_duration(u64::MAX / 2)
}

/// A long string for each function that takes one: none of them breaks anything.
fn strings(exchange: &Exchange) -> String {
    let long = "x".repeat(900_000);
    log::info(&long);
    exchange.set_attribute(&long, "value");
    exchange.set_attribute("name", &long);
    let line = [
        exchange.add_header(&long, "value").to_string(),
        exchange.add_header("x-long", &long).to_string(),
        exchange.set_body_file(&long).to_string(),
        format!("{:?}", exchange.header(&long)),
        format!("{:?}", exchange.attribute(&long)),
        format!("{:?}", httpout_sdk::option_value(&long)),
    ];
    line.join(" ")
}

fn spin() -> ! {
    let mut count = 0_u64;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

/// Takes memory until there is no more.
fn hoard() {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

/// Takes stack until there is no more.
fn deep(level: u64) -> u64 {
    let filled = std::hint::black_box([level; 64]);
    if level == 0 {
        0
    } else {
        deep(level + 1) + filled[5]
    }
}

httpout_sdk::export!(Faulty);
