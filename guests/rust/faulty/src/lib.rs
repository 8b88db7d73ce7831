//! Does everything wrong, one thing for each path below `/faulty/`. The tests hold that only that request suffers.

use httpout_sdk::{Exchange, Next, Plugin, config_value};

#[derive(Default)]
struct Faulty;

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
