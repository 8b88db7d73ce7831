//! The HTTP server file sink (documents: httpout): inputs go to files, which are read while they are written.

use std::sync::Arc;

use ::http::{Method, Response, header};
use httpout_plugins::Exchange;

use crate::body::{Content, Upload};
use crate::error::Reject;
use crate::handler::Answer;
use crate::input::FileSink;
use crate::mode::FileServer;
use crate::resource::Files;
use crate::settings::OutputSettings;

/// A file that an input is written to, and the place where it is read.
pub(crate) struct FileOutput {
    pub(crate) settings: OutputSettings,
    pub(crate) sink: Arc<FileSink>,
    /// Its directory, whatever the server exposes.
    pub(crate) files: Files,
    /// In that directory.
    pub(crate) path: Vec<u8>,
}

impl FileOutput {
    /// Answers a request for the file; none where it can only be one for the server.
    pub(super) async fn answer(
        &self,
        server: &FileServer,
        exchange: &Exchange,
        upload: &Upload,
    ) -> Option<Result<Answer, Reject>> {
        let mut answer = answer(&self.files, &self.path, server, exchange, upload).await;
        if let Some(Ok(answer)) = &mut answer {
            describe(&self.settings, answer);
        }
        answer
    }

    pub(super) fn is_file(&self) -> bool {
        self.files.is_file(&self.path)
    }
}

/// Answers a request for a file of an output, in its directory; none where it can only be one for the server.
pub(super) async fn answer(
    files: &Files,
    path: &[u8],
    server: &FileServer,
    exchange: &Exchange,
    upload: &Upload,
) -> Option<Result<Answer, Reject>> {
    match exchange.head.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Some(Ok(server.allow())),
        _ => return None,
    }
    let mut answer = match server.get(exchange, files, path).await {
        // Another directory of the server may have it.
        Err(Reject::NotFound) => return None,
        Err(reject) => return Some(Err(reject)),
        Ok(answer) => answer,
    };
    if let Content::Growing(content) = answer.body_mut() {
        content.wait_with(upload.link());
    }
    Some(Ok(answer))
}

/// Options `ext` and `mime` go before what the name or the content says.
pub(super) fn describe(settings: &OutputSettings, answer: &mut Response<Content>) {
    if let Some(media_type) = &settings.media_type
        && let Some(value) = answer.headers_mut().get_mut(header::CONTENT_TYPE)
    {
        *value = media_type.clone();
    }
}
