//! The guest of the contract tests: every language has one that answers alike below `/conform/`.

use std::fmt::Write as _;
use std::time::Duration;

use httpout_sdk::{
    Exchange, Next, Plugin, Pollable, ReadResult, config, error_string, log, monotonic_clock,
    state, wake,
};

/// What this request is about.
#[derive(Default)]
struct Conform {
    /// The last part of the path.
    name: String,
    /// Blocks of the response body that were read.
    blocks: u32,
    /// A read said that there is nothing yet.
    has_waited: bool,
    /// The body of the request.
    received: Vec<u8>,
}

const BLOCKS: u32 = 3;

/// The most that `/conform/refuse` takes, in bytes.
const MOST: usize = 10;

impl Plugin for Conform {
    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let path = exchange.path();
        let Some(name) = path.strip_prefix("/conform/") else {
            exchange.add_header("x-conform", "passed");
            return Next::Send;
        };
        self.name = name.to_owned();
        match name {
            "facts" => text(exchange, &facts(exchange)),
            "fields" => text(exchange, &fields(exchange)),
            "config" => text(exchange, &pairs(config())),
            "error-string" => text(exchange, &error_string(-43)),
            "bytes" => {
                exchange.set_reply(201);
                exchange.set_body_bytes(&[0, 255, 10]);
            }
            "file" => {
                exchange.set_body_file("/hello.txt");
            }
            "attribute" => {
                exchange.set_attribute("who", "conform");
                text(exchange, &exchange.attribute("who").unwrap_or_default());
            }
            "setters" => text(exchange, &setters(exchange)),
            "twice" => {
                text(exchange, "once");
                let taken = (exchange.send(), exchange.send());
                log::info(&format!("sent {} then {}", taken.0, taken.1));
            }
            "count" => {
                let count = state::increment("count", 1).expect("is a number");
                text(exchange, &count.to_string());
            }
            "read" | "pending" => {
                exchange.set_reply(200);
                exchange.use_read(None);
            }
            "length" => {
                exchange.set_reply(200);
                exchange.use_read(Some(u64::from(BLOCKS) * block(0).len() as u64));
                exchange.use_close();
            }
            "write" | "echo" | "refuse" => {
                exchange.set_reply(200);
                exchange.use_write();
                if name == "echo" {
                    exchange.use_read(None);
                }
            }
            "throttle" => {
                exchange.set_body_file("/hello.txt");
                exchange.use_throttle();
                exchange.use_close();
            }
            "timer" => return Next::after(Duration::from_millis(5)),
            "wait" => {
                exchange.use_close();
                log::info(&format!("waiting as {}", exchange.id()));
                return Next::after(Duration::from_secs(3600));
            }
            "wake" => {
                let url = exchange.url();
                let id = url.split_once("?id=").and_then(|(_, id)| id.parse().ok());
                text(exchange, &wake(id.unwrap_or_default()).to_string());
            }
            "never" => return Next::Wait(Vec::new()),
            "fault" => panic!("this guest was told to"),
            "fault-in-read" => {
                exchange.set_reply(200);
                exchange.use_read(None);
            }
            _ => {
                exchange.set_reply(404);
            }
        }
        Next::Send
    }

    fn resume(&mut self, exchange: &Exchange) -> Next {
        if self.name == "never" {
            return Next::Wait(Vec::new());
        }
        text(exchange, "resumed");
        Next::Send
    }

    fn read(&mut self, _: &Exchange, _: u32) -> ReadResult {
        match &*self.name {
            "echo" if self.received.is_empty() => ReadResult::Eof,
            "echo" => ReadResult::Data(std::mem::take(&mut self.received)),
            "pending" if !self.has_waited => {
                self.has_waited = true;
                let timer = monotonic_clock::subscribe_duration(1_000_000);
                ReadResult::Pending(vec![timer])
            }
            "fault-in-read" if self.blocks == 1 => panic!("this guest was told to, in read"),
            _ if self.blocks == BLOCKS => ReadResult::Eof,
            _ => {
                self.has_waited = false;
                self.blocks += 1;
                ReadResult::Data(block(self.blocks - 1))
            }
        }
    }

    fn write(&mut self, exchange: &Exchange, data: &[u8]) -> Vec<Pollable> {
        self.received.extend_from_slice(data);
        if self.name == "refuse" && self.received.len() > MOST {
            exchange.set_reply(413);
            exchange.set_body("too large");
        } else if self.name != "echo" && data.is_empty() {
            // The reply depends on the body.
            exchange.set_reply(201);
            exchange.set_body(&format!("{} bytes", self.received.len()));
        }
        Vec::new()
    }

    fn throttle(&mut self, _: &Exchange, done: u64, total: u64) -> u64 {
        log::info(&format!("throttle {done} of {total}"));
        100
    }

    fn close(&mut self, exchange: &Exchange, error: i32) {
        let (status, sent) = (exchange.status(), exchange.bytes_sent());
        log::info(&format!(
            "closed with {error}, status {status}, {sent} bytes"
        ));
    }
}

fn text(exchange: &Exchange, body: &str) {
    exchange.set_reply(200);
    exchange.add_header("content-type", "text/plain; charset=utf-8");
    exchange.set_body(body);
}

fn block(number: u32) -> Vec<u8> {
    format!("block {number}\n").into_bytes()
}

fn facts(exchange: &Exchange) -> String {
    let length = exchange.body_length();
    let facts = [
        ("method", exchange.method()),
        ("url", exchange.url()),
        ("path", exchange.path()),
        ("scheme", exchange.scheme()),
        ("authority", exchange.authority().unwrap_or_default()),
        ("protocol", exchange.protocol()),
        ("peer", exchange.peer().0),
        ("local", exchange.local().0),
        ("auth-code", exchange.auth_code().to_string()),
        ("user", exchange.user().unwrap_or_default()),
        (
            "body-length",
            length.map_or("none".to_owned(), |length| length.to_string()),
        ),
    ];
    pairs(facts.map(|(name, value)| (name.to_owned(), value)))
}

fn fields(exchange: &Exchange) -> String {
    let field = exchange.header("X-Twice").unwrap_or_default();
    exchange.add_header("x-out", &field);
    let twice = exchange.headers().into_iter();
    pairs(twice.filter(|(name, _)| name == "x-twice"))
}

/// What the server refuses, and that it says so.
fn setters(exchange: &Exchange) -> String {
    let taken = [
        ("status 99", exchange.set_reply(99)),
        ("name", exchange.add_header("not a name", "x")),
        ("line break", exchange.add_header("x-a", "a\r\nb: c")),
        ("beyond latin1", exchange.add_header("x-a", "\u{2713}")),
        ("framing", exchange.add_header("Content-Length", "5")),
        ("file", exchange.set_body_file("/../outside.txt")),
        ("field", exchange.add_header("X-Mixed-Case", "fine")),
    ];
    pairs(taken.map(|(name, taken)| (name.to_owned(), taken.to_string())))
}

fn pairs(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    pairs
        .into_iter()
        .fold(String::new(), |mut text, (name, value)| {
            writeln!(text, "{name}={value}").expect("a string takes all");
            text
        })
}

httpout_sdk::export!(Conform);
