//! Which media type a client prefers (RFC 9110 12.5.1).

use ::http::{HeaderMap, header};

use crate::http::negotiate::{BEST, preferences};

/// The weight that `Accept` gives to a media type, in thousandths: that of the closest range which holds it.
/// 0 is not acceptable; without the field everything is equally good.
pub(crate) fn weight(fields: &HeaderMap, media_type: &str) -> u16 {
    if !fields.contains_key(header::ACCEPT) {
        return BEST;
    }
    let (kind, subtype) = media_type.split_once('/').unwrap_or((media_type, ""));
    let of = |kind: &str, subtype: &str| {
        let is_meant = |range: &str| {
            let parts = range.split_once('/');
            parts.is_some_and(|(first, second)| {
                first.eq_ignore_ascii_case(kind) && second.eq_ignore_ascii_case(subtype)
            })
        };
        let ranges = preferences(fields, &header::ACCEPT);
        let fitting = ranges.filter(|(range, _)| is_meant(range));
        fitting.map(|(_, weight)| weight).max()
    };
    of(kind, subtype)
        .or_else(|| of(kind, "*"))
        .or_else(|| of("*", "*"))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_range_counts() {
        for (accept, json, html) in [
            ("application/json", 1000, 0),
            ("*/*", 1000, 1000),
            ("text/html, */*;q=0.5", 500, 1000),
            ("application/*;q=0.9, text/*;q=0.2, */*;q=0", 900, 200),
            ("application/json;q=0, */*", 0, 1000),
            ("Text/HTML;charset=utf-8;q=0.3, image/png", 0, 300),
            ("", 0, 0),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(header::ACCEPT, accept.parse().expect("is legal"));
            let weights = (
                weight(&fields, "application/json"),
                weight(&fields, "text/html"),
            );
            assert_eq!(weights, (json, html), "{accept}");
        }
        assert_eq!(weight(&HeaderMap::new(), "text/html"), BEST);
    }
}
