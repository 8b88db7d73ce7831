//! An HTTP server for media and files that anyone can extend with WebAssembly plugins.
//!
//! [`Settings`] are the options, checked; [`Servers`] bind and serve. The life of a request is `handler`, one list.

mod admit;
mod body;
mod ending;
mod error;
mod handler;
mod headers;
mod http;
mod ingest;
mod input;
mod listing;
pub mod log;
mod manifest;
mod metrics;
mod mode;
mod outputs;
mod pace;
mod packager;
mod pages;
mod plugins;
mod presentation;
mod rdirs;
mod rejection;
mod reqlog;
mod resource;
mod rules;
mod server;
mod settings;
mod site;
mod within;

pub use error::StartupError;
pub use server::{Servers, check};
pub use settings::Settings;
