//! Pages that the server makes itself. Each has a path of its own, which hides a file of that name, and plugins are asked
//! before it is shown.

mod clock;
mod files;
mod player;
mod presentations;

use std::sync::Arc;

use ::http::{HeaderValue, Method, Response, header};
use bytes::Bytes;
use httpout_plugins::Exchange;

use crate::body::Content;
use crate::error::Reject;
use crate::handler::Answer;
use crate::metrics::Metrics;
use crate::resource::{Mounts, Names};
use crate::settings::ServerSettings;

use files::EmbeddedFile;
use presentations::Presentations;

pub(crate) use player::announce as announce_player;

/// The pages of a server, by their paths, decoded and normalized.
#[derive(Default)]
pub(crate) struct Pages(Vec<(Vec<u8>, Page)>);

enum Page {
    /// What is counted (option `metrics`).
    Metrics(Arc<Metrics>),
    /// The clock of the server.
    Clock,
    /// A part of the player (option `player`).
    File(&'static EmbeddedFile),
    /// What there is to play.
    Presentations(Presentations),
}

impl Pages {
    /// Those that the settings ask for. `mounts` is where players read.
    pub(crate) fn new(
        settings: &ServerSettings,
        metrics: Option<&Arc<Metrics>>,
        mounts: Option<&Arc<Mounts>>,
        names: &Arc<Names>,
    ) -> Pages {
        let mut pages = Vec::new();
        if let Some((path, metrics)) = settings.metrics.clone().zip(metrics) {
            pages.push((path, Page::Metrics(metrics.clone())));
        }
        // Where nothing can be live, the name is a file's.
        if settings.wdir.is_some() || !settings.outputs.is_empty() || settings.player {
            pages.push((clock::PATH.into(), Page::Clock));
        }
        if settings.player {
            let files = player::FILES.iter();
            pages.extend(files.map(|file| (file.path.into(), Page::File(file))));
            let presentations = Presentations::new(mounts.cloned(), names.clone());
            pages.push((
                presentations::PATH.into(),
                Page::Presentations(presentations),
            ));
        }
        Pages(pages)
    }

    /// Answers what asks for one of them; none where it asks for something else.
    pub(crate) async fn answer(&self, exchange: &Exchange) -> Option<Result<Answer, Reject>> {
        let (_, page) = self.0.iter().find(|(path, _)| *path == exchange.path)?;
        let method = &exchange.head.method;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Some(Err(Reject::MethodNotAllowed {
                method: method.to_string(),
                allow: "GET, HEAD",
            }));
        }
        Some(page.answer(exchange).await)
    }
}

impl Page {
    async fn answer(&self, exchange: &Exchange) -> Result<Answer, Reject> {
        match self {
            Page::Metrics(metrics) => Ok(momentary(Metrics::TYPE, metrics.page())),
            Page::Clock => Ok(momentary(clock::TYPE, clock::page())),
            Page::File(file) => file.answer(&exchange.head.headers),
            Page::Presentations(presentations) => {
                let list = presentations.list().await?;
                Ok(momentary(presentations::TYPE, list))
            }
        }
    }
}

/// What is true at this moment, and in no cache.
fn momentary(content_type: &'static str, content: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Content::Bytes(content.into()));
    let fields = answer.headers_mut();
    let content_type = HeaderValue::from_static(content_type);
    fields.insert(header::CONTENT_TYPE, content_type);
    let no_store = HeaderValue::from_static("no-store");
    fields.insert(header::CACHE_CONTROL, no_store);
    answer
}
