//! Answers with bytes that it makes while they are sent: `generate.wasm?path=/bytes&size=1000000&rate=500000&pattern=lines`.
//!
//! Asked for everything below `path` (default `/`), for GET and HEAD. Without `size` there is no end; `rate` is how many
//! bytes a second are sent, as fast as the client reads unless given. `pattern` is `zeros` (the default) or `lines`: the
//! position of each, in 15 digits.

use std::sync::OnceLock;

use httpout_sdk::{Exchange, Next, Plugin, ReadResult, config};

/// Read by `init`, before any request.
static RULES: OnceLock<Rules> = OnceLock::new();

struct Rules {
    path: String,
    size: Option<u64>,
    rate: Option<u64>,
    pattern: Pattern,
}

enum Pattern {
    Zeros,
    Lines,
}

/// The bytes of a line, with its end.
const LINE: u64 = 16;

#[derive(Default)]
struct Generate {
    position: u64,
}

impl Plugin for Generate {
    fn init() -> Result<(), String> {
        let rules = Rules::from_config()?;
        RULES.get_or_init(|| rules);
        Ok(())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let rules = RULES.get().expect("set by init");
        let is_read = matches!(exchange.method().as_str(), "GET" | "HEAD");
        if is_read && exchange.path().starts_with(&rules.path) {
            exchange.set_reply(200);
            exchange.add_header("content-type", rules.pattern.media_type());
            exchange.use_read(rules.size);
            if rules.rate.is_some() {
                exchange.use_throttle();
            }
        }
        Next::Send
    }

    fn read(&mut self, _: &Exchange, max: u32) -> ReadResult {
        let rules = RULES.get().expect("set by init");
        let left = rules.size.map_or(u64::MAX, |size| size - self.position);
        if left == 0 {
            return ReadResult::Eof;
        }
        let block = rules.pattern.bytes(self.position, left.min(max.into()));
        self.position += block.len() as u64;
        ReadResult::Data(block)
    }

    /// As long as what has gone should have taken, less what it took.
    fn throttle(&mut self, exchange: &Exchange, done: u64, _: u64) -> u64 {
        let rules = RULES.get().expect("set by init");
        let due = |rate| u128::from(done) * 1_000_000 / u128::from(rate);
        let due = rules.rate.map_or(0, |rate: u64| due(rate) as u64);
        due.saturating_sub(exchange.elapsed_us())
    }
}

impl Pattern {
    fn media_type(&self) -> &'static str {
        match self {
            Pattern::Zeros => "application/octet-stream",
            Pattern::Lines => "text/plain",
        }
    }

    fn bytes(&self, position: u64, count: u64) -> Vec<u8> {
        let count = count as usize;
        match self {
            Pattern::Zeros => vec![0; count],
            Pattern::Lines => {
                let mut bytes = Vec::with_capacity(count + LINE as usize);
                let skipped = (position % LINE) as usize;
                let mut line = position - position % LINE;
                while bytes.len() < count + skipped {
                    bytes.extend_from_slice(format!("{line:015}\n").as_bytes());
                    line += LINE;
                }
                bytes.drain(..skipped);
                bytes.truncate(count);
                bytes
            }
        }
    }
}

impl Rules {
    fn from_config() -> Result<Rules, String> {
        let mut rules = Rules {
            path: "/".to_owned(),
            size: None,
            rate: None,
            pattern: Pattern::Zeros,
        };
        for (key, value) in config() {
            let number = || match value.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(format!("`{key}`: `{value}` is no number of bytes")),
            };
            match (key.as_str(), value.as_str()) {
                ("path", _) => rules.path = value,
                ("size", _) => rules.size = Some(number()?),
                ("rate", _) => rules.rate = Some(number()?),
                ("pattern", "zeros") => rules.pattern = Pattern::Zeros,
                ("pattern", "lines") => rules.pattern = Pattern::Lines,
                ("pattern", _) => return Err(format!("unknown pattern `{value}`")),
                _ => return Err(format!("unknown key `{key}`")),
            }
        }
        Ok(rules)
    }
}

httpout_sdk::export!(Generate);
