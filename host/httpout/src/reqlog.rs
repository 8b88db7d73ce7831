//! The documented `reqlog`: a short line when a request starts, another when it is done, on standard error.

use std::sync::atomic::Ordering::Relaxed;

use ::http::{Method, header};
use httpout_plugins::{CloseCode, Exchange};

use crate::log;

/// Which requests are logged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reqlog {
    /// The option's value without its prefix; empty logs nothing.
    methods: String,
    /// Prefix `-`: the end of a request is not logged.
    starts_only: bool,
}

impl Reqlog {
    /// Reads the option: a comma-separated list of methods, `*` for all, behind `-` where ends are not wanted.
    pub(crate) fn parse(value: &str) -> Reqlog {
        let (starts_only, methods) = match value.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, value),
        };
        Reqlog {
            methods: methods.to_ascii_uppercase(),
            starts_only,
        }
    }

    /// Whether requests are logged at all.
    pub(crate) fn is_on(&self) -> bool {
        !self.methods.is_empty()
    }

    /// The line of a file that is opened for writing, closed, given up or removed, where `REC` is listed.
    pub(crate) fn record(&self, what: &str, path: &[u8]) {
        let mut items = self.methods.split(',');
        if items.any(|item| item == "*" || item.contains("REC")) {
            let name = path.strip_prefix(b"/").unwrap_or(path);
            say(format_args!("{what} output {}", name.escape_ascii()));
        }
    }

    fn covers(&self, method: &Method) -> bool {
        let listed = match method.as_str() {
            known @ ("GET" | "PUT" | "POST" | "HEAD") => known,
            "DELETE" => "DEL",
            "OPTIONS" => "OPT",
            // Methods that have no name in the list are always logged.
            _ => return self.is_on(),
        };
        self.methods
            .split(',')
            .any(|item| item == "*" || item.contains(listed))
    }

    /// The line of a request that starts.
    pub(crate) fn start(&self, exchange: &Exchange) {
        let head = &exchange.head;
        if !self.covers(&head.method) {
            return;
        }
        let chunked = if exchange
            .head
            .headers
            .contains_key(header::TRANSFER_ENCODING)
        {
            " chunk-transfer"
        } else {
            ""
        };
        let range = head
            .headers
            .get(header::RANGE)
            .map_or_else(String::new, |range| {
                format!(" range: {}", range.as_bytes().escape_ascii())
            });
        say(format_args!(
            "REQ#{} {} {} {}{range} start{chunked}",
            exchange.id,
            exchange.connection.peer.ip().to_canonical(),
            head.method,
            target(exchange),
        ));
    }

    /// The line of a request that is over.
    pub(crate) fn end(&self, exchange: &Exchange, code: CloseCode) {
        let method = &exchange.head.method;
        if self.starts_only || !self.covers(method) {
            return;
        }
        let id = exchange.id;
        if code != CloseCode::Complete {
            return say(format_args!(
                "REQ#{id} {method} {} aborted!",
                target(exchange)
            ));
        }
        let status = exchange.status.load(Relaxed);
        let bytes = match *method {
            Method::PUT | Method::POST => exchange.bytes_received.load(Relaxed),
            _ => exchange.bytes_sent.load(Relaxed),
        };
        let elapsed = exchange.received.elapsed();
        say(format_args!(
            "REQ#{id} {method} {} done: reply {status} - {bytes} bytes in {} ms at {}",
            target(exchange),
            elapsed.as_millis(),
            rate(bytes as f64 * 8.0 / elapsed.as_secs_f64().max(1e-6)),
        ));
    }
}

fn say(line: std::fmt::Arguments<'_>) {
    log::line(format!("[HTTPOut] {line}\n").as_bytes());
}

/// The target as received, without its first slash, and with what plays with terminals escaped.
fn target(exchange: &Exchange) -> impl std::fmt::Display {
    let target = exchange.head.uri.path_and_query();
    let target = target.map_or("", |target| target.as_str());
    let target = target.strip_prefix('/').unwrap_or(target);
    target.as_bytes().escape_ascii()
}

fn rate(bits_per_second: f64) -> String {
    match bits_per_second {
        rate if rate >= 1e6 => format!("{:.2} mbps", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.2} kbps", rate / 1e3),
        rate => format!("{rate:.0} bps"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_in_a_comma_separated_list() {
        let log = Reqlog::parse("GET,del");
        assert!(log.covers(&Method::GET) && log.covers(&Method::DELETE));
        assert!(!log.covers(&Method::PUT) && !log.covers(&Method::OPTIONS));
        assert!(Reqlog::parse("*").covers(&Method::HEAD));
        assert!(Reqlog::parse("-*").starts_only);
        assert!(!Reqlog::default().covers(&Method::GET));
    }
}
