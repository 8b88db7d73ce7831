//! What a client prefers (RFC 9110 12.4, 12.5).

use ::http::{HeaderMap, HeaderName};

/// The weight of what a client likes best, in thousandths; 0 is not acceptable.
pub(crate) const BEST: u16 = 1000;

/// The items of a list with weights, such as `Accept-Encoding`: each in lower case with its weight in thousandths.
/// None where there is no such field. An item whose weight is malformed counts as not acceptable.
pub(crate) fn preferences(fields: &HeaderMap, name: &HeaderName) -> Option<Vec<(String, u16)>> {
    let mut values = fields.get_all(name).iter().peekable();
    values.peek()?;
    let mut items = Vec::new();
    for value in values {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        for item in text.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let Some(token) = parts.next().filter(|token| !token.is_empty()) else {
                continue;
            };
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            items.push((token.to_owned(), weight.map_or(BEST, thousandths)));
        }
    }
    Some(items)
}

/// `0.7` is 700.
fn thousandths(weight: &str) -> u16 {
    let (whole, rest) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits) {
        ("1", true) if rest.bytes().all(|byte| byte == b'0') => BEST,
        ("0", true) => format!("{rest:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::header::ACCEPT;

    #[test]
    fn weights_are_read_in_thousandths() {
        let mut fields = HeaderMap::new();
        assert_eq!(preferences(&fields, &ACCEPT), None);
        fields.append(
            ACCEPT,
            "A;q=0.7, b ; q=1.000,,c;q=1.1".parse().expect("is legal"),
        );
        fields.append(ACCEPT, "d;level=1;q=0, e".parse().expect("is legal"));
        let item = |name: &str, weight| (name.to_owned(), weight);
        let expected = vec![
            item("a", 700),
            item("b", 1000),
            item("c", 0),
            item("d", 0),
            item("e", 1000),
        ];
        assert_eq!(preferences(&fields, &ACCEPT), Some(expected));
    }
}
