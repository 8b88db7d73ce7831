//! Byte ranges of a GET (RFC 9110 14; documents: httpout, several ranges give one body).

use ::http::HeaderValue;

/// The most ranges that one request may ask for.
pub(crate) const MOST_RANGES: usize = 64;

/// What a `Range` field asks of a representation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    /// The whole representation: the field is absent, has another unit, or is not understood (RFC 9110 14.2).
    Whole,
    /// These parts, in the order asked.
    Parts(Vec<Part>),
    /// Nothing of it, or too much.
    Unsatisfiable,
}

/// Bytes `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Part {
    /// In bytes, at least 1.
    pub(crate) fn length(self) -> u64 {
        self.last - self.first + 1
    }
}

/// Decides what a field value asks of a representation of `length` bytes.
///
/// Both `bytes=0-4,10-14` and GPAC's `bytes=0-4, bytes=10-14` are understood. Ranges may overlap; so that a request is
/// no amplifier, more than 64 ranges, or more than twice the representation in all, are unsatisfiable.
pub(crate) fn check(value: &[u8], length: u64) -> Ranges {
    let Some(specs) = parse(value) else {
        return Ranges::Whole;
    };
    if specs.len() > MOST_RANGES {
        return Ranges::Unsatisfiable;
    }
    let parts: Vec<Part> = specs.iter().filter_map(|spec| spec.of(length)).collect();
    let total: u128 = parts.iter().map(|part| u128::from(part.length())).sum();
    if parts.is_empty() || total > 2 * u128::from(length) {
        return Ranges::Unsatisfiable;
    }
    Ranges::Parts(parts)
}

/// What a `Range` field asks of a representation that grows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Growing {
    /// All of it, up to its end: also `0-`, as players ask of what is live.
    Whole,
    /// These parts of what is there by now.
    Parts(Vec<Part>),
    /// This part, as soon as it is there. A last position that is very large stands for the end (RFC 8673).
    Awaited(Part),
    /// Nothing of it, or too much.
    Unsatisfiable,
}

/// The last position that stands for the end of what grows (RFC 8673).
const FOLLOWS: u64 = (1 << 53) - 1;

/// Decides what a field value asks of a representation that is `length` bytes long by now.
pub(crate) fn check_growing(value: &[u8], length: u64) -> Growing {
    match parse(value).as_deref() {
        Some(&[Spec::From { first, last }]) if (first, last) == (0, None) => Growing::Whole,
        // What comes next: players ask so for a part that a playlist hints at.
        Some(&[Spec::From { first, last: None }]) if first == length => Growing::Awaited(Part {
            first,
            last: FOLLOWS,
        }),
        Some(
            &[
                Spec::From {
                    first,
                    last: Some(last),
                },
            ],
        ) => Growing::Awaited(Part { first, last }),
        _ => match check(value, length) {
            Ranges::Parts(parts) => Growing::Parts(parts),
            Ranges::Whole => Growing::Whole,
            Ranges::Unsatisfiable => Growing::Unsatisfiable,
        },
    }
}

/// One range as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spec {
    From { first: u64, last: Option<u64> },
    Suffix(u64),
}

impl Spec {
    /// The bytes of a representation that it names, clamped to its end.
    fn of(self, length: u64) -> Option<Part> {
        let (first, last) = match self {
            Spec::From { first, last } => (first, last.unwrap_or(u64::MAX)),
            Spec::Suffix(0) => return None,
            Spec::Suffix(count) => (length.saturating_sub(count), u64::MAX),
        };
        let last = last.min(length.checked_sub(1)?);
        (first <= last).then_some(Part { first, last })
    }
}

/// The ranges of a field; none where it has another unit or is not understood.
pub(crate) fn parse(value: &[u8]) -> Option<Vec<Spec>> {
    let text = std::str::from_utf8(value).ok()?;
    let set = strip_unit(text.trim())?;
    let items = set
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let specs: Option<Vec<Spec>> = items.map(parse_item).collect();
    specs.filter(|specs| !specs.is_empty())
}

fn parse_item(item: &str) -> Option<Spec> {
    let item = strip_unit(item).unwrap_or(item);
    let (first, last) = item.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", count) => Some(Spec::Suffix(number(count)?)),
        (first, "") => Some(Spec::From {
            first: number(first)?,
            last: None,
        }),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::From {
                first,
                last: Some(last),
            })
        }
    }
}

fn strip_unit(text: &str) -> Option<&str> {
    let (unit, rest) = text.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(rest)
}

/// The value of `Content-Range`: several parts are one body (documents: httpout). The length is that of the whole, where
/// it is known.
pub(crate) fn content_range(parts: &[Part], length: Option<u64>) -> HeaderValue {
    let spans = parts
        .iter()
        .map(|part| format!("{}-{}", part.first, part.last));
    let spans = spans.collect::<Vec<_>>().join(",");
    let length = length.map_or_else(|| "*".to_owned(), |length| length.to_string());
    HeaderValue::try_from(format!("bytes {spans}/{length}")).expect("digits and separators")
}

/// Digits only; a number beyond 64 bits is as good as the largest.
pub(crate) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(value: &str, length: u64) -> Vec<(u64, u64)> {
        match check(value.as_bytes(), length) {
            Ranges::Parts(parts) => parts.iter().map(|part| (part.first, part.last)).collect(),
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn single_ranges_are_clamped_to_the_end() {
        assert_eq!(parts("bytes=0-0", 10), [(0, 0)]);
        assert_eq!(parts("bytes=2-", 10), [(2, 9)]);
        assert_eq!(parts("bytes=-3", 10), [(7, 9)]);
        assert_eq!(parts("bytes=-30", 10), [(0, 9)]);
        assert_eq!(parts("bytes=5-99999999999999999999999", 10), [(5, 9)]);
        assert_eq!(parts("BYTES=1-2", 10), [(1, 2)]);
    }

    #[test]
    fn several_ranges_keep_their_order_in_both_spellings() {
        assert_eq!(parts("bytes=10-14,0-4", 380), [(10, 14), (0, 4)]);
        assert_eq!(parts("bytes=0-4, bytes=10-14", 380), [(0, 4), (10, 14)]);
        assert_eq!(parts("bytes=0-4,500-600", 380), [(0, 4)]);
        assert_eq!(parts("bytes=0-9,5-9", 10), [(0, 9), (5, 9)]);
    }

    #[test]
    fn what_is_not_understood_asks_for_the_whole() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=a-b",
            "bytes=4-2",
            "items=0-4",
            "bytes=-",
            "bytes=+1-2",
            "bytes=0-4;",
        ] {
            assert_eq!(check(value.as_bytes(), 10), Ranges::Whole, "{value}");
        }
    }

    #[test]
    fn what_lies_beyond_the_end_or_amplifies_is_unsatisfiable() {
        for value in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=0-,0-,0-"] {
            assert_eq!(
                check(value.as_bytes(), 10),
                Ranges::Unsatisfiable,
                "{value}"
            );
        }
        assert_eq!(check(b"bytes=0-", 0), Ranges::Unsatisfiable);
        let many = format!("bytes={}", vec!["0-0"; 65].join(","));
        assert_eq!(check(many.as_bytes(), 1000), Ranges::Unsatisfiable);
    }

    #[test]
    fn what_grows_is_awaited_or_followed() {
        assert_eq!(check_growing(b"bytes=0-", 5), Growing::Whole);
        assert_eq!(check_growing(b"items=0-1", 5), Growing::Whole);
        let part = |first, last| Part { first, last };
        assert_eq!(check_growing(b"bytes=2-9", 5), Growing::Awaited(part(2, 9)));
        assert_eq!(
            check_growing(b"bytes=2-", 5),
            Growing::Parts(vec![part(2, 4)])
        );
        assert_eq!(
            check_growing(b"bytes=-2", 5),
            Growing::Parts(vec![part(3, 4)])
        );
        let next = part(5, 9_007_199_254_740_991);
        assert_eq!(check_growing(b"bytes=5-", 5), Growing::Awaited(next));
        assert_eq!(check_growing(b"bytes=6-", 5), Growing::Unsatisfiable);
    }

    #[test]
    fn several_parts_are_one_field() {
        let part = |first, last| Part { first, last };
        assert_eq!(content_range(&[part(0, 4)], Some(9)), "bytes 0-4/9");
        let several = [part(0, 4), part(7, 7)];
        assert_eq!(content_range(&several, None), "bytes 0-4,7-7/*");
    }

    proptest! {
        #[test]
        fn parts_lie_inside(value in "bytes=([0-9]{0,3}-[0-9]{0,3},?){1,5}", length in 0_u64..500) {
            if let Ranges::Parts(parts) = check(value.as_bytes(), length) {
                prop_assert!(parts.iter().all(|part| part.first <= part.last && part.last < length));
            }
        }
    }
}
