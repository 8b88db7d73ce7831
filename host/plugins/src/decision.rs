//! What a plugin, or a chain of them, decided about a request.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

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
}
