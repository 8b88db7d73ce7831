//! Serves other files than those that were asked for: `rewrite.wasm?from=/latest/&to=/2026/&from=/de/&to=/german/`.
//!
//! Of the prefixes that fit, the first that leads to a file counts; the client does not see the other name. Where none
//! does, the request goes on as it came. `to` may also begin with the name of a directory that option `plugin_dirs`
//! grants.

use std::sync::OnceLock;

use httpout_sdk::{Exchange, Next, Plugin, config};

static RULES: OnceLock<Vec<Rule>> = OnceLock::new();

/// What begins with `from` is served from `to`.
struct Rule {
    from: String,
    to: String,
}

#[derive(Default)]
struct Rewrite;

impl Plugin for Rewrite {
    fn init() -> Result<(), String> {
        let rules = rules(config())?;
        RULES.get_or_init(|| rules);
        Ok(())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let path = exchange.path();
        let rules = RULES.get().expect("read in `init`");
        for Rule { from, to } in rules {
            if let Some(rest) = path.strip_prefix(from.as_str())
                && exchange.set_body_file(&format!("{to}{rest}"))
            {
                break;
            }
        }
        Next::Send
    }
}

/// Each `from` with the `to` behind it.
fn rules(config: Vec<(String, String)>) -> Result<Vec<Rule>, String> {
    let mut rules = Vec::new();
    let mut pairs = config.into_iter();
    while let Some((name, from)) = pairs.next() {
        match (name.as_str(), pairs.next()) {
            ("from", Some((next, to))) if next == "to" => rules.push(Rule { from, to }),
            _ => {
                return Err(format!(
                    "`{name}`: give pairs of `from=PREFIX` and `to=PREFIX`"
                ));
            }
        }
    }
    match rules.is_empty() {
        true => Err("no rule: give `from=PREFIX&to=PREFIX`".to_owned()),
        false => Ok(rules),
    }
}

httpout_sdk::export!(Rewrite);
