//! Content-Type: by the extension of a name, else by the first bytes.

use std::str;

use ::http::HeaderValue;
use infer::MatcherType;

/// As many first bytes as tell a type.
pub(crate) const START: usize = 4 << 10;

const UNKNOWN: &str = "application/octet-stream";

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// Media of streaming, and text as UTF-8, where the common table says less or something else.
const OWN: &[(&str, &str)] = &[
    ("aac", "audio/aac"),
    ("ac3", "audio/ac3"),
    ("ac4", "audio/ac4"),
    ("ass", "text/x-ssa; charset=utf-8"), // not registered, as nothing is
    ("cmfa", "audio/mp4"),
    ("cmfm", "application/mp4"),
    ("cmft", "application/mp4"),
    ("cmfv", "video/mp4"),
    ("conf", PLAIN_TEXT),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("dfxp", "application/ttml+xml"),
    ("eac3", "audio/eac3"),
    ("ec3", "audio/eac3"),
    ("flac", "audio/flac"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ini", PLAIN_TEXT),
    ("ism", "application/vnd.ms-sstr+xml"),
    ("isma", "audio/mp4"),
    ("ismc", "application/vnd.ms-sstr+xml"),
    ("ismt", "application/mp4"),
    ("ismv", "video/mp4"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("log", PLAIN_TEXT),
    ("m2ts", "video/mp2t"),
    ("m3u", "audio/mpegurl"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"),
    ("md", "text/markdown; charset=utf-8"),
    ("mid", "audio/midi"),
    ("midi", "audio/midi"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mk3d", "video/matroska-3d"),
    ("mka", "audio/matroska"),
    ("mkv", "video/matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"),
    ("mts", "video/mp2t"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("srt", "application/x-subrip"), // not registered, as nothing is
    ("ssa", "text/x-ssa; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("ttml", "application/ttml+xml"),
    ("txt", PLAIN_TEXT),
    ("vtt", "text/vtt; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"), // registered as audio/vnd.wave, which browsers do not all know
    ("weba", "audio/webm"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
];

/// The type that the extension of a file's name says; none where there is no extension, or an unknown one.
pub(crate) fn by_name(path: &[u8]) -> Option<HeaderValue> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    let extension = str::from_utf8(&name[dot + 1..]).ok()?;
    by_extension(&extension.to_ascii_lowercase()).map(HeaderValue::from_static)
}

/// The type that the first bytes of a file show: media, images, fonts, archives, PDF or plain text.
///
/// Never a page or a script, so that a file without a name for it cannot become one.
pub(crate) fn by_content(start: &[u8]) -> HeaderValue {
    let start = &start[..start.len().min(START)];
    let known = infer::get(start).filter(|kind| {
        let harmless = [
            MatcherType::Archive,
            MatcherType::Audio,
            MatcherType::Font,
            MatcherType::Image,
            MatcherType::Video,
        ];
        harmless.contains(&kind.matcher_type()) && kind.extension() != "swf"
    });
    let of = |kind: infer::Type| by_extension(kind.extension()).unwrap_or(kind.mime_type());
    HeaderValue::from_static(match known {
        // It may begin with readable text.
        Some(kind) if kind.extension() == "pdf" => kind.mime_type(),
        // Two letters suffice for some types: a text may begin with them.
        _ if is_plain_text(start) => PLAIN_TEXT,
        Some(kind) => of(kind),
        None if is_transport_stream(start) => "video/mp2t",
        None => UNKNOWN,
    })
}

/// Whether the beginning of a file is UTF-8, and so the file may be; a character may be cut off at the end of a part.
pub(crate) fn is_utf8(start: &[u8], is_whole: bool) -> bool {
    match str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && !is_whole,
    }
}

fn by_extension(extension: &str) -> Option<&'static str> {
    match OWN.binary_search_by(|(known, _)| (*known).cmp(extension)) {
        Ok(found) => Some(OWN[found].1),
        Err(_) => mime_guess::from_ext(extension).first_raw(),
    }
}

/// UTF-8 without the control characters that no text holds.
fn is_plain_text(start: &[u8]) -> bool {
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31);
    !start.is_empty() && !start.iter().any(is_binary) && is_utf8(start, false)
}

/// Packets of 188 bytes, each with its sync byte (ISO/IEC 13818-1).
fn is_transport_stream(start: &[u8]) -> bool {
    const PACKET: usize = 188;
    let mut first_bytes = start.iter().step_by(PACKET);
    start.len() > 2 * PACKET && first_bytes.all(|byte| *byte == 0x47)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_own_table_is_sorted_for_its_search() {
        assert!(OWN.is_sorted_by_key(|(extension, _)| *extension));
    }

    #[test]
    fn types_follow_the_last_extension_in_any_case() {
        for (path, expected) in [
            ("/live/a.MPD", Some("application/dash+xml")),
            ("/a.tar.gz", Some("application/gzip")),
            ("/x.y/README", None),
            ("/a.unheardof", None),
            ("/page.html", Some("text/html; charset=utf-8")),
            ("/logo.png", Some("image/png")),
            ("/a.webm", Some("video/webm")),
            ("/a.avif", Some("image/avif")),
            ("/a.webp", Some("image/webp")),
            ("/a.bin", Some("application/octet-stream")),
        ] {
            let expected = expected.map(HeaderValue::from_static);
            assert_eq!(by_name(path.as_bytes()), expected, "{path}");
        }
        assert_eq!(by_name(b"/x.html/\xff"), None);
        assert_eq!(by_name(b"/x.\xff"), None);
    }

    #[test]
    fn content_shows_media_archives_and_text() {
        let ts = [&[0x47], [0xff; 187].as_slice()].concat().repeat(3);
        for (start, expected) in [
            (b"\0\0\0\x18ftypiso6".as_slice(), "video/mp4"),
            (b"\x1aE\xdf\xa3\x93B\x82\x88matroska\0", "video/matroska"),
            (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B", "video/webm"),
            (b"ID3\x04\0\0", "audio/mpeg"),
            (b"fLaC\0", "audio/flac"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"wOF2\0\x01\0\0", "font/woff2"),
            (b"PK\x03\x04\0", "application/zip"),
            (b"%PDF-1.7\n", "application/pdf"),
            (&ts, "video/mp2t"),
            (b"BM, said the text", PLAIN_TEXT),
            ("caf\u{e9}".as_bytes(), PLAIN_TEXT),
            (b"a cut character \xc3", PLAIN_TEXT),
            (b"\xc3\x28", UNKNOWN),
            (b"a\0b", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(by_content(start), expected, "{}", start.escape_ascii());
        }
    }

    #[test]
    fn content_never_shows_a_page_or_a_program() {
        for start in [
            "<!DOCTYPE html><script>",
            "<html>",
            "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\">",
            "<svg xmlns=\"http://www.w3.org/2000/svg\">",
            "#!/bin/sh\n",
        ] {
            assert_eq!(by_content(start.as_bytes()), PLAIN_TEXT);
            let binary = format!("{start}\0");
            assert_eq!(by_content(binary.as_bytes()), UNKNOWN);
        }
        for start in [b"\0asm\x01\0\0\0".as_slice(), b"\x7fELF\x02", b"FWS\x05\0"] {
            assert_eq!(by_content(start), UNKNOWN);
        }
    }

    proptest! {
        #[test]
        fn any_content_has_a_harmless_type(start in prop::collection::vec(any::<u8>(), 0..600)) {
            let value = by_content(&start);
            let text = value.to_str().expect("is text");
            for active in ["html", "xml", "script", "svg", "wasm", "flash"] {
                prop_assert!(!text.contains(active), "{text}");
            }
        }

        #[test]
        fn text_stays_text_wherever_it_is_cut(text in "\\PC{1,80}", at in 1_usize..80) {
            let bytes = text.as_bytes();
            prop_assert!(is_utf8(bytes, true));
            prop_assert!(is_utf8(&bytes[..at.min(bytes.len())], false));
        }
    }
}
