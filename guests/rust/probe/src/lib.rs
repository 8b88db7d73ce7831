//! Shows what a plugin sees and can do, one thing for each path below `/probe/`. The tests of the contract ask it.

use std::fmt::Write as _;
use std::time::Duration;

use httpout_sdk::{Exchange, Next, Plugin, config, config_value, error_string, log, option_value};

#[derive(Default)]
struct Probe {
    resumed: u32,
}

impl Plugin for Probe {
    fn init() -> Result<(), String> {
        if config_value("init").as_deref() == Some("print") {
            eprintln!("this leaves a handle open");
        }
        Ok(())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let path = exchange.path();
        match path.strip_prefix("/probe/").unwrap_or_default() {
            "facts" => text(exchange, &facts(exchange)),
            "headers" => text(exchange, &fields(exchange)),
            "latin1" => {
                exchange.add_header("x-latin1", "caf\u{e9}");
                text(exchange, &exchange.header("x-in").unwrap_or_default());
            }
            "options" => text(
                exchange,
                &format!(
                    "{:?} {:?} {:?} {:?}",
                    option_value("port"),
                    option_value("maxc"),
                    option_value("plugin"),
                    option_value("no")
                ),
            ),
            "config" => text(exchange, &format!("{:?}", config())),
            "bytes" => {
                exchange.set_reply(201);
                exchange.set_body_bytes(&[0, 255, 10]);
            }
            "empty" => {
                exchange.set_reply(204);
                exchange.set_body("no body is allowed here");
            }
            "file" => {
                let found = exchange.set_body_file("/hello.txt");
                exchange.add_header("x-found", &found.to_string());
            }
            "outside" => {
                let found = exchange.set_body_file("/../outside.txt")
                    || exchange.set_body_file("/missing.txt");
                text(exchange, &format!("found={found}"));
            }
            "close" => {
                exchange.use_close();
                text(exchange, "the end is logged");
            }
            "later" => return Next::after(Duration::from_millis(5)),
            "back-off" => return Next::Wait(Vec::new()),
            "attribute" => {
                let seen = exchange
                    .attribute("probe")
                    .unwrap_or_else(|| "none".to_owned());
                exchange.set_attribute("probe", "set");
                exchange.add_header("x-attribute", &seen);
            }
            "setters" => text(exchange, &setters(exchange)),
            "twice" => {
                text(exchange, "sent once");
                let first = exchange.send();
                let second = exchange.send();
                let late = exchange.set_body("too late");
                log::info(&format!("first={first} second={second} late={late}"));
            }
            "log" => log::info("two\nlines"),
            "stderr" => {
                (0..1000).for_each(|line| eprintln!("line {line} of what nobody reads"));
                text(exchange, "said a lot");
            }
            "useless" => {
                exchange.set_body("a text without a reply");
            }
            "flood" => {
                let taken = (0..1000).filter(|n| exchange.add_header(&format!("x-{n}"), "1"));
                text(exchange, &format!("{} fields", taken.count()));
            }
            "wait" => {
                exchange.use_close();
                return Next::after(Duration::from_secs(3600));
            }
            "random" => text(exchange, &httpout_sdk::random::get_random_u64().to_string()),
            _ if config_value("file").as_deref() == Some("self") => {
                exchange.set_body_file(&path);
            }
            _ => {}
        }
        Next::Send
    }

    fn resume(&mut self, exchange: &Exchange) -> Next {
        self.resumed += 1;
        if self.resumed < 3 {
            return Next::Wait(Vec::new());
        }
        text(exchange, &format!("resumed {} times", self.resumed));
        Next::Send
    }

    fn close(&mut self, exchange: &Exchange, error: i32) {
        log::info(&format!(
            "closed with {error} ({}), status {}, {} bytes",
            error_string(error),
            exchange.status(),
            exchange.bytes_sent(),
        ));
    }
}

fn text(exchange: &Exchange, body: &str) {
    exchange.set_reply(200);
    exchange.add_header("content-type", "text/plain; charset=utf-8");
    exchange.set_body(body);
}

fn facts(exchange: &Exchange) -> String {
    let (peer, port) = exchange.peer();
    let mut facts = String::new();
    let mut line = |name: &str, value: &dyn std::fmt::Debug| {
        writeln!(facts, "{name}={value:?}").expect("a string takes all");
    };
    line("method", &exchange.method());
    line("url", &exchange.url());
    line("path", &exchange.path());
    line("auth-code", &exchange.auth_code());
    line("user", &exchange.user());
    line("scheme", &exchange.scheme());
    line("authority", &exchange.authority());
    line("protocol", &exchange.protocol());
    line("peer", &(peer, port > 0));
    line("local", &exchange.local().0);
    line("body-length", &exchange.body_length());
    line("ids", &(exchange.id() > 0, exchange.connection_id() > 0));
    line("status", &exchange.status());
    facts
}

fn fields(exchange: &Exchange) -> String {
    let lines = exchange.headers().into_iter();
    lines
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect()
}

/// What the server refuses, and that it says so.
fn setters(exchange: &Exchange) -> String {
    [
        ("status 99", exchange.set_reply(99)),
        ("status 600", exchange.set_reply(600)),
        ("status 418", exchange.set_reply(418)),
        ("name", exchange.add_header("not a name", "x")),
        ("line break", exchange.add_header("x-a", "a\r\nb: c")),
        ("beyond latin1", exchange.add_header("x-a", "\u{2713}")),
        ("framing", exchange.add_header("Content-Length", "5")),
        ("field", exchange.add_header("X-Mixed-Case", "fine")),
        ("read", exchange.use_read(None)),
        ("write", exchange.use_write()),
        ("throttle", exchange.use_throttle()),
    ]
    .map(|(what, taken)| format!("{what}: {taken}\n"))
    .concat()
}

httpout_sdk::export!(Probe);
