//! Files that are in the binary.

use std::io::Read as _;
use std::sync::OnceLock;

use ::http::{HeaderMap, HeaderValue, Response, header};
use bytes::Bytes;
use flate2::read::GzDecoder;

use crate::body::Content;
use crate::error::Reject;
use crate::handler::Answer;
use crate::http::negotiate::{self, Coding};

/// What its page may load and run: what comes from this server, and media that its scripts put together.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     media-src 'self' blob:; worker-src blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// A file in the binary, at its path.
pub(super) struct EmbeddedFile {
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) content: Embedded,
}

/// What it holds.
pub(super) enum Embedded {
    Plain(&'static str),
    /// As gzip has it. The second is what it says, once a client has asked for that.
    Compressed(&'static [u8], OnceLock<Bytes>),
}

impl EmbeddedFile {
    /// Answers with it, in the coding that the client likes.
    pub(super) fn answer(&self, request: &HeaderMap) -> Result<Answer, Reject> {
        let wants_gzip = negotiate::coding(request) == Some(Coding::Gzip);
        let (content, is_coded) = match &self.content {
            Embedded::Plain(text) => (Bytes::from_static(text.as_bytes()), false),
            Embedded::Compressed(bytes, _) if wants_gzip => (Bytes::from_static(bytes), true),
            Embedded::Compressed(bytes, plain) => (decompressed(bytes, plain)?, false),
        };
        let mut answer = Response::new(Content::Bytes(content));
        let fields = answer.headers_mut();
        let content_type = HeaderValue::from_static(self.content_type);
        fields.insert(header::CONTENT_TYPE, content_type);
        // Another version of the server has another page under this name.
        let fresh = HeaderValue::from_static("no-cache");
        fields.insert(header::CACHE_CONTROL, fresh);
        fields.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        if let Embedded::Compressed(..) = self.content {
            fields.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if is_coded {
            let gzip = HeaderValue::from_static("gzip");
            fields.insert(header::CONTENT_ENCODING, gzip);
        }
        Ok(answer)
    }
}

fn decompressed(bytes: &[u8], plain: &OnceLock<Bytes>) -> Result<Bytes, Reject> {
    if let Some(known) = plain.get() {
        return Ok(known.clone());
    }
    let mut content = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut content)?;
    Ok(plain.get_or_init(|| content.into()).clone())
}
