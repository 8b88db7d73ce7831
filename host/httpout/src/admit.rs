//! What is no request for this server, whatever its mode.

use ::http::header::{self, HeaderValue};
use ::http::request::Parts;
use ::http::uri::Authority;
use ::http::{Method, Version};
use httpout_plugins::Exchange;

use crate::error::Reject;
use crate::http::cors;
use crate::mode;
use crate::server::TwoLengths;

/// Refuses requests by their heads alone (RFC 9110 9.1, RFC 9112 3.2, 6.1, RFC 9113 8.3.1).
pub(crate) fn check(exchange: &Exchange, cors: cors::Policy) -> Result<(), Reject> {
    let head = &exchange.head;
    check_method(&head.method)?;
    check_target(head)?;
    check_framing(head)?;
    check_host(head)?;
    let is_foreign = || cors::is_foreign(&head.headers, host(head));
    if mode::changes_something(&head.method) && cors != cors::Policy::Always && is_foreign() {
        return Err(Reject::ForeignOrigin);
    }
    Ok(())
}

fn check_method(method: &Method) -> Result<(), Reject> {
    match is_known(method) {
        true => Ok(()),
        false => Err(Reject::UnknownMethod(method.to_string())),
    }
}

/// The methods that are answered with anything but 501.
pub(crate) fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::PUT | Method::POST | Method::DELETE | Method::OPTIONS
    )
}

/// A path, a whole URL, or `*` for OPTIONS.
fn check_target(head: &Parts) -> Result<(), Reject> {
    let target = &head.uri;
    let is_path = target.path().starts_with('/');
    let is_bare_authority = target.authority().is_some() && target.scheme().is_none();
    match target.path() {
        "*" if head.method == Method::OPTIONS => Ok(()),
        _ if is_path && !is_bare_authority => Ok(()),
        _ => Err(Reject::BadRequest(
            "the target is no path: it begins with `/`",
        )),
    }
}

/// Two ways to tell the length of a body are how requests are smuggled past a proxy.
fn check_framing(head: &Parts) -> Result<(), Reject> {
    if head.extensions.get::<TwoLengths>().is_some() {
        return Err(Reject::BadRequest(
            "the request has both Transfer-Encoding and Content-Length",
        ));
    }
    let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if is_chunked(coding) => Ok(()),
        _ => Err(Reject::UnknownCoding),
    }
}

/// Content in another coding beside would be taken for the content itself.
fn is_chunked(value: &HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(b"chunked")
}

fn check_host(head: &Parts) -> Result<(), Reject> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => Err(Reject::BadRequest("the request has several Host fields")),
        (None, None) if head.version == Version::HTTP_11 => {
            Err(Reject::BadRequest("the request has no Host field"))
        }
        (None, None) => Ok(()),
        (Some(host), None) if !is_host(host.as_bytes()) => {
            Err(Reject::BadRequest("the Host field holds no host"))
        }
        (Some(host), None) => match head.uri.authority() {
            Some(named) if head.version == Version::HTTP_2 && named.as_str() != host => Err(
                Reject::BadRequest("Host and `:authority` name different hosts"),
            ),
            _ => Ok(()),
        },
    }
}

/// Empty where the target has no authority (RFC 9110 7.2).
fn is_host(value: &[u8]) -> bool {
    value.is_empty() || (!value.contains(&b'@') && Authority::try_from(value).is_ok())
}

/// What the client calls the server, with the port where it names one (RFC 9112 3.2.2, RFC 9113 8.3.1).
fn host(head: &Parts) -> Option<&str> {
    let field = || head.headers.get(header::HOST)?.to_str().ok();
    let authority = head.uri.authority();
    authority.map(|authority| authority.as_str()).or_else(field)
}
