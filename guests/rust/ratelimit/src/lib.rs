//! Limits how many requests a client may make in a time: `ratelimit.wasm?limit=100&window=60&key=x-api-key`.
//!
//! `limit` requests are let through in each `window` of seconds; those beyond it are answered 429. `key` names a field of
//! the request that tells clients apart; without `key`, or in a request without that field, the address of the client
//! does. Whoever uses a field must see to it that clients cannot choose what is in it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::OnceLock;
use std::time::Duration;

use httpout_sdk::{Exchange, Next, Plugin, config, log, metrics, state, wall_clock};

/// Read by `init`, before any request.
static RULE: OnceLock<Rule> = OnceLock::new();

/// How much of the field tells clients apart, in characters.
const FIELD: usize = 200;

/// Who may ask how often.
struct Rule {
    /// Requests in a window.
    limit: i64,
    /// In seconds.
    window: u64,
    /// The field that tells clients apart, not their address.
    key: Option<String>,
}

#[derive(Default)]
struct RateLimit;

impl Plugin for RateLimit {
    fn init() -> Result<(), String> {
        let rule = Rule::from_config()?;
        RULE.get_or_init(|| rule);
        Ok(())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let rule = RULE.get().expect("set by init");
        match rule.count(exchange) {
            Ok(count) => rule.apply(exchange, count),
            // There is no room to count in: better to serve all than nobody.
            Err(reason) => log::warn(&format!("not counted: {reason}")),
        }
        Next::Send
    }
}

impl Rule {
    fn from_config() -> Result<Rule, String> {
        let mut rule = Rule {
            limit: 60,
            window: 60,
            key: None,
        };
        for (name, value) in config() {
            let no_number = |_| format!("`{name}`: `{value}` is not a number");
            match name.as_str() {
                "limit" => rule.limit = value.parse().map_err(no_number)?,
                "window" => rule.window = value.parse().map_err(no_number)?,
                "key" if !value.is_empty() => rule.key = Some(value),
                "key" => return Err("`key`: the name of a field is missing".to_owned()),
                _ => return Err(format!("unknown key `{name}`")),
            }
        }
        if rule.limit < 1 || rule.window < 1 {
            return Err("`limit` and `window` are at least 1".to_owned());
        }
        Ok(rule)
    }

    /// Counts the request; how many there were of its client in this window.
    fn count(&self, exchange: &Exchange) -> Result<i64, String> {
        let window = wall_clock::now().seconds / self.window;
        let key = format!("{window}/{}", self.client(exchange));
        // All instances count in the same entry, which is gone after the window.
        state::increment_for(&key, 1, Duration::from_secs(self.window))
    }

    fn client(&self, exchange: &Exchange) -> String {
        let field = self.key.as_ref().and_then(|name| exchange.header(name));
        match field {
            // With a mark, so that nobody spends what an address has.
            Some(value) => format!("={value:.FIELD$}"),
            None => network(&exchange.peer().0),
        }
    }

    fn apply(&self, exchange: &Exchange, count: i64) {
        let left = self.window - wall_clock::now().seconds % self.window;
        let field = |name: &str, value: String| exchange.add_header(name, &value);
        field("x-ratelimit-limit", self.limit.to_string());
        field(
            "x-ratelimit-remaining",
            (self.limit - count).max(0).to_string(),
        );
        field("x-ratelimit-reset", left.to_string());
        if count > self.limit {
            field("retry-after", left.to_string());
            exchange.set_reply(429);
            exchange.add_header("content-type", "text/plain; charset=utf-8");
            exchange.set_body("too many requests\n");
            metrics::count("ratelimit_refused", &[]);
        }
    }
}

/// The part of an address that belongs to one client: all of IPv4, half of IPv6.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            let half = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(half).to_string()
        }
        _ => address.to_owned(),
    }
}

httpout_sdk::export!(RateLimit);
