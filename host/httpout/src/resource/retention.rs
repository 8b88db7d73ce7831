//! Which segments stay (documents: HTTP server file sink, option `max_cache_segs`).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use crate::manifest::{self, Kind, Manifest, Names, Series};
use crate::presentation::{self, Presentations};
use crate::resource::Memory;
use crate::resource::directory::Identity;
use crate::resource::input_files::InputFiles;

/// Removes segments when later ones of their quality have come. What is a segment, and how many the time-shift buffer
/// has, is what the manifests say: what none of them names stays, and so do manifests and what begins a stream.
#[derive(Debug)]
pub(crate) struct Retention {
    files: Kept,
    /// Of each quality stays what the time-shift buffer has, but not fewer than `least` and not more than `most`.
    least: usize,
    most: usize,
    /// By the path of the manifest.
    live: Mutex<HashMap<Vec<u8>, Live>>,
}

/// Where segments come and go.
#[derive(Debug)]
enum Kept {
    /// All files in memory, and who is to be told of those that go.
    Memory(Arc<Memory>, Arc<Presentations>),
    /// The files of inputs; those that clients have uploaded are removed by DELETE only.
    Disk(InputFiles),
}

/// What a manifest of a live presentation says.
#[derive(Debug, Default)]
struct Live {
    series: Vec<Series>,
    /// That it offers more than is kept has been said.
    is_told: bool,
}

impl Retention {
    /// In memory, where the sign of option `max_cache_segs` makes no difference.
    pub(crate) fn in_memory(
        memory: Arc<Memory>,
        presentations: Arc<Presentations>,
        max_cache_segs: i64,
    ) -> Retention {
        let most = count(max_cache_segs).max(1);
        Retention::new(Kept::Memory(memory, presentations), 0, most)
    }

    /// On disk: a negative `max_cache_segs` is what stays, a positive one the least of it, and with 0 all does.
    pub(crate) fn on_disk(files: InputFiles, max_cache_segs: i64) -> Retention {
        let (least, most) = match max_cache_segs {
            0 => (usize::MAX, usize::MAX),
            1.. => (count(max_cache_segs), usize::MAX),
            _ => (count(max_cache_segs), count(max_cache_segs)),
        };
        Retention::new(Kept::Disk(files), least, most)
    }

    fn new(files: Kept, least: usize, most: usize) -> Retention {
        Retention {
            files,
            least,
            most,
            live: Mutex::default(),
        }
    }

    /// A file has come to its name. On disk it may block.
    pub(crate) fn note(&self, path: &[u8], identity: &Identity) {
        if self.least == usize::MAX {
            return;
        }
        if let Kept::Disk(files) = &self.files {
            files.add(path, identity);
        }
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
        live.retain(|path, _| self.files.order(path).is_some());
        let content = self
            .files
            .content(path, manifest::LARGEST as u64)
            .unwrap_or_default();
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

    /// A list does not tell what it told earlier, and is there still.
    fn add_earlier(&self, names: &mut Names, earlier: &Names) {
        if let (Names::Listed(paths), Names::Listed(earlier)) = (names, earlier) {
            let listed: HashSet<&Vec<u8>> = paths.iter().collect();
            let is_left =
                |path: &&Vec<u8>| !listed.contains(path) && self.files.order(path).is_some();
            let left: Vec<_> = earlier.iter().filter(is_left).cloned().collect();
            paths.extend(left);
        }
    }

    fn remove_oldest(&self, series: &Series) {
        let mut found = match &series.names {
            Names::Listed(paths) => {
                let found = paths.iter().filter_map(|path| {
                    let order = self.files.order(path)?;
                    Some((order, path.clone().into_boxed_slice()))
                });
                found.collect()
            }
            pattern => {
                let is_one = |path: &[u8]| pattern.match_pattern(path);
                self.files.find(pattern.prefix(), is_one)
            }
        };
        found.sort_unstable();
        found.truncate(found.len().saturating_sub(self.kept(series)));
        for (order, path) in found {
            if self.files.remove_same(&path, order) {
                tracing::debug!(
                    "removed `{}`: later segments have come",
                    path.escape_ascii()
                );
            }
        }
    }

    /// By `max_cache_segs` and the time-shift depth.
    fn kept(&self, series: &Series) -> usize {
        let offered = series.offered.unwrap_or(usize::MAX);
        match series.kind {
            Kind::Segments | Kind::Begun => offered.clamp(self.least, self.most),
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
        let is_more = offered.is_some_and(|offered| offered > self.most);
        if is_more {
            let (path, kept) = (path.escape_ascii(), self.most);
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

impl Kept {
    fn order(&self, path: &[u8]) -> Option<u64> {
        match self {
            Kept::Memory(memory, _) => memory.order(path),
            Kept::Disk(files) => files.order(path),
        }
    }

    fn find(&self, prefix: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> Vec<(u64, Box<[u8]>)> {
        match self {
            Kept::Memory(memory, _) => memory.find(prefix, is_wanted),
            Kept::Disk(files) => files.find(prefix, is_wanted),
        }
    }

    /// The content of a file of at most so many bytes.
    fn content(&self, path: &[u8], limit: u64) -> Option<Vec<u8>> {
        let opened = match self {
            Kept::Memory(memory, _) => memory.open_file(path),
            Kept::Disk(files) => files.open_file(path),
        };
        let (file, Identity { size, .. }) = opened.ok()?;
        (size <= limit).then(|| file.beginning(size))?
    }

    fn remove_same(&self, path: &[u8], order: u64) -> bool {
        match self {
            Kept::Memory(memory, presentations) => {
                let is_removed = memory.remove_same(path, order);
                if is_removed {
                    presentations.removed(&presentation::below(memory.key(), path));
                }
                is_removed
            }
            Kept::Disk(files) => files.remove_same(path, order),
        }
    }
}

fn count(max_cache_segs: i64) -> usize {
    usize::try_from(max_cache_segs.unsigned_abs()).unwrap_or(usize::MAX)
}
