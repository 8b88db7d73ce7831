//! What a client prefers (RFC 9110 12.4, 12.5).

use std::{iter, str};

use ::http::{HeaderMap, HeaderName, header};

/// A content coding that representations are offered in, beside none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    Gzip,
    /// The zlib format (RFC 9110 8.4.1.2).
    Deflate,
}

impl Coding {
    pub(crate) const ALL: [Coding; 2] = [Coding::Gzip, Coding::Deflate];

    /// As fields name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
        }
    }

    /// The entity tag of a content in this coding, by the one that it has without.
    pub(crate) fn etag(self, identity: &str) -> String {
        let inner = identity.strip_suffix('"').unwrap_or(identity);
        [inner, "-", self.name(), "\""].concat()
    }
}

/// The coding for a client by its `Accept-Encoding` (RFC 9110 12.5.3); none where it likes the content better as it is,
/// or says nothing.
pub(crate) fn coding(fields: &HeaderMap) -> Option<Coding> {
    let (mut gzip, mut deflate, mut identity, mut others) = (None, None, None, None);
    for (item, weight) in preferences(fields, &header::ACCEPT_ENCODING) {
        let is = |name: &str| item.eq_ignore_ascii_case(name);
        let place = if is("gzip") || is("x-gzip") {
            &mut gzip
        } else if is("deflate") {
            &mut deflate
        } else if is("identity") {
            &mut identity
        } else if is("*") {
            &mut others
        } else {
            continue;
        };
        // The first of equal names counts.
        place.get_or_insert(weight);
    }
    let others = others.unwrap_or(0);
    let (gzip, deflate) = (gzip.unwrap_or(others), deflate.unwrap_or(others));
    // Not named, it is acceptable, but liked less than anything that is.
    let identity = identity.unwrap_or(others);
    let (best, weight) = if gzip >= deflate {
        (Coding::Gzip, gzip)
    } else {
        (Coding::Deflate, deflate)
    };
    (weight > 0 && weight >= identity).then_some(best)
}

/// The weight of what a client likes best, in thousandths; 0 is not acceptable.
pub(crate) const BEST: u16 = 1000;

/// The items of a list with weights, such as `Accept-Encoding`: each with its weight in thousandths. Their case has no
/// meaning. An item whose weight is malformed counts as not acceptable.
pub(crate) fn preferences<'a>(
    fields: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = (&'a str, u16)> {
    let values = fields.get_all(name).into_iter();
    let items = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    items.filter_map(|item| {
        let mut parts = str::from_utf8(item).ok()?.split(';').map(str::trim);
        let token = parts.next().filter(|token| !token.is_empty())?;
        let weight =
            parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((token, weight.map_or(BEST, thousandths)))
    })
}

/// `0.7` is 700.
fn thousandths(weight: &str) -> u16 {
    let (whole, rest) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits) {
        ("1", true) if rest.bytes().all(|byte| byte == b'0') => BEST,
        ("0", true) => {
            let filled = rest.bytes().chain(iter::repeat(b'0')).take(3);
            filled.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;
    use ::http::header::{ACCEPT, ACCEPT_ENCODING};
    use proptest::prelude::*;

    fn coding_for(value: &[u8]) -> Option<Coding> {
        let value = HeaderValue::from_bytes(value).expect("is legal");
        coding(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)]))
    }

    #[test]
    fn the_coding_with_the_largest_weight_is_chosen() {
        assert_eq!(coding(&HeaderMap::new()), None);
        for (value, chosen) in [
            ("gzip", Some(Coding::Gzip)),
            ("X-GZip", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("deflate, gzip, br, zstd", Some(Coding::Gzip)),
            ("gzip;q=0.5, deflate;q=0.8", Some(Coding::Deflate)),
            ("br;q=1.0, gzip;q=0.001", Some(Coding::Gzip)),
            ("*", Some(Coding::Gzip)),
            ("gzip;q=0, *;q=0.1", Some(Coding::Deflate)),
            ("identity;q=0, deflate;q=0.1", Some(Coding::Deflate)),
            ("gzip;q=0.5, identity;q=0.5", Some(Coding::Gzip)),
            ("gzip;q=0.5, identity", None),
            ("identity;q=1, *;q=0", None),
            ("gzip;q=0.5, deflate;q=0.5, *", None),
            ("gzip;q=0", None),
            ("gzip;q=0, deflate;q=0.000", None),
            ("gzip;q=nonsense", None),
            ("identity;q=0", None),
            ("*;q=0", None),
            ("br, zstd", None),
            ("notgzip, gzipped", None),
            ("", None),
        ] {
            assert_eq!(coding_for(value.as_bytes()), chosen, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_value_has_an_answer(value in prop::collection::vec(0x20_u8..=0x7e, 0..60)) {
            coding_for(&value);
        }

        #[test]
        fn bytes_beyond_ascii_have_an_answer(value in prop::collection::vec(0x80_u8..=0xff, 0..20)) {
            prop_assert_eq!(coding_for(&value), None);
        }

        #[test]
        fn what_is_chosen_is_acceptable_and_liked_best(
            gzip in 0_u16..=1000, deflate in 0_u16..=1000, identity in 0_u16..=1000
        ) {
            let weight = |weight: u16| format!("{}.{:03}", weight / 1000, weight % 1000);
            let value = format!(
                "deflate;q={}, identity; q={} ,gzip ;q={}",
                weight(deflate), weight(identity), weight(gzip)
            );
            let best = gzip.max(deflate);
            let expected = match coding_for(value.as_bytes()) {
                Some(Coding::Gzip) => best > 0 && gzip == best && gzip >= identity,
                Some(Coding::Deflate) => best > gzip && deflate >= identity,
                None => best == 0 || identity > best,
            };
            prop_assert!(expected, "{value}");
        }
    }

    #[test]
    fn weights_are_read_in_thousandths() {
        let mut fields = HeaderMap::new();
        assert_eq!(preferences(&fields, &ACCEPT).next(), None);
        fields.append(
            ACCEPT,
            "A;Q=0.7, b ; q=1.000,,c;q=1.1".parse().expect("is legal"),
        );
        fields.append(ACCEPT, "d;level=1;q=0, e".parse().expect("is legal"));
        let expected = [("A", 700), ("b", 1000), ("c", 0), ("d", 0), ("e", 1000)];
        assert!(preferences(&fields, &ACCEPT).eq(expected));
    }
}
