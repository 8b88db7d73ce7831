//! What all tests use: the server as a process, a tree of files, clients.

pub(crate) mod client;
pub(crate) mod cmaf;
pub(crate) mod curl;
pub(crate) mod ffmpeg;
pub(crate) mod guest;
pub(crate) mod hls;
pub(crate) mod http2;
pub(crate) mod live;
pub(crate) mod made;
pub(crate) mod media;
pub(crate) mod piped;
pub(crate) mod recorded;
pub(crate) mod server;
pub(crate) mod tree;

pub(crate) use client::{Client, Response};
pub(crate) use curl::{curl, try_curl};
pub(crate) use guest::guest;
pub(crate) use http2::Http2;
pub(crate) use live::Live;
pub(crate) use server::Server;
pub(crate) use tree::Tree;

/// A server of the standard tree.
pub(crate) fn serve(tree: &Tree) -> Server {
    Server::start([tree.text("www")])
}

/// A server that reads from and writes to one directory.
pub(crate) fn read_write(tree: &Tree, options: &[&str]) -> Server {
    let www = tree.text("www");
    let directories = [format!("--rdirs={www}"), format!("--wdir={www}")];
    let options = options.iter().map(|option| (*option).to_owned());
    Server::start(directories.into_iter().chain(options))
}

/// A file of the tree.
pub(crate) fn content(tree: &Tree, below: &str) -> Vec<u8> {
    std::fs::read(tree.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
}

/// Whether a directory has no entry.
pub(crate) fn is_empty(directory: &std::path::Path) -> bool {
    std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}
