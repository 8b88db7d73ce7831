//! Where the body of a PUT or POST goes: the whole, or parts of what is there (documents: httpout, partial PUT; RFC 9110
//! 14.5 allows `Content-Range` for that).

use ::http::{HeaderMap, HeaderName, header};

use crate::error::Reject;
use crate::http::range::{self, MOST_RANGES, Spec};

/// Where bytes of the body go: from a position on, as many as there are, or all that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) position: u64,
    /// In bytes.
    pub(crate) length: Option<u64>,
}

/// The ranges that a request writes; none where it writes the whole.
///
/// # Errors
/// 400 for what is not understood: unlike that of a GET, such a field must not be ignored.
pub(crate) fn parse(fields: &HeaderMap) -> Result<Option<Vec<Spec>>, Reject> {
    let range = single(fields, &header::RANGE)?;
    let content_range = single(fields, &header::CONTENT_RANGE)?;
    match (range, content_range) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Reject::BadRequest("both Range and Content-Range are given")),
        (Some(value), None) => match range::parse(value) {
            Some(specs) if specs.len() > MOST_RANGES => {
                Err(Reject::BadRequest("the Range has too many parts"))
            }
            Some(specs) => Ok(Some(specs)),
            None => Err(Reject::BadRequest("the Range is not understood")),
        },
        (None, Some(value)) => parse_content_range(value)
            .map(|spec| Some(vec![spec]))
            .ok_or(Reject::BadRequest("the Content-Range is not understood")),
    }
}

/// Where the parts of the body go in a file of `length` bytes. A range may make the file longer if it begins at its
/// end or before.
///
/// # Errors
/// 416 for a range that cannot be written, 400 for a body whose length is known and is not that of the ranges.
pub(crate) fn plan(specs: &[Spec], length: u64, body: Option<u64>) -> Result<Vec<Span>, Reject> {
    let mut end = length;
    let mut spans = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let span = match *spec {
            Spec::From { first, last } if first <= end => Span {
                position: first,
                length: last.map(|last| last.saturating_sub(first).saturating_add(1)),
            },
            Spec::Suffix(count) if count > 0 => Span {
                position: length.saturating_sub(count),
                length: Some(count.min(length)),
            },
            _ => return Err(Reject::RangeNotSatisfiable { length }),
        };
        if span.length.is_none() && index + 1 < specs.len() {
            return Err(Reject::BadRequest("only the last range can be open"));
        }
        let span_end = span.position.saturating_add(span.length.unwrap_or(0));
        end = end.max(span_end);
        spans.push(span);
    }
    let known: u64 = spans
        .iter()
        .fold(0, |sum, span| sum.saturating_add(span.length.unwrap_or(0)));
    let is_open = spans.last().is_some_and(|span| span.length.is_none());
    match body {
        Some(body) if body < known || (body > known && !is_open) => Err(Reject::BadRequest(
            "the body has not the length of the ranges",
        )),
        _ => Ok(spans),
    }
}

fn single<'a>(fields: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Reject> {
    let mut values = fields.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Reject::BadRequest("a range field is given twice")),
        (value, None) => Ok(value.map(|value| value.as_bytes())),
    }
}

/// `bytes 0-499/1234`, or `*` for the length of the whole.
fn parse_content_range(value: &[u8]) -> Option<Spec> {
    let text = std::str::from_utf8(value).ok()?;
    let (unit, rest) = text.trim().split_once(' ')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (range, whole) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (range::number(first)?, range::number(last)?);
    let is_inside = match whole {
        "*" => true,
        whole => last < range::number(whole)?,
    };
    let last = Some(last).filter(|last| first <= *last && *last < u64::MAX && is_inside)?;
    Some(Spec::From {
        first,
        last: Some(last),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans(
        name: HeaderName,
        value: &str,
        length: u64,
        body: Option<u64>,
    ) -> Result<Vec<(u64, Option<u64>)>, u16> {
        let mut fields = HeaderMap::new();
        fields.insert(name, value.parse().expect("is legal"));
        let specs = parse(&fields).map_err(|reject| reject.status().as_u16())?;
        let spans = plan(&specs.expect("is given"), length, body);
        let spans = spans.map_err(|reject| reject.status().as_u16())?;
        Ok(spans
            .iter()
            .map(|span| (span.position, span.length))
            .collect())
    }

    #[test]
    fn ranges_are_positions_to_write() {
        let range = |value, body| spans(header::RANGE, value, 10, body);
        assert_eq!(range("bytes=2-3", Some(2)), Ok(vec![(2, Some(2))]));
        assert_eq!(
            range("bytes=0-0, bytes=4-5", Some(3)),
            Ok(vec![(0, Some(1)), (4, Some(2))])
        );
        assert_eq!(range("bytes=4-", None), Ok(vec![(4, None)]));
        assert_eq!(range("bytes=-3", Some(3)), Ok(vec![(7, Some(3))]));
        // It may extend the file from its end, also from the one that an earlier range has made.
        assert_eq!(range("bytes=10-11", Some(2)), Ok(vec![(10, Some(2))]));
        assert_eq!(
            range("bytes=8-11,12-12", Some(5)),
            Ok(vec![(8, Some(4)), (12, Some(1))])
        );
        assert_eq!(range("bytes=11-12", Some(2)), Err(416));
        assert_eq!(range("bytes=-0", Some(0)), Err(416));
    }

    #[test]
    fn what_is_not_understood_or_does_not_match_is_refused() {
        let range = |value, body| spans(header::RANGE, value, 10, body);
        for value in ["bytes=a-b", "items=0-1", "bytes=", "bytes=3-2", "0-1"] {
            assert_eq!(range(value, Some(2)), Err(400), "{value}");
        }
        let [most, more] = [64, 65].map(|count| format!("bytes={}", vec!["0-0"; count].join(",")));
        assert!(range(&most, Some(64)).is_ok());
        assert_eq!(range(&more, Some(65)), Err(400));
        assert_eq!(range("bytes=0-1", Some(3)), Err(400));
        assert_eq!(range("bytes=0-,2-3", Some(3)), Err(400));
        assert_eq!(range("bytes=0-3,8-", Some(3)), Err(400));
    }

    #[test]
    fn content_range_is_read_as_curl_sends_it() {
        let range = |value| spans(header::CONTENT_RANGE, value, 1000, None);
        let appended = Ok(vec![(1000, Some(2_999_000))]);
        assert_eq!(range("bytes 1000-2999999/3000000"), appended);
        assert_eq!(range("bytes 0-9/*"), Ok(vec![(0, Some(10))]));
        assert_eq!(range("bytes 1001-1002/*"), Err(416));
        for value in [
            "bytes */100",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "bytes 0-1",
            "bytes=0-1/2",
            "lines 0-1/2",
        ] {
            assert_eq!(range(value), Err(400), "{value}");
        }
    }

    proptest! {
        #[test]
        fn spans_leave_no_hole(value in "bytes=([0-9]{0,3}-[0-9]{0,3},?){1,5}", length in 0_u64..500) {
            if let Ok(spans) = spans(header::RANGE, &value, length, None) {
                let mut end = length;
                for (position, length) in spans {
                    prop_assert!(position <= end);
                    end = end.max(position + length.unwrap_or(0));
                }
            }
        }
    }
}
