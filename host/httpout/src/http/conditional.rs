//! Conditional requests (RFC 9110 13).

use std::time::SystemTime;

use ::http::{HeaderMap, HeaderName, Method, header};

use crate::http::negotiate::Coding;

/// What the conditions of a request say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on.
    Proceed,
    /// The client has it: 304.
    NotModified,
    /// 412.
    PreconditionFailed,
}

/// What conditions compare with: the selected representation's validators.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validators<'a> {
    /// A strong entity tag with its quotes.
    pub(crate) etag: &'a str,
    /// Whole seconds count.
    pub(crate) modified: SystemTime,
}

/// Evaluates the conditions in the order of RFC 9110 13.2.2, `If-Range` aside.
pub(crate) fn check(method: &Method, fields: &HeaderMap, current: Validators<'_>) -> Verdict {
    evaluate(method, fields, &[current.etag], current.modified)
}

/// The same for what a request is going to change; there may be no representation yet (RFC 9110 13.1). A client that has
/// read the file in a coding knows the tag of that.
pub(crate) fn check_write(
    method: &Method,
    fields: &HeaderMap,
    current: Option<Validators<'_>>,
) -> Verdict {
    match current {
        Some(current) => {
            let coded = Coding::ALL.map(|coding| coding.etag(current.etag));
            let [gzip, deflate] = &coded;
            evaluate(
                method,
                fields,
                &[current.etag, gzip, deflate],
                current.modified,
            )
        }
        // Nothing matches, neither `*` nor a tag; without a date there is nothing to compare.
        None if fields.contains_key(header::IF_MATCH) => Verdict::PreconditionFailed,
        None => Verdict::Proceed,
    }
}

/// Whether a `Range` field counts: there is no `If-Range`, or it names this representation (RFC 9110 13.1.5).
pub(crate) fn range_applies(fields: &HeaderMap, current: Validators<'_>) -> bool {
    let Some(value) = fields.get(header::IF_RANGE) else {
        return true;
    };
    if value.as_bytes().starts_with(b"\"") {
        return value.as_bytes() == current.etag.as_bytes();
    }
    // A date is a strong validator only where the file has not changed in the second that it names; we cannot know
    // that of a file changed within the last minute (RFC 9110 8.8.2.2).
    let settled = current
        .modified
        .elapsed()
        .is_ok_and(|age| age.as_secs() >= 60);
    let date = date(fields, &header::IF_RANGE);
    settled && date.is_some_and(|date| seconds(date) == seconds(current.modified))
}

/// Whether `If-None-Match` holds this tag itself; `*` names none.
pub(crate) fn is_named(fields: &HeaderMap, etag: &str) -> bool {
    let values = fields.get_all(header::IF_NONE_MATCH);
    values.iter().any(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        tags(&text).any(|(_, tag)| tag == etag)
    })
}

/// `etags` are all that stand for the content.
fn evaluate(method: &Method, fields: &HeaderMap, etags: &[&str], modified: SystemTime) -> Verdict {
    if let Some(matches) = any_tag(fields, &header::IF_MATCH, etags, Comparison::Strong) {
        if !matches {
            return Verdict::PreconditionFailed;
        }
    } else if let Some(date) = date(fields, &header::IF_UNMODIFIED_SINCE)
        && newer(modified, date)
    {
        return Verdict::PreconditionFailed;
    }
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if let Some(matches) = any_tag(fields, &header::IF_NONE_MATCH, etags, Comparison::Weak) {
        return match (matches, reads) {
            (false, _) => Verdict::Proceed,
            (true, true) => Verdict::NotModified,
            (true, false) => Verdict::PreconditionFailed,
        };
    }
    match date(fields, &header::IF_MODIFIED_SINCE) {
        Some(date) if reads && !newer(modified, date) => Verdict::NotModified,
        _ => Verdict::Proceed,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether one of the tags of a field matches; none where there is no such field.
fn any_tag(
    fields: &HeaderMap,
    name: &HeaderName,
    etags: &[&str],
    comparison: Comparison,
) -> Option<bool> {
    let mut values = fields.get_all(name).iter().peekable();
    values.peek()?;
    Some(values.any(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.trim() == "*"
            || tags(&text).any(|(weak, tag)| {
                etags.contains(&tag) && (comparison == Comparison::Weak || !weak)
            })
    }))
}

/// The entity tags of a list, each with its quotes, and whether it is weak. A comma may stand inside the quotes.
fn tags(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find('"')?;
        let length = rest[start + 1..].find('"')? + 2;
        let weak = rest[..start].ends_with("W/");
        let tag = &rest[start..start + length];
        rest = &rest[start + length..];
        Some((weak, tag))
    })
}

fn date(fields: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(fields.get(name)?.to_str().ok()?).ok()
}

fn newer(modified: SystemTime, date: SystemTime) -> bool {
    seconds(modified) > seconds(date)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn verdict(method: Method, fields: &[(HeaderName, &str)]) -> Verdict {
        check(&method, &map(fields), current())
    }

    fn map(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let parsed = fields
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().expect("a legal value")));
        parsed.collect()
    }

    fn current() -> Validators<'static> {
        Validators {
            etag: "\"a,b\"",
            modified: SystemTime::UNIX_EPOCH + Duration::from_millis(784_111_777_500),
        }
    }

    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn if_none_match_compares_weakly_in_lists() {
        for value in ["\"a,b\"", "W/\"a,b\"", "\"x\", \"a,b\"", "*"] {
            let fields = [(header::IF_NONE_MATCH, value)];
            assert_eq!(
                verdict(Method::GET, &fields),
                Verdict::NotModified,
                "{value}"
            );
            assert_eq!(
                verdict(Method::PUT, &fields),
                Verdict::PreconditionFailed,
                "{value}"
            );
        }
        for value in ["\"x\"", "a,b", ""] {
            let fields = [(header::IF_NONE_MATCH, value)];
            assert_eq!(verdict(Method::GET, &fields), Verdict::Proceed, "{value}");
        }
    }

    #[test]
    fn a_tag_is_named_by_itself_only() {
        let named = |value| is_named(&map(&[(header::IF_NONE_MATCH, value)]), "\"a,b\"");
        assert!(named("\"x\", W/\"a,b\"") && !named("*") && !named("\"x\""));
        assert!(!is_named(&HeaderMap::new(), "\"a,b\""));
    }

    #[test]
    fn if_none_match_wins_over_the_date() {
        let fields = [
            (header::IF_NONE_MATCH, "\"x\""),
            (header::IF_MODIFIED_SINCE, SAME),
        ];
        assert_eq!(verdict(Method::GET, &fields), Verdict::Proceed);
    }

    #[test]
    fn dates_count_in_whole_seconds() {
        let since = |date| verdict(Method::GET, &[(header::IF_MODIFIED_SINCE, date)]);
        assert_eq!(since(SAME), Verdict::NotModified);
        assert_eq!(since(EARLIER), Verdict::Proceed);
        assert_eq!(since("yesterday"), Verdict::Proceed);
        let unmodified = |date| verdict(Method::GET, &[(header::IF_UNMODIFIED_SINCE, date)]);
        assert_eq!(unmodified(SAME), Verdict::Proceed);
        assert_eq!(unmodified(EARLIER), Verdict::PreconditionFailed);
    }

    #[test]
    fn if_match_compares_strongly() {
        let with = |value| verdict(Method::GET, &[(header::IF_MATCH, value)]);
        assert_eq!(with("\"a,b\""), Verdict::Proceed);
        assert_eq!(with("*"), Verdict::Proceed);
        assert_eq!(with("W/\"a,b\""), Verdict::PreconditionFailed);
        assert_eq!(with("\"x\""), Verdict::PreconditionFailed);
    }

    #[test]
    fn what_is_not_there_matches_nothing() {
        let on_nothing = |name, value| check_write(&Method::PUT, &map(&[(name, value)]), None);
        assert_eq!(
            on_nothing(header::IF_MATCH, "*"),
            Verdict::PreconditionFailed
        );
        assert_eq!(on_nothing(header::IF_NONE_MATCH, "*"), Verdict::Proceed);
        assert_eq!(
            on_nothing(header::IF_UNMODIFIED_SINCE, SAME),
            Verdict::Proceed
        );
    }

    #[test]
    fn a_write_knows_the_tags_of_all_codings() {
        let put = |name, value| {
            let fields = map(&[(name, value)]);
            check_write(&Method::PUT, &fields, Some(current()))
        };
        for tag in ["\"a,b\"", "\"a,b-gzip\"", "\"x\", \"a,b-deflate\""] {
            assert_eq!(put(header::IF_MATCH, tag), Verdict::Proceed, "{tag}");
            let other = put(header::IF_NONE_MATCH, tag);
            assert_eq!(other, Verdict::PreconditionFailed, "{tag}");
        }
        for tag in ["\"a,b-br\"", "\"x-gzip\"", "W/\"a,b-gzip\""] {
            let verdict = put(header::IF_MATCH, tag);
            assert_eq!(verdict, Verdict::PreconditionFailed, "{tag}");
        }
        let read = verdict(Method::GET, &[(header::IF_MATCH, "\"a,b-gzip\"")]);
        assert_eq!(read, Verdict::PreconditionFailed);
    }

    #[test]
    fn if_range_takes_the_strong_tag_or_the_exact_date() {
        let applies = |value| range_applies(&map(&[(header::IF_RANGE, value)]), current());
        assert!(applies("\"a,b\"") && applies(SAME));
        assert!(!applies("W/\"a,b\"") && !applies("\"x\"") && !applies(EARLIER));
        assert!(range_applies(&HeaderMap::new(), current()));
    }
}
