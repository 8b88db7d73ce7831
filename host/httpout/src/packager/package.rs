//! A presentation that is made: what its maker writes and its readers wait for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::error::shown;
use crate::mode::Uploads;
use crate::packager::names::Names;
use crate::rdirs::Location;
use crate::reqlog::Reqlog;
use crate::resource::{Retention, Store};
use crate::settings::{
    BUFFER, Buffer, Destination, MediaKind, MediaSettings, PackageSettings, ServerSettings,
};
use crate::within::within;

/// How long a reader waits for the first manifest: ffmpeg looks into its input first.
const FIRST_MANIFEST: Duration = Duration::from_secs(15);

/// A presentation.
pub(crate) struct Package {
    /// Of the sources, by number.
    pub(crate) source: usize,
    pub(super) media: MediaSettings,
    /// The manifest below the directory.
    pub(super) manifest: Vec<u8>,
    pub(crate) names: Names,
    /// For the log: where the manifest goes.
    pub(super) place: String,
    /// Segments of a quality that stay at most (option `max_cache_segs`); none is without a bound.
    kept: Option<usize>,
    store: Arc<Store>,
    retention: Arc<Retention>,
    log: Reqlog,
    /// Option `cte`: a segment may be read while it is made.
    cte: bool,
    pub(super) timeout: Option<Duration>,
    state: watch::Sender<State>,
    /// Somebody has asked for a manifest.
    asked: watch::Sender<bool>,
}

/// How far a presentation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is no manifest of this run yet.
    Begun,
    Offered,
    /// Nothing more will come.
    Over,
}

impl Package {
    pub(crate) fn new(
        package: &PackageSettings<'_>,
        server: &ServerSettings,
        store: Arc<Store>,
        retention: Arc<Retention>,
    ) -> Package {
        let in_memory = package.file.directory.path().is_none();
        Package {
            source: package.source,
            media: package.media.clone(),
            manifest: package.file.path.clone(),
            names: Names::new(&package.file.path, &package.media.names),
            place: place(package.file),
            kept: kept(server.max_cache_segs, in_memory),
            store,
            retention,
            log: server.reqlog.clone(),
            cte: server.cte,
            timeout: server.timeout,
            state: watch::Sender::new(State::Begun),
            asked: watch::Sender::new(false),
        }
    }

    /// Where its maker writes to.
    pub(super) fn uploads(&self) -> Uploads {
        let is_dynamic = self.media.kind == MediaKind::Dynamic;
        Uploads {
            store: self.store.clone(),
            // Of what is static nothing goes, also while its manifest says that it goes on.
            retention: is_dynamic.then(|| self.retention.clone()),
            maxs: None,
            cte: self.cte,
            splice: true,
            // When it ends, nothing more will come.
            held_ends: None,
            // A segment that is not sent in chunks begins long before it comes.
            timeout: self.timeout.map(|timeout| timeout + 2 * self.segment()),
            tags: true,
            log: self.log.clone(),
        }
    }

    /// The longest that it may have.
    pub(super) fn segment(&self) -> Duration {
        Duration::from_secs_f64(self.media.longest_segment)
    }

    /// How many segments of so many seconds players are offered: those of the buffer that is asked for, else of the default
    /// one as far as they are kept. None is all of them.
    pub(super) fn window(&self, segment: f64) -> Option<usize> {
        let count = |seconds: f64| ((seconds / segment).ceil() as usize).max(1);
        // Where segments have times of their own, some of them are shorter, and the buffer has one more of these.
        let spare = usize::from(!self.media.is_low_latency());
        let offered = self.kept.map(|kept| kept.saturating_sub(spare).max(1));
        match self.media.buffer {
            Buffer::Unlimited => None,
            Buffer::Seconds(seconds) => Some(count(seconds)),
            Buffer::Default => Some(count(BUFFER).min(offered.unwrap_or(usize::MAX))),
        }
    }

    /// A file has been written.
    pub(super) fn note(&self, path: &[u8]) {
        if path.strip_prefix(b"/") == Some(&self.manifest[..]) {
            self.state.send_if_modified(|state| {
                let is_first = *state == State::Begun;
                *state = if is_first { State::Offered } else { *state };
                is_first
            });
        }
    }

    /// Nothing more will come.
    pub(super) fn end(&self) {
        self.state.send_replace(State::Over);
    }

    /// Waits until nothing more will come.
    pub(crate) async fn over(&self) {
        // There is always a sender: this value.
        let _ = self
            .state
            .subscribe()
            .wait_for(|state| *state == State::Over)
            .await;
    }

    /// Waits for the first manifest of this run, within a bound. Who asks is what option `hold` waits for.
    pub(crate) async fn manifest(&self, timeout: Option<Duration>) {
        self.asked.send_replace(true);
        let mut state = self.state.subscribe();
        let offered = state.wait_for(|state| *state != State::Begun);
        let limit = timeout.map_or(FIRST_MANIFEST, |timeout| timeout.min(FIRST_MANIFEST));
        let _ = within(Some(limit), offered).await;
    }

    /// Waits until somebody asks for a manifest (option `hold`).
    pub(super) async fn client(&self) {
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }
}

/// What the log says of a place.
fn place(file: &Destination) -> String {
    let path = String::from_utf8_lossy(&file.path);
    match &file.directory {
        Location::Disk(directory) => format!("`{}/{}`", shown(directory), path.escape_debug()),
        Location::Memory => format!("memory (`gmem`), as `{}`", path.escape_debug()),
    }
}

/// How many segments of a quality stay at most (option `max_cache_segs`); none is without a bound.
fn kept(max_cache_segs: i64, in_memory: bool) -> Option<usize> {
    let count = usize::try_from(max_cache_segs.unsigned_abs()).unwrap_or(usize::MAX);
    match in_memory {
        true => Some(count.max(1)),
        false => (max_cache_segs < 0).then_some(count),
    }
}
