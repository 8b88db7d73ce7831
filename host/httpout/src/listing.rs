//! Listings of directories (documents: httpout, option `dlist`), as a page or as JSON.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use askama::Template;
use httpout_plugins::Exchange;
use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::body::Content;
use crate::error::Reject;
use crate::handler::Answer;
use crate::http::{accept, date, path};
use crate::resource::{Entry, Kind, Mounts, Names};

/// Listings made at a time, each on a thread that may block. A large directory costs up to a second of one core and
/// some MB; the threads and the disk are for files as well. Further requests wait.
const AT_A_TIME: usize = 4;

/// How long a request waits for its turn before it is answered with 503.
const WAIT: Duration = Duration::from_secs(10);

/// The directories below the mounts, as they are listed.
pub(crate) struct Listings {
    mounts: Arc<Mounts>,
    names: Arc<Names>,
    turns: Arc<Semaphore>,
}

impl Listings {
    pub(crate) fn new(mounts: Arc<Mounts>, names: Arc<Names>) -> Listings {
        Listings {
            mounts,
            names,
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Answers a GET of a directory: `path` is the requested one, or what a plugin chose in its place. Links are
    /// relative to what was requested, which therefore has to end with a slash.
    pub(crate) async fn answer(&self, exchange: &Exchange, path: &[u8]) -> Result<Answer, Reject> {
        if !exchange.path.ends_with(b"/") {
            return Ok(redirect(exchange));
        }
        let form = Form::preferred(&exchange.head.headers);
        let content = self.make(form, &exchange.path, path).await?;
        let mut answer = Response::new(Content::Bytes(content.into()));
        let fields = answer.headers_mut();
        let content_type = HeaderValue::from_static(form.content_type());
        fields.insert(header::CONTENT_TYPE, content_type);
        fields.append(header::VARY, HeaderValue::from_static("Accept"));
        Ok(answer)
    }

    async fn make(&self, form: Form, requested: &[u8], path: &[u8]) -> Result<Vec<u8>, Reject> {
        let turn = timeout(WAIT, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| Reject::Busy)?;
        let (mounts, names) = (self.mounts.clone(), self.names.clone());
        let (requested, path) = (requested.to_vec(), path.to_vec());
        let made = tokio::task::spawn_blocking(move || {
            // Kept to the end of the work, also where the client has left.
            let _turn = turn;
            let listing = Listing::new(&requested, &mounts.entries(&path, &names)?);
            listing.render(form)
        });
        made.await.map_err(|error| Reject::Read(error.into()))?
    }
}

/// To the same directory with a slash at the end: relative, so that it also holds behind a proxy that serves us below
/// a path of its own.
fn redirect(exchange: &Exchange) -> Answer {
    let target = &exchange.head.uri;
    let (_, name) = target.path().rsplit_once('/').unwrap_or_default();
    let name: Vec<u8> = percent_decode_str(name).collect();
    // The dot keeps a name that begins with slashes (encoded ones) from being read as another host.
    let mut location = format!("./{}/", path::encode(&name));
    if let Some(query) = target.query() {
        location.push('?');
        location.extend(utf8_percent_encode(query, CONTROLS));
    }
    let location = HeaderValue::try_from(location).expect("visible ASCII");
    let mut answer = Response::new(Content::Empty);
    *answer.status_mut() = StatusCode::MOVED_PERMANENTLY;
    answer.headers_mut().insert(header::LOCATION, location);
    answer
}

/// What a listing is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Page,
    Json,
}

impl Form {
    /// JSON where the client likes it better.
    fn preferred(fields: &HeaderMap) -> Form {
        let weight = |media_type| accept::weight(fields, media_type);
        if weight("application/json") > weight("text/html") {
            return Form::Json;
        }
        Form::Page
    }

    fn content_type(self) -> &'static str {
        match self {
            Form::Page => "text/html; charset=utf-8",
            Form::Json => "application/json",
        }
    }
}

/// A directory as clients see it; as JSON:
///
/// ```json
/// {"path": "/media/", "entries": [
///   {"name": "old", "href": "old/", "kind": "directory", "modified": "2024-02-29T12:00:00Z"},
///   {"name": "a b.mp4", "href": "a%20b.mp4", "kind": "file", "size": 1234, "modified": "2024-02-29T12:00:00Z"}
/// ]}
/// ```
///
/// Directories come first. `href` is relative to the listing and exact; in `path` and `name` what is not UTF-8 is
/// replaced. `size` is in bytes, of files only; `modified` is UTC (RFC 3339), and absent from mount points.
#[derive(Template, Serialize)]
#[template(path = "listing.html")]
struct Listing {
    path: String,
    entries: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    href: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
}

impl Listing {
    fn new(path: &[u8], entries: &[Entry]) -> Listing {
        Listing {
            path: String::from_utf8_lossy(path).into_owned(),
            entries: entries.iter().map(Row::new).collect(),
        }
    }

    fn render(&self, form: Form) -> Result<Vec<u8>, Reject> {
        match form {
            Form::Page => {
                let page = Template::render(self).map_err(std::io::Error::other)?;
                Ok(page.into_bytes())
            }
            Form::Json => Ok(serde_json::to_vec(self).map_err(std::io::Error::from)?),
        }
    }
}

impl Row {
    fn new(entry: &Entry) -> Row {
        let mut href = path::encode(&entry.name);
        let (kind, size) = match entry.kind {
            Kind::File(length) => ("file", Some(length)),
            Kind::Directory => {
                href.push('/');
                ("directory", None)
            }
        };
        Row {
            name: String::from_utf8_lossy(&entry.name).into_owned(),
            href,
            kind,
            size,
            modified: entry.modified.map(date::rfc3339),
        }
    }

    /// For the page: `3.0 MB`.
    fn shown_size(&self) -> String {
        self.size.map(shown_size).unwrap_or_default()
    }

    /// For the page: day, hour and minute.
    fn shown_date(&self) -> String {
        let date = self.modified.as_deref().unwrap_or_default();
        let (day, time) = date.split_once('T').unwrap_or_default();
        format!("{day} {}", time.get(..5).unwrap_or_default())
    }
}

/// In units of 1000, as GPAC's listing has them, with one digit behind the point where it says something.
fn shown_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, rounded.
    let mut tenths = (u128::from(bytes) + 50) / 100;
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"");
    // 9995 tenths would be shown as 1000.
    while tenths >= 9995
        && let Some(larger) = units.next()
    {
        unit = larger;
        tenths = (tenths + 500) / 1000;
    }
    match tenths {
        0..100 => format!("{}.{} {unit}", tenths / 10, tenths % 10),
        _ => format!("{} {unit}", (tenths + 5) / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1960, "2.0 kB"),
            (12_345, "12 kB"),
            (999_449, "999 kB"),
            (999_450, "1.0 MB"),
            (3_000_000, "3.0 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(shown_size(bytes), shown);
        }
    }

    #[test]
    fn names_are_escaped_in_the_page_and_encoded_in_links() {
        let entries = [Entry {
            name: b"<b>&\"\xff".as_slice().into(),
            kind: Kind::Directory,
            modified: None,
        }];
        let listing = Listing::new(b"/<i>/", &entries);
        let page = listing.render(Form::Page).expect("is rendered");
        let page = String::from_utf8(page).expect("is text");
        assert!(!page.contains("<i>") && !page.contains("<b>"), "{page}");
        assert!(page.contains("href=\"%3Cb%3E%26%22%FF/\""), "{page}");
        let json = listing.render(Form::Json).expect("is rendered");
        assert_eq!(
            String::from_utf8(json).expect("is text"),
            r#"{"path":"/<i>/","entries":[{"name":"<b>&\"�","href":"%3Cb%3E%26%22%FF/","kind":"directory"}]}"#
        );
    }
}
