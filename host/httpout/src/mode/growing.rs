//! GET and HEAD of what is still being written (documents: httpout, HTTP server file sink).

use std::future::poll_fn;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use httpout_plugins::Exchange;

use crate::body::{Content, GrowingContent};
use crate::error::Reject;
use crate::handler::Answer;
use crate::http::media_type;
use crate::http::range::{Growing, Part, check_growing};
use crate::mode::FileServer;
use crate::resource::{Seat, State, Version};
use crate::settings::Caching;

impl FileServer {
    /// Answers with what is there, and what will come.
    pub(super) async fn follow(
        &self,
        exchange: &Exchange,
        path: &[u8],
        version: Arc<Version>,
    ) -> Result<Answer, Reject> {
        let (length, _) = version.progress();
        let unsatisfiable = Reject::RangeNotSatisfiable { length };
        let (range, content) = match self.growing_range(exchange, length) {
            Growing::Whole => (None, GrowingContent::follow(version, 0)),
            Growing::Parts(parts) => {
                let spans = parts
                    .iter()
                    .map(|part| format!("{}-{}", part.first, part.last));
                let spans: Vec<String> = spans.collect();
                (
                    Some(spans.join(",")),
                    GrowingContent::parts(version, &parts),
                )
            }
            Growing::Awaited(part) => {
                self.wait_for(&version, part.first)
                    .await
                    .ok_or(unsatisfiable)?;
                let Part { first, last } = part;
                (
                    Some(format!("{first}-{last}")),
                    GrowingContent::parts(version, &[part]),
                )
            }
            Growing::Follow { first, last } => {
                self.wait_for(&version, first).await.ok_or(unsatisfiable)?;
                (
                    Some(format!("{first}-{last}")),
                    GrowingContent::follow(version, first),
                )
            }
            Growing::Unsatisfiable => return Err(unsatisfiable),
        };
        let mut answer = Response::new(Content::Growing(content));
        if range.is_some() {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        self.describe_growing(answer.headers_mut(), path, range);
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

    /// Waits until the byte at a position is there; none where it never will be, or not in time.
    async fn wait_for(&self, version: &Version, position: u64) -> Option<()> {
        let mut seat = Seat::default();
        let longer = poll_fn(|context| version.poll_longer(position, &mut seat, context));
        let in_time = match self.timeout {
            Some(limit) => tokio::time::timeout(limit, longer).await.is_ok(),
            None => {
                longer.await;
                true
            }
        };
        version.leave(&seat);
        let (length, state) = version.progress();
        (in_time && length > position && state != State::Failed).then_some(())
    }

    fn describe_growing(&self, fields: &mut HeaderMap, path: &[u8], range: Option<String>) {
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
        if let Some(range) = range {
            let value = HeaderValue::try_from(format!("bytes {range}/*"));
            fields.insert(header::CONTENT_RANGE, value.expect("digits and separators"));
        }
    }
}
