//! Plugins of httpout: WebAssembly components that decide about requests.
//!
//! The contract is `wit/httpout.wit`. A [`Plugin`] is a component that was compiled and checked when the server
//! started; a [`Chain`] asks its plugins about one [`Exchange`] after the other, each in a fresh, sandboxed instance.
//! What a plugin decides comes back as a [`Decision`], what went wrong inside it as a [`Fault`]: the server goes on.
//!
//! This crate is the only one that names wasmtime. It knows no socket, no option and no mode.

mod background;
mod bindings;
mod breaker;
mod cache;
mod call;
mod chain;
mod client_tls;
mod clock;
mod common;
mod decide;
mod decision;
mod dry_run;
mod engine;
mod error;
mod exchange;
mod exports;
mod functions;
mod host;
mod limiter;
mod log;
mod metrics;
mod open_at;
mod outbound;
mod pass;
mod plugin;
mod read;
mod reuse;
mod script;
mod shared;
mod slot;
mod snapshot;
mod source;
mod spec;
mod state;
mod stderr;
mod store;
mod throttle;
mod to_its_end;
mod wake;
mod world;

pub use chain::{Chain, OpenSessions};
pub use client_tls::client_tls;
pub use decide::{Refusal, RequestBody};
pub use decision::{Body, Decision, frames_message};
pub use dry_run::DryReply;
pub use engine::Engine;
pub use error::{CloseCode, Fault, LoadError};
pub use exchange::{Auth, Connection, Exchange};
pub use metrics::Metrics;
pub use plugin::Plugin;
pub use read::ReadBody;
pub use slot::Reload;
pub use spec::{
    Destination, GrantedDirectory, Grants, Kind, Limits, OnFailure, PluginSpec, Pool, Scope,
};
pub use state::{StateError, StateKeeper};
pub use store::Server;
pub use throttle::Throttle;
