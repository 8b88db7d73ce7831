//! Asks a service whether a request may pass: `fetch.wasm?url=https://auth.example.org/check`, with option
//! `plugin_allow=auth.example.org`.
//!
//! The service gets a GET request with the client's `Authorization` and `Cookie`, and what the client asked for in
//! `X-Original-Method` and `X-Original-URL`. 2xx lets the request pass; 401 and 403 go to the client; anything else is
//! an error, and nobody passes.

use std::sync::OnceLock;

use httpout_sdk::fetch::{Fetch, Request, Response};
use httpout_sdk::{Exchange, Next, Plugin, config_value, log};

static URL: OnceLock<String> = OnceLock::new();

/// Fields of the client that the service sees.
const CREDENTIALS: [&str; 2] = ["authorization", "cookie"];

#[derive(Default)]
struct Guard {
    question: Option<Fetch>,
}

impl Plugin for Guard {
    fn init() -> Result<(), String> {
        let url = config_value("url").ok_or("`url` is missing: give `url=URL` of the service")?;
        URL.get_or_init(|| url);
        Ok(())
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let url = URL.get().expect("read in `init`");
        let mut request = Request::get(url)
            .field("x-original-method", &exchange.method())
            .field("x-original-url", &exchange.url());
        for name in CREDENTIALS {
            if let Some(value) = exchange.header(name) {
                request = request.field(name, &value);
            }
        }
        self.question.insert(request.send()).wait_next()
    }

    fn resume(&mut self, exchange: &Exchange) -> Next {
        let question = self.question.as_mut().expect("sent in `on_request`");
        match question.poll() {
            None => return question.wait_next(),
            Some(Ok(response)) => decide(exchange, &response),
            Some(Err(error)) => {
                log::warn(&format!("the service does not answer: {error}"));
                exchange.set_reply(502);
            }
        }
        Next::Send
    }
}

fn decide(exchange: &Exchange, response: &Response) {
    match response.status {
        200..=299 => {}
        401 | 403 => {
            exchange.set_reply(response.status);
            if let Some(challenge) = response.field("www-authenticate") {
                exchange.add_header("www-authenticate", challenge);
            }
        }
        status => {
            log::warn(&format!("the service answers {status}"));
            exchange.set_reply(502);
        }
    }
}

httpout_sdk::export!(Guard);
