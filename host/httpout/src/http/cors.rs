//! Cross-origin requests (Fetch standard 3.3; documents: option `cors`).

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::{Method, Response, StatusCode};

/// When scripts of other origins may read responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Never,
    Always,
    /// Where the request has an `Origin`.
    ByOrigin,
}

/// The fields that scripts may read beside the few that they always may. `*` counts only for requests without
/// credentials.
const EXPOSED: &str = "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Date, ETag, Location, \
    Server-UTC, WWW-Authenticate, *";

/// How long a browser may keep the answer to a preflight request, in seconds. Browsers cut it to 2 h or 24 h.
const MAX_AGE: &str = "86400";

/// The methods that scripts of other origins may use unless the user allows all.
const READING: &str = "GET, HEAD, OPTIONS";

const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Whether a request asks what another, cross-origin one may do (Fetch 3.3.2).
pub(crate) fn is_preflight(policy: Policy, method: &Method, request: &HeaderMap) -> bool {
    policy != Policy::Never
        && *method == Method::OPTIONS
        && request.contains_key(header::ORIGIN)
        && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight request; `methods` are those of the server. [`apply`] is to follow.
pub(crate) fn preflight<B: Default>(
    policy: Policy,
    request: &HeaderMap,
    methods: &'static str,
) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let fields = response.headers_mut();
    let methods = HeaderValue::from_static(match policy {
        Policy::Always => methods,
        Policy::ByOrigin | Policy::Never => READING,
    });
    fields.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    // Named one by one, because `*` would not cover Authorization.
    let asked = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let allowed = asked.cloned().unwrap_or(HeaderValue::from_static("*"));
    fields.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    fields.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static(MAX_AGE),
    );
    for name in [
        header::ACCESS_CONTROL_REQUEST_METHOD,
        header::ACCESS_CONTROL_REQUEST_HEADERS,
    ] {
        fields.append(header::VARY, name.into());
    }
    response
}

/// Whether a request comes from a page of another origin, as far as its fields tell: browsers send `Origin` with all that
/// changes something, also with a plain form, which needs no preflight request. `host` is that of the request, with its
/// port. The scheme is not compared: a proxy may have taken TLS off.
pub(crate) fn is_foreign(request: &HeaderMap, host: Option<&str>) -> bool {
    let is_ours = |origin: &HeaderValue| {
        let origin = origin.to_str().ok();
        let authority = origin.and_then(|origin| Some(origin.split_once("://")?.1));
        authority
            .zip(host)
            .is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
    };
    !request.get_all(header::ORIGIN).iter().all(is_ours)
}

/// Adds the fields that let scripts read a response, unless a plugin has decided about them.
pub(crate) fn apply(policy: Policy, request: &HeaderMap, response: &mut HeaderMap) {
    let origin = request.get(header::ORIGIN);
    match (policy, origin) {
        (Policy::Never, _) => return,
        // Caches must not give this answer to a request with an Origin.
        (Policy::ByOrigin, None) => {
            response.append(header::VARY, header::ORIGIN.into());
            return;
        }
        _ => {}
    }
    response.append(header::VARY, header::ORIGIN.into());
    if response.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    let origin = origin.cloned().unwrap_or(HeaderValue::from_static("*"));
    response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    response.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
    response.insert(TIMING_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_the_same_host_and_port_is_not_foreign() {
        let is_foreign = |origins: &[&str], host| {
            let origins = origins.iter().map(|origin| {
                let value = origin.parse().expect("is legal");
                (header::ORIGIN, value)
            });
            is_foreign(&origins.collect(), host)
        };
        assert!(!is_foreign(&[], Some("a.example")) && !is_foreign(&[], None));
        for (origin, host) in [
            ("http://a.example", "a.example"),
            ("https://A.example", "a.Example"),
            ("http://a.example:8080", "a.example:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(!is_foreign(&[origin], Some(host)), "{origin}");
        }
        for origin in [
            "null",
            "",
            "a.example",
            "http://b.example",
            "http://a.example:8080",
            "http://a.example.b.example",
            "http://a.example/",
            "caf\u{e9}://a.example",
        ] {
            assert!(is_foreign(&[origin], Some("a.example")), "{origin}");
        }
        assert!(is_foreign(&["http://a.example"], None));
        let both = ["http://a.example", "http://b.example"];
        assert!(is_foreign(&both, Some("a.example")));
    }
}
