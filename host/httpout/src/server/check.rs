//! `httpout check`: all that a start does but bind and write, and what would be served.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use httpout_options::Options;
use httpout_plugins::{Engine, Kind, OnFailure, PluginSpec, Pool, StateKeeper};
use rustix::fs::{Access, access};

use crate::error::{StartupError, shown};
use crate::input::Source;
use crate::packager;
use crate::rdirs::{Exposed, GMEM, Location};
use crate::resource::Memory;
use crate::server::dry_run::{DryRequest, dry_run};
use crate::server::tls;
use crate::settings::{Interface, Listen, ServerSettings, Settings, cannot_open, locate};
use crate::site::Site;

/// Opens the directories, loads the plugins and certificates, and tells line by line what would be served. Nothing is
/// left behind: no port is bound, no directory made, no compiled plugin kept. Scripts are asked about a request, `GET /`
/// unless it is said.
///
/// # Errors
/// What would keep the server from its start.
pub async fn check(settings: Settings, request: Option<String>) -> Result<String, StartupError> {
    let request = DryRequest::parse(request.as_deref().unwrap_or("GET /"))?;
    let mut report = String::new();
    let pool = settings.pool.clone().map(|pool| Pool {
        keeps: false,
        ..pool
    });
    let engine = pool.map(Engine::new).transpose()?.map(Arc::new);
    // Without plugins there is no state to keep.
    let state = settings.plugin_state.clone().filter(|_| engine.is_some());
    if let Some(file) = &state {
        StateKeeper::check(file).map_err(|error| locate(&settings.shared, error.into()))?;
    }
    for (index, server) in settings.servers.iter().enumerate() {
        if let (0, Some(file)) = (index, &server.options.config) {
            tell(&mut report, &format!("configuration file {}", quoted(file)));
        }
        let site = check_server(server, engine.as_ref())
            .await
            .map_err(|error| locate(&server.options, error))?;
        tell_of_server(&mut report, server, &settings);
        let replies = dry_run(&site, server, &request).await?;
        replies.iter().for_each(|line| tell(&mut report, line));
    }
    packager::check_all(&settings).await?;
    for source in &settings.sources {
        Source::open(source, Vec::new(), Vec::new(), None).await?;
    }
    if let Some(file) = &state {
        tell(
            &mut report,
            &format!("state of plugins is kept in {}", quoted(file)),
        );
    }
    Ok(report)
}

async fn check_server(
    settings: &ServerSettings,
    engine: Option<&Arc<Engine>>,
) -> Result<Site, StartupError> {
    let mut readable = settings.clone();
    for script in &mut readable.plugins {
        if script.kind == Kind::Script {
            disarm(script);
        }
    }
    // Where a server opens a directory for writing, it removes what an earlier one left unfinished there.
    readable.wdir = None;
    if let Some(Location::Disk(directory)) = &settings.wdir
        && !can_be_listed(directory).map_err(|error| cannot_open("wdir", directory, &error))?
    {
        let is_other = |exposed: &Exposed| exposed.location.path() != Some(directory);
        readable.rdirs.retain(is_other);
    }
    let files = settings.outputs.iter().filter_map(|one| one.file.as_ref());
    for directory in files.filter_map(|file| file.directory.path()) {
        let there = can_be_written(directory);
        if !there.map_err(|error| cannot_open("rdirs", directory, &error))? {
            let is_other = |exposed: &Exposed| exposed.location.path() != Some(directory);
            readable.rdirs.retain(is_other);
        }
    }
    readable.outputs.retain(|output| output.file.is_none());
    let memory = Memory::new(None);
    let site = Site::open(&readable, Arc::default(), &memory, engine, None).await?;
    settings.tls.as_ref().map(tls::load).transpose()?;
    Ok(site)
}

/// What a script does in a dry run has no effect: it writes no file, and asks nobody.
fn disarm(script: &mut PluginSpec) {
    let directories = &mut script.grants.directories;
    // The one for uploads may be made when the server starts.
    directories.retain(|granted| !granted.writable || granted.path.is_dir());
    for granted in directories {
        granted.writable = false;
    }
    script.limits.fetches = 0;
}

/// Whether a directory is there, and can be written; if it is not there, it can be made.
fn can_be_written(directory: &Path) -> io::Result<bool> {
    let is_there = can_be_listed(directory)?;
    if is_there {
        access(directory, Access::WRITE_OK | Access::EXEC_OK)?;
    }
    Ok(is_there)
}

/// Whether a directory is there; if not, it can be made.
fn can_be_listed(directory: &Path) -> io::Result<bool> {
    match std::fs::read_dir(directory) {
        Ok(_) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut parents = directory.ancestors().skip(1).map(|parent| {
        let here = parent.as_os_str().is_empty();
        PathBuf::from(if here { Path::new(".") } else { parent })
    });
    if let Some(parent) = parents.find(|parent| parent.exists()) {
        access(&parent, Access::WRITE_OK | Access::EXEC_OK)?;
    }
    Ok(false)
}

fn tell_of_server(report: &mut String, settings: &ServerSettings, all: &Settings) {
    for listen in &settings.listen {
        tell(report, &listener(listen));
    }
    for exposed in &settings.rdirs {
        let name = match exposed.name.as_str() {
            "" => "/".to_owned(),
            name => format!("/{name}/"),
        };
        let directory = match &exposed.location {
            Location::Disk(path) => format!("directory {}", quoted(path)),
            Location::Memory => "memory".to_owned(),
        };
        tell(report, &format!("{} is {directory}", quoted(&name)));
    }
    match &settings.wdir {
        None => {}
        Some(Location::Memory) => tell(report, "uploads go to memory"),
        Some(Location::Disk(directory)) => {
            let made = match directory.exists() {
                true => "",
                false => ", which will be made",
            };
            let directory = quoted(directory);
            tell(
                report,
                &format!("uploads go to directory {directory}{made}"),
            );
        }
    }
    for output in &settings.outputs {
        let path = String::from_utf8_lossy(&output.path);
        let input = all
            .sources
            .get(output.source)
            .map_or("", |source| &source.name);
        let (path, input) = (quoted(&*path), quoted(input));
        let text = match &output.file {
            None => format!("{path} is a live stream of input {input}"),
            Some(file) => {
                let directory = file.directory.path().unwrap_or(Path::new(GMEM));
                let name = Path::new(OsStr::from_bytes(&file.path));
                let place = quoted(directory.join(name));
                match output.media.is_some() {
                    true => {
                        format!("{path} is made of input {input} by ffmpeg, written to {place}")
                    }
                    false => format!("{path} is input {input}, written to {place}"),
                }
            }
        };
        tell(report, &text);
    }
    if let Some(path) = &settings.options.metrics {
        tell(report, &format!("metrics are at path {}", quoted(path)));
    }
    if settings.player {
        tell(report, "the player is at path `/_/player`");
    }
    if let Some(files) = &settings.tls {
        let (cert, pkey) = (quoted(&files.cert), quoted(&files.pkey));
        tell(report, &format!("certificate {cert} with key {pkey}"));
    }
    for (index, spec) in settings.plugins.iter().enumerate() {
        let mut own = match settings.options.plugin.get(index) {
            Some(given) => given.options.clone(),
            // The script stands behind the plugins.
            None => Options::default(),
        };
        own.inherit(&settings.options);
        tell(report, &of_plugin(spec, &own));
    }
}

fn listener(listen: &Listen) -> String {
    let scheme = if listen.secure { "https" } else { "http" };
    let port = match listen.port {
        0 => "any free port".to_owned(),
        port => format!("port {port}"),
    };
    let interface = match &listen.interface {
        Interface::All => "all interfaces".to_owned(),
        Interface::Address(address) => format!("address {address}"),
        Interface::Named(name) => format!("interface {}", quoted(name)),
    };
    format!("{scheme} on {port} of {interface}")
}

/// For what it is asked, and what it may reach. Its configuration may hold secrets.
fn of_plugin(spec: &PluginSpec, options: &Options) -> String {
    let mut text = format!(
        "{} {} from {}, asked about ",
        match spec.kind {
            Kind::Component => "plugin",
            Kind::Script => "script",
        },
        quoted(&spec.name),
        quoted(&spec.path)
    );
    let methods: Vec<_> = spec
        .scope
        .methods
        .iter()
        .map(|method| method.as_str())
        .collect();
    text += &match methods.as_slice() {
        [] => "all methods".to_owned(),
        methods => methods.join(", "),
    };
    if !spec.scope.paths.is_empty() {
        text += &format!(" below {}", list(spec.scope.paths.iter().map(quoted)));
    }
    let directories = |writable| {
        let all = spec.grants.directories.iter();
        let paths = all.filter(move |granted| granted.writable == writable);
        paths.map(|granted| quoted(&granted.path))
    };
    for (verb, what) in [
        ("reads", list(directories(false))),
        ("writes", list(directories(true))),
        ("connects to", list(options.plugin_allow.iter().map(quoted))),
    ] {
        if !what.is_empty() {
            // A string takes what is written to it.
            let _ = write!(text, "; {verb} {what}");
        }
    }
    if spec.on_failure == OnFailure::Open {
        text += "; passed over while it fails";
    }
    text
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn quoted(text: impl AsRef<Path>) -> String {
    format!("`{}`", shown(text.as_ref()))
}

fn tell(report: &mut String, what: &str) {
    *report += &format!("ok {what}\n");
}
