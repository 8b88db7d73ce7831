//! The engine of scripts: QuickJS as a plugin, which runs what its user wrote for GPAC's httpout.
//!
//! The script comes from the server when the engine starts ([`init`](Guest::init)) and is evaluated once; the server
//! takes a snapshot of the memory, and each request begins with it. What scripts meet is in `js/`: `request.js` is the
//! documented object, `main.js` what the server's calls become. [`native`] is what these modules cannot do by
//! themselves.

mod engine;
mod exchanges;
mod fault;
mod modules;
mod native;
mod rejections;
mod request;
mod script;
mod time;
mod waits;

mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "httpout:plugin/script-engine",
        generate_all,
    });
}

use std::cell::OnceCell;

use bindings::exports::httpout::plugin::handler::Guest;
use bindings::httpout::plugin::script as host_script;

use crate::engine::Engine;
use crate::request::Request;

thread_local! {
    static ENGINE: OnceCell<Engine> = const { OnceCell::new() };
}

struct Component;

impl Guest for Component {
    type Request = Request;

    fn init() -> Result<(), String> {
        let (name, text) = host_script::source().ok_or("there is no script to run")?;
        let engine = Engine::start(&name, text)?;
        match ENGINE.with(|cell| cell.set(engine).is_ok()) {
            true => Ok(()),
            false => Err("`init` was called twice".to_owned()),
        }
    }
}

/// Calls with the engine of this instance.
fn with_engine<R>(f: impl FnOnce(&Engine) -> R) -> R {
    ENGINE.with(|engine| f(engine.get().expect("the server calls `init` first")))
}

bindings::export!(Component with_types_in bindings);
