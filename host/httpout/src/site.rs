//! What requests are answered from: one snapshot, shared by all connections.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use ::http::HeaderValue;
use httpout_plugins::{Chain, Engine, GrantedDirectory};

use crate::error::StartupError;
use crate::headers::CommonFields;
use crate::http::cors;
use crate::listing::Listings;
use crate::metrics::Metrics;
use crate::mode::{FileServer, Mode, Uploads};
use crate::outputs::{Stores, open_sink};
use crate::pages::Pages;
use crate::plugins;
use crate::rdirs::{Exposed, GMEM, Location};
use crate::reqlog::Reqlog;
use crate::resource::{
    Compressed, Directory, Files, Granted, Memory, Mounts, Names, Retention, Store,
};
use crate::settings::{Caching, ServerSettings, at, cannot_open};

/// Everything that a request meets on its way.
pub(crate) struct Site {
    pub(crate) mode: Arc<Mode>,
    pub(crate) chain: Chain,
    pub(crate) pages: Pages,
    pub(crate) fields: CommonFields,
    pub(crate) cors: cors::Policy,
    pub(crate) reqlog: Reqlog,
    /// How long a client may send nothing; none is for ever.
    pub(crate) timeout: Option<Duration>,
    /// The largest body of a request, in bytes; none is unlimited.
    pub(crate) maxs: Option<u64>,
    /// Option `block_size`, where it is given.
    pub(crate) block_size: Option<usize>,
    last_exchange_id: AtomicU64,
}

impl Site {
    /// Opens the directories and loads the plugins. `names`, `memory`, `engine` and `metrics` are shared by all servers.
    pub(crate) async fn open(
        settings: &ServerSettings,
        names: Arc<Names>,
        memory: &Arc<Memory>,
        engine: Option<&Arc<Engine>>,
        metrics: Option<&Arc<Metrics>>,
    ) -> Result<Site, StartupError> {
        for line in &settings.ignored {
            tracing::warn!("{line}");
        }
        let in_memory = Retention::in_memory(
            memory.clone(),
            names.presentations.clone(),
            settings.max_cache_segs,
        );
        let stores = Stores {
            names: names.clone(),
            memory,
            in_memory: Arc::new(in_memory),
        };
        // First, because it may be one of those for read, and is made if it is not there.
        let uploads = open_uploads(settings, &stores)?;
        let mounts = open_mounts(settings, memory)?;
        let granted = open_granted(settings)?;
        let pages = Pages::new(settings, metrics, mounts.as_ref(), &names);
        let listings = mounts.clone().filter(|_| settings.dlist);
        let files = FileServer {
            granted,
            presentations: names.presentations.clone(),
            files: mounts.map(|mounts| Files::new(mounts, names.clone(), settings.zmax)),
            compressed: Compressed::new(),
            listings: listings.map(|mounts| Listings::new(mounts, names)),
            uploads,
            caching: settings.caching.clone(),
            norange: settings.norange,
            timeout: settings.timeout,
        };
        let mode = Arc::new(match settings.outputs.is_empty() {
            true => Mode::FileServer(files),
            false => Mode::Sink(open_sink(settings, files, &stores)?),
        });
        let chain = plugins::load(settings, engine, mode.clone()).await?;
        Ok(Site {
            mode,
            chain,
            pages,
            fields: settings.fields.clone(),
            cors: settings.cors,
            reqlog: settings.reqlog.clone(),
            timeout: settings.timeout,
            maxs: settings.maxs,
            block_size: settings.block_size,
            last_exchange_id: AtomicU64::new(0),
        })
    }

    /// What programs of ours meet: no plugin, and no option of the server.
    pub(crate) fn private(mode: Mode, timeout: Option<Duration>) -> Site {
        Site {
            mode: Arc::new(mode),
            chain: Chain::new(Vec::new()),
            pages: Pages::default(),
            fields: CommonFields {
                server: HeaderValue::from_static("httpout"),
                additional: Vec::new(),
                utc: false,
                // Each request has a connection of its own, so that none is lost when the program ends.
                close: true,
            },
            cors: cors::Policy::Never,
            reqlog: Reqlog::default(),
            timeout,
            maxs: None,
            block_size: None,
            last_exchange_id: AtomicU64::new(0),
        }
    }

    /// Whether anybody wants to know how an exchange ends.
    pub(crate) fn watches_endings(&self) -> bool {
        self.reqlog.is_on() || !self.chain.is_empty()
    }

    pub(crate) fn next_exchange_id(&self) -> u64 {
        self.last_exchange_id.fetch_add(1, Relaxed) + 1
    }
}

/// The directories for read; none where clients may only write (documents: option `wdir`).
fn open_mounts(
    settings: &ServerSettings,
    memory: &Arc<Memory>,
) -> Result<Option<Arc<Mounts>>, StartupError> {
    if settings.rdirs.is_empty() && settings.wdir.is_some() {
        return Ok(None);
    }
    let mut directories = Vec::new();
    for Exposed { location, name } in &settings.rdirs {
        let directory = Directory::open(location, memory);
        let path = location.path().unwrap_or(Path::new(GMEM));
        let directory = directory.map_err(|error| cannot_open("rdirs", path, &error))?;
        directories.push((name.clone(), directory));
    }
    let mounts = Mounts::new(directories);
    for name in mounts.names() {
        tracing::info!("serving `/{}/`", name.escape_debug());
    }
    Ok(Some(Arc::new(mounts)))
}

/// The directories of option `plugin_dirs`.
fn open_granted(settings: &ServerSettings) -> Result<Granted, StartupError> {
    let plugins = settings.plugins.iter();
    let directories = plugins.flat_map(|plugin| &plugin.grants.directories);
    let paths = directories.map(|directory| directory.path.as_path());
    Granted::open_all(paths, settings.zmax).map_err(|(directory, error)| {
        let error = cannot_open("plugin_dirs", &directory, &error);
        let options = &settings.options;
        let plugins = settings.plugins.iter().zip(&options.plugin);
        let is_its = |granted: &GrantedDirectory| granted.path == directory;
        let owner = plugins
            .filter(|(spec, _)| spec.grants.directories.iter().any(is_its))
            .find_map(|(_, given)| given.options.place_of("plugin_dirs"));
        at(options, owner, error)
    })
}

fn open_uploads(
    settings: &ServerSettings,
    stores: &Stores<'_>,
) -> Result<Option<Uploads>, StartupError> {
    let mut retention = None;
    let store = match &settings.wdir {
        None => return Ok(None),
        Some(Location::Memory) => {
            retention = Some(stores.in_memory.clone());
            stores.memory()
        }
        Some(Location::Disk(directory)) => {
            let made = std::fs::create_dir_all(directory);
            let store = made.and_then(|()| Store::open(directory, stores.names.clone()));
            store.map_err(|error| cannot_open("wdir", directory, &error))?
        }
    };
    Ok(Some(Uploads {
        store: Arc::new(store),
        retention,
        maxs: settings.maxs,
        cte: settings.cte,
        splice: settings.splice,
        held_ends: settings.splice.then(Arc::default),
        timeout: settings.timeout,
        tags: !matches!(settings.caching, Caching::Disabled),
        log: settings.reqlog.clone(),
    }))
}
