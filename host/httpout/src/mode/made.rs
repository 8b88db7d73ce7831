//! Presentations that are made of inputs (documents: HTTP server file sink): their files, wherever they lie.

use std::sync::Arc;

use ::http::Method;
use httpout_plugins::Exchange;

use crate::body::Upload;
use crate::error::Reject;
use crate::handler::Answer;
use crate::mode::FileServer;
use crate::mode::file_sink::{self, describe};
use crate::packager::{Package, split};
use crate::resource::Files;
use crate::settings::OutputSettings;

/// A manifest that is made, in DASH or HLS, and the segments beside it.
pub(crate) struct MadeOutput {
    pub(crate) settings: OutputSettings,
    pub(crate) package: Arc<Package>,
    /// Its directory, whatever the server exposes.
    pub(crate) files: Files,
    /// The manifest in that directory.
    pub(crate) path: Vec<u8>,
}

impl MadeOutput {
    /// What a path that is asked for is in its directory; none where it is no file of this presentation.
    pub(super) fn find(&self, path: &[u8]) -> Option<Vec<u8>> {
        let (asked, _) = split(&self.settings.path);
        let below = path.strip_prefix(asked)?;
        let (directory, _) = split(&self.path);
        let is_its = self.package.names.are_of(below);
        is_its.then(|| [directory, below].concat())
    }

    /// Answers a request for one of its files, at this path in its directory; none where it can only be one for the server.
    pub(super) async fn answer(
        &self,
        path: &[u8],
        server: &FileServer,
        exchange: &Exchange,
        upload: &Upload,
    ) -> Option<Result<Answer, Reject>> {
        let is_manifest = exchange.path == self.settings.path;
        if is_manifest && matches!(exchange.head.method, Method::GET | Method::HEAD) {
            self.package.manifest(server.timeout).await;
        }
        let mut answer = file_sink::answer(&self.files, path, server, exchange, upload).await;
        if is_manifest && let Some(Ok(answer)) = &mut answer {
            describe(&self.settings, answer);
        }
        answer
    }

    pub(super) fn is_file(&self, path: &[u8]) -> bool {
        self.find(path)
            .is_some_and(|path| self.files.is_file(&path))
    }
}
