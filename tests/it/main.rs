//! Integration tests: they start the real binary on real sockets and ask it as clients do.
//!
//! A file for each chapter of the documents. A test is: make files, start, ask, compare.

mod breaker;
mod calls;
mod command_line;
mod compression;
mod configuration;
mod connections;
mod contract;
mod cors;
mod fetch;
mod file_server;
mod framing;
mod grants;
mod growing;
mod growing_ranges;
mod guests;
mod js;
mod kept_files;
mod limits;
mod listings;
mod loading;
mod media_types;
mod metrics;
mod mounts;
mod partial_writes;
mod ranges;
mod refused_uploads;
mod reload;
mod reuse;
mod sink;
mod sink_inputs;
mod sink_sessions;
mod state;
mod support;
mod tls;
mod uploads;
