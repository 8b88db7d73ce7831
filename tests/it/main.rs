//! Integration tests: they start the real binary on real sockets and ask it as clients do.
//!
//! A file for each chapter of the documents. A test is: make files, start, ask, compare.

mod command_line;
mod compression;
mod connections;
mod cors;
mod file_server;
mod framing;
mod growing;
mod guests;
mod kept_files;
mod listings;
mod media_types;
mod metrics;
mod mounts;
mod ranges;
mod state;
mod support;
mod tls;
mod uploads;
