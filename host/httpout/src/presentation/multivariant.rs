//! The multivariant playlist of a presentation (RFC 8216bis 4.4.6).

use std::fmt::Write as _;

use crate::manifest::Media;
use crate::presentation::dash::Presentation;
use crate::presentation::track::Track;

/// The qualities of sound that each picture is offered with, at most.
const GROUPS: usize = 3;

/// What players choose from, of what there is something to play.
pub(super) fn multivariant(presentation: &Presentation) -> String {
    let listed = |media| {
        let tracks = presentation.tracks.iter();
        let there = tracks.filter(|track| track.part_target.is_some());
        let its = there.filter(move |track| track.facts.media == media);
        its.collect::<Vec<&Track>>()
    };
    let (pictures, sounds) = (listed(Media::Video), listed(Media::Audio));
    let mut text = "#EXTM3U\n#EXT-X-VERSION:6\n".to_owned();
    let languages = sets(&sounds);
    let most = languages.iter().map(Vec::len).max().unwrap_or(0);
    let groups = most.min(GROUPS);
    let is_sound_only = pictures.is_empty();
    if !is_sound_only || languages.len() > 1 {
        for group in 0..groups {
            renditions(&mut text, presentation, &languages, group);
        }
    }
    if is_sound_only {
        for group in 0..groups {
            let Some(main) = languages.first().and_then(|set| member(set, group)) else {
                continue;
            };
            let named = (languages.len() > 1).then_some(group);
            variant(&mut text, presentation, main, &[], named);
        }
        return text;
    }
    for picture in pictures {
        match groups {
            0 => variant(&mut text, presentation, picture, &[], None),
            _ => {
                for group in 0..groups {
                    let members = languages.iter().filter_map(|set| member(set, group));
                    let members: Vec<&Track> = members.collect();
                    variant(&mut text, presentation, picture, &members, Some(group));
                }
            }
        }
    }
    text
}

/// The qualities of each adaptation set, the main one first.
fn sets<'a>(tracks: &[&'a Track]) -> Vec<Vec<&'a Track>> {
    let mut sets: Vec<Vec<&Track>> = Vec::new();
    for track in tracks {
        let known = sets
            .iter_mut()
            .find(|set| set[0].facts.set == track.facts.set);
        match known {
            Some(set) => set.push(track),
            None => sets.push(vec![track]),
        }
    }
    sets.sort_by_key(|set| !set[0].facts.is_main);
    sets
}

/// The quality of a set for a group; a set that has not as many gives its last.
fn member<'a>(set: &[&'a Track], group: usize) -> Option<&'a Track> {
    set.get(group).or(set.last()).copied()
}

fn renditions(text: &mut String, presentation: &Presentation, sets: &[Vec<&Track>], group: usize) {
    for (index, set) in sets.iter().enumerate() {
        let Some(track) = member(set, group) else {
            continue;
        };
        let facts = &track.facts;
        let language = facts.language.as_deref().map(quoted);
        let label = facts.label.as_deref().map(quoted);
        let name = label.or_else(|| language.clone());
        // Names tell the renditions of a group apart.
        let name = match (name, index) {
            (Some(name), _) if is_only(sets, index, &name) => name,
            (Some(name), _) => format!("{name} {}", index + 1),
            (None, 0) => "audio".to_owned(),
            (None, _) => format!("audio {}", index + 1),
        };
        let default = if index == 0 { "YES" } else { "NO" };
        let _ = write!(
            text,
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio{group}\",NAME=\"{name}\",DEFAULT={default},AUTOSELECT=YES"
        );
        if let Some(language) = language {
            let _ = write!(text, ",LANGUAGE=\"{language}\"");
        }
        if let Some(channels) = facts.channels {
            let _ = write!(text, ",CHANNELS=\"{channels}\"");
        }
        let uri = presentation.uri(&track.playlist);
        let _ = writeln!(text, ",URI=\"{uri}\"");
    }
}

/// Whether no earlier set has that name.
fn is_only(sets: &[Vec<&Track>], index: usize, name: &str) -> bool {
    let mut earlier = sets[..index].iter().map(|set| &set[0].facts);
    !earlier.any(|facts| {
        let known = facts.label.as_deref().or(facts.language.as_deref());
        known.map(quoted).as_deref() == Some(name)
    })
}

/// One line of attributes, one of the playlist.
fn variant(
    text: &mut String,
    presentation: &Presentation,
    track: &Track,
    sounds: &[&Track],
    group: Option<usize>,
) {
    let facts = &track.facts;
    let loudest = sounds.iter().map(|sound| bandwidth(sound)).max();
    let rate = bandwidth(track) + loudest.unwrap_or(0);
    let _ = write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={rate}");
    let mut codecs: Vec<&str> = Vec::new();
    let all = std::iter::once(&track).chain(sounds);
    for codec in all.filter_map(|track| track.facts.codecs.as_deref()) {
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    // Where one of them is not known, the rest would be taken for all.
    let is_known = std::iter::once(&track)
        .chain(sounds)
        .all(|track| track.facts.codecs.is_some());
    if is_known {
        let _ = write!(text, ",CODECS=\"{}\"", quoted(&codecs.join(",")));
    }
    if let Some((width, height)) = facts.resolution {
        let _ = write!(text, ",RESOLUTION={width}x{height}");
    }
    if let Some(rate) = facts.frame_rate {
        let _ = write!(text, ",FRAME-RATE={rate:.3}");
    }
    if let Some(group) = group {
        let _ = write!(text, ",AUDIO=\"audio{group}\"");
    }
    let _ = writeln!(text, "\n{}", presentation.uri(&track.playlist));
}

/// What the manifest says, or else what the largest segment took, in bit/s.
fn bandwidth(track: &Track) -> u64 {
    let rates = track.segments.iter().map(|segment| {
        let seconds = track.seconds(segment.duration).max(0.1);
        (segment.length as f64 * 8.0 / seconds).ceil() as u64
    });
    let told = track.facts.bandwidth;
    told.unwrap_or_else(|| rates.max().unwrap_or(0)).max(1)
}

/// A text that can stand between quotes.
fn quoted(text: &str) -> String {
    let is_sound = |character: &char| !character.is_control() && *character != '"';
    text.chars().filter(is_sound).collect()
}
