//! The path of a request target: decoded and normalized, once, for all who decide by it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::error::Reject;

/// Decodes and normalizes the path of a target (RFC 3986 2.1, 5.2.4).
///
/// The result is `/` or names each behind one `/`, with a `/` at the end where the target names a directory. Encoded
/// slashes separate names like plain ones. Bytes need not be UTF-8. `*`, the server itself (RFC 9110 9.3.7), stays.
///
/// # Errors
/// 400 for a `%` that no two hexadecimal digits follow and for NUL; 404 where `..` would leave the root.
pub(crate) fn normalize(path: &str) -> Result<Vec<u8>, Reject> {
    if path == "*" || is_plain(path) {
        return Ok(path.as_bytes().to_vec());
    }
    if !well_encoded(path.as_bytes()) {
        return Err(Reject::BadRequest("the target holds a malformed % escape"));
    }
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    if decoded.contains(&0) {
        return Err(Reject::BadRequest("the target holds a NUL byte"));
    }
    remove_dot_segments(&decoded)
}

/// Normalizes a path that is decoded already, such as one that a plugin gives. A leading slash may be missing.
///
/// # Errors
/// 400 for NUL; 404 where `..` would leave the root.
pub(crate) fn normalize_decoded(path: &str) -> Result<Vec<u8>, Reject> {
    if path.contains('\0') {
        return Err(Reject::BadRequest("the path holds a NUL byte"));
    }
    remove_dot_segments(path.as_bytes())
}

/// Encodes a path for a link or a field: what is unreserved stays (RFC 3986 2.3), and so do the slashes.
pub(crate) fn encode(path: &[u8]) -> String {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/');
    percent_encode(path, ENCODED).to_string()
}

/// Whether there is nothing to decode or to remove: the usual case.
fn is_plain(path: &str) -> bool {
    let bytes = path.as_bytes();
    let special = |pair: &[u8]| pair[0] == b'/' && matches!(pair[1], b'/' | b'.');
    bytes.first() == Some(&b'/') && !bytes.contains(&b'%') && !bytes.windows(2).any(special)
}

fn well_encoded(path: &[u8]) -> bool {
    let mut escapes = path.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    escapes.all(|(at, _)| {
        let digits = path.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn remove_dot_segments(path: &[u8]) -> Result<Vec<u8>, Reject> {
    let mut names: Vec<&[u8]> = Vec::new();
    let mut is_directory = true;
    for segment in path.split(|&byte| byte == b'/') {
        is_directory = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => {
                names.pop().ok_or(Reject::NotFound)?;
            }
            name => names.push(name),
        }
    }
    let mut normal = Vec::with_capacity(path.len() + 1);
    for name in &names {
        normal.push(b'/');
        normal.extend_from_slice(name);
    }
    if is_directory || names.is_empty() {
        normal.push(b'/');
    }
    Ok(normal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(path: &str) -> Option<String> {
        let path = normalize(path).ok()?;
        Some(String::from_utf8_lossy(&path).into_owned())
    }

    #[test]
    fn plain_paths_stay() {
        for path in ["/", "/a", "/a/b.txt", "/a/", "/a.b/c..d"] {
            assert_eq!(normal(path).as_deref(), Some(path));
        }
    }

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(normal("/a%20b").as_deref(), Some("/a b"));
        assert_eq!(normal("/%2541").as_deref(), Some("/%41"));
        assert_eq!(normal("/a%2Fb").as_deref(), Some("/a/b"));
        assert_eq!(normal("/a+b").as_deref(), Some("/a+b"));
        assert_eq!(normalize("/%ff").ok(), Some(b"/\xff".to_vec()));
    }

    #[test]
    fn a_decoded_path_is_not_decoded_again() {
        let normal = |path| normalize_decoded(path).ok();
        assert_eq!(normal("/a/%2e%2e/b"), Some(b"/a/%2e%2e/b".to_vec()));
        assert_eq!(normal("a/./b"), Some(b"/a/b".to_vec()));
        assert_eq!(normal("../a"), None);
        assert_eq!(normal("a\0"), None);
    }

    #[test]
    fn dot_segments_and_empty_names_go() {
        for (path, expected) in [
            ("//x", "/x"),
            ("/./x", "/x"),
            ("/sub/../x", "/x"),
            ("/sub/..", "/"),
            ("/sub/.", "/sub/"),
            ("/a//b/", "/a/b/"),
            ("/%2e/x", "/x"),
            ("/.hidden", "/.hidden"),
            ("/...", "/..."),
        ] {
            assert_eq!(normal(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn leaving_the_root_is_not_found() {
        for path in [
            "/..",
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/a/%2e%2e%2f../x",
        ] {
            assert!(matches!(normalize(path), Err(Reject::NotFound)), "{path}");
        }
    }

    #[test]
    fn malformed_escapes_and_nul_are_bad_requests() {
        for path in ["/%", "/%4", "/%zz", "/a%00b"] {
            let refused = matches!(normalize(path), Err(Reject::BadRequest(_)));
            assert!(refused, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_comes_out_is_normal(path in "(/|\\.|%2e|%2f|%25|a|b|é){0,12}") {
            if let Ok(normal) = normalize(&format!("/{path}")) {
                prop_assert_eq!(normal.first(), Some(&b'/'));
                let names: Vec<&[u8]> = normal[1..].split(|&byte| byte == b'/').collect();
                let (last, inner) = names.split_last().expect("split gives one");
                prop_assert!(inner.iter().all(|name| !matches!(*name, b"" | b"." | b"..")));
                prop_assert!(!matches!(*last, b"." | b".."));
            }
        }
    }
}
