//! GET and HEAD of what is still being written (documents: httpout, HTTP server file sink).

use std::future::poll_fn;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use httpout_plugins::Exchange;

use crate::body::{Content, GrowingContent};
use crate::error::Reject;
use crate::handler::Answer;
use crate::http::media_type;
use crate::http::range::{Growing, Part, check_growing, content_range};
use crate::mode::FileServer;
use crate::resource::{Progress, Reader, State, Version};
use crate::settings::Caching;
use crate::within::within;

impl FileServer {
    /// Answers with what is there, and what will come.
    pub(super) async fn follow(
        &self,
        exchange: &Exchange,
        path: &[u8],
        version: Arc<Version>,
    ) -> Result<Answer, Reject> {
        check_conditions(exchange)?;
        let mut reader = Reader::new(version);
        let Progress { length, total, .. } = reader.progress();
        let mut range = None;
        let content = match self.growing_range(exchange, length) {
            Growing::Whole => GrowingContent::whole(reader),
            Growing::Parts(parts) => {
                range = Some(content_range(&parts, total));
                GrowingContent::parts(reader, &parts)
            }
            Growing::Awaited(Part { first, last }) => {
                let Progress { length, total, .. } = self.wait_for(&mut reader, first).await?;
                let last = total.map_or(last, |total| last.min(total - 1));
                let part = Part { first, last };
                range = Some(content_range(&[part], total));
                match total.is_some() || last < length {
                    true => GrowingContent::parts(reader, &[part]),
                    false => GrowingContent::up_to(reader, part),
                }
            }
            Growing::Unsatisfiable => return Err(Reject::RangeNotSatisfiable { length }),
        };
        let mut answer = Response::new(Content::Growing(content));
        self.describe_growing(answer.headers_mut(), path);
        if exchange.head.version < ::http::Version::HTTP_11 {
            // Only the end of the connection ends such a body.
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(header::CONNECTION, close);
        }
        if let Some(range) = range {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            answer.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        Ok(answer)
    }

    fn growing_range(&self, exchange: &Exchange, length: u64) -> Growing {
        let fields = &exchange.head.headers;
        match fields.get(header::RANGE) {
            // What grows has no validator that `If-Range` could name.
            Some(value)
                if !self.norange
                    && exchange.head.method == Method::GET
                    && !fields.contains_key(header::IF_RANGE) =>
            {
                check_growing(value.as_bytes(), length)
            }
            _ => Growing::Whole,
        }
    }

    /// Waits until the byte at a position is there.
    ///
    /// # Errors
    /// 416 where it never will be, or not in time.
    async fn wait_for(&self, reader: &mut Reader, position: u64) -> Result<Progress, Reject> {
        let there = poll_fn(|context| reader.poll_there(position, context));
        let in_time = within(self.timeout, there).await.is_some();
        let progress = reader.progress();
        let Progress { length, total, .. } = progress;
        match in_time && length > position && progress.state != State::Failed {
            true => Ok(progress),
            false => Err(Reject::RangeNotSatisfiable {
                length: total.unwrap_or(length),
            }),
        }
    }

    fn describe_growing(&self, fields: &mut HeaderMap, path: &[u8]) {
        // What grows is not looked into: its first bytes may not be there yet.
        let octets = HeaderValue::from_static("application/octet-stream");
        let content_type = media_type::by_name(path).unwrap_or(octets);
        fields.insert(header::CONTENT_TYPE, content_type);
        if !self.norange {
            fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        }
        if let Caching::Control(value) = &self.caching {
            fields.insert(header::CACHE_CONTROL, value.clone());
        }
    }
}

/// It exists, and no tag is its own yet (RFC 9110 13.1.1): what is not complete has no validators.
fn check_conditions(exchange: &Exchange) -> Result<(), Reject> {
    let mut wanted = exchange.head.headers.get_all(header::IF_MATCH).iter();
    match wanted.all(|value| value.as_bytes().trim_ascii() == b"*") {
        true => Ok(()),
        false => Err(Reject::PreconditionFailed),
    }
}
