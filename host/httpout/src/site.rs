//! What requests are answered from: one snapshot, shared by all connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use httpout_plugins::Chain;

use crate::error::StartupError;
use crate::headers::CommonFields;
use crate::http::cors;
use crate::mode::{FileServer, Mode};
use crate::plugins;
use crate::reqlog::Reqlog;
use crate::resource::{Compressed, Files, Mounts};
use crate::settings::{ServerSettings, cannot_open};

/// Everything that a request meets on its way.
pub(crate) struct Site {
    pub(crate) mode: Arc<Mode>,
    pub(crate) chain: Chain,
    pub(crate) fields: CommonFields,
    pub(crate) cors: cors::Policy,
    pub(crate) reqlog: Reqlog,
    last_exchange_id: AtomicU64,
}

impl Site {
    /// Opens the directories and loads the plugins.
    pub(crate) async fn open(settings: &ServerSettings) -> Result<Site, StartupError> {
        let mounts = Mounts::open(&settings.rdirs)
            .map_err(|(directory, error)| cannot_open(&directory, &error))?;
        for name in mounts.names() {
            tracing::info!("serving `/{}/`", name.escape_debug());
        }
        let mode = Arc::new(Mode::FileServer(FileServer {
            files: Files::new(mounts, settings.zmax),
            compressed: Compressed::new(),
            caching: settings.caching.clone(),
            norange: settings.norange,
        }));
        let chain = plugins::load(settings, mode.clone()).await?;
        Ok(Site {
            mode,
            chain,
            fields: settings.fields.clone(),
            cors: settings.cors,
            reqlog: settings.reqlog.clone(),
            last_exchange_id: AtomicU64::new(0),
        })
    }

    /// Whether anybody wants to know how an exchange ends.
    pub(crate) fn watches_endings(&self) -> bool {
        self.reqlog.is_on() || !self.chain.is_empty()
    }

    pub(crate) fn next_exchange_id(&self) -> u64 {
        self.last_exchange_id.fetch_add(1, Relaxed) + 1
    }
}
