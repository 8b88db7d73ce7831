//! The response to a request that is refused, and what the log says of it.

use std::fmt::Display;

use ::http::{HeaderValue, Response, StatusCode, Version, header};
use httpout_plugins::Exchange;

use crate::body::Content;
use crate::error::Reject;
use crate::handler::Answer;
use crate::log::Complaint;
use crate::mode;

/// A line of text, and the fields that its status demands.
pub(crate) fn answer(reject: &Reject, exchange: &Exchange) -> Answer {
    let status = reject.status();
    log(reject, status, exchange);
    let text = format!("{status}: {reject}\n");
    let mut answer = Response::new(Content::Bytes(text.into()));
    *answer.status_mut() = status;
    let fields = answer.headers_mut();
    fields.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    match reject {
        Reject::MethodNotAllowed { allow, .. } => {
            fields.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        Reject::RangeNotSatisfiable { length } => {
            let value = HeaderValue::try_from(format!("bytes */{length}")).expect("digits");
            fields.insert(header::CONTENT_RANGE, value);
        }
        Reject::UnsupportedCoding => {
            let identity = HeaderValue::from_static("identity");
            fields.insert(header::ACCEPT_ENCODING, identity);
        }
        // What may still come belongs to the request that was given up.
        Reject::TooSlow(_) if exchange.head.version < Version::HTTP_2 => {
            fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ if status == StatusCode::SERVICE_UNAVAILABLE => {
            fields.insert(header::RETRY_AFTER, HeaderValue::from(reject.retry_after()));
        }
        _ => {}
    }
    answer
}

fn log(reject: &Reject, status: StatusCode, exchange: &Exchange) {
    static SHORTAGE: Complaint = Complaint::new();
    static WRITES: Complaint = Complaint::new();
    let (request, path) = (exchange.id, exchange.path.escape_ascii());
    let shortage: &dyn Display = match reject {
        Reject::StorageFull => reject,
        Reject::Read(error) | Reject::Write(error) if status == StatusCode::SERVICE_UNAVAILABLE => {
            error
        }
        Reject::Read(error) | Reject::Write(error) => {
            return tracing::error!(request, %path, "{reject}: {error}");
        }
        // Encoders do not look at what they are answered: only this tells that nothing arrives.
        _ if mode::changes_something(&exchange.head.method) => {
            if let Some(times) = WRITES.times() {
                let (method, peer) = (&exchange.head.method, exchange.connection.peer.ip());
                let peer = peer.to_canonical();
                tracing::warn!(request, times, "{method} {path} of {peer} failed: {reject}");
            }
            return;
        }
        _ => return tracing::debug!(request, %path, "{status}: {reject}"),
    };
    if let Some(times) = SHORTAGE.times() {
        tracing::warn!(request, %path, times, "{status}: {shortage}");
    }
}
