//! The life of a request, as one list.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use ::http::request::Parts;
use ::http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use httpout_plugins::{self as plugins, CloseCode, Decision, Exchange, Refusal};
use hyper::body::Incoming;
use tokio::task::JoinHandle;

use crate::admit;
use crate::body::{Body, Content, PLUGIN_BLOCK, Taken, Upload};
use crate::ending::Ending;
use crate::error::Reject;
use crate::headers;
use crate::http::{cors, path};
use crate::ingest;
use crate::mode;
use crate::rejection;
use crate::server::{Handling, Link};
use crate::site::Site;

/// A response before it is tied to the end of its exchange.
pub(crate) type Answer = Response<Content>;

/// Answers one request. It never fails: what goes wrong is an answer too.
///
/// What changes something has begun when this returns, and runs to its end though the client is gone: some encoders
/// leave without waiting for the answer, and hyper then drops what it has not polled yet.
pub(crate) fn handle(site: Arc<Site>, link: Arc<Link>, request: Request<Incoming>) -> Answering {
    let handling = link.start_handling();
    let (head, body) = request.into_parts();
    let changes_something = mode::changes_something(&head.method);
    link.set_optional_answer(changes_something && head.version < Version::HTTP_2);
    let admitted = match changes_something && handling.is_excessive() {
        true => Err(Reject::TooMany),
        false => Ok(()),
    };
    let has_own_task = changes_something && admitted.is_ok();
    let mut upload = Upload::new(body, &head, link, site.timeout);
    if has_own_task {
        upload.begun = site.mode.begin();
    }
    // Boxed: hyper keeps room for it as long as the connection lives, also while that is idle.
    let answering = Box::pin(respond(site, handling, admitted, head, upload));
    match has_own_task {
        true => Answering::ItsOwnTask(tokio::spawn(answering)),
        false => Answering::Here(answering),
    }
}

/// The answer to a request, while it is being made.
pub(crate) enum Answering {
    /// In the connection's task, with which it ends.
    Here(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
    ItsOwnTask(JoinHandle<Response<Body>>),
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = match &mut *self {
            Answering::Here(answering) => ready!(answering.as_mut().poll(context)),
            Answering::ItsOwnTask(task) => match ready!(Pin::new(task).poll(context)) {
                Ok(response) => response,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The process is ending, and the connection with it.
                    Err(_cancelled) => return Poll::Pending,
                },
            },
        };
        response.body_mut().hand_over();
        Poll::Ready(Ok(response))
    }
}

async fn respond(
    site: Arc<Site>,
    handling: Handling,
    admitted: Result<(), Reject>,
    head: Parts,
    mut upload: Upload,
) -> Response<Body> {
    let link = &handling.link;
    let length = upload.length();
    let (path, path_error) = match path::normalize(head.uri.path()) {
        Ok(path) => (path, None),
        Err(reject) => (Vec::new(), Some(reject)),
    };
    let id = site.next_exchange_id();
    let exchange = Arc::new(Exchange::new(id, link.connection, head, path, length));
    site.reqlog.start(&exchange);

    let mut ending = site
        .watches_endings()
        .then(|| Box::new(Ending::new(exchange.clone(), site.clone(), link.clone())));
    let head = &exchange.head;
    let admitted = admitted.and_then(|()| path_error.map_or(Ok(()), Err));
    let mut answer = match admitted.and_then(|()| admit::check(&exchange, site.cors)) {
        Err(reject) => rejection::answer(&reject, &exchange),
        // Before any plugin: a browser sends no credentials with it (Fetch 3.3.5).
        Ok(()) if cors::is_preflight(site.cors, &head.method, &head.headers) => {
            cors::preflight(site.cors, &head.headers, site.mode.methods())
        }
        Ok(()) => answer(&site, &exchange, &mut upload, ending.as_deref_mut()).await,
    };
    upload.drain();

    site.fields.apply(answer.headers_mut(), head.version);
    cors::apply(site.cors, &head.headers, answer.headers_mut());
    if link.ends_with(answer.status(), head.version) {
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(header::CONNECTION, close);
    }
    if head.version == Version::HTTP_10 && answer.headers().contains_key(header::CONNECTION) {
        // hyper would say keep-alive beside it.
        *answer.version_mut() = Version::HTTP_10;
    }
    if head.method == Method::HEAD {
        strip_body(&mut answer);
    }
    exchange.status.store(answer.status().as_u16(), Relaxed);
    link.count_request(&head.method, answer.status());
    let delivery = link.delivery(head.version);
    answer.map(|content| Body::new(content, ending, delivery, site.block_size))
}

/// Asks the plugins, then the server itself where none has replied.
async fn answer(
    site: &Site,
    exchange: &Arc<Exchange>,
    upload: &mut Upload,
    mut ending: Option<&mut Ending>,
) -> Answer {
    let mut decision = Decision::default();
    let asked = match ending.as_deref_mut() {
        // Boxed: a server without plugins would move the large state of their calls with every request.
        Some(Ending { open, .. }) if !site.chain.is_empty() => {
            let mut body = Taken::new(upload, exchange, site.maxs);
            Box::pin(
                site.chain
                    .on_request(exchange, &mut decision, open, &mut body),
            )
            .await
        }
        _ => Ok(()),
    };
    if asked.is_ok() && !site.chain.is_empty() {
        ingest::asked_plugins(exchange, decision.reply);
    }
    let answer = match (asked, decision.reply) {
        (Err(Refusal::Fault(fault)), _) => Err(fault.into()),
        (Err(Refusal::Body(reject)), _) => Err(reject),
        (Ok(()), Some(status)) => {
            let content = own_content(site, exchange, decision.body, ending.as_deref());
            Ok(replied(status, exchange.head.version, content))
        }
        (Ok(()), None) => route(site, exchange, &decision.body, upload).await,
    };
    if let (Err(Reject::Incomplete), Some(ending)) = (&answer, ending) {
        ending.set_code(CloseCode::ConnectionClosed);
    }
    let mut answer = answer.unwrap_or_else(|reject| rejection::answer(&reject, exchange));
    headers::add(answer.headers_mut(), decision.headers);
    answer
}

/// Lets the mode answer, with the requested resource or the file that a plugin chose.
async fn route(
    site: &Site,
    exchange: &Arc<Exchange>,
    body: &plugins::Body,
    upload: &mut Upload,
) -> Result<Answer, Reject> {
    match body {
        plugins::Body::File(file) => {
            let path = path::normalize_decoded(file)?;
            site.mode.route(exchange, &path, upload).await
        }
        plugins::Body::Granted { directory, below } => {
            let path = path::normalize_decoded(below)?;
            site.mode.serve_granted(exchange, directory, &path).await
        }
        // Behind the plugins, which may guard it.
        _ => match site.pages.answer(exchange).await {
            Some(answer) => answer,
            None => site.mode.route(exchange, &exchange.path, upload).await,
        },
    }
}

/// The body of a plugin's own response.
fn own_content(
    site: &Site,
    exchange: &Arc<Exchange>,
    body: plugins::Body,
    ending: Option<&Ending>,
) -> Content {
    match body {
        plugins::Body::Bytes(bytes) => Content::Bytes(bytes),
        plugins::Body::Read(length) => {
            let size = site.block_size.map_or(PLUGIN_BLOCK, |size| size as u64);
            let size = u32::try_from(size).unwrap_or(u32::MAX);
            let body = ending.and_then(|ending| ending.open.read_body(exchange, size, length));
            body.map_or(Content::Empty, Content::Read)
        }
        plugins::Body::Unset | plugins::Body::File(_) | plugins::Body::Granted { .. } => {
            Content::Empty
        }
    }
}

/// The response of a plugin.
fn replied(status: StatusCode, version: Version, content: Content) -> Answer {
    let content = match allows_body(status) {
        true => content,
        false => Content::Empty,
    };
    let is_endless = content.length().is_none();
    let mut answer = Response::new(content);
    *answer.status_mut() = status;
    if is_endless && version < Version::HTTP_11 {
        // Only the end of the connection ends such a body.
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(header::CONNECTION, close);
    }
    answer
}

/// HEAD: the fields of GET, without its content (RFC 9110 9.3.2).
fn strip_body(answer: &mut Answer) {
    if allows_body(answer.status())
        && let Some(length) = answer.body().length()
    {
        let length = HeaderValue::from(length);
        answer.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    *answer.body_mut() = Content::Empty;
}

/// RFC 9110 6.4.1.
fn allows_body(status: StatusCode) -> bool {
    !matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
    )
}
