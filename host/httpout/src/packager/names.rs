//! What the files of a presentation are called: after its manifest, so that several can share a directory.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::settings::SegmentNames;

/// What may stand in a URL, in a manifest and in a template of ffmpeg as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The names of a presentation.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// Of the manifest, without its extension.
    stem: Vec<u8>,
    segments: SegmentNames,
}

impl Names {
    /// Those beside a manifest of this path.
    pub(crate) fn new(manifest: &[u8], segments: &SegmentNames) -> Names {
        let (_, name) = split(manifest);
        let end = name.iter().rposition(|&byte| byte == b'.');
        Names {
            stem: name[..end.unwrap_or(name.len())].to_vec(),
            segments: segments.clone(),
        }
    }

    /// The templates of ffmpeg for initialization and media segments.
    pub(super) fn templates(&self) -> [String; 2] {
        let stem = percent_encode(&self.stem, PLAIN);
        match &self.segments {
            SegmentNames::Template(template) => {
                let pieces: Vec<&str> = template.split('$').collect();
                let initial = pieces.iter().enumerate().map(|(at, piece)| match at % 2 {
                    0 => (*piece).to_owned(),
                    _ if piece.starts_with("Number") => "init".to_owned(),
                    _ => format!("${piece}$"),
                });
                let initial: String = initial.collect();
                [format!("{initial}.mp4"), format!("{template}.m4s")]
            }
            SegmentNames::Default | SegmentNames::Single => [
                format!("{stem}-$RepresentationID$-init.mp4"),
                format!("{stem}-$RepresentationID$-$Number%05d$.m4s"),
            ],
        }
    }

    /// The template of the only file of a quality; none where it has segments.
    pub(super) fn single(&self) -> Option<String> {
        let stem = percent_encode(&self.stem, PLAIN);
        let is_single = self.segments == SegmentNames::Single;
        is_single.then(|| format!("{stem}-$RepresentationID$.mp4"))
    }

    /// Whether a file beside the manifest, by its path from there, belongs to the presentation.
    pub(crate) fn are_of(&self, below: &[u8]) -> bool {
        let behind = below.strip_prefix(&self.stem[..]);
        let is_named_after = behind.is_some_and(|behind| {
            matches!(behind.first(), Some(b'-' | b'.')) && !behind.contains(&b'/')
        });
        is_named_after
            || matches!(self.segments, SegmentNames::Template(_))
                && self.templates().iter().any(|template| {
                    let pieces: Vec<&str> = template.split('$').collect();
                    is_filled(&pieces, below)
                })
    }
}

/// A path up to its last slash, and the rest.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = path.iter().rposition(|&byte| byte == b'/');
    path.split_at(slash.map_or(0, |slash| slash + 1))
}

/// Whether a name is a template with digits in the places of its variables; text and variables take turns.
fn is_filled(template: &[&str], name: &[u8]) -> bool {
    let [text, rest @ ..] = template else {
        return false;
    };
    let Some(behind) = name.strip_prefix(text.as_bytes()) else {
        return false;
    };
    let [_, rest @ ..] = rest else {
        return behind.is_empty();
    };
    let digits = behind
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (1..=digits).any(|digits| is_filled(rest, &behind[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_after_their_manifest() {
        let names = Names::new(b"x/my live.mpd", &SegmentNames::Default);
        let [initial, media] = names.templates();
        assert_eq!(initial, "my%20live-$RepresentationID$-init.mp4");
        assert_eq!(media, "my%20live-$RepresentationID$-$Number%05d$.m4s");
        for (name, is_one) in [
            ("my live.mpd", true),
            ("my live.m3u8", true),
            ("my live-0-00001.m4s", true),
            ("my live-0-init.mp4", true),
            ("my lives.mpd", false),
            ("other-0-00001.m4s", false),
            ("my live-/x", false),
            ("", false),
        ] {
            assert_eq!(names.are_of(name.as_bytes()), is_one, "{name}");
        }
    }

    #[test]
    fn a_template_names_them_instead() {
        let template = "seg/q$RepresentationID$_$Number%03d$".to_owned();
        let names = Names::new(b"live.mpd", &SegmentNames::Template(template));
        let [initial, media] = names.templates();
        assert_eq!(initial, "seg/q$RepresentationID$_init.mp4");
        assert_eq!(media, "seg/q$RepresentationID$_$Number%03d$.m4s");
        for (name, is_one) in [
            ("live.mpd", true),
            ("seg/q0_001.m4s", true),
            ("seg/q10_1000.m4s", true),
            ("seg/q0_init.mp4", true),
            ("seg/q0_.m4s", false),
            ("seg/secret", false),
            ("q0_001.m4s", false),
        ] {
            assert_eq!(names.are_of(name.as_bytes()), is_one, "{name}");
        }
    }
}
