//! PUT, POST and DELETE (documents: httpout, Simple HTTP server): files that clients write.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::{Bytes, BytesMut};
use httpout_plugins::Exchange;
use tokio::sync::OwnedMutexGuard;

use crate::body::{Content, Upload};
use crate::error::Reject;
use crate::handler::Answer;
use crate::http::conditional::{self, Validators, Verdict};
use crate::http::path::encode;
use crate::http::range::Spec;
use crate::http::write_range::{self, Span};
use crate::manifest::{self, is_dash, is_manifest};
use crate::mode::HeldEnds;
use crate::reqlog::Reqlog;
use crate::resource::{
    Begun, Condition, Identity, Intake, Reading, Retention, Store, Stored, Target, Writer, blocking,
};
use crate::within::within;

/// When readers are to hear of a file that has come.
enum Told {
    Now,
    /// It says that a live presentation is over, see [`HeldEnds`].
    Later,
}

/// Writes what clients send into a directory.
pub(crate) struct Uploads {
    pub(crate) store: Arc<Store>,
    /// What goes when segments come; none on disk, where DELETE alone removes what clients have uploaded.
    pub(crate) retention: Option<Arc<Retention>>,
    /// Option `maxs`, in bytes; none is unlimited.
    pub(crate) maxs: Option<u64>,
    /// Option `cte`: an upload may be read while it runs.
    pub(crate) cte: bool,
    /// Option `splice`.
    pub(crate) splice: bool,
    /// What is told later with option `splice`; none where an end is one.
    pub(crate) held_ends: Option<Arc<HeldEnds>>,
    /// Option `timeout`: the longest wait for another write of the same name; none is for ever.
    pub(crate) timeout: Option<Duration>,
    /// Whether what is stored is told by an entity tag, see option `cache_control`.
    pub(crate) tags: bool,
    /// Option `reqlog=REC`.
    pub(crate) log: Reqlog,
}

impl Uploads {
    /// Stores the body under the path, whole or in parts.
    pub(crate) async fn put(
        &self,
        exchange: &Arc<Exchange>,
        path: &[u8],
        body: &mut Upload,
    ) -> Result<Answer, Reject> {
        let fields = &exchange.head.headers;
        refuse_coding(fields)?;
        self.check_size(body.length().unwrap_or(0))?;
        let stored = match write_range::parse(fields)? {
            None => Some(self.put_whole(exchange, path, body).await?),
            Some(specs) => {
                self.put_parts(exchange, path, &specs, body).await?;
                None
            }
        };
        let mut answer = Response::new(Content::Empty);
        let fields = answer.headers_mut();
        let location = HeaderValue::try_from(encode(path)).expect("is encoded");
        fields.insert(header::CONTENT_LOCATION, location);
        if let Some(Stored { identity, is_new }) = stored {
            if let Some(identity) = identity.filter(|_| self.tags) {
                let etag = HeaderValue::try_from(identity.etag()).expect("is quoted");
                fields.insert(header::ETAG, etag);
            }
            if is_new {
                *answer.status_mut() = StatusCode::CREATED;
            }
        }
        Ok(answer)
    }

    /// Removes the file.
    pub(crate) async fn delete(
        &self,
        exchange: &Arc<Exchange>,
        path: &[u8],
        body: &mut Upload,
    ) -> Result<Answer, Reject> {
        let (store, condition) = (self.store.clone(), condition(exchange));
        let (below, begun) = (below(path)?, self.begun(body));
        blocking(move || store.delete(&below, begun, &condition)).await?;
        self.log.record("Deleting", path);
        Ok(Response::new(Content::Empty))
    }

    /// The write that began when the request came in.
    fn begun(&self, body: &mut Upload) -> Begun {
        body.begun.take().unwrap_or_else(|| self.store.begin())
    }

    async fn put_whole(
        &self,
        exchange: &Arc<Exchange>,
        path: &[u8],
        body: &mut Upload,
    ) -> Result<Stored, Reject> {
        let (store, condition) = (self.store.clone(), condition(exchange));
        let (target, reading) = (below(path)?, self.reading(path, body));
        let begun = self.begun(body);
        let (retention, name) = (self.retention.clone(), target.clone());
        let upload = blocking(move || store.upload(&target, begun, reading, condition)).await?;
        let mut intake = Intake::new(upload);
        self.log.record("Opening", path);
        let received = match self.splice && is_dash(path) {
            true => {
                self.receive_manifest(exchange, path, &mut intake, body)
                    .await
            }
            false => self
                .receive(exchange, &mut intake, body)
                .await
                .map(|()| Told::Now),
        };
        let is_held = matches!(received, Ok(Told::Later));
        let (log, shown) = (self.log.clone(), path.to_vec());
        // Also where it is given up: to remove a large file takes its time.
        let store = move || {
            let stored = received.and_then(|_| intake.publish());
            if let Ok(Stored {
                identity: Some(identity),
                ..
            }) = &stored
                && let Some(retention) = retention
            {
                retention.note(&name, identity);
            }
            log.record(ending(&stored), &shown);
            stored
        };
        match &self.held_ends {
            Some(held_ends) if is_held => match held_ends.hold(store) {
                Ok(()) => Ok(Stored {
                    identity: None,
                    is_new: false,
                }),
                Err(store) => blocking(store).await,
            },
            _ => blocking(store).await,
        }
    }

    /// Which readers see what comes in.
    fn reading(&self, path: &[u8], body: &Upload) -> Reading {
        match body.length() {
            _ if !self.cte => Reading::Never,
            // It is live. A manifest is read again and again, and must never be torn.
            None if !is_manifest(path) => Reading::Always,
            _ => Reading::NewName,
        }
    }

    async fn receive(
        &self,
        exchange: &Exchange,
        intake: &mut Intake,
        body: &mut Upload,
    ) -> Result<(), Reject> {
        intake.announce(body.length())?;
        self.receive_rest(exchange, intake, body).await
    }

    async fn receive_rest(
        &self,
        exchange: &Exchange,
        intake: &mut Intake,
        body: &mut Upload,
    ) -> Result<(), Reject> {
        while let Some(bytes) = self.next(exchange, intake.length(), body).await? {
            intake.push(bytes).await?;
        }
        intake.flush().await
    }

    /// The next bytes, behind so many.
    async fn next(
        &self,
        exchange: &Exchange,
        received: u64,
        body: &mut Upload,
    ) -> Result<Option<Bytes>, Reject> {
        let Some(bytes) = body.next().await? else {
            return Ok(None);
        };
        let total = received + bytes.len() as u64;
        exchange.bytes_received.store(total, Relaxed);
        self.check_size(total)?;
        Ok(Some(bytes))
    }

    /// Waits for all of a DASH manifest, which may have to be changed before somebody reads it.
    async fn receive_manifest(
        &self,
        exchange: &Exchange,
        path: &[u8],
        intake: &mut Intake,
        body: &mut Upload,
    ) -> Result<Told, Reject> {
        let mut content = BytesMut::new();
        while let Some(bytes) = self.next(exchange, content.len() as u64, body).await? {
            content.extend_from_slice(&bytes);
            if content.len() > manifest::LARGEST {
                // Whatever it is, it is kept as it comes.
                intake.announce(body.length())?;
                intake.push(content.freeze()).await?;
                self.receive_rest(exchange, intake, body).await?;
                return Ok(Told::Now);
            }
        }
        let (store, below) = (self.store.clone(), below(path)?);
        let told = blocking(move || {
            let earlier = store.read(&below, manifest::LARGEST as u64);
            let told = match earlier.as_deref() {
                Some(earlier) if manifest::ends(&content, earlier) => Told::Later,
                _ => Told::Now,
            };
            let spliced = manifest::splice(&content, earlier.as_deref());
            if let Some(begins) = spliced.as_ref().and_then(|spliced| spliced.begins) {
                tracing::info!(
                    "`{}`: its encoder has begun anew; its time line goes on {:.1} s from its begin, so that players \
                     come back (option `splice`)",
                    below.escape_ascii(),
                    begins.as_secs_f64()
                );
            }
            let content = spliced.map_or(content.freeze(), |spliced| spliced.content.into());
            Ok((content, told))
        });
        let (content, told) = told.await?;
        intake.announce(Some(content.len() as u64))?;
        intake.push(content).await?;
        intake.flush().await?;
        Ok(told)
    }

    async fn put_parts(
        &self,
        exchange: &Arc<Exchange>,
        path: &[u8],
        specs: &[Spec],
        body: &mut Upload,
    ) -> Result<(), Reject> {
        let (store, condition) = (self.store.clone(), condition(exchange));
        let (below, begun) = (below(path)?, self.begun(body));
        let (opening, target) = (store.clone(), below.clone());
        let target = blocking(move || store.target_in_place(&target, begun)).await?;
        let _alone = self.wait_for_turn(&target).await?;
        let opened = blocking(move || opening.open_in_place(&below, &condition)).await?;
        let (file, length) = opened;
        let spans = write_range::plan(specs, length, body.length())?;
        self.log.record("Opening", path);
        let mut writer = Writer::new(file);
        let received = self.receive_parts(exchange, &spans, length, &mut writer, body);
        let received = received.await;
        // Also where it is given up: what is being written must not come after what the next one writes.
        let flushed = writer.flush().await;
        let result = received.and(flushed.map_err(Reject::from));
        self.log.record(ending(&result), path);
        result
    }

    /// Waits until nobody else writes the file in place.
    async fn wait_for_turn(&self, target: &Target) -> Result<OwnedMutexGuard<()>, Reject> {
        let turn = target.in_place().lock_owned();
        let turn = within(self.timeout, turn).await;
        turn.ok_or(Reject::Conflict("the file is being written"))
    }

    async fn receive_parts(
        &self,
        exchange: &Exchange,
        spans: &[Span],
        length: u64,
        writer: &mut Writer,
        body: &mut Upload,
    ) -> Result<(), Reject> {
        let mut rest = Bytes::new();
        let mut total = 0;
        for span in spans {
            writer.seek(span.position).await?;
            let mut left = span.length.unwrap_or(u64::MAX);
            let mut end = span.position;
            while left > 0 {
                if rest.is_empty() {
                    match body.next().await? {
                        Some(bytes) => rest = bytes,
                        None if span.length.is_none() => break,
                        None => {
                            return Err(Reject::BadRequest("the body is shorter than the ranges"));
                        }
                    }
                    total += rest.len() as u64;
                    exchange.bytes_received.store(total, Relaxed);
                    self.check_size(total)?;
                }
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                end += count as u64;
                if end > length {
                    self.check_size(end)?;
                    writer.file().reserve(end)?;
                }
                left -= count as u64;
                writer.push(rest.split_to(count)).await?;
            }
        }
        match rest.is_empty() && body.next().await?.is_none() {
            true => Ok(()),
            false => Err(Reject::BadRequest("the body is longer than the ranges")),
        }
    }

    fn check_size(&self, bytes: u64) -> Result<(), Reject> {
        match self.maxs {
            Some(limit) if bytes > limit => Err(Reject::TooLarge { limit }),
            _ => Ok(()),
        }
    }
}

/// How a file that was opened for writing ends, for the log.
fn ending<T>(result: &Result<T, Reject>) -> &'static str {
    match result {
        Ok(_) => "Closing",
        Err(_) => "Aborting",
    }
}

/// The conditions of the request, for whatever the name holds when they are asked.
fn condition(exchange: &Arc<Exchange>) -> Condition {
    let exchange = exchange.clone();
    Arc::new(move |current: Option<&Identity>| {
        let head = &exchange.head;
        let etag = current.map(Identity::etag);
        let validators = current
            .zip(etag.as_deref())
            .map(|(identity, etag)| Validators {
                etag,
                modified: identity.modified(),
            });
        match conditional::check_write(&head.method, &head.headers, validators) {
            Verdict::Proceed => Ok(()),
            _ => Err(Reject::PreconditionFailed),
        }
    })
}

/// What is stored is what a GET gives: a coding would have to be remembered.
fn refuse_coding(fields: &HeaderMap) -> Result<(), Reject> {
    let mut codings = fields.get_all(header::CONTENT_ENCODING).iter();
    match codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        true => Ok(()),
        false => Err(Reject::UnsupportedCoding),
    }
}

fn below(path: &[u8]) -> Result<Vec<u8>, Reject> {
    let below = path.strip_prefix(b"/").ok_or(Reject::NotFound)?;
    Ok(below.to_vec())
}

/// Whether a method may change something, so that its request runs to its end though the client is gone.
pub(crate) fn changes_something(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::POST | Method::DELETE)
}
