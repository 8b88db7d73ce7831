//! What the server knows of the media that are written to it: which fragments are there, which segments come next, and
//! the playlists of HLS that it makes of a DASH presentation.
//!
//! Uploads tell it (`observer.rs`) what they write: fragments as `scanner.rs` finds them, manifests when they are
//! complete. Each representation is a `track.rs` of segments and parts; `playlist.rs` and `multivariant.rs` write them down.
//! Only requests for what is not there ask it: for a playlist, or for a file that is about to come (`awaited.rs`).

mod awaited;
mod boxes;
#[cfg(test)]
#[path = "../../../../tests/it/support/cmaf.rs"]
mod cmaf;
mod directives;
mod multivariant;
mod observer;
mod playlist;
mod scanner;
mod segment;
#[cfg(test)]
mod tests;
mod text;
mod track;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::manifest::{Manifest, Times};
pub(crate) use crate::presentation::awaited::Awaited;
use crate::presentation::awaited::Seats;
pub(crate) use crate::presentation::directives::Directives;
use crate::presentation::observer::Files;
pub(crate) use crate::presentation::observer::Observer;
use crate::presentation::segment::SegmentState;
pub(crate) use crate::presentation::text::Text;
use crate::presentation::track::Track;

/// A file, wherever it is: the path of its directory on disk, or that of memory, and its path below. One file has one
/// key, whatever mount point or store leads to it; symbolic links below a directory are not followed.
pub(crate) type Key = Arc<[u8]>;

/// The most manifests that are remembered; then the one that was written least lately is forgotten.
const MANIFESTS: usize = 256;

/// The most representations of a manifest.
const TRACKS: usize = 64;

/// The most files that one playlist announces.
const ANNOUNCED: usize = 256;

/// Where nothing tells how long segments are.
const USUAL_SEGMENT: f64 = 2.0;

/// All that is known, of all servers of the process.
#[derive(Debug, Default)]
pub(crate) struct Presentations {
    /// Held for moments only.
    register: Mutex<Register>,
}

#[derive(Debug, Default)]
struct Register {
    /// By their manifests.
    presentations: HashMap<Key, Presentation>,
    /// Those of playlists that have been written, with what they announce.
    announced: HashMap<Key, Announced>,
    /// The playlists that are made: of which presentation, and which of its tracks; none is the multivariant one.
    playlists: HashMap<Key, (Key, Option<usize>)>,
    files: Files,
    seats: Seats,
    /// How many manifests have been written.
    manifests: u64,
}

/// What a playlist announces.
#[derive(Debug)]
struct Announced {
    order: u64,
    files: Vec<Key>,
    target: Duration,
}

/// A presentation that a DASH manifest describes.
#[derive(Debug)]
struct Presentation {
    order: u64,
    /// Its multivariant playlist.
    main: Key,
    is_live: bool,
    times: Times,
    tracks: Vec<Track>,
    /// The target duration of all its playlists, in seconds, from when they are there.
    target: Option<u64>,
    /// Somebody waits for the playlists to be there.
    changed: Arc<Notify>,
    /// How often something has changed.
    state: u64,
    rendered: Option<(u64, Arc<Text>)>,
}

/// What there is to say about a playlist.
pub(crate) enum Asked {
    /// There is no such playlist.
    NotHere,
    Playlist(Arc<Text>),
    /// What is asked for will come, or not, within that time.
    Wait(OwnedNotified, Duration),
    /// It will not come for long.
    TooFar,
}

impl Presentations {
    /// Whether a file is a playlist that is made.
    pub(crate) fn has_playlist(&self, key: &[u8]) -> bool {
        self.register().playlists.contains_key(key)
    }

    /// The playlist of a name, if there is one, and what was asked of it has come.
    pub(crate) fn ask(&self, key: &[u8], directives: &Directives) -> Asked {
        let mut register = self.register();
        let Some((manifest, track)) = register.playlists.get(key).cloned() else {
            return Asked::NotHere;
        };
        match (register.presentations.get_mut(&manifest), track) {
            (None, _) => Asked::NotHere,
            (Some(presentation), None) => presentation.ask_main(),
            (Some(presentation), Some(track)) => presentation.ask(track, directives),
        }
    }

    /// A wait for a file that is about to come; none where it is not, or too many files are waited for.
    pub(crate) fn expect(self: &Arc<Self>, keys: &[Key]) -> Option<Awaited> {
        let mut register = self.register();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_millis() as u64);
        let (key, limit) = keys
            .iter()
            .find_map(|key| Some((key, register.announced(key, now)?)))?;
        let notified = register.seats.take(key)?;
        Some(Awaited::new(self.clone(), key.clone(), notified, limit))
    }

    /// A manifest has been written. Gives the init segments of its tracks that are not known.
    fn set_manifest(&self, key: &Key, root: &[u8], manifest: Option<Manifest>) -> Vec<Key> {
        let mut register = self.register();
        let register = &mut *register;
        register.manifests += 1;
        let Some(manifest) = manifest else {
            return Vec::new();
        };
        register.announce(key, root, &manifest);
        if manifest.tracks.is_empty() {
            return Vec::new();
        }
        let order = register.manifests;
        let known = register.presentations.get(key).map(|known| known.order);
        if known.is_none() && register.presentations.len() >= MANIFESTS {
            let oldest = register
                .presentations
                .iter()
                .min_by_key(|(_, one)| one.order);
            let oldest = oldest.map(|(key, _)| key.clone());
            if let Some(key) = oldest {
                register.forget(&key);
            }
        }
        let presentation = register
            .presentations
            .entry(key.clone())
            .or_insert_with(|| {
                let main = sibling(key, ".m3u8");
                Presentation::new(main)
            });
        presentation.order = order;
        presentation.update(key, root, manifest);
        register
            .playlists
            .retain(|_, (manifest, _)| manifest != key);
        let main = (presentation.main.clone(), (key.clone(), None));
        let all = presentation.tracks.iter().enumerate();
        let all = all.map(|(at, track)| (track.playlist.clone(), (key.clone(), Some(at))));
        register.playlists.extend(std::iter::once(main).chain(all));
        // What was written before the manifest.
        for written in register.files.in_order() {
            presentation.take(written);
        }
        presentation.settle();
        let unknown = presentation
            .tracks
            .iter()
            .filter(|track| track.init().is_none());
        unknown.filter_map(|track| track.init_key.clone()).collect()
    }

    /// A file is gone: segments leave their playlists, presentations are forgotten.
    pub(crate) fn removed(&self, key: &[u8]) {
        let mut register = self.register();
        let register = &mut *register;
        register.announced.remove(key);
        register.files.remove(key);
        register.forget(key);
        for presentation in register.presentations.values_mut() {
            presentation.change(|track, _| track.leave(key));
        }
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().expect("no holder panics")
    }
}

impl Register {
    fn forget(&mut self, manifest: &[u8]) {
        if let Some(gone) = self.presentations.remove(manifest) {
            self.playlists.retain(|_, (key, _)| **key != *manifest);
            gone.changed.notify_waiters();
            for track in &gone.tracks {
                track.changed.notify_waiters();
            }
        }
    }

    fn announce(&mut self, key: &Key, root: &[u8], manifest: &Manifest) {
        self.announced.remove(key);
        if !manifest.is_live || manifest.announced.is_empty() {
            return;
        }
        if self.announced.len() >= MANIFESTS {
            let oldest = self.announced.iter().min_by_key(|(_, one)| one.order);
            let oldest = oldest.map(|(key, _)| key.clone());
            if let Some(key) = oldest {
                self.announced.remove(&key);
            }
        }
        let files = manifest.announced.iter().rev().take(ANNOUNCED);
        let announced = Announced {
            order: self.manifests,
            files: files.map(|path| below(root, path)).collect(),
            target: manifest
                .times
                .longest
                .unwrap_or(Duration::from_secs_f64(USUAL_SEGMENT)),
        };
        self.announced.insert(key.clone(), announced);
    }

    /// How long a file may be waited for that is about to come: about two segments.
    fn announced(&self, key: &Key, now: u64) -> Option<Duration> {
        let live = self.presentations.values().filter(|one| one.is_live);
        let awaiting = |one: &Presentation| one.awaits(key, now);
        let made = live.filter_map(awaiting).next();
        made.or_else(|| {
            let mut all = self.announced.values();
            let its = all.find(|one| one.files.contains(key))?;
            Some(its.target * 2)
        })
    }
}

impl Presentation {
    fn new(main: Key) -> Presentation {
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
    fn update(&mut self, key: &Key, root: &[u8], manifest: Manifest) {
        let mut earlier = std::mem::take(&mut self.tracks);
        for mut facts in manifest.tracks {
            let is_it = |track: &Track| track.facts.id == facts.id;
            // The last of several periods is the one that goes on.
            self.tracks.retain(|track| !is_it(track));
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
            track.facts = facts;
            track.init_key = init;
            if self.tracks.len() < TRACKS {
                self.tracks.push(track);
            }
        }
        self.times = manifest.times;
        self.is_live = manifest.is_live;
        self.change(|_, _| true);
    }

    /// Takes what has been written of a file.
    fn take(&mut self, file: observer::Taken<'_>) {
        let observer::Taken { written, init } = file;
        let is_readable = !written.fragments.is_empty();
        self.change(|track, times| {
            if let Some((init, is_same)) = init
                && track.init_key.as_ref() == Some(written.key)
            {
                track.set_init(init, written.upload, is_same);
            }
            track.begin(written.key) && is_readable && track.take(&written, times)
        });
    }

    /// Lets each track change; those who wait for what has changed are woken.
    fn change(&mut self, mut change: impl FnMut(&mut Track, &Times) -> bool) {
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
    fn settle(&mut self) {
        let longest = self.tracks.iter().map(|track| track.longest(&self.times));
        let longest = longest.fold(0.0, f64::max);
        let complete = self.tracks.iter().map(Track::complete);
        let (least, most) = (
            complete.clone().min().unwrap_or(0),
            complete.max().unwrap_or(0),
        );
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

    fn ask_main(&mut self) -> Asked {
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

    fn ask(&mut self, at: usize, directives: &Directives) -> Asked {
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
    fn awaits(&self, key: &Key, now: u64) -> Option<Duration> {
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
    fn uri(&self, key: &[u8]) -> String {
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

/// The key of a path below a directory.
pub(crate) fn below(root: &[u8], path: &[u8]) -> Key {
    [root, b"/", path].concat().into()
}

/// The name of a manifest with another end.
fn sibling(manifest: &[u8], end: &str) -> Key {
    let stem = manifest.len() - b".mpd".len();
    [&manifest[..stem], end.as_bytes()].concat().into()
}

/// An identifier in the name of a file: what could mean something else in a URL is written as `~` and its code.
fn in_name(id: &str) -> String {
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
