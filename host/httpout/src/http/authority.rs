//! Host and port of a URL.

use ::http::Uri;

/// Whether something stands where the port does that is none. `Uri` says of it only that there is no port.
pub(crate) fn has_wrong_port(url: &Uri) -> bool {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let behind = authority.rsplit(['@', ']']).next().unwrap_or(authority);
    let port = behind.rsplit_once(':').map_or("", |(_, port)| port);
    !port.is_empty() && port.parse::<u16>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

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
