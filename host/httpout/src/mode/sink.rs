//! The HTTP server sink (documents: httpout): inputs go to the clients that are there.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Version, header};
use httpout_plugins::Exchange;

use crate::body::{Content, LiveContent, METADATA_INTERVAL, Upload};
use crate::error::Reject;
use crate::handler::Answer;
use crate::mode::{FileOutput, FileServer, MadeOutput};
use crate::resource::{Availability, Facts, Live};
use crate::settings::OutputSettings;

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Live streams, files of inputs, and the files of a server that has these beside them.
pub(crate) struct Sink {
    pub(crate) outputs: Vec<Output>,
    pub(crate) file_outputs: Vec<FileOutput>,
    pub(crate) made: Vec<MadeOutput>,
    pub(crate) files: FileServer,
    /// Option `ice`.
    pub(crate) ice: bool,
    /// Option `reopen`.
    pub(crate) reopen: bool,
    /// Option `cte`.
    pub(crate) cte: bool,
}

/// A live stream, and how clients are told of it.
pub(crate) struct Output {
    pub(crate) settings: OutputSettings,
    pub(crate) live: Arc<Live>,
}

impl Sink {
    /// The output at a normalized path.
    pub(super) fn find(&self, path: &[u8]) -> Option<&Output> {
        self.outputs
            .iter()
            .find(|output| output.settings.path == path)
    }

    /// The file of an input at a normalized path.
    pub(super) fn find_file(&self, path: &[u8]) -> Option<&FileOutput> {
        self.file_outputs
            .iter()
            .find(|output| output.settings.path == path)
    }

    /// Answers a request for one of the outputs.
    pub(super) fn answer(
        &self,
        output: &Output,
        exchange: &Arc<Exchange>,
        upload: &Upload,
    ) -> Result<Answer, Reject> {
        let method = &exchange.head.method;
        if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Err(Reject::MethodNotAllowed {
                method: method.to_string(),
                allow: METHODS,
            });
        }
        match output.live.availability() {
            Availability::Open => {}
            Availability::Between if self.reopen => {}
            Availability::Between | Availability::Over => return Err(Reject::StreamIsOver),
        }
        if method == Method::OPTIONS {
            let mut answer = Response::new(Content::Empty);
            let methods = HeaderValue::from_static(METHODS);
            answer.headers_mut().insert(header::ALLOW, methods);
            return Ok(answer);
        }
        let has_metadata = self.ice && wants_metadata(&exchange.head.headers);
        let mut answer = Response::new(Content::OnlyAsked);
        self.describe(output, has_metadata, answer.headers_mut());
        let version = exchange.head.version;
        if version < Version::HTTP_2 && (version < Version::HTTP_11 || !self.cte) {
            // Without chunks only the end of the connection ends such a body.
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(header::CONNECTION, close);
            *answer.version_mut() = Version::HTTP_10;
        }
        // Whoever only asks about it is no client that the input waits for.
        if method == Method::GET {
            let link = upload.link();
            let reader = output
                .live
                .join((version < Version::HTTP_2).then(|| link.clone()));
            let content = LiveContent::new(reader, link, has_metadata.then(|| exchange.clone()));
            *answer.body_mut() = Content::Live(Box::new(content));
        }
        Ok(answer)
    }

    fn describe(&self, output: &Output, has_metadata: bool, fields: &mut HeaderMap) {
        let facts = output.live.facts();
        let known = output.settings.media_type.as_ref();
        let octets = || HeaderValue::from_static("application/octet-stream");
        let media_type = known.or(facts.media_type.as_ref());
        let media_type = media_type.cloned().unwrap_or_else(octets);
        fields.insert(header::CONTENT_TYPE, media_type);
        let uncached = HeaderValue::from_static("no-cache, no-store");
        fields.insert(header::CACHE_CONTROL, uncached);
        if self.ice {
            describe_ice(&output.settings, &facts, fields);
        }
        if has_metadata {
            let interval = HeaderValue::from(METADATA_INTERVAL);
            fields.insert(HeaderName::from_static("icy-metaint"), interval);
        }
    }
}

/// What the document inserts by default, then what the properties of the input say.
fn describe_ice(settings: &OutputSettings, facts: &Facts, fields: &mut HeaderMap) {
    // As players take it: thousands of bits in a second.
    let rate = facts.bit_rate.map(|rate| rate / 1000);
    let parts = [
        ("samplerate", facts.sample_rate),
        ("channels", facts.channels),
        ("bitrate", rate),
    ];
    let parts = parts
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name}={value}")));
    let parts: Vec<String> = parts.collect();
    let mut add = |name, value: &str| {
        let value = HeaderValue::try_from(value).expect("letters and digits");
        fields.insert(HeaderName::from_static(name), value);
    };
    if !parts.is_empty() {
        add("ice-audio-info", &parts.join(";"));
    }
    if let Some(rate) = rate {
        add("icy-br", &rate.to_string());
    }
    add("icy-pub", "1");
    for (name, value) in &settings.ice {
        fields.insert(name.clone(), value.clone());
    }
}

fn wants_metadata(fields: &HeaderMap) -> bool {
    let wanted = fields.get("icy-metadata");
    wanted.is_some_and(|value| value.as_bytes().trim_ascii() == b"1")
}
