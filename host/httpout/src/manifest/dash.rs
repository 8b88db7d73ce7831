//! DASH manifests (ISO/IEC 23009-1).

use std::collections::HashMap;
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::manifest::names::DIGITS;
use crate::manifest::{Kind, Manifest, Names, Series, hls, resolve};

/// The most elements inside of each other: manifests have 8.
const DEEPEST: usize = 32;

/// What an element says, and those around it.
#[derive(Debug, Default)]
struct Level {
    element: Vec<u8>,
    base: String,
    /// Attributes of `SegmentTemplate`: those of the inner elements go first.
    template: Rc<HashMap<Vec<u8>, String>>,
    /// The shortest segment of a timeline, in units of the template.
    shortest: Option<f64>,
    representation: String,
    bandwidth: String,
    /// Of a segment list.
    listed: Vec<Vec<u8>>,
}

impl Level {
    /// What an element inside of this one inherits.
    fn inside(&self) -> Level {
        Level {
            element: Vec::new(),
            base: self.base.clone(),
            template: self.template.clone(),
            shortest: self.shortest,
            representation: self.representation.clone(),
            bandwidth: self.bandwidth.clone(),
            listed: Vec::new(),
        }
    }
}

/// Reads a manifest, which has to be well-formed.
pub(super) fn parse(path: &[u8], content: &str) -> Option<Manifest> {
    let mut reader = Reader::from_str(content);
    reader.config_mut().expand_empty_elements = true;
    let mut manifest = Manifest::default();
    let mut depth = None;
    let mut has_root = false;
    let mut levels = vec![Level::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let element = start.local_name().as_ref().to_vec();
                if levels.len() > DEEPEST {
                    return None;
                }
                if levels.len() == 1 {
                    if element != b"MPD" {
                        return None;
                    }
                    has_root = true;
                    manifest.is_live = attribute(&start, "type").as_deref() == Some("dynamic");
                    let buffer = attribute(&start, "timeShiftBufferDepth");
                    depth = buffer.as_deref().and_then(seconds);
                }
                enter(&mut levels, element, &start, path);
            }
            Event::Text(text) => {
                let text = text.decode().ok()?;
                if let [.., outer, level] = &mut levels[..]
                    && level.element == b"BaseURL"
                {
                    outer.base = join(&outer.base, text.trim());
                }
            }
            Event::End(_) => {
                let level = levels.pop().filter(|_| !levels.is_empty())?;
                if level.element == b"Representation" {
                    manifest.series.extend(series(path, &level, depth));
                } else if let Some(outer) = levels.last_mut() {
                    leave(level, outer);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    (has_root && levels.len() == 1).then_some(manifest)
}

/// What an element says is added to what it inherits.
fn enter(levels: &mut Vec<Level>, element: Vec<u8>, start: &BytesStart<'_>, path: &[u8]) {
    let mut level = levels.last().map(Level::inside).unwrap_or_default();
    match element.as_slice() {
        b"SegmentTemplate" => {
            let all = start.attributes().flatten();
            let all = all.filter_map(|one| {
                let value = one.unescape_value().ok()?.into_owned();
                Some((one.key.as_ref().to_vec(), value))
            });
            Rc::make_mut(&mut level.template).extend(all);
        }
        b"S" => {
            let length = attribute(start, "d").and_then(|text| text.parse().ok());
            level.shortest = shorter(level.shortest, length);
        }
        b"SegmentURL" => {
            let media = attribute(start, "media").unwrap_or_default();
            level.listed = resolve(path, &join(&level.base, &media))
                .into_iter()
                .collect();
        }
        b"Representation" => {
            level.representation = attribute(start, "id").unwrap_or_default();
            level.bandwidth = attribute(start, "bandwidth").unwrap_or_default();
        }
        _ => {}
    }
    level.element = element;
    levels.push(level);
}

/// What was said of segments holds for the element around it.
fn leave(level: Level, outer: &mut Level) {
    match level.element.as_slice() {
        b"SegmentTemplate" => {
            outer.template = level.template;
            outer.shortest = level.shortest;
        }
        b"SegmentTimeline" | b"S" => outer.shortest = level.shortest,
        b"SegmentList" | b"SegmentURL" => outer.listed.extend(level.listed),
        _ => {}
    }
}

/// The segments of a representation; `depth` is that of the time-shift buffer in seconds.
fn series(path: &[u8], level: &Level, depth: Option<f64>) -> Option<Series> {
    if !level.listed.is_empty() {
        return Some(hls::listed(Kind::Segments, level.listed.clone()));
    }
    let media = level.template.get(&b"media"[..])?;
    let media = substitute(media, level)?;
    let path = resolve(path, &join(&level.base, &media))?;
    let number = |name: &[u8]| level.template.get(name)?.parse::<f64>().ok();
    let timescale = number(b"timescale").unwrap_or(1.0);
    let length = number(b"duration").or(level.shortest);
    let length = length.map(|length| length / timescale);
    if depth.is_some() && length.is_none() {
        // A timeline without segments yet: how many there will be shows with the first.
        return None;
    }
    // What the buffer begins in is offered too.
    let offered = depth.zip(length).filter(|(_, length)| *length > 0.0);
    let offered = offered.map(|(depth, length)| (depth / length).ceil() as usize + 1);
    Some(Series {
        names: Names::pattern(&path)?,
        kind: Kind::Segments,
        offered,
    })
}

/// A template with [`DIGITS`] in the places of numbers. None where several files make up a segment.
fn substitute(template: &str, level: &Level) -> Option<String> {
    let mut text = String::new();
    for (index, piece) in template.split('$').enumerate() {
        let name = piece.split('%').next().unwrap_or_default();
        match (index % 2, name) {
            (0, _) => text.push_str(piece),
            (_, "") => text.push('$'),
            (_, "RepresentationID") => text.push_str(&level.representation),
            (_, "Bandwidth") => text.push_str(&level.bandwidth),
            (_, "Number" | "Time") => text.push(DIGITS),
            _ => return None,
        }
    }
    Some(text)
}

/// A reference below another, of which the last name is left out.
fn join(base: &str, reference: &str) -> String {
    let is_absolute = reference.starts_with('/') || reference.contains("://");
    let end = base.rfind('/').filter(|_| !is_absolute);
    format!("{}{reference}", &base[..end.map_or(0, |slash| slash + 1)])
}

fn shorter(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).ok()??;
    found.unescape_value().ok().map(|value| value.into_owned())
}

/// A duration such as `PT1M30.5S` (XML Schema), in seconds; months and years are not for buffers.
fn seconds(text: &str) -> Option<f64> {
    let (days, times) = text
        .strip_prefix('P')?
        .split_once('T')
        .unwrap_or((&text[1..], ""));
    let day = match days.strip_suffix('D') {
        Some(count) => count.parse::<f64>().ok()? * 86_400.0,
        None if days.is_empty() => 0.0,
        None => return None,
    };
    let mut total = day;
    let mut number = String::new();
    for character in times.chars() {
        let unit = match character {
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            digit => {
                number.push(digit);
                continue;
            }
        };
        total += number.parse::<f64>().ok()? * unit;
        number.clear();
    }
    number.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ffmpeg writes it.
    const LIVE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" timeShiftBufferDepth="PT10.0S">
  <Period id="0" start="PT0.0S">
    <AdaptationSet id="0" contentType="video">
      <Representation id="0" bandwidth="2000">
        <SegmentTemplate timescale="1000000" duration="2000000" media="chunk-stream$RepresentationID$-$Number%05d$.m4s"/>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id="1">
      <SegmentTemplate timescale="100" media="$RepresentationID$/$Time$.m4s">
        <SegmentTimeline><S t="0" d="200" r="3"/><S d="100"/></SegmentTimeline>
      </SegmentTemplate>
      <Representation id="a&amp;b"/>
      <Representation id="b"><BaseURL>low/</BaseURL></Representation>
    </AdaptationSet>
  </Period>
</MPD>"#;

    fn pattern(texts: [&str; 2]) -> Names {
        Names::Pattern(texts.map(|text| text.as_bytes().to_vec()).into())
    }

    #[test]
    fn each_representation_has_a_pattern_and_a_depth() {
        let manifest = parse(b"live/ll.mpd", LIVE).expect("is one");
        assert!(manifest.is_live);
        let expected = [
            (["live/chunk-stream0-", ".m4s"], 6),
            (["live/a&b/", ".m4s"], 11),
            (["live/low/b/", ".m4s"], 11),
        ];
        let expected = expected.map(|(texts, offered)| Series {
            names: pattern(texts),
            kind: Kind::Segments,
            offered: Some(offered),
        });
        assert_eq!(manifest.series, expected);
    }

    #[test]
    fn lists_are_lists() {
        let text = r#"<MPD type="dynamic"><Period><AdaptationSet><Representation id="0"><SegmentList>
            <Initialization sourceURL="init.mp4"/><SegmentURL media="1.m4s"/><SegmentURL media="2.m4s"/>
            </SegmentList></Representation></AdaptationSet></Period></MPD>"#;
        let manifest = parse(b"x/a.mpd", text).expect("is one");
        let paths = ["x/1.m4s", "x/2.m4s"].map(|path| path.as_bytes().to_vec());
        assert_eq!(manifest.series[0].names, Names::Listed(paths.into()));
        assert_eq!(manifest.series[0].offered, Some(2));
    }

    #[test]
    fn what_is_torn_or_something_else_is_none() {
        for text in [
            "",
            "<html></html>",
            &LIVE[..LIVE.len() - 3],
            "<MPD><Period></MPD>",
            "{}",
        ] {
            assert_eq!(parse(b"a.mpd", text), None, "{text}");
        }
        let complete = parse(b"a.mpd", "<MPD type=\"static\"></MPD>").expect("is one");
        assert!(!complete.is_live);
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("PT10S", Some(10.0)),
            ("PT1M0.5S", Some(60.5)),
            ("P1DT2H", Some(93_600.0)),
            ("P1D", Some(86_400.0)),
            ("P1M", None),
            ("10", None),
            ("PT1X", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
