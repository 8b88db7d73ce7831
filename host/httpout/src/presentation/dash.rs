//! A presentation as its DASH manifest describes it, and what is there of it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::manifest::{self, Manifest, Times};
use crate::presentation::observer::Taken;
use crate::presentation::segment::SegmentState;
use crate::presentation::text::Text;
use crate::presentation::track::Track;
use crate::presentation::{Asked, Directives, Key, USUAL_SEGMENT, below, multivariant, playlist};

/// The most representations of a manifest.
const TRACKS: usize = 64;

/// What is longer, in seconds, was not meant so.
const LONGEST_SEGMENT: f64 = 86_400.0;

/// A presentation that a DASH manifest describes.
#[derive(Debug)]
pub(super) struct Presentation {
    pub(super) order: u64,
    /// Its multivariant playlist.
    pub(super) main: Key,
    pub(super) is_live: bool,
    pub(super) times: Times,
    pub(super) tracks: Vec<Track>,
    /// The target duration of all its playlists, in seconds, from when they are there.
    target: Option<u64>,
    /// Somebody waits for the playlists to be there.
    pub(super) changed: Arc<Notify>,
    /// How often something has changed.
    state: u64,
    rendered: Option<(u64, Arc<Text>)>,
}

impl Presentation {
    pub(super) fn new(main: Key) -> Presentation {
        Presentation {
            order: 0,
            main,
            is_live: true,
            times: Times::default(),
            tracks: Vec::new(),
            target: None,
            changed: Arc::default(),
            state: 0,
            rendered: None,
        }
    }

    /// Takes over what its manifest says.
    pub(super) fn update(&mut self, key: &Key, root: &[u8], manifest: Manifest) {
        let mut earlier = std::mem::take(&mut self.tracks);
        for mut facts in last_of_each(manifest.tracks) {
            let is_it = |track: &Track| track.facts.id == facts.id;
            facts.template = facts.template.below(root);
            let init = facts.init.as_deref().map(|path| below(root, path));
            let known = earlier.iter().position(is_it);
            let mut track = match known {
                Some(at) => earlier.swap_remove(at),
                None => {
                    let playlist = sibling(key, &format!("-{}.m3u8", in_name(&facts.id)));
                    Track::new(facts.clone(), playlist, None)
                }
            };
            if track.facts.period != facts.period || self.times.start != manifest.times.start {
                track.begin_anew();
            }
            track.facts = facts;
            track.init_key = init;
            self.tracks.push(track);
        }
        for gone in earlier {
            gone.changed.notify_waiters();
        }
        self.times = manifest.times;
        self.state += 1;
        // Of a manifest that only goes on, nobody who waits need know.
        if std::mem::replace(&mut self.is_live, manifest.is_live) != manifest.is_live {
            self.change(|_, _| true);
            self.changed.notify_waiters();
        }
    }

    /// Takes what has been written of a file.
    pub(super) fn take(&mut self, file: Taken<'_>) {
        let Taken { written, init } = file;
        let is_readable = !written.fragments.is_empty();
        self.change(|track, times| {
            if let Some((init, is_same)) = init
                && track.init_key.as_ref() == Some(written.key)
            {
                track.set_init(init, written.upload, is_same);
            }
            track.begin(written.key, written.upload) && is_readable && track.take(&written, times)
        });
    }

    /// Lets each track change; those who wait for what has changed are woken.
    pub(super) fn change(&mut self, mut change: impl FnMut(&mut Track, &Times) -> bool) {
        let mut has_changed = false;
        for track in &mut self.tracks {
            if change(track, &self.times) {
                has_changed = true;
                track.changed.notify_waiters();
            }
        }
        if has_changed {
            self.state += 1;
            self.settle();
        }
    }

    /// Decides how long segments are, once that can be told: players take it for granted from then on.
    pub(super) fn settle(&mut self) {
        let longest = self.tracks.iter().map(|track| track.longest(&self.times));
        let longest = longest.fold(0.0, f64::max);
        let complete = self.tracks.iter().map(Track::complete);
        let (least, most) = (
            complete.clone().min().unwrap_or(0),
            complete.max().unwrap_or(0),
        );
        let longest = longest.min(LONGEST_SEGMENT);
        match &mut self.target {
            None if least > 0 || most > 1 || most > 0 && !self.is_live => {
                // A little longer than whole seconds still rounds to them.
                self.target = Some((longest - 0.25).ceil().max(1.0) as u64);
                self.changed.notify_waiters();
                for track in &self.tracks {
                    track.changed.notify_waiters();
                }
            }
            None => {}
            // An encoder may break its word.
            Some(target) => *target = (*target).max(longest.round() as u64),
        }
    }

    pub(super) fn ask_main(&mut self) -> Asked {
        if self.target.is_none() {
            return self.wait_for_first(&self.changed);
        }
        if let Some((state, text)) = &self.rendered
            && *state == self.state
        {
            return Asked::Playlist(text.clone());
        }
        let text = Arc::new(Text::new(multivariant::multivariant(self)));
        self.rendered = Some((self.state, text.clone()));
        Asked::Playlist(text)
    }

    pub(super) fn ask(&mut self, at: usize, directives: &Directives) -> Asked {
        let track = &self.tracks[at];
        let Some(target) = self.target else {
            return self.wait_for_first(&track.changed);
        };
        if track.part_target.is_none() {
            return self.wait_for_first(&track.changed);
        }
        if let Some((segment, part)) = directives.awaited
            && self.is_live
        {
            if segment > track.next() + 1 {
                return Asked::TooFar;
            }
            if !track.has(segment, part) {
                let notified = track.changed.clone().notified_owned();
                return Asked::Wait(notified, Duration::from_secs(3 * target));
            }
        }
        let kind = usize::from(directives.skips);
        if let Some((state, text)) = &track.rendered[kind]
            && *state == self.state
        {
            return Asked::Playlist(text.clone());
        }
        let text = playlist::media(self, track, target, directives.skips);
        let text = Arc::new(Text::new(text));
        self.tracks[at].rendered[kind] = Some((self.state, text.clone()));
        Asked::Playlist(text)
    }

    /// The manifest is there, and nothing to list yet.
    fn wait_for_first(&self, changed: &Arc<Notify>) -> Asked {
        if !self.is_live {
            return Asked::NotHere;
        }
        let segment = self.segment_seconds();
        let limit = Duration::try_from_secs_f64(segment * 3.0).unwrap_or_default();
        Asked::Wait(changed.clone().notified_owned(), limit)
    }

    /// How long it may take until a file is there that is about to come.
    pub(super) fn awaits(&self, key: &Key, now: u64) -> Option<Duration> {
        let is_next = |track: &Track| {
            track.init_key.as_ref() == Some(key) || track.is_next(key, &self.times, now)
        };
        let awaited = self.tracks.iter().any(is_next);
        let limit = Duration::try_from_secs_f64(self.segment_seconds() * 2.0);
        awaited.then_some(limit.unwrap_or_default())
    }

    /// The longest segment, as far as that is known.
    fn segment_seconds(&self) -> f64 {
        let longest = self.tracks.iter().map(|track| track.longest(&self.times));
        let longest = longest.fold(0.0, f64::max);
        if longest > 0.0 {
            longest
        } else {
            USUAL_SEGMENT
        }
    }

    /// A file, as its playlists refer to it.
    pub(super) fn uri(&self, key: &[u8]) -> String {
        playlist::relative(&self.main, key)
    }
}

impl Track {
    /// Whether a segment is complete, or a part of it there. What lies behind the end of a segment is the next one's first.
    fn has(&self, segment: u64, part: Option<u64>) -> bool {
        let next = self.next();
        let Some(part) = part.filter(|_| self.has_parts()) else {
            return segment < next;
        };
        let growing = self.growing().map_or(0, |growing| growing.parts.len()) as u64;
        if segment >= next {
            return segment == next && part < growing;
        }
        let place = segment.checked_sub(self.first);
        let place = place.and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| self.segments.get(place)) {
            // It is gone.
            None => true,
            Some(known) if known.state == SegmentState::Gone => true,
            Some(known) => part < known.parts.len() as u64 || segment + 1 < next || growing > 0,
        }
    }
}

/// Of each representation that of the last period, which is the one that goes on.
fn last_of_each(tracks: Vec<manifest::Track>) -> Vec<manifest::Track> {
    let mut known = HashSet::new();
    let last = tracks.into_iter().rev();
    let last = last.filter(|track| known.insert(track.id.clone()));
    let mut last: Vec<_> = last.take(TRACKS).collect();
    last.reverse();
    last
}

/// The name of a manifest with another end.
pub(super) fn sibling(manifest: &[u8], end: &str) -> Key {
    let stem = manifest.len() - b".mpd".len();
    [&manifest[..stem], end.as_bytes()].concat().into()
}

/// An identifier in the name of a file: what could mean something else in a URL is written as `~` and its code.
pub(super) fn in_name(id: &str) -> String {
    let mut name = String::new();
    for byte in id.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' => {
                name.push(char::from(byte));
            }
            other => name.push_str(&format!("~{other:02X}")),
        }
    }
    name
}
