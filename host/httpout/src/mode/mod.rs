//! What the server does with a request that no plugin has answered: the modes of the documents.

mod file_server;
mod file_sink;
mod growing;
mod held_ends;
mod made;
mod missing;
mod private;
mod sink;
mod uploads;

use std::path::Path;
use std::sync::Arc;

use httpout_plugins::Exchange;

use crate::body::Upload;
use crate::error::Reject;
use crate::handler::Answer;
use crate::resource::Begun;

pub(crate) use file_server::FileServer;
pub(crate) use file_sink::FileOutput;
pub(crate) use held_ends::HeldEnds;
pub(crate) use made::MadeOutput;
pub(crate) use private::{Private, Written};
pub(crate) use sink::{Output, Sink};
pub(crate) use uploads::{Uploads, changes_something};

/// The mode of a server (documents: option `hmode`, and what inputs and directories imply).
pub(crate) enum Mode {
    /// The simple HTTP server.
    FileServer(FileServer),
    /// The HTTP server sink, and the file sink.
    Sink(Sink),
    /// Takes what a program of ours makes.
    Private(Private),
}

impl Mode {
    /// Answers a request for a normalized path: the requested one, or that of a file that a plugin chose.
    pub(crate) async fn route(
        &self,
        exchange: &Arc<Exchange>,
        path: &[u8],
        upload: &mut Upload,
    ) -> Result<Answer, Reject> {
        match self {
            Mode::FileServer(server) => server.route(exchange, path, upload).await,
            Mode::Private(private) => private.route(exchange, path, upload).await,
            Mode::Sink(sink) => {
                if let Some(output) = sink.find(path) {
                    return sink.answer(output, exchange, upload);
                }
                if let Some(file) = sink.find_file(path)
                    && let Some(answer) = file.answer(&sink.files, exchange, upload).await
                {
                    return answer;
                }
                for made in &sink.made {
                    if let Some(below) = made.find(path) {
                        let answering = made.answer(&below, &sink.files, exchange, upload);
                        // Boxed: every request would carry the state of its waits.
                        if let Some(answer) = Box::pin(answering).await {
                            return answer;
                        }
                    }
                }
                sink.files.route(exchange, path, upload).await
            }
        }
    }

    /// Answers with a file that a plugin chose below a directory that was granted to it.
    pub(crate) async fn serve_granted(
        &self,
        exchange: &Exchange,
        directory: &Path,
        below: &[u8],
    ) -> Result<Answer, Reject> {
        self.files().serve_granted(exchange, directory, below).await
    }

    /// Whether a normalized path below a directory that was granted to a plugin names a file that can be served.
    pub(crate) fn is_granted_file(&self, directory: &Path, below: &[u8]) -> bool {
        self.files().granted.is_file(directory, below)
    }

    /// Notes that a request begins to change something: what it changes comes before what later ones do.
    pub(crate) fn begin(&self) -> Option<Begun> {
        match self {
            Mode::Private(private) => private.begin(),
            _ => self.files().begin(),
        }
    }

    /// The methods that the server can answer, as `Allow` lists them.
    pub(crate) fn methods(&self) -> &'static str {
        self.files().methods()
    }

    /// Whether a normalized path names a file that can be served.
    pub(crate) fn is_file(&self, path: &[u8]) -> bool {
        match self {
            Mode::Sink(sink) if sink.find(path).is_some() => true,
            Mode::Sink(sink) if sink.find_file(path).is_some_and(FileOutput::is_file) => true,
            Mode::Sink(sink) if sink.made.iter().any(|made| made.is_file(path)) => true,
            _ => self.files().is_file(path),
        }
    }

    /// Tells what is held back: the server stops.
    pub(crate) async fn finish(&self) {
        let uploads = self.files().uploads.as_ref();
        if let Some(held_ends) = uploads.and_then(|uploads| uploads.held_ends.as_ref()) {
            held_ends.finish().await;
        }
    }

    /// The live streams.
    pub(crate) fn outputs(&self) -> &[Output] {
        match self {
            Mode::Sink(sink) => &sink.outputs,
            _ => &[],
        }
    }

    /// The files that inputs are written to.
    pub(crate) fn file_outputs(&self) -> &[FileOutput] {
        match self {
            Mode::Sink(sink) => &sink.file_outputs,
            _ => &[],
        }
    }

    /// The presentations that are made, each in its forms.
    pub(crate) fn made(&self) -> &[MadeOutput] {
        match self {
            Mode::Sink(sink) => &sink.made,
            _ => &[],
        }
    }

    fn files(&self) -> &FileServer {
        match self {
            Mode::FileServer(server) => server,
            Mode::Sink(sink) => &sink.files,
            Mode::Private(private) => &private.files,
        }
    }
}
