//! Which segments stay in memory (documents: HTTP server file sink, option `max_cache_segs`).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use crate::manifest::{self, Kind, Manifest, Names, Series};
use crate::resource::Memory;

/// The largest manifest that is read, in bytes.
const LARGEST: u64 = 8 << 20;

/// Removes segments when later ones of their quality have come. What is a segment, and how many the time-shift buffer
/// has, is what the manifests say: what none of them names stays, and so do manifests and what begins a stream.
#[derive(Debug)]
pub(crate) struct Retention {
    memory: Arc<Memory>,
    /// Of each quality, at least 1.
    max_segments: usize,
    /// By the path of the manifest.
    live: Mutex<HashMap<Vec<u8>, Live>>,
}

/// What a manifest of a live presentation says.
#[derive(Debug, Default)]
struct Live {
    series: Vec<Series>,
    /// That it offers more than is kept has been said.
    is_told: bool,
}

impl Retention {
    /// Option `max_cache_segs`, whose sign makes no difference in memory.
    pub(crate) fn new(memory: Arc<Memory>, max_cache_segs: i64) -> Retention {
        let max_segments = usize::try_from(max_cache_segs.unsigned_abs());
        Retention {
            memory,
            max_segments: max_segments.unwrap_or(usize::MAX).max(1),
            live: Mutex::default(),
        }
    }

    /// A file has come to its name.
    pub(crate) fn note(&self, path: &[u8]) {
        let mut live = self.live.lock().expect("no holder panics");
        if !manifest::is_manifest(path) {
            // A list comes after the segments that it lists.
            for series in live.values().flat_map(|live| &live.series) {
                if series.names.match_pattern(path) {
                    self.remove_oldest(series);
                }
            }
            return;
        }
        // Those that have been removed are of no use any more.
        live.retain(|path, _| self.memory.order(path).is_some());
        let content = self.memory.content(path, LARGEST).unwrap_or_default();
        let manifest = std::str::from_utf8(&content);
        let manifest = manifest.map_or(None, |text| Manifest::parse(path, text));
        match manifest {
            Some(manifest) if manifest.is_live => {
                let known = live.entry(path.to_vec()).or_default();
                self.update(path, known, manifest.series);
            }
            // What is complete stays as it is.
            Some(_) => drop(live.remove(path)),
            None => {
                let path = path.escape_ascii();
                tracing::warn!(
                    "manifest `{path}` cannot be read: it does not tell which segments may go"
                );
            }
        }
    }

    fn update(&self, path: &[u8], live: &mut Live, mut series: Vec<Series>) {
        let earlier = std::mem::take(&mut live.series);
        // The same manifest has its qualities in the same order.
        for (series, earlier) in series.iter_mut().zip(&earlier) {
            self.add_earlier(&mut series.names, &earlier.names);
        }
        if !live.is_told {
            live.is_told = self.tell(path, &series);
        }
        for series in &series {
            self.remove_oldest(series);
        }
        live.series = series;
    }

    /// A list does not tell what it told earlier, and is in memory still.
    fn add_earlier(&self, names: &mut Names, earlier: &Names) {
        if let (Names::Listed(paths), Names::Listed(earlier)) = (names, earlier) {
            let listed: HashSet<&Vec<u8>> = paths.iter().collect();
            let is_left =
                |path: &&Vec<u8>| !listed.contains(path) && self.memory.order(path).is_some();
            let left: Vec<_> = earlier.iter().filter(is_left).cloned().collect();
            paths.extend(left);
        }
    }

    fn remove_oldest(&self, series: &Series) {
        let mut found = match &series.names {
            Names::Listed(paths) => {
                let found = paths.iter().filter_map(|path| {
                    let order = self.memory.order(path)?;
                    Some((order, path.clone().into_boxed_slice()))
                });
                found.collect()
            }
            pattern => {
                let is_one = |path: &[u8]| pattern.match_pattern(path);
                self.memory.find(pattern.prefix(), is_one)
            }
        };
        found.sort_unstable();
        found.truncate(found.len().saturating_sub(self.kept(series)));
        for (order, path) in found {
            if self.memory.remove_same(&path, order) {
                tracing::debug!(
                    "removed `{}`: later segments have come",
                    path.escape_ascii()
                );
            }
        }
    }

    /// The smaller of `max_cache_segs` and the time-shift depth.
    fn kept(&self, series: &Series) -> usize {
        let offered = series.offered.unwrap_or(usize::MAX);
        match series.kind {
            Kind::Segments => offered.min(self.max_segments),
            Kind::Parts => offered,
        }
    }

    /// Says that players are offered more than there is, if they are.
    fn tell(&self, path: &[u8], series: &[Series]) -> bool {
        let segments = series.iter().filter(|one| one.kind == Kind::Segments);
        let offered = segments.map(|one| match &one.names {
            Names::Listed(_) => one.offered.unwrap_or(usize::MAX),
            // That in which the time-shift buffer begins is seldom asked for.
            Names::Pattern(_) => one.offered.map_or(usize::MAX, |count| count - 1),
        });
        let offered = offered.max();
        let is_more = offered.is_some_and(|offered| offered > self.max_segments);
        if is_more {
            let (path, kept) = (path.escape_ascii(), self.max_segments);
            let offered = offered.filter(|offered| *offered < usize::MAX);
            let offered = offered.map_or("all".to_owned(), |count| count.to_string());
            tracing::warn!(
                "manifest `{path}` offers {offered} segments of a quality, and {kept} are kept: give a larger \
                 `max_cache_segs`, or let the encoder offer fewer"
            );
        }
        is_more
    }
}
