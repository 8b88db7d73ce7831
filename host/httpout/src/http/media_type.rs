//! Content-Type by file name extension.

use ::http::HeaderValue;

/// Media of streaming, and text as UTF-8, where the common table says less or something else.
const OWN: &[(&str, &str)] = &[
    ("aac", "audio/aac"),
    ("cmfa", "audio/mp4"),
    ("cmft", "application/mp4"),
    ("cmfv", "video/mp4"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("flac", "audio/flac"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"),
    ("opus", "audio/ogg"),
    ("srt", "application/x-subrip"),
    ("ts", "video/mp2t"),
    ("ttml", "application/ttml+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("xml", "application/xml"),
];

/// The type of a file by its name, `application/octet-stream` where it says nothing.
pub(crate) fn of(path: &[u8]) -> HeaderValue {
    HeaderValue::from_static(by_extension(path).unwrap_or("application/octet-stream"))
}

fn by_extension(path: &[u8]) -> Option<&'static str> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    let extension = std::str::from_utf8(&name[dot + 1..])
        .ok()?
        .to_ascii_lowercase();
    match OWN.binary_search_by(|(known, _)| (*known).cmp(&extension)) {
        Ok(found) => Some(OWN[found].1),
        Err(_) => mime_guess::from_ext(&extension).first_raw(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_table_is_sorted_for_its_search() {
        assert!(OWN.is_sorted_by_key(|(extension, _)| *extension));
    }

    #[test]
    fn types_follow_the_last_extension_in_any_case() {
        assert_eq!(of(b"/live/a.MPD"), "application/dash+xml");
        assert_eq!(of(b"/a.tar.gz"), "application/gzip");
        assert_eq!(of(b"/x.y/README"), "application/octet-stream");
        assert_eq!(of(b"/x.html/\xff"), "application/octet-stream");
        assert_eq!(of(b"/page.html"), "text/html; charset=utf-8");
        assert_eq!(of(b"/logo.png"), "image/png");
    }
}
