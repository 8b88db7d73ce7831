//! DASH manifests (ISO/IEC 23009-1).

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::http::date;
use crate::manifest::template::Unresolved;
use crate::manifest::{
    Kind, LARGEST_NUMBER, Manifest, Media, Series, Template, Timeline, Times, Track, hls, resolve,
};

/// What counts as offered where the time-shift buffer has just begun.
const BEGUN: usize = 6;

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
    timeline: Option<Timeline>,
    representation: String,
    bandwidth: String,
    /// Of a segment list.
    listed: Vec<Vec<u8>>,
    /// Attributes of adaptation set and representation, those of the inner one first, and values of what stands inside.
    described: Rc<HashMap<Vec<u8>, String>>,
    /// The place of the adaptation set among all.
    set: usize,
    /// When the period begins, in seconds.
    period: f64,
    /// Of what says something of the element around it.
    value: Option<String>,
}

/// What is said of the whole presentation, as far as it is read.
#[derive(Debug, Default)]
struct Whole {
    sets: usize,
    /// Where a period begins that does not say it, in seconds.
    next_period: f64,
}

impl Level {
    /// What an element inside of this one inherits.
    fn inside(&self) -> Level {
        Level {
            element: Vec::new(),
            base: self.base.clone(),
            template: self.template.clone(),
            shortest: self.shortest,
            timeline: self.timeline,
            representation: self.representation.clone(),
            bandwidth: self.bandwidth.clone(),
            listed: Vec::new(),
            described: self.described.clone(),
            set: self.set,
            period: self.period,
            value: None,
        }
    }

    fn describe(&mut self, name: &[u8], value: String) {
        Rc::make_mut(&mut self.described).insert(name.to_vec(), value);
    }
}

/// Reads a manifest, which has to be well-formed.
pub(super) fn parse(path: &[u8], content: &str) -> Option<Manifest> {
    let mut reader = Reader::from_str(content);
    reader.config_mut().expand_empty_elements = true;
    let mut manifest = Manifest::default();
    let mut whole = Whole::default();
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
                    manifest.times = times(&start);
                }
                enter(&mut levels, element, &start, path, &mut whole);
            }
            Event::Text(text) => {
                let text = text.decode().ok()?;
                if let [.., outer, level] = &mut levels[..] {
                    match level.element.as_slice() {
                        b"BaseURL" => outer.base = join(&outer.base, text.trim()),
                        b"Label" => outer.describe(b"label", text.trim().to_owned()),
                        _ => {}
                    }
                }
            }
            Event::End(_) => {
                let level = levels.pop().filter(|_| !levels.is_empty())?;
                if level.element == b"Representation" {
                    let depth = manifest.times.depth.map(|depth| depth.as_secs_f64());
                    let template = template(path, &level, b"media");
                    manifest
                        .series
                        .extend(series(&level, template.as_ref(), depth));
                    manifest
                        .tracks
                        .extend(template.and_then(|template| track(path, &level, template)));
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

fn times(start: &BytesStart<'_>) -> Times {
    let length = |name| {
        let seconds = attribute(start, name).as_deref().and_then(seconds)?;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let begin = attribute(start, "availabilityStartTime");
    Times {
        start: begin.as_deref().and_then(date::parse_rfc3339),
        depth: length("timeShiftBufferDepth"),
        longest: length("maxSegmentDuration"),
    }
}

/// What an element says is added to what it inherits.
fn enter(
    levels: &mut Vec<Level>,
    element: Vec<u8>,
    start: &BytesStart<'_>,
    path: &[u8],
    whole: &mut Whole,
) {
    let mut level = levels.last().map(Level::inside).unwrap_or_default();
    let length = |name| attribute(start, name).as_deref().and_then(seconds);
    match element.as_slice() {
        b"Period" => {
            level.period = length("start").unwrap_or(whole.next_period);
            whole.next_period = level.period + length("duration").unwrap_or(0.0);
        }
        b"AdaptationSet" => {
            whole.sets += 1;
            level.set = whole.sets;
            level.described = Rc::new(attributes(start).collect());
        }
        b"AudioChannelConfiguration" | b"Role" => {
            let scheme = attribute(start, "schemeIdUri").unwrap_or_default();
            let value = attribute(start, "value").unwrap_or_default();
            level.value = Some(value).filter(|_| scheme.starts_with("urn:mpeg:"));
        }
        b"SegmentTimeline" => level.timeline = Some(Timeline::default()),
        b"SegmentTemplate" => {
            Rc::make_mut(&mut level.template).extend(attributes(start));
        }
        b"S" => {
            let number = |name| attribute(start, name)?.parse::<u64>().ok();
            let length = number("d");
            level.shortest = shorter(level.shortest, length.map(|length| length as f64));
            if let Some((timeline, length)) = level.timeline.as_mut().zip(length) {
                // A negative one goes on up to the next, or the end: how far is not known here.
                timeline.add(number("t"), length, number("r").unwrap_or(0));
            }
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
            Rc::make_mut(&mut level.described).extend(attributes(start));
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
            outer.timeline = level.timeline;
        }
        b"SegmentTimeline" | b"S" => {
            outer.shortest = level.shortest;
            outer.timeline = level.timeline;
        }
        b"ContentProtection" => outer.describe(b"protected", String::new()),
        b"AudioChannelConfiguration" => {
            if let Some(value) = level.value {
                outer.describe(b"channels", value);
            }
        }
        b"Role" => {
            if let Some(value) = level.value {
                outer.describe(b"role", value);
            }
        }
        b"SegmentList" | b"SegmentURL" => outer.listed.extend(level.listed),
        _ => {}
    }
}

/// What the attribute of a template names; none where it is no template with numbers or times.
fn template(path: &[u8], level: &Level, attribute: &[u8]) -> Option<Template> {
    let unresolved = unresolved(level, attribute)?;
    let path = resolve(path, &join(&level.base, &unresolved.reference))?;
    unresolved.resolved(&path)
}

fn unresolved(level: &Level, attribute: &[u8]) -> Option<Unresolved> {
    let text = level.template.get(attribute)?;
    Unresolved::parse(text, &level.representation, &level.bandwidth)
}

/// The segments of a representation; `depth` is that of the time-shift buffer in seconds.
fn series(level: &Level, template: Option<&Template>, depth: Option<f64>) -> Option<Series> {
    if !level.listed.is_empty() {
        return Some(hls::listed(Kind::Segments, level.listed.clone()));
    }
    let timescale = number(level, b"timescale").unwrap_or(1.0);
    let length = number(level, b"duration").or(level.shortest);
    let length = length.map(|length| length / timescale);
    if depth.is_some() && length.is_none() {
        // A timeline without segments yet: how many there will be shows with the first.
        return None;
    }
    // What the buffer begins in is offered too.
    let offered = depth.zip(length).filter(|(_, length)| *length > 0.0);
    let offered = offered.map(|(depth, length)| (depth / length).ceil() as usize + 1);
    let (kind, offered) = match depth {
        // As ffmpeg says it when it begins: of an earlier run there is more.
        Some(0.0) => (Kind::Begun, Some(BEGUN)),
        _ => (Kind::Segments, offered),
    };
    Some(Series {
        names: template?.names(),
        kind,
        offered,
    })
}

/// What players of HLS could play too: not encrypted, and in ISO files.
fn track(path: &[u8], level: &Level, template: Template) -> Option<Track> {
    let text = |name: &[u8]| level.described.get(name).filter(|text| !text.is_empty());
    let said = |name: &[u8]| text(name).cloned();
    let mime = text(b"mimeType").map_or("", String::as_str);
    let media = text(b"contentType").map_or(mime, String::as_str);
    let media = match media.split('/').next() {
        Some("video") => Media::Video,
        Some("audio") => Media::Audio,
        _ => return None,
    };
    let is_iso = mime.is_empty() || mime.ends_with("/mp4");
    if !is_iso || level.described.contains_key(&b"protected"[..]) {
        return None;
    }
    let integer = |name: &[u8]| {
        let value = level.template.get(name)?.parse::<u64>().ok();
        value.map(|value| value.min(LARGEST_NUMBER))
    };
    let size = |name: &[u8]| text(name)?.parse().ok();
    Some(Track {
        id: level.representation.clone(),
        set: level.set,
        media,
        bandwidth: level.bandwidth.parse().ok().filter(|rate| *rate > 0),
        codecs: said(b"codecs"),
        resolution: size(b"width").zip(size(b"height")),
        frame_rate: text(b"frameRate").and_then(|text| rate(text)),
        channels: text(b"channels").and_then(|text| text.parse().ok()),
        language: said(b"lang").filter(|language| language != "und"),
        label: said(b"label"),
        is_main: text(b"role").is_some_and(|role| role == "main"),
        init: unresolved(level, b"initialization")
            .and_then(|init| resolve(path, &join(&level.base, &init.reference))),
        template,
        timescale: integer(b"timescale")
            .filter(|scale| *scale > 0)
            .unwrap_or(1),
        duration: integer(b"duration").filter(|length| *length > 0),
        start_number: integer(b"startNumber").unwrap_or(1),
        timeline: level.timeline,
        offset: integer(b"presentationTimeOffset").unwrap_or(0),
        period: ((level.period * 1000.0).round() as u64).min(LARGEST_NUMBER),
    })
}

fn number(level: &Level, name: &[u8]) -> Option<f64> {
    level.template.get(name)?.parse().ok()
}

/// Frames a second, such as `25` or `30000/1001`.
fn rate(text: &str) -> Option<f64> {
    let (frames, seconds) = text.split_once('/').unwrap_or((text, "1"));
    let rate = frames.parse::<f64>().ok()? / seconds.parse::<f64>().ok()?;
    Some(rate).filter(|rate| rate.is_finite() && *rate > 0.0)
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

fn attributes(start: &BytesStart<'_>) -> impl Iterator<Item = (Vec<u8>, String)> {
    let all = start.attributes().flatten();
    all.filter_map(|one| {
        let value = one.unescape_value().ok()?.into_owned();
        Some((one.key.as_ref().to_vec(), value))
    })
}

pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).ok()??;
    found.unescape_value().ok().map(|value| value.into_owned())
}

/// A duration such as `PT1M30.5S` (XML Schema), in seconds; months and years are not for buffers.
pub(super) fn seconds(text: &str) -> Option<f64> {
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
    use crate::manifest::Names;

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
