//! HLS playlists (RFC 8216).

use std::time::Duration;

use crate::manifest::{Kind, Manifest, Names, Series, Times, resolve};

/// Reads a playlist. One of playlists has no segments.
pub(super) fn parse(path: &[u8], content: &str) -> Option<Manifest> {
    let mut lines = content.lines().map(str::trim);
    if lines.next()?.trim_start_matches('\u{feff}') != "#EXTM3U" {
        return None;
    }
    let mut is_live = true;
    let (mut segments, mut parts, mut announced) = (Vec::new(), Vec::new(), Vec::new());
    let mut times = Times::default();
    for line in lines {
        if line.starts_with("#EXT-X-STREAM-INF") {
            return Some(Manifest::default());
        }
        if line == "#EXT-X-ENDLIST" || line.starts_with("#EXT-X-PLAYLIST-TYPE") {
            // Nothing may be taken away from what is complete, or an event (RFC 8216 4.3.3.5).
            is_live = false;
        } else if let Some(attributes) = line.strip_prefix("#EXT-X-PART:") {
            announced.extend(uri(path, attributes));
            parts.extend(part(path, attributes));
        } else if let Some(attributes) = line
            .strip_prefix("#EXT-X-PRELOAD-HINT:")
            .or_else(|| line.strip_prefix("#EXT-X-MAP:"))
        {
            announced.extend(uri(path, attributes));
        } else if let Some(text) = line.strip_prefix("#EXT-X-TARGETDURATION:") {
            let seconds = text.trim().parse::<u32>().ok();
            times.longest = seconds.map(|seconds| Duration::from_secs(seconds.into()));
        } else if !line.is_empty() && !line.starts_with('#') {
            segments.extend(resolve(path, line));
        }
    }
    let series = [(Kind::Segments, segments), (Kind::Parts, parts)];
    let series = series.map(|(kind, paths)| listed(kind, paths));
    Some(Manifest {
        is_live,
        series: series.into(),
        tracks: Vec::new(),
        times,
        announced,
    })
}

/// The file of a part, where it has one of its own.
fn part(path: &[u8], attributes: &str) -> Option<Vec<u8>> {
    if attributes.contains("BYTERANGE=") {
        return None;
    }
    uri(path, attributes)
}

fn uri(path: &[u8], attributes: &str) -> Option<Vec<u8>> {
    let (_, uri) = attributes.split_once("URI=\"")?;
    resolve(path, uri.split('"').next()?)
}

pub(super) fn listed(kind: Kind, mut paths: Vec<Vec<u8>>) -> Series {
    // Ranges of one file follow one another.
    paths.dedup();
    Series {
        kind,
        offered: Some(paths.len()),
        names: Names::Listed(paths),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(series: &Series) -> Vec<&str> {
        match &series.names {
            Names::Listed(paths) => paths
                .iter()
                .map(|path| std::str::from_utf8(path).expect("is text"))
                .collect(),
            Names::Pattern(_) => panic!("is a list"),
        }
    }

    #[test]
    fn a_playlist_lists_its_segments_and_parts() {
        let text = "#EXTM3U\r\n#EXT-X-TARGETDURATION:2\r\n#EXT-X-MAP:URI=\"init.mp4\"\r\n#EXTINF:2,\r\nv/1.m4s\r\n\
                    #EXT-X-PART:DURATION=0.5,URI=\"v/2.1.m4s\"\r\n#EXT-X-PART:DURATION=0.5,URI=\"x\",BYTERANGE=\"3@0\"\r\n\
                    \r\n#EXTINF:2,\r\nv/2.m4s?x\r\n";
        let manifest = parse(b"live/a.m3u8", text).expect("is one");
        assert!(manifest.is_live);
        let [segments, parts] = &manifest.series[..] else {
            panic!("{manifest:?}");
        };
        assert_eq!(paths(segments), ["live/v/1.m4s", "live/v/2.m4s"]);
        assert_eq!((segments.kind, segments.offered), (Kind::Segments, Some(2)));
        assert_eq!(paths(parts), ["live/v/2.1.m4s"]);
    }

    #[test]
    fn of_what_is_complete_nothing_goes() {
        for line in ["#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE:EVENT"] {
            let text = format!("#EXTM3U\n#EXTINF:2,\n1.ts\n{line}\n");
            assert!(!parse(b"a.m3u8", &text).expect("is one").is_live);
        }
        let main = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n";
        assert_eq!(parse(b"a.m3u8", main), Some(Manifest::default()));
        assert_eq!(parse(b"a.m3u8", "1.ts\n"), None);
    }
}
