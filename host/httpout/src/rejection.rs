//! The response to a request that is refused, and what the log says of it.

use ::http::{HeaderValue, Response, StatusCode, Version, header};
use httpout_plugins::Exchange;

use crate::body::Content;
use crate::error::Reject;
use crate::handler::Answer;
use crate::ingest;
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
    let (request, path) = (exchange.id, exchange.path.escape_ascii());
    match reject {
        Reject::Read(error) | Reject::Write(error) if status == StatusCode::SERVICE_UNAVAILABLE => {
            if let Some(times) = SHORTAGE.times() {
                tracing::warn!(request, %path, times, "{status}: {error}");
            }
        }
        Reject::Read(error) | Reject::Write(error) => {
            tracing::error!(request, %path, "{reject}: {error}");
        }
        _ if mode::changes_something(&exchange.head.method) => ingest::refused(exchange, reject),
        _ => tracing::debug!(request, %path, "{status}: {reject}"),
    }
}
