//! From a socket to requests: listen, accept, serve connections, drain.

mod check;
mod connection;
mod connections;
mod dry_run;
mod framing;
mod listener;
mod private;
mod refusal;
mod reload;
mod sendfile;
mod stream;
mod tls;
mod wire;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use httpout_plugins::{Engine, StateKeeper};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::error::{StartupError, shown};
use crate::input::{FileTarget, FileWriter, Source, Target, describe};
use crate::metrics::Metrics;
use crate::packager::{Package, Packager, Tools};
use crate::pages::announce_player;
use crate::rdirs::GMEM;
use crate::resource::{Availability, Memory, Names};
use crate::settings::{
    LiveSettings, ServerSettings, Settings, SourceSettings, cannot_open, locate,
};
use crate::site::Site;

pub use check::check;
pub(crate) use connection::TwoLengths;
use connections::Connections;
pub(crate) use connections::{Handling, Link, Live};
use listener::Listener;
pub(crate) use private::PrivateListener;
pub(crate) use sendfile::FileQueue;

/// How long open requests may go on after the signal to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How long plugins may take to hear of what was cut.
const LAST_CALLS: Duration = Duration::from_secs(1);

/// The servers of a command line, bound and ready.
pub struct Servers {
    servers: Vec<Server>,
    sources: Vec<Source>,
    /// Of the files that the sources are written to.
    writers: Vec<FileWriter>,
    packagers: Vec<Packager>,
    /// Of the plugins of all servers; none where there is no plugin.
    engine: Option<Arc<Engine>>,
    /// Of all plugins; none where their state ends with the process.
    keeper: Option<Arc<StateKeeper>>,
}

/// One of them: what it serves, and where.
struct Server {
    site: Arc<Site>,
    /// Of all its listeners together.
    connections: Arc<Connections>,
    listeners: Vec<Listener>,
    /// Stop when the clients are gone.
    quit: bool,
    /// Has the page of the player.
    player: bool,
    takes_uploads: bool,
    live: LiveSettings,
}

impl Servers {
    /// Opens the directories, loads the plugins and certificates, then binds, one server after the other.
    ///
    /// # Errors
    /// One line about what stands in the way.
    pub async fn bind(settings: Settings) -> Result<Servers, StartupError> {
        raise_descriptors();
        let tools = Tools::of(&settings).await?;
        let names = Arc::new(Names::default());
        let memory = Memory::new(settings.gmem_max);
        let engine = settings.pool.map(Engine::new).transpose()?.map(Arc::new);
        let kept = settings.plugin_state.as_ref().zip(engine.as_ref());
        let keeper = kept.map(|(path, engine)| StateKeeper::open(path, engine));
        let keeper = keeper.transpose();
        let keeper = keeper.map_err(|error| locate(&settings.shared, error.into()))?;
        let is_counting = settings.servers.iter().any(|one| one.metrics.is_some());
        let metrics = is_counting.then(|| Arc::new(Metrics::new(engine.as_ref())));
        for server in &settings.servers {
            make_directories(server).map_err(|error| locate(&server.options, error))?;
        }
        let mut servers = Vec::new();
        for settings in &settings.servers {
            let (engine, metrics) = (engine.as_ref(), metrics.as_ref());
            let server = Server::bind(settings, names.clone(), &memory, engine, metrics).await;
            servers.push(server.map_err(|error| locate(&settings.options, error))?);
        }
        let mut sources = Vec::new();
        let mut writers = Vec::new();
        for (number, source) in settings.sources.iter().enumerate() {
            let mut files = Vec::new();
            for server in &servers {
                server.open_files(number, &mut files, &mut writers)?;
            }
            let targets = servers.iter().flat_map(|server| server.targets(number));
            let timeout = servers
                .iter()
                .filter_map(|server| server.site.timeout)
                .max();
            let targets: Vec<_> = targets.collect();
            // What is made reads it by itself.
            if !targets.is_empty() || !files.is_empty() {
                sources.push(Source::open(source, targets, files, timeout).await?);
            }
        }
        let mut packagers = Vec::new();
        for (server, tools) in servers.iter().zip(tools.iter().cycle()) {
            server
                .open_packagers(&settings.sources, tools, &mut packagers)
                .await?;
        }
        Ok(Servers {
            servers,
            sources,
            writers,
            packagers,
            engine,
            keeper,
        })
    }

    /// Says where they listen, then serves until SIGTERM or SIGINT, and lets open requests finish.
    ///
    /// # Errors
    /// Where the system gives no signals.
    pub async fn run(self) -> Result<(), StartupError> {
        let keeper = self.keeper.clone();
        let keeping = keeper.clone().map(|keeper| tokio::spawn(keeper.keep()));
        let served = self.serve().await;
        if let (Some(keeper), Some(keeping)) = (keeper, keeping) {
            keeping.abort();
            keeper.finish().await;
        }
        served
    }

    async fn serve(self) -> Result<(), StartupError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(StartupError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(StartupError::Runtime)?;
        // Unheard, it would end the process where a file grows beyond `ulimit -f`: like this, writing fails.
        let too_large = SignalKind::from_raw(Signal::XFSZ.as_raw());
        let _too_large = signal(too_large).map_err(StartupError::Runtime)?;
        for server in &self.servers {
            server.site.chain.begin_background().await;
        }
        let sites = self.servers.iter().map(|server| server.site.clone());
        // Before anybody can know that there is a process to signal: unheard, SIGHUP would end it.
        let _reloading = reload::start(sites.collect()).map_err(StartupError::Runtime)?;
        let listeners = self.servers.iter().flat_map(|server| &server.listeners);
        announce(listeners);
        for server in self.servers.iter().filter(|server| server.player) {
            if let Some(Ok(url)) = server.listeners.last().map(Listener::url) {
                announce_player(&url, server.takes_uploads);
            }
        }
        if let Some(engine) = self.engine {
            tokio::task::spawn_blocking(move || engine.tidy_cache());
        }

        let sources = self.sources.into_iter();
        let mut sending: JoinSet<()> = sources.map(Source::run).collect();
        let writers = self.writers.into_iter();
        let mut writing: JoinSet<()> = writers.map(FileWriter::run).collect();
        let (stop, stopping) = watch::channel(());
        let (stop_making, stopped_making) = watch::channel(());
        let packagers = self.packagers.into_iter();
        let mut making: JoinSet<()> = packagers
            .map(|packager| packager.run(stopped_making.clone()))
            .collect();
        let servers = self.servers.into_iter();
        let mut serving: JoinSet<()> = servers
            .map(|server| server.serve(stopping.clone()))
            .collect();
        tokio::select! {
            () = all(&mut serving) => {
                sending.shutdown().await;
                drop(stop_making);
                finish(&mut writing).await;
                all(&mut making).await;
                return Ok(());
            }
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(
            "stopping: open requests have {} s to finish",
            DRAIN.as_secs()
        );
        // Without their sources the files are finished, and those who follow them come to an end.
        sending.shutdown().await;
        drop(stop_making);
        drop(stop);
        let last = async {
            all(&mut making).await;
            all(&mut serving).await;
            finish(&mut writing).await;
        };
        tokio::select! {
            () = last => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
}

impl Server {
    async fn bind(
        settings: &ServerSettings,
        names: Arc<Names>,
        memory: &Arc<Memory>,
        engine: Option<&Arc<Engine>>,
        metrics: Option<&Arc<Metrics>>,
    ) -> Result<Server, StartupError> {
        let site = Arc::new(Site::open(settings, names, memory, engine, metrics).await?);
        let figures = metrics.map(|metrics| metrics.figures.clone());
        let tls = settings.tls.as_ref().map(tls::load).transpose()?;
        let listeners = settings.listen.iter();
        let listeners = listeners.map(|listen| Listener::bind(listen, tls.as_ref()));
        Ok(Server {
            site,
            connections: Connections::new(settings, figures),
            listeners: listeners.collect::<Result<_, _>>()?,
            quit: settings.quit,
            player: settings.player,
            takes_uploads: settings.wdir.is_some(),
            live: settings.live.clone(),
        })
    }

    /// What the source of that number feeds.
    fn targets(&self, source: usize) -> impl Iterator<Item = Target> {
        let outputs = self.site.mode.outputs().iter();
        let fed = outputs.filter(move |output| output.settings.source == source);
        fed.map(|output| Target {
            live: output.live.clone(),
            hold: self.live.hold,
            reopen: self.live.reopen,
            blockio: self.live.blockio,
            extension: output.settings.extension.clone(),
        })
    }

    /// Begins the files that the source of that number is written to.
    fn open_files(
        &self,
        source: usize,
        targets: &mut Vec<FileTarget>,
        writers: &mut Vec<FileWriter>,
    ) -> Result<(), StartupError> {
        let outputs = self.site.mode.file_outputs().iter();
        for output in outputs.filter(|output| output.settings.source == source) {
            let extension = output.settings.extension.clone();
            let opened = output.sink.open(self.live.hold, extension);
            let (target, writer) = opened.map_err(|reject| {
                let file = output.settings.file.as_ref();
                let directory = file.and_then(|file| file.directory.path());
                StartupError::Output {
                    output: String::from_utf8_lossy(&output.settings.path).into_owned(),
                    reason: format!(
                        "it cannot be written to `{}`: {}",
                        shown(directory.unwrap_or(GMEM.as_ref())),
                        describe(&reject)
                    ),
                }
            })?;
            targets.push(target);
            writers.push(writer);
        }
        Ok(())
    }

    /// Begins what is made for this server.
    async fn open_packagers(
        &self,
        sources: &[SourceSettings],
        tools: &Arc<Tools>,
        packagers: &mut Vec<Packager>,
    ) -> Result<(), StartupError> {
        let mut begun: Vec<&Arc<Package>> = Vec::new();
        for output in self.site.mode.made() {
            let package = &output.package;
            // DASH and HLS of the same are made at once.
            if begun.iter().any(|other| Arc::ptr_eq(other, package)) {
                continue;
            }
            begun.push(package);
            let source = &sources[package.source];
            let name = String::from_utf8_lossy(&output.settings.path);
            let (tools, hold) = (tools.clone(), self.live.hold);
            let figures = self.connections.figures();
            let packager = Packager::prepare(package.clone(), source, tools, &name, hold, figures);
            packagers.push(packager.await?);
        }
        Ok(())
    }

    /// Waits until all inputs are done and the clients are gone (documents: option `quit`); without inputs, until there
    /// has been a client.
    async fn abandoned(&self) {
        let mode = &self.site.mode;
        for output in mode.outputs() {
            output.live.over().await;
        }
        for output in mode.file_outputs() {
            output.sink.over().await;
        }
        for output in mode.made() {
            output.package.over().await;
        }
        let is_fed = !mode.outputs().is_empty() || !mode.file_outputs().is_empty();
        match !is_fed && mode.made().is_empty() {
            true => self.connections.abandoned().await,
            false => self.connections.empty().await,
        }
    }

    /// Serves until the sender of `stop` is gone, or, with option `quit`, the last client; then lets open requests
    /// finish.
    async fn serve(mut self, mut stop: watch::Receiver<()>) {
        let listeners = std::mem::take(&mut self.listeners).into_iter();
        let mut accepting: JoinSet<()> = listeners
            .map(|listener| listener.accept(self.connections.clone(), self.site.clone()))
            .collect();
        let sweeping = tokio::spawn(self.connections.clone().sweep());
        tokio::select! {
            _ = stop.changed() => {}
            () = self.abandoned(), if self.quit => {
                tracing::info!("the last client has left");
            }
        }
        // A connection that is being taken in must hear of the draining too.
        accepting.shutdown().await;
        sweeping.abort();
        for output in self.site.mode.outputs() {
            output.live.end(Availability::Over);
        }
        let left = self.connections.drain(DRAIN).await;
        if left > 0 {
            tracing::warn!("{left} connections were cut");
            self.connections.cut(LAST_CALLS).await;
        }
        self.site.mode.finish().await;
    }
}

/// Makes the directories that inputs are written to.
fn make_directories(server: &ServerSettings) -> Result<(), StartupError> {
    let files = server.outputs.iter().filter_map(|one| one.file.as_ref());
    for directory in files.filter_map(|file| file.directory.path()) {
        let made = std::fs::create_dir_all(directory);
        made.map_err(|error| cannot_open("rdirs", directory, &error))?;
    }
    Ok(())
}

/// Waits until the files of stopped sources are whole.
async fn finish(writing: &mut JoinSet<()>) {
    if timeout(DRAIN, all(writing)).await.is_err() {
        tracing::error!("files of inputs are lost: the disk has not taken them in time");
    }
}

/// Waits for the end of all of them.
async fn all(serving: &mut JoinSet<()>) {
    while serving.join_next().await.is_some() {}
}

/// The lines on standard output, for people and for scripts that wait for them.
fn announce<'a>(listeners: impl Iterator<Item = &'a Listener>) {
    let mut out = std::io::stdout();
    for line in listeners.filter_map(|listener| listener.announcement().ok()) {
        // Nobody may be reading.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

/// Takes as many descriptors as the system gives: its first offer is often 1024, less than some servers need.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Best effort: with fewer, clients wait.
    let _ = setrlimit(Resource::Nofile, all);
}
