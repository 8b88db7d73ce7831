//! The simple HTTP server (documents: httpout, Simple HTTP server).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Method, Response, StatusCode, header};
use httpout_plugins::Exchange;

use crate::body::{Content, FileContent, Upload};
use crate::error::Reject;
use crate::handler::Answer;
use crate::http::conditional::{self, Validators, Verdict};
use crate::http::negotiate::{self, Coding};
use crate::http::range::{self, Part, Ranges};
use crate::listing::Listings;
use crate::mode::Uploads;
use crate::presentation::Presentations;
use crate::resource::{Begun, Compressed, Files, Found, Granted, Representation, Source};
use crate::settings::Caching;

/// Room for the fields that answers about files have, also those that every response carries: to grow costs more.
const FIELDS: usize = 8;

/// Exposes the files of the directories for read, and takes files from clients.
pub(crate) struct FileServer {
    /// The directories that were granted to plugins.
    pub(crate) granted: Granted,
    /// What is known of what is written.
    pub(crate) presentations: Arc<Presentations>,
    /// None where clients may only write.
    pub(crate) files: Option<Files>,
    pub(crate) compressed: Compressed,
    /// Option `dlist`.
    pub(crate) listings: Option<Listings>,
    /// None where clients may only read.
    pub(crate) uploads: Option<Uploads>,
    pub(crate) caching: Caching,
    /// Option `norange`: a Range field is ignored.
    pub(crate) norange: bool,
    /// The longest wait for bytes that are not there yet; none is for ever.
    pub(crate) timeout: Option<Duration>,
}

impl FileServer {
    /// One that takes uploads, and shows nothing.
    pub(crate) fn private(uploads: Uploads) -> FileServer {
        FileServer {
            granted: Granted::default(),
            presentations: Arc::default(),
            files: None,
            compressed: Compressed::new(),
            listings: None,
            timeout: uploads.timeout,
            uploads: Some(uploads),
            caching: Caching::Default,
            norange: true,
        }
    }

    /// As `Allow` lists them.
    pub(crate) fn methods(&self) -> &'static str {
        match (&self.files, &self.uploads) {
            (_, None) => "GET, HEAD, OPTIONS",
            (Some(_), Some(_)) => "GET, HEAD, PUT, POST, DELETE, OPTIONS",
            (None, Some(_)) => "PUT, POST, DELETE, OPTIONS",
        }
    }

    pub(crate) async fn route(
        &self,
        exchange: &Arc<Exchange>,
        path: &[u8],
        upload: &mut Upload,
    ) -> Result<Answer, Reject> {
        match (&exchange.head.method, &self.files, &self.uploads) {
            (&Method::GET | &Method::HEAD, Some(files), _) => self.get(exchange, files, path).await,
            (&Method::PUT | &Method::POST, _, Some(uploads)) => {
                // Boxed: what is answered at once would move its large state too.
                Box::pin(uploads.put(exchange, path, upload)).await
            }
            (&Method::DELETE, _, Some(uploads)) => {
                Box::pin(uploads.delete(exchange, path, upload)).await
            }
            (&Method::OPTIONS, ..) => self.options(path),
            (method, ..) => Err(Reject::MethodNotAllowed {
                method: method.to_string(),
                allow: self.methods(),
            }),
        }
    }

    /// As a file that the client asked for, but it can only be read.
    pub(crate) async fn serve_granted(
        &self,
        exchange: &Exchange,
        directory: &Path,
        below: &[u8],
    ) -> Result<Answer, Reject> {
        let method = &exchange.head.method;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Reject::MethodNotAllowed {
                method: method.to_string(),
                allow: "GET, HEAD, OPTIONS",
            });
        }
        let file = self.granted.open(directory, below)?;
        self.file(exchange, file).await
    }

    /// Notes that a request begins to change something.
    pub(crate) fn begin(&self) -> Option<Begun> {
        let uploads = self.uploads.as_ref();
        uploads.map(|uploads| uploads.store.begin())
    }

    pub(crate) fn is_file(&self, path: &[u8]) -> bool {
        let files = self.files.as_ref();
        files.is_some_and(|files| files.is_file(path))
    }

    /// What can be done with a resource, or with the server (`*`). What clients may write need not be there.
    fn options(&self, path: &[u8]) -> Result<Answer, Reject> {
        if let (Some(files), None) = (&self.files, &self.uploads) {
            match files.open(path) {
                Err(Reject::NotFound) if path != b"*" && !self.is_made(files, path) => {
                    return Err(Reject::NotFound);
                }
                Err(error) if !matches!(error, Reject::NotFound | Reject::Directory) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(self.allow())
    }

    /// The methods that it can answer.
    pub(super) fn allow(&self) -> Answer {
        let mut answer = Response::new(Content::Empty);
        let methods = HeaderValue::from_static(self.methods());
        answer.headers_mut().insert(header::ALLOW, methods);
        answer
    }

    pub(super) async fn get(
        &self,
        exchange: &Exchange,
        files: &Files,
        path: &[u8],
    ) -> Result<Answer, Reject> {
        // Boxed: every request would carry the state of waits that few have.
        match (files.open(path), &self.listings) {
            (Err(Reject::Directory), Some(listings)) => {
                Box::pin(self.listing(listings, exchange, path)).await
            }
            (Err(Reject::NotFound), _) => Box::pin(self.missing(exchange, files, path)).await,
            (found, _) => self.found(exchange, path, found?).await,
        }
    }

    /// Answers with what is at a path.
    pub(super) async fn found(
        &self,
        exchange: &Exchange,
        path: &[u8],
        found: Found,
    ) -> Result<Answer, Reject> {
        match found {
            Found::File(file) => self.file(exchange, file).await,
            Found::Growing(version) => Box::pin(self.follow(exchange, path, version)).await,
        }
    }

    async fn listing(
        &self,
        listings: &Listings,
        exchange: &Exchange,
        path: &[u8],
    ) -> Result<Answer, Reject> {
        let mut answer = listings.answer(exchange, path).await?;
        if !matches!(self.caching, Caching::Disabled) {
            // What `cache_control` allows for files would show uploads late.
            let value = HeaderValue::from_static("no-cache");
            answer.headers_mut().insert(header::CACHE_CONTROL, value);
        }
        Ok(answer)
    }

    async fn file(
        &self,
        exchange: &Exchange,
        mut file: Arc<Representation>,
    ) -> Result<Answer, Reject> {
        let ranges = self.check_range(exchange, &file);
        // Parts are those of the file as it is.
        if let (Ranges::Whole, Some(coding)) = (&ranges, check_coding(exchange, &file)) {
            if let Some(etag) = self.known(exchange, &file, coding) {
                return Ok(self.not_modified(&file, etag));
            }
            file = self.compressed.apply(coding, file).await;
        }
        match self.check_conditions(exchange, validators(&file)) {
            Verdict::Proceed => {}
            Verdict::NotModified => return Ok(self.not_modified(&file, file.etag.clone())),
            Verdict::PreconditionFailed => return Err(Reject::PreconditionFailed),
        }
        match ranges {
            Ranges::Whole => Ok(self.whole(&file)),
            Ranges::Parts(parts) => Ok(self.partial(&file, &parts)),
            Ranges::Unsatisfiable => Err(Reject::RangeNotSatisfiable {
                length: file.length,
            }),
        }
    }

    /// The tag of the coding in which the client has the file: it names it, so nothing needs to be compressed.
    fn known(
        &self,
        exchange: &Exchange,
        file: &Representation,
        coding: Coding,
    ) -> Option<HeaderValue> {
        let fields = &exchange.head.headers;
        if !fields.contains_key(header::IF_NONE_MATCH) {
            return None;
        }
        let etag = file.coded_etag(coding);
        let coded = Validators {
            etag: etag.to_str().expect("digits and letters"),
            modified: file.modified,
        };
        let is_known = conditional::is_named(fields, coded.etag)
            && self.check_conditions(exchange, coded) == Verdict::NotModified;
        is_known.then_some(etag)
    }

    fn check_conditions(&self, exchange: &Exchange, current: Validators<'_>) -> Verdict {
        if matches!(self.caching, Caching::Disabled) {
            return Verdict::Proceed;
        }
        conditional::check(&exchange.head.method, &exchange.head.headers, current)
    }

    fn check_range(&self, exchange: &Exchange, file: &Representation) -> Ranges {
        let fields = &exchange.head.headers;
        match fields.get(header::RANGE) {
            // Range is defined for GET only (RFC 9110 14.2).
            Some(value)
                if !self.norange
                    && exchange.head.method == Method::GET
                    && conditional::range_applies(fields, validators(file)) =>
            {
                range::check(value.as_bytes(), file.length)
            }
            _ => Ranges::Whole,
        }
    }

    fn whole(&self, file: &Representation) -> Answer {
        let mut answer = self.describe(file, StatusCode::OK, file.etag.clone());
        if let Some(coding) = file.coding {
            let name = HeaderValue::from_static(coding.name());
            answer.headers_mut().insert(header::CONTENT_ENCODING, name);
        }
        let all = file.length.checked_sub(1);
        let all = all.map(|last| Part { first: 0, last });
        *answer.body_mut() = match &file.source {
            Source::Memory(bytes) => Content::Bytes(bytes.clone()),
            Source::Disk(file) => Content::File(FileContent::new(file.clone(), all)),
        };
        answer
    }

    /// Several parts are one body, in the order asked (documents: httpout).
    fn partial(&self, file: &Representation, parts: &[Part]) -> Answer {
        let mut answer = self.describe(file, StatusCode::PARTIAL_CONTENT, file.etag.clone());
        let range = range::content_range(parts, Some(file.length));
        answer.headers_mut().insert(header::CONTENT_RANGE, range);
        *answer.body_mut() = match &file.source {
            Source::Memory(bytes) => cut(bytes, parts),
            Source::Disk(file) => {
                let parts = parts.iter().copied();
                Content::File(FileContent::new(file.clone(), parts))
            }
        };
        answer
    }

    /// `etag` is that of what the client has: the file, or the file in a coding.
    fn not_modified(&self, file: &Representation, etag: HeaderValue) -> Answer {
        let mut answer = self.describe(file, StatusCode::NOT_MODIFIED, etag);
        answer.headers_mut().remove(header::CONTENT_TYPE);
        answer
    }

    /// An answer about a file, without content yet.
    fn describe(&self, file: &Representation, status: StatusCode, etag: HeaderValue) -> Answer {
        let mut answer = Response::new(Content::Empty);
        *answer.status_mut() = status;
        let fields = answer.headers_mut();
        fields.reserve(FIELDS);
        fields.insert(header::CONTENT_TYPE, file.content_type.clone());
        fields.insert(header::LAST_MODIFIED, file.last_modified.clone());
        if !self.norange {
            fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        }
        if file.is_compressible {
            fields.insert(header::VARY, header::ACCEPT_ENCODING.into());
        }
        if let Caching::Control(value) = &self.caching {
            fields.insert(header::CACHE_CONTROL, value.clone());
        }
        if !matches!(self.caching, Caching::Disabled) {
            fields.insert(header::ETAG, etag);
        }
        answer
    }
}

/// The coding that the client likes best for a file.
fn check_coding(exchange: &Exchange, file: &Representation) -> Option<Coding> {
    let fields = &exchange.head.headers;
    file.is_compressible
        .then(|| negotiate::coding(fields))
        .flatten()
}

fn validators(file: &Representation) -> Validators<'_> {
    Validators {
        etag: file.etag(),
        modified: file.modified,
    }
}

/// The parts of what is in memory, shared where there is one.
fn cut(bytes: &bytes::Bytes, parts: &[Part]) -> Content {
    let slice = |part: &Part| bytes.slice(part.first as usize..=part.last as usize);
    match parts {
        [single] => Content::Bytes(slice(single)),
        several => {
            let joined: Vec<u8> = several.iter().flat_map(slice).collect();
            Content::Bytes(joined.into())
        }
    }
}
