//! GET and HEAD of what is not there: playlists that are made, and files that are about to come.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Response, header};
use httpout_plugins::Exchange;
use tokio::time::{Instant, timeout_at};

use crate::body::Content;
use crate::error::Reject;
use crate::handler::Answer;
use crate::http::negotiate;
use crate::mode::FileServer;
use crate::presentation::{Asked, Directives, Key, Text};
use crate::resource::Files;
use crate::settings::Caching;

impl FileServer {
    /// Answers a request for a path where no file is.
    pub(super) async fn missing(
        &self,
        exchange: &Exchange,
        files: &Files,
        path: &[u8],
    ) -> Result<Answer, Reject> {
        let keys = files.keys(path);
        let query = exchange.head.uri.query().unwrap_or_default();
        for key in &keys {
            if self.presentations.has_playlist(key) {
                let directives = Directives::parse(query)?;
                let playlist = self.playlist(key, &directives).await?;
                return Ok(self.send_playlist(exchange, files, &playlist).await);
            }
        }
        self.expected(exchange, files, path, &keys).await
    }

    /// Whether there is a playlist at a path that is made.
    pub(super) fn is_made(&self, files: &Files, path: &[u8]) -> bool {
        let keys = files.keys(path);
        keys.iter().any(|key| self.presentations.has_playlist(key))
    }

    /// Waits until a playlist has what is asked of it.
    async fn playlist(&self, key: &Key, directives: &Directives) -> Result<Arc<Text>, Reject> {
        let mut deadline = None;
        loop {
            let (changed, limit) = match self.presentations.ask(key, directives) {
                Asked::Playlist(text) => return Ok(text),
                Asked::NotHere => return Err(Reject::NotFound),
                Asked::TooFar => {
                    let reason = "`_HLS_msn` is too far behind the end of the playlist";
                    return Err(Reject::BadRequest(reason));
                }
                Asked::Wait(changed, limit) => (changed, limit),
            };
            let deadline = *deadline.get_or_insert_with(|| self.deadline(limit));
            if timeout_at(deadline, changed).await.is_err() {
                return Err(match directives.awaited {
                    Some(_) => Reject::Late,
                    None => Reject::NotFound,
                });
            }
        }
    }

    /// Waits for a file that is about to come, and answers as if it had been there.
    async fn expected(
        &self,
        exchange: &Exchange,
        files: &Files,
        path: &[u8],
        keys: &[Key],
    ) -> Result<Answer, Reject> {
        let mut deadline = None;
        while let Some(mut awaited) = self.presentations.expect(keys) {
            // It may have come since it was looked for.
            match files.open(path) {
                Err(Reject::NotFound) => {}
                found => return self.found(exchange, path, found?).await,
            }
            let deadline = *deadline.get_or_insert_with(|| self.deadline(awaited.limit));
            if timeout_at(deadline, awaited.came()).await.is_err() {
                return Err(Reject::NotFound);
            }
        }
        let found = files.open(path)?;
        self.found(exchange, path, found).await
    }

    /// When a wait ends: option `timeout` holds for all waits.
    fn deadline(&self, limit: Duration) -> Instant {
        let limit = self.timeout.map_or(limit, |timeout| limit.min(timeout));
        Instant::now() + limit
    }

    async fn send_playlist(&self, exchange: &Exchange, files: &Files, text: &Text) -> Answer {
        let mut answer = Response::new(Content::Bytes(text.plain.clone()));
        if files.allows_coding(text.plain.len() as u64) {
            let fields = answer.headers_mut();
            fields.insert(header::VARY, header::ACCEPT_ENCODING.into());
            if let Some(coding) = negotiate::coding(&exchange.head.headers)
                && let Some(coded) = text.coded(coding).await
            {
                let name = HeaderValue::from_static(coding.name());
                fields.insert(header::CONTENT_ENCODING, name);
                *answer.body_mut() = Content::Bytes(coded);
            }
        }
        let fields = answer.headers_mut();
        let media_type = HeaderValue::from_static("application/vnd.apple.mpegurl");
        fields.insert(header::CONTENT_TYPE, media_type);
        match &self.caching {
            Caching::Default => {
                let value = HeaderValue::from_static("no-cache");
                fields.insert(header::CACHE_CONTROL, value);
            }
            Caching::Control(value) => {
                fields.insert(header::CACHE_CONTROL, value.clone());
            }
            Caching::Disabled => {}
        }
        answer
    }
}
