//! The options, checked: the only reader of [`Options`].

mod config_file;
mod destinations;
mod links;
mod listen;
mod media;
mod packages;
mod plugins;
mod session;
mod shared;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::http::{HeaderName, HeaderValue};
use httpout_options::{CommandLine, Cors, Log, Options, ROWS, Row, State};
use httpout_plugins::{PluginSpec, Pool, frames_message};

use crate::error::{StartupError, shown};
use crate::headers::CommonFields;
use crate::http::{cors, path};
use crate::rdirs::{self, Exposed, Location};
use crate::reqlog::Reqlog;

pub(crate) use config_file::{at, locate};
pub(crate) use destinations::Destination;
pub(crate) use listen::{Interface, Listen, TlsFiles};
pub(crate) use media::{BUFFER, Buffer, Kind as MediaKind, MediaSettings, SegmentNames};
pub(crate) use packages::PackageSettings;
pub(crate) use session::{OutputSettings, SourceSettings};

/// As good as for ever, in seconds: clocks cannot count beyond some centuries.
const LONGEST: u64 = 10 * 365 * 24 * 3600;

/// What a command line asks for, checked: `Settings` that exist can be served.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How much is said.
    pub log: Log,
    /// At least one.
    pub(crate) servers: Vec<ServerSettings>,
    /// What the outputs of the servers send.
    pub(crate) sources: Vec<SourceSettings>,
    /// What the plugins of all servers share; none where there is no plugin.
    pub(crate) pool: Option<Pool>,
    /// Where the state of all plugins is kept (option `plugin_state`).
    pub(crate) plugin_state: Option<PathBuf>,
    /// The most bytes of all files in memory; none is unlimited.
    pub(crate) gmem_max: Option<u64>,
    /// What is given for all servers together.
    pub(crate) shared: Options,
}

/// What one server does.
#[derive(Debug, Clone)]
pub(crate) struct ServerSettings {
    /// In the order of option `port`; at least one.
    pub(crate) listen: Vec<Listen>,
    /// None where all is plain.
    pub(crate) tls: Option<TlsFiles>,
    /// Limits on connections; none is unlimited.
    pub(crate) maxc: Option<usize>,
    pub(crate) maxp: Option<usize>,
    /// How long a connection may make no progress; none is for ever.
    pub(crate) timeout: Option<Duration>,
    /// How many errors in a row end an HTTP/1.1 connection; none is unlimited.
    pub(crate) max_client_errors: Option<usize>,
    /// Bytes to read or write at once; none where the server chooses.
    pub(crate) block_size: Option<usize>,
    /// Stop when the clients are gone.
    pub(crate) quit: bool,
    pub(crate) rdirs: Vec<Exposed>,
    pub(crate) wdir: Option<Location>,
    /// The largest upload in bytes; none is unlimited.
    pub(crate) maxs: Option<u64>,
    /// Option `max_cache_segs`.
    pub(crate) max_cache_segs: i64,
    /// List directories.
    pub(crate) dlist: bool,
    /// The largest text file to compress, in bytes; 0 is none.
    pub(crate) zmax: u64,
    /// Chunked coding may be used, so that files are sent while they are written.
    pub(crate) cte: bool,
    /// Live DASH manifests go on where those of an encoder that was stopped have been.
    pub(crate) splice: bool,
    pub(crate) caching: Caching,
    pub(crate) norange: bool,
    pub(crate) fields: CommonFields,
    pub(crate) cors: cors::Policy,
    pub(crate) reqlog: Reqlog,
    pub(crate) plugins: Vec<PluginSpec>,
    /// Path of the page of metrics, decoded and normalized; none without one.
    pub(crate) metrics: Option<Vec<u8>>,
    /// Show the page of the player.
    pub(crate) player: bool,
    pub(crate) live: LiveSettings,
    pub(crate) outputs: Vec<OutputSettings>,
    /// Where outputs write that do not say it; none where they send live streams.
    pub(crate) destination: Option<Location>,
    /// What outputs ask for that the server does otherwise, to be told.
    pub(crate) ignored: Vec<String>,
    /// For plugins that ask for an option by its name.
    pub(crate) options: Options,
}

/// How inputs reach clients (documents: HTTP server sink).
#[derive(Debug, Clone)]
pub(crate) struct LiveSettings {
    /// Wait with an input until the first client is there.
    pub(crate) hold: bool,
    /// Send ICE fields.
    pub(crate) ice: bool,
    /// Answer while an input is between two files.
    pub(crate) reopen: bool,
    /// Inputs wait for all clients.
    pub(crate) blockio: bool,
    /// What a client may fall behind, in bytes.
    pub(crate) max_async_buf: u64,
    /// What a client gets at once of what was sent before it came, in bytes.
    pub(crate) burst: u64,
}

/// The most that option `burst` keeps of each output, in bytes.
const LARGEST_BURST: u64 = 64 << 20;

/// The documented `cache_control`.
#[derive(Debug, Clone)]
pub(crate) enum Caching {
    /// Validators, and no `Cache-Control`.
    Default,
    /// `none`: neither `Cache-Control` nor ETag.
    Disabled,
    /// This `Cache-Control`, with validators.
    Control(HeaderValue),
}

impl Settings {
    /// Checks a whole command line with the configuration file that it names, which is read, before anything is bound
    /// or loaded.
    ///
    /// # Errors
    /// The first thing that is wrong, or that this version cannot do yet.
    pub fn check(line: CommandLine) -> Result<Settings, StartupError> {
        let line = config_file::apply(line)?;
        let (servers, sources) = session::check(&line)?;
        listen::check_places(&servers)?;
        let shared = shared::options(&servers)?;
        let located = |error| locate(&shared, error);
        check_memory(&servers)?;
        Ok(Settings {
            log: shared.log,
            gmem_max: Some(shared.gmem_max).filter(|bytes| *bytes > 0),
            plugin_state: plugin_state(&shared).map_err(located)?,
            pool: {
                let all = servers.iter().flat_map(|server| &server.plugins);
                let specs: Vec<PluginSpec> = all.cloned().collect();
                let is_counting = servers.iter().any(|server| server.metrics.is_some());
                plugins::pool(&shared, &specs, is_counting).map_err(located)?
            },
            servers,
            sources,
            shared,
        })
    }
}

impl ServerSettings {
    /// `made` are the directories that outputs write to.
    fn check(
        options: &Options,
        outputs: Vec<OutputSettings>,
        made: &[Location],
    ) -> Result<ServerSettings, StartupError> {
        ServerSettings::of(options, outputs, made).map_err(|error| locate(options, error))
    }

    fn of(
        options: &Options,
        mut outputs: Vec<OutputSettings>,
        made: &[Location],
    ) -> Result<ServerSettings, StartupError> {
        refuse_planned(options, options)?;
        if outputs.is_empty()
            && options.rdirs.is_empty()
            && options.wdir.is_none()
            && options.plugin.is_empty()
            && options.js.is_none()
        {
            return Err(StartupError::NothingToServe);
        }
        let timeout = Duration::from_secs(options.timeout.min(LONGEST));
        let timeout = Some(timeout).filter(|time| !time.is_zero());
        let wdir = wdir(options)?;
        let tls = listen::tls_files(options)?;
        let destination = outputs.first().and_then(OutputSettings::directory).cloned();
        let made: Vec<_> = made.iter().chain(&wdir).collect();
        let rdirs = rdirs::check(&options.rdirs, &made)?;
        for output in &mut outputs {
            output.settle(&rdirs);
        }
        Ok(ServerSettings {
            listen: listen::listen(options, tls.is_some())?,
            tls,
            maxc: limit(options.maxc),
            maxp: limit(options.maxp),
            timeout,
            max_client_errors: limit(options.max_client_errors),
            block_size: block_size(options)?,
            quit: options.quit,
            plugins: plugins::specs(options, &rdirs, wdir.as_ref().and_then(Location::path))?,
            rdirs,
            wdir,
            maxs: Some(options.maxs).filter(|bytes| *bytes > 0),
            max_cache_segs: options.max_cache_segs,
            dlist: options.dlist,
            zmax: options.zmax,
            cte: options.cte,
            splice: options.splice,
            caching: caching(options)?,
            norange: options.norange,
            fields: common_fields(options)?,
            cors: match options.cors {
                Cors::Off => cors::Policy::Never,
                Cors::On => cors::Policy::Always,
                Cors::Auto => cors::Policy::ByOrigin,
            },
            reqlog: Reqlog::parse(options.reqlog.as_deref().unwrap_or_default()),
            metrics: metrics(options)?,
            player: options.player,
            live: LiveSettings {
                hold: options.hold,
                ice: options.ice,
                reopen: options.reopen,
                blockio: options.blockio,
                max_async_buf: options.max_async_buf,
                burst: options.burst.min(LARGEST_BURST),
            },
            outputs,
            destination,
            ignored: Vec::new(),
            options: options.clone(),
        })
    }
}

/// What is given for the server or for one of its plugins.
fn refuse_planned(options: &Options, given: &Options) -> Result<(), StartupError> {
    let is_planned = |row: &&Row| row.state == State::Planned && given.is_set(row.name);
    match ROWS.iter().find(is_planned) {
        Some(row) => {
            let error = StartupError::NotYet(format!("option `{}`", row.name));
            Err(at(options, given.place_of(row.name), error))
        }
        None => Ok(()),
    }
}

fn refuse(option: &'static str, reason: impl Into<String>) -> StartupError {
    let reason = reason.into();
    StartupError::Option { option, reason }
}

/// The documented default is GPAC's choice, not the user's: it is taken only where it is given.
fn block_size(options: &Options) -> Result<Option<usize>, StartupError> {
    const SMALLEST: u64 = 1 << 10;
    const LARGEST: u64 = 16 << 20;
    let given = options.block_size;
    if !options.is_set("block_size") {
        return Ok(None);
    }
    if !(SMALLEST..=LARGEST).contains(&given) {
        let reason = format!("`{given}` is not a number of bytes from {SMALLEST} to {LARGEST}");
        return Err(refuse("block_size", reason));
    }
    Ok(usize::try_from(given).ok())
}

/// 0 is unlimited.
fn limit(value: u64) -> Option<usize> {
    let value = usize::try_from(value).unwrap_or(usize::MAX);
    Some(value).filter(|value| *value > 0)
}

/// What is read from memory has to come from somewhere.
fn check_memory(servers: &[ServerSettings]) -> Result<(), StartupError> {
    let writes = |server: &ServerSettings| {
        let mut directories = server.outputs.iter().map(OutputSettings::directory);
        server.wdir == Some(Location::Memory)
            || directories.any(|directory| directory == Some(&Location::Memory))
    };
    let reads = |exposed: &Exposed| exposed.location == Location::Memory;
    let reading = servers.iter().find(|server| server.rdirs.iter().any(reads));
    match reading {
        Some(server) if !servers.iter().any(writes) => {
            let reason = "nothing writes to `gmem`: add `--wdir=gmem` for encoders that upload";
            Err(locate(&server.options, refuse("rdirs", reason)))
        }
        _ => Ok(()),
    }
}

/// It is made when the server starts, if it is not there.
fn wdir(options: &Options) -> Result<Option<Location>, StartupError> {
    let Some(text) = options.wdir.as_deref() else {
        return Ok(None);
    };
    let location = Location::of(Path::new(text));
    let Some(path) = location.path() else {
        return Ok(Some(location));
    };
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(Some(location)),
        Ok(_) => {
            let reason = format!("`{}` is not a directory", text.escape_debug());
            Err(refuse("wdir", reason))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Some(location)),
        Err(error) => Err(cannot_open("wdir", path, &error)),
    }
}

/// A directory of an option cannot be opened.
pub(crate) fn cannot_open(
    option: &'static str,
    directory: &Path,
    error: &std::io::Error,
) -> StartupError {
    let reason = format!("cannot open directory `{}`: {error}", shown(directory));
    refuse(option, reason)
}

fn plugin_state(options: &Options) -> Result<Option<PathBuf>, StartupError> {
    match options.plugin_state.as_deref().map(Path::new) {
        Some(file) if file.file_name().is_none() => {
            let reason = format!("`{}` is no name of a file", shown(file));
            Err(refuse("plugin_state", reason))
        }
        file => Ok(file.map(Path::to_owned)),
    }
}

/// The page is at exactly one path: what no request could ask for is refused.
fn metrics(options: &Options) -> Result<Option<Vec<u8>>, StartupError> {
    let Some(text) = options.metrics.as_deref() else {
        return Ok(None);
    };
    let normal = path::normalize_decoded(text).ok();
    match normal.filter(|normal| normal == text.as_bytes()) {
        Some(path) => Ok(Some(path)),
        None => {
            let shown = text.escape_debug();
            let reason =
                format!("`{shown}` is no path such as `/_/metrics`, decoded and normalized");
            Err(refuse("metrics", reason))
        }
    }
}

fn caching(options: &Options) -> Result<Caching, StartupError> {
    match options.cache_control.as_deref() {
        None => Ok(Caching::Default),
        Some("none") => Ok(Caching::Disabled),
        Some(text) => Ok(Caching::Control(field_value("cache_control", text)?)),
    }
}

fn common_fields(options: &Options) -> Result<CommonFields, StartupError> {
    let server = match options.user_agent.as_deref() {
        None | Some("$GUA") => concat!("httpout/", env!("CARGO_PKG_VERSION")),
        Some(text) => text,
    };
    let pairs = options.hdrs.chunks(2).map(|pair| match pair {
        [name, value] => Ok((field_name(name)?, field_value("hdrs", value)?)),
        _ => Err(refuse(
            "hdrs",
            "a name without a value: write `Name,Value,Name2,Value2`",
        )),
    });
    Ok(CommonFields {
        server: field_value("user_agent", server)?,
        additional: pairs.collect::<Result<_, _>>()?,
        utc: options.sutc,
        close: options.close,
    })
}

fn field_name(text: &str) -> Result<HeaderName, StartupError> {
    let shown = text.escape_debug();
    match HeaderName::try_from(text) {
        Ok(name) if frames_message(&name) => Err(refuse(
            "hdrs",
            format!("`{shown}` is set by the server alone"),
        )),
        Ok(name) => Ok(name),
        Err(_) => Err(refuse("hdrs", format!("`{shown}` is not a field name"))),
    }
}

fn field_value(option: &'static str, text: &str) -> Result<HeaderValue, StartupError> {
    HeaderValue::try_from(text).map_err(|_| {
        refuse(
            option,
            format!("`{}` is not a field value", text.escape_debug()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use httpout_options::{Invocation, parse};

    fn check(line: &str) -> Result<Settings, StartupError> {
        match parse(line.split(' ').map(Into::into)) {
            Ok(Invocation::Run(line)) => Settings::check(line),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_default_port_follows_tls_and_a_given_0_stays() {
        for (line, port) in [
            (".", 80),
            (". --port=0", 0),
            (". --cert=a --pkey=b", 443),
            (". --cert=a --pkey=b --port=0", 0),
        ] {
            let servers = check(line).expect("serves").servers;
            assert_eq!(servers[0].listen[0].port, port, "{line}");
        }
    }

    #[test]
    fn of_several_ports_with_tls_the_first_is_plain() {
        let secure = |line: &str| -> Vec<bool> {
            let servers = check(line).expect("serves").servers;
            servers[0].listen.iter().map(|one| one.secure).collect()
        };
        assert_eq!(secure(". --port=1,2"), [false, false]);
        assert_eq!(secure(". --port=1 --cert=a --pkey=b"), [true]);
        assert_eq!(
            secure(". --port=1,2,3 --cert=a --pkey=b"),
            [false, true, true]
        );
    }

    #[test]
    fn what_cannot_be_done_yet_is_said_in_one_line() {
        for line in [
            ". --post",
            "-i a.mp3 -o a.ts",
            "-i a.mp3 -o http://localhost/live.mpd --sigfrag",
            "httpout:hmode=source vout",
        ] {
            let error = check(line).expect_err(line).to_string();
            assert!(error.contains("not supported by this version"), "{error}");
            assert_eq!(error.lines().count(), 1);
        }
    }

    #[test]
    fn values_that_cannot_be_are_refused_with_their_option() {
        for (line, option) in [
            ("./no-such-directory", "rdirs"),
            (". --ifce=nowhere0", "ifce"),
            (". --hdrs=a", "hdrs"),
            (". --hdrs=a:b,c", "hdrs"),
            (". --hdrs=Content-Length,2", "hdrs"),
            (". --plugin_memory=1", "plugin_memory"),
            (". --plugin_timeout=0", "plugin_timeout"),
            (". --plugin_instances=0", "plugin_instances"),
            (". --plugin_instances=10001", "plugin_instances"),
            (". --cert=a", "pkey"),
            (". --pkey=a", "cert"),
            (". --block_size=1023", "block_size"),
            (". --block_size=0", "block_size"),
            (". --block_size=17M", "block_size"),
            (". --plugin_state=..", "plugin_state"),
            (
                "httpout:port=0:rdirs=.:plugin_state=a httpout:port=0:rdirs=.:plugin_state=b",
                "plugin_state",
            ),
            ("--rdirs=gmem", "rdirs"),
            (". --metrics=metrics", "metrics"),
            (". --metrics=/a/../metrics", "metrics"),
            (". --metrics=//metrics", "metrics"),
        ] {
            let error = check(line).expect_err(line).to_string();
            assert!(
                error.starts_with(&format!("option `{option}`: ")),
                "{error}"
            );
        }
    }
}
