//! What manifests say of the files that they are about: pure text to facts, as in `http/`.

mod dash;
mod hls;
mod names;
mod splice;
mod template;
mod track;

use std::time::Duration;

use crate::http::path;
pub(crate) use names::Names;
pub(crate) use splice::{ends, splice};
pub(crate) use template::{Template, Unit};
pub(crate) use track::{Media, Timeline, Track};

/// The largest manifest that is read, in bytes.
pub(crate) const LARGEST: usize = 8 << 20;

/// Numbers and times are smaller, so that some of them can be added: those of real media are by far.
pub(crate) const LARGEST_NUMBER: u64 = 1 << 60;

/// A manifest, as far as it tells which files may go, and which are to come.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Manifest {
    /// Segments come and go. Of what is complete nothing goes.
    pub(crate) is_live: bool,
    pub(crate) series: Vec<Series>,
    /// Those of DASH that players of HLS could play too.
    pub(crate) tracks: Vec<Track>,
    pub(crate) times: Times,
    /// Files that a playlist names before they are there: parts, hints, and what begins a stream.
    pub(crate) announced: Vec<Vec<u8>>,
}

/// What a manifest says of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Times {
    /// When the presentation began, in milliseconds since 1970.
    pub(crate) start: Option<u64>,
    /// Of the time-shift buffer.
    pub(crate) depth: Option<Duration>,
    /// The longest segment.
    pub(crate) longest: Option<Duration>,
}

/// Files that follow one another: the segments of one quality.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) names: Names,
    pub(crate) kind: Kind,
    /// How many of them the time-shift buffer has; none where nothing bounds it.
    pub(crate) offered: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Segments,
    /// Segments of which the manifest does not tell yet how many are offered.
    Begun,
    /// Of segments, so that they come earlier: as many stay as are offered.
    Parts,
}

impl Manifest {
    /// Reads the content of a manifest, whose format its path tells. None where it is none.
    pub(crate) fn parse(path: &[u8], content: &str) -> Option<Manifest> {
        match extension(path) {
            Some(Format::Dash) => dash::parse(path, content),
            Some(Format::Hls) => hls::parse(path, content),
            None => None,
        }
    }
}

/// Whether a path is that of a DASH manifest.
pub(crate) fn is_dash(path: &[u8]) -> bool {
    matches!(extension(path), Some(Format::Dash))
}

/// Whether a path is that of a manifest.
pub(crate) fn is_manifest(path: &[u8]) -> bool {
    extension(path).is_some()
}

enum Format {
    Dash,
    Hls,
}

fn extension(path: &[u8]) -> Option<Format> {
    let extension = path.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    if extension.eq_ignore_ascii_case(b"mpd") {
        return Some(Format::Dash);
    }
    let is_playlist = extension.eq_ignore_ascii_case(b"m3u8");
    is_playlist.then_some(Format::Hls)
}

/// The path below the directory for writing that a reference in a manifest leads to; none where that is elsewhere.
fn resolve(manifest: &[u8], reference: &str) -> Option<Vec<u8>> {
    let reference = reference.split(['?', '#']).next().unwrap_or_default();
    let has_scheme = reference
        .split_once(':')
        .is_some_and(|(scheme, _)| !scheme.contains('/'));
    if reference.is_empty() || has_scheme || reference.starts_with("//") {
        return None;
    }
    let directory = match reference.starts_with('/') {
        true => String::new(),
        false => {
            let end = manifest.iter().rposition(|&byte| byte == b'/');
            path::encode(&manifest[..end.map_or(0, |slash| slash + 1)])
        }
    };
    let path = path::normalize(&format!("/{directory}{reference}")).ok()?;
    path.strip_prefix(b"/").map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_below_the_directory_of_the_manifest() {
        for (manifest, reference, path) in [
            ("live.mpd", "a.m4s", Some("a.m4s")),
            ("x y/live.mpd", "v/a%20b.m4s?t=1", Some("x y/v/a b.m4s")),
            ("x/y/live.mpd", "../a.m4s", Some("x/a.m4s")),
            ("x/live.mpd", "/z/a.m4s", Some("z/a.m4s")),
            ("live.mpd", "../a.m4s", None),
            ("live.mpd", "http://cdn.example/a.m4s", None),
            ("live.mpd", "//cdn.example/a.m4s", None),
            ("live.mpd", "", None),
        ] {
            let resolved = resolve(manifest.as_bytes(), reference);
            assert_eq!(resolved.as_deref(), path.map(str::as_bytes), "{reference}");
        }
    }

    #[test]
    fn manifests_are_known_by_their_extension() {
        assert!(is_manifest(b"a/live.MPD") && is_manifest(b"live.m3u8"));
        assert!(!is_manifest(b"live.m4s"));
    }
}
