//! Host and port of a URL, and what stands before them.

use std::borrow::Cow;

use ::http::Uri;

/// Whether something stands where the port does that is none. `Uri` says of it only that there is no port.
pub(crate) fn has_wrong_port(url: &Uri) -> bool {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let behind = authority.rsplit(['@', ']']).next().unwrap_or(authority);
    let port = behind.rsplit_once(':').map_or("", |(_, port)| port);
    !port.is_empty() && port.parse::<u16>().is_err()
}

/// A URL without name and password, as it may be shown.
pub(crate) fn without_credentials(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.into();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}").into(),
        None => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_not_shown() {
        for (url, expected) in [
            ("http://u:w@a:80/b@c?d", "http://a:80/b@c?d"),
            ("https://u@w@a", "https://a"),
            ("http://a/b@c", "http://a/b@c"),
            ("film@home.ts", "film@home.ts"),
        ] {
            assert_eq!(without_credentials(url), expected);
        }
    }

    #[test]
    fn only_what_is_no_port_is_wrong() {
        for (url, expected) in [
            ("http://a/b:c", false),
            ("http://a:/b", false),
            ("http://a:80/b", false),
            ("http://u:word@a/b", false),
            ("http://[::1]/b", false),
            ("http://[::1]:8080/b", false),
            ("http://a:99999/b", true),
            ("http://[::1]:65536/b", true),
        ] {
            let url: Uri = url.parse().expect("is a URL");
            assert_eq!(has_wrong_port(&url), expected, "{url}");
        }
    }
}
