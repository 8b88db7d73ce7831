//! Live DASH manifests whose encoder has begun anew: their time line goes on where players are.
//!
//! An encoder that is started again tells a new `availabilityStartTime`, and counts from nothing. Players have kept the
//! first one, and would look for media that will never come. So the first one stays, and periods begin later by as much:
//! what is played is the same. Players only see it if they ask again, which `minimumUpdatePeriod` tells them to.

use std::time::Duration;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};

use crate::http::date;
use crate::manifest::dash::{attribute, seconds};

/// The longest time for players to go on without asking whether the manifest has changed.
const UPDATE: Duration = Duration::from_secs(2);

/// A manifest that takes the place of another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spliced {
    pub(crate) content: Vec<u8>,
    /// Where on the time line its encoder has begun, if the manifest before did not say so.
    pub(crate) begins: Option<Duration>,
}

/// What a manifest says that may have to change.
#[derive(Debug, Default)]
struct Outline {
    is_live: bool,
    /// `availabilityStartTime`, in milliseconds since 1970.
    start: Option<u64>,
    /// Where the first period begins, in milliseconds after that.
    begins: u64,
}

/// Changes a live manifest that comes in the place of an earlier one, if there is one; none where it is to stay as it is.
pub(crate) fn splice(content: &[u8], earlier: Option<&[u8]>) -> Option<Spliced> {
    let content = std::str::from_utf8(content).ok()?;
    let outline = outline(content).filter(|outline| outline.is_live)?;
    let earlier = earlier.and_then(|earlier| self::outline(std::str::from_utf8(earlier).ok()?));
    let earlier = earlier.filter(|earlier| earlier.is_live);
    let first = earlier.as_ref().and_then(|earlier| earlier.start);
    let shift = outline.start.zip(first);
    let shift = shift.and_then(|(start, first)| start.checked_sub(first));
    let shift = shift.filter(|shift| *shift > 0).unwrap_or(0);
    let changed = rewrite(content, shift, first)?;
    let begins = outline.begins + shift;
    let is_told = earlier.is_none_or(|earlier| earlier.begins.abs_diff(begins) <= 1);
    (changed != content.as_bytes()).then_some(Spliced {
        content: changed,
        begins: (shift > 0 && !is_told).then(|| Duration::from_millis(begins)),
    })
}

/// Whether a manifest says that the live presentation of an earlier one is over.
pub(crate) fn ends(content: &[u8], earlier: &[u8]) -> bool {
    let is_live = |content| Some(outline(std::str::from_utf8(content).ok()?)?.is_live);
    is_live(content) == Some(false) && is_live(earlier) == Some(true)
}

/// None where it is no manifest.
fn outline(content: &str) -> Option<Outline> {
    let mut reader = Reader::from_str(content);
    let mut outline = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                match (start.local_name().as_ref(), &mut outline) {
                    (b"MPD", None) => {
                        let begin = attribute(&start, "availabilityStartTime");
                        outline = Some(Outline {
                            is_live: attribute(&start, "type").as_deref() == Some("dynamic"),
                            start: begin.as_deref().and_then(date::parse_rfc3339),
                            begins: 0,
                        });
                    }
                    (b"Period", Some(outline)) => {
                        outline.begins = milliseconds(&start, "start").unwrap_or(0);
                        break;
                    }
                    (_, None) => return None,
                    _ => {}
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    outline
}

/// The manifest with its periods later by so many milliseconds, and then with another `availabilityStartTime`.
fn rewrite(content: &str, shift: u64, first: Option<u64>) -> Option<Vec<u8>> {
    let mut reader = Reader::from_str(content);
    let mut writer = Writer::new(Vec::with_capacity(content.len() + 64));
    let mut periods = 0;
    loop {
        let mut event = reader.read_event().ok()?;
        if let Event::Start(start) | Event::Empty(start) = &mut event {
            match start.local_name().as_ref() {
                b"MPD" => {
                    let mut changes = Vec::new();
                    let update = milliseconds(start, "minimumUpdatePeriod");
                    if update.is_some_and(|update| u128::from(update) > UPDATE.as_millis()) {
                        changes.push(("minimumUpdatePeriod", duration(UPDATE.as_millis() as u64)));
                    }
                    if let Some(first) = first.filter(|_| shift > 0) {
                        let first = date::rfc3339_precise(first);
                        changes.push(("availabilityStartTime", first));
                        let length = milliseconds(start, "mediaPresentationDuration");
                        let length = length.map(|length| duration(length + shift));
                        changes.extend(length.map(|length| ("mediaPresentationDuration", length)));
                    }
                    change(start, &changes);
                }
                b"Period" if shift > 0 => {
                    periods += 1;
                    // A later one without a start follows the one before.
                    let begins = milliseconds(start, "start").or((periods == 1).then_some(0));
                    let begins = begins.map(|begins| ("start", duration(begins + shift)));
                    change(start, begins.as_slice());
                }
                _ => {}
            }
        }
        if matches!(event, Event::Eof) {
            return Some(writer.into_inner());
        }
        writer.write_event(event).ok()?;
    }
}

/// Sets attributes of an element; all others stay as they are.
fn change(start: &mut BytesStart<'_>, changes: &[(&str, String)]) {
    if changes.is_empty() {
        return;
    }
    let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
    let mut changed = BytesStart::new(name);
    let mut missing: Vec<_> = changes.iter().collect();
    for one in start.attributes().flatten() {
        match missing
            .iter()
            .position(|(name, _)| name.as_bytes() == one.key.as_ref())
        {
            Some(at) => {
                let (name, value) = missing.remove(at);
                changed.push_attribute((*name, value.as_str()));
            }
            None => match (std::str::from_utf8(one.key.as_ref()), one.unescape_value()) {
                (Ok(name), Ok(value)) => changed.push_attribute((name, &*value)),
                _ => changed.push_attribute(one),
            },
        }
    }
    for (name, value) in missing {
        changed.push_attribute((*name, value.as_str()));
    }
    *start = changed.into_owned();
}

fn milliseconds(start: &BytesStart<'_>, name: &str) -> Option<u64> {
    let length = attribute(start, name).as_deref().and_then(seconds)?;
    // Beyond that no time line goes.
    let length = Duration::try_from_secs_f64(length).ok()?.as_secs_f64() * 1000.0;
    (length < 1e15).then_some(length.round() as u64)
}

fn duration(milliseconds: u64) -> String {
    match (milliseconds / 1000, milliseconds % 1000) {
        (seconds, 0) => format!("PT{seconds}S"),
        (seconds, rest) => format!("PT{seconds}.{rest:03}S"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(kind: &str, start: &str, period: &str, update: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"\n\ttype=\"{kind}\" \
             minimumUpdatePeriod=\"{update}\" availabilityStartTime=\"{start}\" id='a \"&amp;b'>\n\t<Period \
             id=\"0\"{period}><!-- a --><Label>x &lt; y</Label></Period></MPD>\n"
        )
    }

    fn live(start: &str, period: &str) -> String {
        manifest("dynamic", start, period, "PT2S")
    }

    fn spliced(content: &str, earlier: &str) -> Option<(String, Option<u64>)> {
        let spliced = splice(content.as_bytes(), Some(earlier.as_bytes()))?;
        let begins = spliced.begins.map(|begins| begins.as_millis() as u64);
        Some((String::from_utf8(spliced.content).expect("is text"), begins))
    }

    #[test]
    fn what_begins_anew_goes_on() {
        let first = live("2026-11-21T20:09:10.340Z", " start=\"PT0.0S\"");
        assert_eq!(splice(first.as_bytes(), None), None);
        assert_eq!(spliced(&first, &first), None);
        let second = live("2026-11-21T20:10:10.590Z", " start=\"PT0.0S\"");
        let (served, begins) = spliced(&second, &first).expect("goes on");
        let expected = live("2026-11-21T20:09:10.340Z", " start=\"PT60.250S\"");
        let expected = expected.replace("'a \"&amp;b'", "\"a &quot;&amp;b\"");
        assert_eq!(
            served,
            expected.replace(
                "MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"\n\t",
                "MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
            )
        );
        assert_eq!(begins, Some(60_250));
        // The next one of the same encoder.
        let (again, begins) = spliced(&second, &served).expect("goes on");
        assert_eq!((again, begins), (served.clone(), None));
        let third = live("2026-11-21T20:11:10.340Z", "");
        let (third, begins) = spliced(&third, &served).expect("goes on");
        assert!(
            third.contains("<Period id=\"0\" start=\"PT120S\">"),
            "{third}"
        );
        assert_eq!(begins, Some(120_000));
    }

    #[test]
    fn players_are_to_ask_again_soon() {
        let content = manifest("dynamic", "2026-11-21T20:09:10Z", "", "PT500S");
        let spliced = splice(content.as_bytes(), None).expect("is changed");
        let text = String::from_utf8(spliced.content).expect("is text");
        assert!(text.contains("minimumUpdatePeriod=\"PT2S\""), "{text}");
        assert_eq!(spliced.begins, None);
    }

    #[test]
    fn all_else_stays_as_it_is() {
        let early = live("2026-11-21T20:09:10Z", "");
        let late = live("2026-11-21T20:10:10Z", "");
        let complete = manifest("static", "2026-11-21T20:10:10Z", "", "PT500S");
        for (content, earlier) in [
            (&complete, &early),
            (&late, &complete),
            // The clock has been set back.
            (&early, &late),
            (&late[..late.len() - 20].to_owned(), &early),
            (&"<svg type=\"dynamic\"/>".to_owned(), &early),
            (&String::new(), &early),
            (&late, &"torn <".to_owned()),
        ] {
            assert_eq!(spliced(content, earlier), None, "{content}");
        }
    }
}
