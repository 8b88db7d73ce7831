//! What is replaced while the servers run: plugins, when their files change or at SIGHUP.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use httpout_plugins::Reload;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::site::Site;

/// How often it is looked whether files have changed.
const LOOK: Duration = Duration::from_millis(500);

/// Replaces what has changed for as long as the set that it gives is kept.
///
/// # Errors
/// Where the system gives no signals.
pub(super) fn start(sites: Vec<Arc<Site>>) -> io::Result<JoinSet<()>> {
    let hangups = signal(SignalKind::hangup())?;
    let mut running = JoinSet::new();
    running.spawn(watch(sites, hangups));
    Ok(running)
}

async fn watch(sites: Vec<Arc<Site>>, mut hangups: Signal) {
    let watches_files = sites.iter().any(|site| !site.chain.is_empty());
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(()) = hangups.recv() => {
                tracing::info!("SIGHUP: what can be replaced while the server runs is loaded again");
                reload(&sites, Reload::All).await;
                tracing::info!("SIGHUP: done");
            }
            _ = looks.tick(), if watches_files => reload(&sites, Reload::Changed).await,
            else => return,
        }
    }
}

/// All that can be replaced, server by server. Where it fails, what was there before stays.
async fn reload(sites: &[Arc<Site>], which: Reload) {
    for site in sites {
        site.chain.reload(which).await;
    }
}
