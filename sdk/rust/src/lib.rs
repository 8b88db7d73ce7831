//! Write plugins for the httpout server in Rust.
//!
//! A plugin is a type with a [`Plugin`] implementation, exported with [`export!`]. The server makes a fresh one, in a
//! sandbox of its own, for each request:
//!
//! ```ignore
//! use httpout_sdk::{Exchange, Next, Plugin};
//!
//! #[derive(Default)]
//! struct Headers;
//!
//! impl Plugin for Headers {
//!     fn on_request(&mut self, exchange: &Exchange) -> Next {
//!         exchange.add_header("x-gpac", "foo");
//!         Next::Send
//!     }
//! }
//!
//! httpout_sdk::export!(Headers);
//! ```
//!
//! A plugin that asks other servers has [`fetch`] for it.
//!
//! Build it as a library with `crate-type = ["cdylib"]` and `cargo build --release --target wasm32-wasip2`, then
//! `httpout --rdirs=www --plugin target/wasm32-wasip2/release/headers.wasm`.

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "httpout:plugin/plugin",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "httpout_sdk::bindings",
    });
}
#[doc(hidden)]
pub mod guest;

pub use bindings::exports::httpout::plugin::handler::ReadResult;
pub use bindings::httpout::plugin::http::Exchange;
pub use bindings::wasi::clocks::{monotonic_clock, wall_clock};
pub use bindings::wasi::io::poll::Pollable;
pub use bindings::wasi::random::random;

pub mod fetch;
pub mod log;
pub mod metrics;
pub mod state;

use bindings::httpout::plugin::host;

/// One HTTP request, handled by the plugin. The server makes a fresh value for each request with `Default`.
///
/// Every callback but `on_request` has a default that does nothing; the server makes those calls only that were asked
/// for on the exchange (`use_close` ...).
pub trait Plugin: Default + 'static {
    /// When the plugin is loaded, once: every instance begins with the memory that this left, statics included. An error
    /// stops the server from starting.
    fn init() -> Result<(), String> {
        Ok(())
    }

    /// The head of the request has arrived: decide, or say what to wait for.
    fn on_request(&mut self, exchange: &Exchange) -> Next;

    /// What `on_request` waited for is ready. Called until it returns [`Next::Send`]. A plugin that waits must have it.
    fn resume(&mut self, exchange: &Exchange) -> Next {
        panic!("{} waits, but has no `resume`", exchange.url());
    }

    /// At most `max` bytes of the response body, after `use_read`: called as often as the connection can take more.
    /// `ReadResult::Pending(vec![timer(...)])` where there are none yet.
    fn read(&mut self, exchange: &Exchange, max: u32) -> ReadResult {
        let _ = (exchange, max);
        ReadResult::Eof
    }

    /// Bytes of the request body, after `use_write` and with a reply of your own; an empty slice once for its end. Returns
    /// what to wait for before the next bytes are taken from the client. The reply can be set until the end, or to 400 and
    /// above to refuse the rest.
    fn write(&mut self, exchange: &Exchange, data: &[u8]) -> Vec<Pollable> {
        let _ = (exchange, data);
        Vec::new()
    }

    /// Microseconds to wait before the next block of the response body, after `use_throttle`. `total` is 0 when it is
    /// not known.
    fn throttle(&mut self, exchange: &Exchange, done: u64, total: u64) -> u64 {
        let _ = (exchange, done, total);
        0
    }

    /// The exchange is over, after `use_close`: 1 at a normal end, else a negative code (see [`error_string`]).
    fn close(&mut self, exchange: &Exchange, error: i32) {
        let _ = (exchange, error);
    }
}

/// What comes after `on_request` or `resume`.
#[derive(Debug)]
pub enum Next {
    /// The decision is made: calls the documented `send()`.
    Send,
    /// Call `resume` as soon as any of these is ready; without any, after a short pause.
    Wait(Vec<Pollable>),
}

impl Next {
    /// Call `resume` after this time.
    pub fn after(duration: std::time::Duration) -> Next {
        Next::Wait(vec![timer(duration)])
    }
}

/// Ready after this time: what to wait for in [`Next::Wait`], [`ReadResult::Pending`] or after `write`.
pub fn timer(duration: std::time::Duration) -> Pollable {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::subscribe_duration(nanoseconds)
}

/// Has another request of this plugin, by its `exchange.id()`, called again at once: it ends the wait under way, or its
/// next one. False if there is no such request.
pub fn wake(id: u64) -> bool {
    host::wake(id)
}

/// The plugin's configuration: `auth.wasm?key=value&...`, in order.
pub fn config() -> Vec<(String, String)> {
    host::config()
}

/// The first configuration value of that name.
pub fn config_value(name: &str) -> Option<String> {
    let found = host::config().into_iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value)
}

/// The value of a server option by its documented name (`port`, `rdirs` ...).
pub fn option_value(name: &str) -> Option<String> {
    host::option_value(name)
}

/// The text of a code given to `close`.
pub fn error_string(error: i32) -> String {
    host::error_string(error)
}

/// Makes a type with a [`Plugin`] implementation the plugin of this component.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        const _: () = {
            type Component = $crate::guest::Component<$plugin>;
    $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
    };
}
