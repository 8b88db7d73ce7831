//! Does with state and metrics what a path below `/store/` says, for the tests: `/store/set/key/value/1000`.
//! In `/store/keys/prefix/after`, `-` stands for none.

use std::time::Duration;

use httpout_sdk::state::{self, Unchanged};
use httpout_sdk::{Exchange, Next, Plugin, metrics};

#[derive(Default)]
struct Store {
    /// What is waited for.
    watched: Option<String>,
}

impl Plugin for Store {
    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let path = exchange.path();
        let Some(command) = path.strip_prefix("/store/") else {
            return Next::Send;
        };
        let words: Vec<&str> = command.split('/').collect();
        if let ["watch", key, version] = words[..] {
            self.watched = Some(key.to_owned());
            return Next::Wait(vec![state::watch(key, number(version))]);
        }
        text(exchange, &obey(&words));
        Next::Send
    }

    fn resume(&mut self, exchange: &Exchange) -> Next {
        let key = self.watched.as_deref().unwrap_or_default();
        text(exchange, &show(key));
        Next::Send
    }
}

/// Does it, and says what came of it.
fn obey(words: &[&str]) -> String {
    match *words {
        ["get", key] => show(key),
        ["set", key, value] => shown(state::set(key, value)),
        ["set", key, value, time] => shown(state::set_for(key, value, milliseconds(time))),
        ["fill", key, size] => shown(state::set(&named(key), "x".repeat(number(size)))),
        ["delete", key] => state::delete(key).to_string(),
        ["increment", key, delta] => shown(state::increment(key, number(delta))),
        ["increment", key, delta, time] => {
            let time = milliseconds(time);
            shown(state::increment_for(key, number(delta), time))
        }
        ["cas", key, version, value] => compare_and_set(key, version, value, None),
        ["cas", key, version, value, time] => {
            compare_and_set(key, version, value, Some(milliseconds(time)))
        }
        ["keys", prefix, after] => {
            let given = |word: &str| Some(word.to_owned()).filter(|word| word != "-");
            let prefix = given(prefix).unwrap_or_default();
            state::keys(&prefix, given(after).as_deref()).join(" ")
        }
        ["all-keys", prefix] => state::all_keys(prefix).count().to_string(),
        ["many", count] => {
            let count: usize = number(count);
            let set = (0..count).filter(|n| state::set(&format!("many{n:05}"), "").is_ok());
            set.count().to_string()
        }
        ["watch-long", size] => {
            state::watch(&"k".repeat(number(size)), 0);
            "watched".to_owned()
        }
        ["block", key, version] => {
            state::watch(key, number(version)).block();
            show(key)
        }
        ["add", name, label, by] => {
            metrics::add(name, &[("label", label)], number(by));
            String::new()
        }
        ["gauge", name, value] => {
            metrics::set(name, &[], number(value));
            String::new()
        }
        ["record", name, value] => {
            metrics::record(name, &[("label", "a")], number(value));
            String::new()
        }
        ["series", count] => {
            let count: usize = number(count);
            (0..count).for_each(|n| metrics::count("many", &[("label", &n.to_string())]));
            String::new()
        }
        ["panic"] => panic!("as told"),
        _ => format!("unknown: {words:?}"),
    }
}

fn compare_and_set(key: &str, version: &str, value: &str, time: Option<Duration>) -> String {
    match state::compare_and_set(&named(key), number(version), value, time) {
        Ok(_) => "set".to_owned(),
        Err(Unchanged::Version(version)) => format!("stands at {version}"),
        Err(Unchanged::Refused) => "refused".to_owned(),
    }
}

/// `long` is a key that is too long, and `longest` one that is not.
fn named(key: &str) -> String {
    match key {
        "long" => "k".repeat(1025),
        "longest" => "k".repeat(1024),
        _ => key.to_owned(),
    }
}

fn show(key: &str) -> String {
    match state::get(key) {
        Some(entry) => format!(
            "{} at {}",
            String::from_utf8_lossy(&entry.value),
            entry.version
        ),
        None => "none".to_owned(),
    }
}

fn shown<T: std::fmt::Display>(done: Result<T, String>) -> String {
    done.map_or_else(|reason| reason, |value| value.to_string())
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("is a number")
}

fn milliseconds(text: &str) -> Duration {
    Duration::from_millis(number(text))
}

fn text(exchange: &Exchange, body: &str) {
    exchange.set_reply(200);
    exchange.set_body(body);
}

httpout_sdk::export!(Store);
