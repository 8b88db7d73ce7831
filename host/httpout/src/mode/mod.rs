//! What the server does with a request that no plugin has answered: the modes of the documents.

mod file_server;

use httpout_plugins::Exchange;

use crate::error::Reject;
use crate::handler::Answer;

pub(crate) use file_server::FileServer;

/// The mode of a server (documents: option `hmode`, and what inputs and directories imply).
pub(crate) enum Mode {
    /// The simple HTTP server.
    FileServer(FileServer),
}

impl Mode {
    /// Answers a request for a normalized path: the requested one, or that of a file that a plugin chose.
    pub(crate) async fn route(&self, exchange: &Exchange, path: &[u8]) -> Result<Answer, Reject> {
        match self {
            Mode::FileServer(server) => server.route(exchange, path).await,
        }
    }

    /// The methods that the server can answer, as `Allow` lists them.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Mode::FileServer(_) => FileServer::METHODS,
        }
    }

    /// Whether a normalized path names a file that can be served.
    pub(crate) fn is_file(&self, path: &[u8]) -> bool {
        match self {
            Mode::FileServer(server) => server.is_file(path),
        }
    }
}
