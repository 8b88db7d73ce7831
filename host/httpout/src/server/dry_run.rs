//! A request that nobody made: what the script of a server would answer.

use std::net::{Ipv4Addr, SocketAddr};

use ::http::request::Parts;
use ::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use httpout_plugins::{Body, Connection, DryReply, Exchange, Kind};

use crate::admit;
use crate::error::StartupError;
use crate::http::path;
use crate::settings::ServerSettings;
use crate::site::Site;

/// Bytes of a body that are shown.
const SHOWN: usize = 200;

/// Method and target of a request that is made up.
pub(super) struct DryRequest {
    method: Method,
    target: Uri,
    path: Vec<u8>,
}

impl DryRequest {
    /// From `GET /path?query`.
    ///
    /// # Errors
    /// It is no request that this server knows.
    pub(super) fn parse(text: &str) -> Result<DryRequest, StartupError> {
        parse(text).ok_or_else(|| StartupError::Option {
            option: "request",
            reason: format!(
                "`{}` is no request such as `GET /` or `POST /api?a=b`",
                text.escape_debug()
            ),
        })
    }

    fn exchange(&self) -> Exchange {
        let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let connection = Connection {
            id: 1,
            peer: nobody,
            local: nobody,
            secure: false,
        };
        Exchange::new(1, connection, self.head(), self.path.clone(), Some(0))
    }

    fn head(&self) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.method.clone();
        head.uri = self.target.clone();
        let host = HeaderValue::from_static("localhost");
        head.headers.insert(header::HOST, host);
        head
    }
}

fn parse(text: &str) -> Option<DryRequest> {
    let (method, target) = text.split_once(' ')?;
    let method = method.parse().ok().filter(admit::is_known)?;
    let target: Uri = target.starts_with('/').then(|| target.parse().ok())??;
    let path = path::normalize(target.path()).ok()?;
    Some(DryRequest {
        method,
        target,
        path,
    })
}

/// What the script of a server would answer, in lines; none without a script.
///
/// # Errors
/// The script fails at it.
pub(super) async fn dry_run(
    site: &Site,
    settings: &ServerSettings,
    request: &DryRequest,
) -> Result<Vec<String>, StartupError> {
    let asked = format!("`{} {}`", request.method, request.target);
    let Some(replied) = site.chain.dry_run(request.exchange()).await else {
        let has_script = settings.plugins.iter().any(|it| it.kind == Kind::Script);
        let left_out =
            format!("{asked} comes to no script: their `paths` and `methods` leave it out");
        return Ok(Vec::from_iter(has_script.then_some(left_out)));
    };
    let reply = replied.map_err(|fault| StartupError::Option {
        option: match settings.options.js {
            Some(_) => "js",
            None => "plugin",
        },
        reason: format!("a dry run of {asked} fails: {fault}"),
    })?;
    let mut lines = vec![format!("{asked} is answered by {}", answer(&reply))];
    let fields = reply.decision.headers.iter();
    lines.extend(fields.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        format!("{asked} gets field `{name}: {}`", value.escape_debug())
    }));
    if settings.plugins.len() > 1 {
        lines.push(format!(
            "{asked} was not shown to the plugins before the script"
        ));
    }
    Ok(lines)
}

fn answer(reply: &DryReply) -> String {
    let decision = &reply.decision;
    match (decision.reply, &decision.body) {
        (None, Body::File(path)) => format!("the server: file `{}`", path.escape_debug()),
        (None, Body::Granted { directory, below }) => {
            let path = directory.join(below);
            format!(
                "the server: file `{}`",
                path.to_string_lossy().escape_debug()
            )
        }
        (None, _) => "the server (reply 0)".to_owned(),
        (Some(status), Body::Bytes(bytes)) => own(status, bytes, ""),
        (Some(status), Body::Read(_)) if reply.is_whole => own(status, &reply.read, ""),
        (Some(status), Body::Read(_)) => own(status, &reply.read, " and goes on"),
        (Some(status), _) => own(status, &[], ""),
    }
}

/// A reply of the script: its status, and how its body begins.
fn own(status: StatusCode, body: &[u8], rest: &str) -> String {
    let (code, length) = (status.as_u16(), body.len());
    if body.is_empty() && rest.is_empty() {
        return format!("the script: {code}, without a body");
    }
    let shown = String::from_utf8_lossy(&body[..length.min(SHOWN)]);
    let more = if length > SHOWN { " …" } else { "" };
    let shown = shown.escape_debug();
    format!("the script: {code}, a body of {length} bytes{rest}: `{shown}{more}`")
}
