//! What the server knows of the media that are written to it: which fragments are there, which segments come next, and
//! the playlists of HLS that it makes of a DASH presentation.
//!
//! Uploads tell it (`observer.rs`) what they write: fragments as `scanner.rs` finds them, manifests when they are
//! complete. A presentation is a `dash.rs`, each representation a `track.rs` of segments and parts; `playlist.rs` and `multivariant.rs` write them down.
//! Only requests for what is not there ask it: for a playlist, or for a file that is about to come (`awaited.rs`).

mod awaited;
mod boxes;
#[cfg(test)]
#[path = "../../../../tests/it/support/cmaf.rs"]
mod cmaf;
mod dash;
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

use tokio::sync::futures::OwnedNotified;

use crate::manifest::Manifest;
pub(crate) use crate::presentation::awaited::Awaited;
use crate::presentation::awaited::Seats;
use crate::presentation::dash::{Presentation, sibling};
pub(crate) use crate::presentation::directives::Directives;
use crate::presentation::observer::Files;
pub(crate) use crate::presentation::observer::Observer;
pub(crate) use crate::presentation::text::Text;

/// A file, wherever it is: the path of its directory on disk, or that of memory, and its path below. One file has one
/// key, whatever mount point or store leads to it; symbolic links below a directory are not followed.
pub(crate) type Key = Arc<[u8]>;

/// The most manifests that are remembered; then the one that was written least lately is forgotten.
const MANIFESTS: usize = 256;

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

/// The key of a path below a directory.
pub(crate) fn below(root: &[u8], path: &[u8]) -> Key {
    [root, b"/", path].concat().into()
}
