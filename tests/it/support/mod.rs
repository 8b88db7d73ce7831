//! What all tests use: the server as a process, a tree of files, clients.

pub(crate) mod client;
pub(crate) mod curl;
pub(crate) mod guest;
pub(crate) mod http2;
pub(crate) mod server;
pub(crate) mod tree;

pub(crate) use client::{Client, Response};
pub(crate) use curl::{curl, try_curl};
pub(crate) use guest::guest;
pub(crate) use http2::Http2;
pub(crate) use server::Server;
pub(crate) use tree::Tree;

/// A server of the standard tree.
pub(crate) fn serve(tree: &Tree) -> Server {
    Server::start([tree.text("www")])
}
