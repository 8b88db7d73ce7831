//! Asks for a name and a password below a path, before the server serves anything there:
//! `auth.wasm?path=/private/&user=alice&password=wonderland&realm=demo`.
//!
//! `path` (default `/`) may stand several times; each `user` goes with the `password` behind it.

use std::sync::OnceLock;

use httpout_sdk::{Exchange, Next, Plugin, config, log};

mod base64;

/// Read by `init`, before any request.
static RULES: OnceLock<Rules> = OnceLock::new();

/// Who may see what.
#[derive(Default)]
struct Rules {
    paths: Vec<String>,
    accounts: Vec<(String, String)>,
    realm: String,
}

#[derive(Default)]
struct Auth;

impl Plugin for Auth {
    fn init() -> Result<(), String> {
        let rules = Rules::from_config()?;
        RULES.get_or_init(|| rules);
        Ok(())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let rules = RULES.get().expect("set by init");
        if rules.protects(&exchange.path()) {
            rules.check(exchange);
        }
        Next::Send
    }
}

impl Rules {
    fn from_config() -> Result<Rules, String> {
        let mut rules = Rules::default();
        let mut user = None;
        for (key, value) in config() {
            match key.as_str() {
                "path" if value.starts_with('/') => rules.paths.push(value),
                "path" => return Err(format!("`path`: `{value}` does not begin with a slash")),
                "realm" if value.contains(['"', '\\']) => {
                    return Err(format!("`realm`: `{value}` holds a quote or a backslash"));
                }
                "realm" => rules.realm = value,
                "user" => user = Some(value),
                "password" => match user.take() {
                    Some(user) => rules.accounts.push((user, value)),
                    None => return Err("`password` without a `user` before it".to_owned()),
                },
                _ => return Err(format!("unknown key `{key}`")),
            }
        }
        if let Some(user) = user {
            return Err(format!("user `{user}` has no `password`"));
        }
        if rules.accounts.is_empty() {
            return Err("no account: give `user=NAME&password=WORD`".to_owned());
        }
        if rules.paths.is_empty() {
            rules.paths.push("/".to_owned());
        }
        if rules.realm.is_empty() {
            rules.realm = "httpout".to_owned();
        }
        Ok(rules)
    }

    /// Whether a path is one of the protected ones or lies below it.
    fn protects(&self, path: &str) -> bool {
        self.paths.iter().any(|protected| {
            let directory = protected.trim_end_matches('/');
            path.strip_prefix(directory)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn check(&self, exchange: &Exchange) {
        let Some(credentials) = exchange.header("authorization") else {
            return self.challenge(exchange, "a name and a password are needed here\n");
        };
        match parse_basic(&credentials) {
            Some(given) if self.accounts.iter().any(|known| equal(known, &given)) => {
                log::debug(&format!("{} may see {}", given.0, exchange.path()));
            }
            _ => self.challenge(exchange, "wrong name or password\n"),
        }
    }

    fn challenge(&self, exchange: &Exchange, text: &str) {
        let scheme = format!("Basic realm=\"{}\", charset=\"UTF-8\"", self.realm);
        exchange.add_header("www-authenticate", &scheme);
        exchange.add_header("content-type", "text/plain; charset=utf-8");
        exchange.set_reply(401);
        exchange.set_body(text);
    }
}

/// Name and password of a Basic credential (RFC 7617).
fn parse_basic(credentials: &str) -> Option<(String, String)> {
    let (scheme, token) = credentials.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(base64::decode(token.trim())?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Compares without telling by its duration where the first difference is.
fn equal(known: &(String, String), given: &(String, String)) -> bool {
    let same = |a: &str, b: &str| {
        let differences = a
            .bytes()
            .zip(b.bytes())
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        a.len() == b.len() && differences == 0
    };
    same(&known.0, &given.0) & same(&known.1, &given.1)
}

httpout_sdk::export!(Auth);
