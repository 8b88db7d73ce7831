//! From a socket to requests: listen, accept, serve connections, drain.

mod connection;
mod connections;
mod listener;
mod sendfile;
mod stream;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::StartupError;
use crate::settings::{Interface, ServerSettings, Settings};
use crate::site::Site;

use connections::Connections;
pub(crate) use connections::Link;
pub(crate) use sendfile::FileQueue;

/// How long open requests may go on after the signal to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// A server that is bound and ready.
pub struct Server {
    site: Arc<Site>,
    listener: TcpListener,
    connections: Arc<Connections>,
    interface: Interface,
}

impl Server {
    /// Opens the directories, loads the plugins, then binds.
    ///
    /// # Errors
    /// One line about what stands in the way.
    pub async fn bind(settings: Settings) -> Result<Server, StartupError> {
        let mut servers = settings.servers.into_iter();
        let settings: ServerSettings = servers.next().ok_or(StartupError::NothingToServe)?;
        let site = Arc::new(Site::open(&settings).await?);
        let listener = listener::bind(&settings.listen)?;
        Ok(Server {
            site,
            listener,
            connections: Connections::new(settings.maxc, settings.maxp, settings.timeout),
            interface: settings.listen.interface,
        })
    }

    /// Says where it listens, then serves until SIGTERM or SIGINT, and lets open requests finish.
    ///
    /// # Errors
    /// Where the system gives no signals.
    pub async fn run(self) -> Result<(), StartupError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(StartupError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StartupError::Runtime)?;
        announce(&self.listener, &self.interface);

        let accepting = tokio::spawn(listener::accept(
            self.listener,
            self.connections.clone(),
            self.site,
        ));
        let sweeping = tokio::spawn(self.connections.clone().sweep());
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(
            "stopping: open requests have {} s to finish",
            DRAIN.as_secs()
        );
        accepting.abort();
        // A connection that is being taken in must hear of the draining too.
        let _ = accepting.await;
        sweeping.abort();
        tokio::select! {
            left = self.connections.drain(DRAIN) => if left > 0 {
                tracing::warn!("{left} connections were cut");
            },
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
}

/// The one line on standard output, for people and for scripts that wait for it.
fn announce(listener: &TcpListener, interface: &Interface) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let port = address.port();
    let line = match interface {
        Interface::Address(_) => format!("listening on http://{address}/"),
        Interface::Named(name) => format!("listening on http://0.0.0.0:{port}/ (interface {name})"),
        Interface::All => format!("listening on http://127.0.0.1:{port}/ (all interfaces)"),
    };
    let mut out = std::io::stdout();
    // Nobody may be reading.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
