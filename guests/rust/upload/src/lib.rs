//! Takes what is uploaded and answers with its SHA-256 and length:
//! `upload.wasm?path=/upload/&limit=1000000&rate=500000`.
//!
//! Asked for paths below `path` (default `/`), for PUT and POST. More than `limit` bytes are refused; `rate` is how many
//! bytes a second are taken from the client. Both are without a limit unless given.

use std::sync::OnceLock;
use std::time::Duration;

use httpout_sdk::{Exchange, Next, Plugin, Pollable, config, timer};
use sha2::{Digest as _, Sha256};

/// Read by `init`, before any request.
static RULES: OnceLock<Rules> = OnceLock::new();

struct Rules {
    path: String,
    limit: u64,
    rate: Option<u64>,
}

#[derive(Default)]
struct Upload {
    length: u64,
    hash: Sha256,
}

impl Plugin for Upload {
    fn init() -> Result<(), String> {
        let rules = Rules::from_config()?;
        RULES.get_or_init(|| rules);
        Ok(())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let rules = RULES.get().expect("set by init");
        let is_upload = matches!(exchange.method().as_str(), "PUT" | "POST");
        if is_upload && exchange.path().starts_with(&rules.path) {
            exchange.set_reply(200);
            match exchange.body_length() {
                // Nothing of it needs to be sent.
                Some(length) if length > rules.limit => refuse(exchange, rules.limit),
                _ => drop(exchange.use_write()),
            }
        }
        Next::Send
    }

    fn write(&mut self, exchange: &Exchange, data: &[u8]) -> Vec<Pollable> {
        let rules = RULES.get().expect("set by init");
        if data.is_empty() {
            self.answer(exchange);
            return Vec::new();
        }
        self.length += data.len() as u64;
        if self.length > rules.limit {
            refuse(exchange, rules.limit);
            return Vec::new();
        }
        self.hash.update(data);
        let pause = |rate| Duration::from_secs_f64(data.len() as f64 / rate as f64);
        rules.rate.map(pause).map(timer).into_iter().collect()
    }
}

impl Upload {
    /// The head leaves only now: the whole body has come.
    fn answer(&mut self, exchange: &Exchange) {
        let hash = std::mem::take(&mut self.hash).finalize();
        exchange.add_header("content-type", "text/plain; charset=utf-8");
        exchange.set_body(&format!("{hash:x} {} bytes\n", self.length));
    }
}

fn refuse(exchange: &Exchange, limit: u64) {
    exchange.set_reply(413);
    exchange.add_header("content-type", "text/plain; charset=utf-8");
    exchange.set_body(&format!("at most {limit} bytes are taken here\n"));
}

impl Rules {
    fn from_config() -> Result<Rules, String> {
        let mut rules = Rules {
            path: "/".to_owned(),
            limit: u64::MAX,
            rate: None,
        };
        for (key, value) in config() {
            let number = || match value.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(format!("`{key}`: `{value}` is no number of bytes")),
            };
            match key.as_str() {
                "path" => rules.path = value,
                "limit" => rules.limit = number()?,
                "rate" => rules.rate = Some(number()?),
                _ => return Err(format!("unknown key `{key}`")),
            }
        }
        Ok(rules)
    }
}

httpout_sdk::export!(Upload);
