//! The fields that every response carries.

use std::time::SystemTime;

use ::http::{HeaderMap, HeaderName, HeaderValue, Version, header};

/// Fields of every response, by the options of the server.
#[derive(Debug, Clone)]
pub(crate) struct CommonFields {
    /// `Server` (option `user_agent`).
    pub(crate) server: HeaderValue,
    /// Option `hdrs`.
    pub(crate) additional: Vec<(HeaderName, HeaderValue)>,
    /// `Server-UTC` in milliseconds (option `sutc`).
    pub(crate) utc: bool,
    /// `Connection: close` (option `close`).
    pub(crate) close: bool,
}

/// Fields of which a response has one: a plugin's takes the place of the server's, and that of option `hdrs` of both.
const SINGLE: [HeaderName; 9] = [
    header::ACCEPT_RANGES,
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::SERVER,
    header::X_CONTENT_TYPE_OPTIONS,
];

impl CommonFields {
    /// Adds them to a response. `Date` is added by the connection.
    pub(crate) fn apply(&self, fields: &mut HeaderMap, version: Version) {
        let server = fields.entry(header::SERVER);
        server.or_insert_with(|| self.server.clone());
        if self.utc {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let milliseconds = now.map_or(0, |now| now.as_millis());
            let value = HeaderValue::try_from(milliseconds.to_string()).expect("digits");
            fields.insert(HeaderName::from_static("server-utc"), value);
        }
        add(fields, self.additional.iter().cloned());
        // A browser that guesses could take for a page what is none.
        if fields.contains_key(header::CONTENT_TYPE) {
            let options = fields.entry(header::X_CONTENT_TYPE_OPTIONS);
            options.or_insert(HeaderValue::from_static("nosniff"));
        }
        if self.close && version < Version::HTTP_2 {
            fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Adds fields: of option `hdrs`, or the documented `headers_out` of plugins.
pub(crate) fn add(
    fields: &mut HeaderMap,
    added: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) {
    for (name, value) in added {
        if SINGLE.contains(&name) {
            fields.insert(name, value);
        } else {
            fields.append(name, value);
        }
    }
}
