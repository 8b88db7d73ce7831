//! What a plugin, or a chain of them, decided about a request.

use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// The decision of a chain.
#[derive(Debug, Default)]
pub struct Decision {
    /// The status of the plugin's own response, or none where the server handles the request (the documented reply 0).
    pub reply: Option<StatusCode>,
    /// Fields to add to the response, whoever produces it, in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the plugin says of the body.
    pub body: Body,
}

/// What a plugin says of the response body.
#[derive(Debug, Default, PartialEq)]
pub enum Body {
    /// Nothing: empty with an own reply, the requested resource otherwise.
    #[default]
    Unset,
    /// These bytes, with an own reply.
    Bytes(Bytes),
    /// With reply 0: this file, by its path below the directories that are exposed for read.
    File(String),
    /// With an own reply: what `read` gives, so many bytes where that is known.
    Read(Option<u64>),
    /// With reply 0: this file below a directory that was granted to the plugin.
    Granted {
        /// As it was granted.
        directory: PathBuf,
        /// Below it.
        below: String,
    },
}

impl Body {
    /// Why it does not fit the reply: a text or `read` belongs to an own one, a file to reply 0 (documents: howto, `body`).
    pub(crate) fn misfit(&self, reply: Option<StatusCode>) -> Option<&'static str> {
        match (self, reply) {
            (Body::Bytes(_), None) => Some("a text needs a reply of its own"),
            (Body::Read(_), None) => Some("`read` needs a reply of its own"),
            (Body::File(_) | Body::Granted { .. }, Some(_)) => Some("a file needs reply 0"),
            _ => None,
        }
    }
}

/// Whether a field frames the message or belongs to the connection (RFC 9110 7.6.1): such fields are set by the server
/// alone, never by an option or a plugin.
pub fn frames_message(name: &HeaderName) -> bool {
    const FRAMING: [HeaderName; 7] = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        HeaderName::from_static("keep-alive"),
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    FRAMING.contains(name)
}
