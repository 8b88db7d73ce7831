//! Which media type a client prefers (RFC 9110 12.5.1).

use ::http::{HeaderMap, header};

use crate::http::negotiate::{BEST, preferences};

/// The weight that `Accept` gives to a media type, in thousandths: that of the closest range which holds it.
/// 0 is not acceptable; without the field everything is equally good.
pub(crate) fn weight(fields: &HeaderMap, media_type: &str) -> u16 {
    let Some(ranges) = preferences(fields, &header::ACCEPT) else {
        return BEST;
    };
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    let of = |wanted: &str| {
        let fitting = ranges.iter().filter(|(range, _)| range == wanted);
        fitting.map(|(_, weight)| *weight).max()
    };
    of(media_type)
        .or_else(|| of(&format!("{kind}/*")))
        .or_else(|| of("*/*"))
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
