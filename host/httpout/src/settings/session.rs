//! Whole sessions: the inputs, where they go to, and which outputs share a server (documents: Multiple destinations on
//! single server).

use std::net::ToSocketAddrs as _;

use ::http::uri::Authority;
use ::http::{HeaderName, HeaderValue, Uri};
use httpout_options::{Argument, CommandLine, Endpoint, FilterName, Options, row};

use crate::error::StartupError;
use crate::http::authority::{has_wrong_port, without_credentials};
use crate::http::{media_type, path};
use crate::input::Origin;
use crate::manifest::is_manifest;
use crate::rdirs::{self, GMEM, Location};
use crate::settings::destinations::{self, Destination};
use crate::settings::links::{self, Link};
use crate::settings::media::{self, MediaSettings};
use crate::settings::{ServerSettings, listen, locate, packages, refuse};

/// An input, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct SourceSettings {
    /// As it was named.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    /// As fast as its own timestamps say (`reframer:rt=on`).
    pub(crate) is_paced: bool,
    /// Begin again at the end, for ever (argument `loop`).
    pub(crate) repeats: bool,
    /// Property `StreamTitle`: what players show, whatever the tags of the media say.
    pub(crate) title: Option<String>,
}

/// Where clients find an input.
#[derive(Debug, Clone)]
pub(crate) struct OutputSettings {
    /// Decoded and normalized.
    pub(crate) path: Vec<u8>,
    /// Of the sources, by number.
    pub(crate) source: usize,
    /// Of option `mime`, of option `ext`, or of the path; none where only the first bytes will tell.
    pub(crate) media_type: Option<HeaderValue>,
    /// The extension to go by.
    pub(crate) extension: Option<String>,
    /// ICE fields from the properties of the input.
    pub(crate) ice: Vec<(HeaderName, HeaderValue)>,
    /// The file that the input is written to; none for a live stream. Of what is made, the DASH manifest.
    pub(crate) file: Option<Destination>,
    /// How it is made into segments and a manifest; none where it is passed on as it is.
    pub(crate) media: Option<MediaSettings>,
}

/// The servers of a line, and the sources of their outputs.
pub(super) fn check(
    line: &CommandLine,
) -> Result<(Vec<ServerSettings>, Vec<SourceSettings>), StartupError> {
    check_filters(line)?;
    if line.outputs.is_empty()
        && let Some(input) = line.inputs.first()
    {
        return Err(goes_nowhere(input));
    }
    let made = line.outputs.iter().map(|output| {
        let directory = rdirs::first(&output.options.rdirs);
        directory.map_err(|error| locate(&output.options, error))
    });
    let made: Vec<_> = made.collect::<Result<_, _>>()?;
    let made: Vec<Location> = made.into_iter().flatten().collect();
    let mut servers = Vec::new();
    if line.has_written_servers() || line.outputs.is_empty() {
        for options in &line.servers {
            servers.push(ServerSettings::check(options, Vec::new(), &made)?);
        }
    }
    let mut links: Vec<Link> = Vec::new();
    for output in &line.outputs {
        let link = links::link(line, output)?;
        let known = links.iter().position(|known| *known == link);
        let source = known.unwrap_or(links.len());
        if known.is_none() {
            links.push(link);
        }
        let input = &line.inputs[link.input];
        add(&mut servers, input, output, source, line, &made)
            .map_err(|error| locate(&output.options, error))?;
    }
    let is_made = |server: &ServerSettings| server.outputs.iter().any(|one| one.media.is_some());
    media::check_use(line, servers.iter().any(is_made))?;
    destinations::check(&servers)?;
    destinations::check_names(&servers)?;
    let is_taken = |input: usize| links.iter().any(|link| link.input == input);
    if let Some(unused) = (0..line.inputs.len()).find(|input| !is_taken(*input)) {
        return Err(goes_nowhere(&line.inputs[unused]));
    }
    let sources = links
        .iter()
        .map(|link| source(&line.inputs[link.input], link.is_paced));
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    packages::check_stdin(&servers, &sources)?;
    let outputs = servers.iter().flat_map(|server| &server.outputs);
    for output in outputs.filter(|output| output.file.is_some()) {
        let source = &sources[output.source];
        // A dynamic presentation has its pace.
        let is_paced = output
            .media
            .as_ref()
            .is_some_and(|media| media.kind == media::Kind::Dynamic);
        if source.repeats && !source.is_paced && !is_paced {
            let reason = "with `loop` and as fast as it can be read it would fill the disk: add `reframer:rt=on`";
            return Err(StartupError::Input {
                input: source.name.clone(),
                reason: reason.to_owned(),
            });
        }
    }
    Ok((servers, sources))
}

fn goes_nowhere(input: &Endpoint) -> StartupError {
    StartupError::Input {
        input: without_credentials(&input.url).into_owned(),
        reason: "no output takes it: write `-o http://localhost:8080/live.mp3`".to_owned(),
    }
}

fn check_filters(line: &CommandLine) -> Result<(), StartupError> {
    for filter in &line.filters {
        let name = match filter.name {
            FilterName::Reframer => {
                check_arguments(
                    &filter.arguments,
                    &["rt", "SID", "FID"],
                    "filter `reframer`",
                )?;
                let rt = links::argument(&filter.arguments, "rt");
                if let Some(value) = rt.filter(|_| links::switch(&filter.arguments, "rt").is_none())
                {
                    let value = value.escape_debug();
                    return Err(refuse("rt", format!("`{value}` is neither `on` nor `off`")));
                }
                continue;
            }
            FilterName::Dashin => "dashin",
            FilterName::Vout => "vout",
            FilterName::Aout => "aout",
        };
        return Err(StartupError::NotYet(format!("filter `{name}`")));
    }
    Ok(())
}

fn check_arguments(given: &[Argument], known: &[&str], of: &str) -> Result<(), StartupError> {
    let unknown = given
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()));
    match unknown {
        Some((name, _)) => Err(StartupError::NotYet(format!("argument `{name}` of {of}"))),
        None => Ok(()),
    }
}

fn source(input: &Endpoint, is_paced: bool) -> Result<SourceSettings, StartupError> {
    let refused = |reason: String| StartupError::Input {
        input: without_credentials(&input.url).into_owned(),
        reason,
    };
    let of = format!("input `{}`", input.url.escape_debug());
    check_arguments(&input.arguments, &["FID", "loop"], &of)?;
    let origin = Origin::parse(&input.url).map_err(refused)?;
    let repeats = links::switch(&input.arguments, "loop").ok_or_else(|| {
        refused("`loop` is neither `true` nor `false`: write it alone, behind the name".to_owned())
    })?;
    if repeats && !matches!(origin, Origin::File(_)) {
        return Err(refused("only a file can begin again (`loop`)".to_owned()));
    }
    let mut titles = input.properties.iter();
    let title = titles.find(|(name, _)| name.eq_ignore_ascii_case("StreamTitle"));
    Ok(SourceSettings {
        name: without_credentials(&input.url).into_owned(),
        origin,
        is_paced,
        repeats,
        title: title.map(|(_, title)| title.clone()),
    })
}

/// Adds an output to the server of its address, or makes that server of its options.
fn add(
    servers: &mut Vec<ServerSettings>,
    input: &Endpoint,
    output: &Endpoint,
    source: usize,
    line: &CommandLine,
    made: &[Location],
) -> Result<(), StartupError> {
    let refused = |reason: &str| StartupError::Output {
        output: output.url.clone(),
        reason: reason.to_owned(),
    };
    if !output.url.starts_with("http://") && !output.url.starts_with("https://") {
        let what = format!("output `-o {}`", output.url.escape_debug());
        return Err(StartupError::NotYet(what));
    }
    let url: Uri = output
        .url
        .parse()
        .map_err(|_| refused("it is no URL such as `http://localhost:8080/live.mp3`"))?;
    if url
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err(refused(
            "names and passwords in it protect nothing: plugin `auth`, or a rules file, asks for them",
        ));
    }
    if has_wrong_port(&url) {
        return Err(refused("its port is none: they go up to 65535"));
    }
    let of = format!("output `{}`", output.url.escape_debug());
    let known: Vec<&str> = media::names().chain(["FID", "SID"]).collect();
    check_arguments(&output.arguments, &known, &of)?;
    let mut options = options_of(output, &url)?;
    let path = path::normalize(url.path()).map_err(|_| refused("its path is malformed"))?;
    if path.ends_with(b"/") {
        return Err(refused(
            "it names no file: write a path such as `/live.mp3`",
        ));
    }
    let media = media_of(input, output, &path, line)?;
    let mut settings = OutputSettings {
        media_type: media_type_of(&options, &path)?,
        extension: extension(&options, &path),
        ice: ice(&input.properties)?,
        path,
        source,
        file: None,
        media,
    };
    let is_tls = options.cert.is_some() && options.pkey.is_some();
    let listen = listen::listen(&options, is_tls)?;
    let sharing = servers.iter_mut().find(|server| {
        let covers = |one| server.listen.iter().any(|other| other.covers(one));
        listen.iter().all(covers)
    });
    match sharing {
        Some(server)
            if server
                .outputs
                .iter()
                .any(|other| other.path == settings.path) =>
        {
            Err(refused(
                "another output has the same path: give each its own",
            ))
        }
        Some(server) if url.scheme_str() == Some("https") && server.tls.is_none() => Err(refused(
            "the server that has its port already speaks plain HTTP: give it a port of its own",
        )),
        Some(server) => {
            let directory = match options.is_set("rdirs") {
                true => rdirs::first(&options.rdirs)?,
                false => server.destination.clone(),
            };
            settings.set_directory(directory);
            settings.settle(&server.rdirs);
            server.outputs.push(settings);
            let flags = &line.flags;
            let ignored = destinations::ignored(&output.url, &options, flags, &server.options);
            server.ignored.extend(ignored);
            Ok(())
        }
        None => {
            if settings.media.is_some() && options.rdirs.is_empty() {
                options.set(row("rdirs")?, GMEM)?;
            }
            settings.set_directory(rdirs::first(&options.rdirs)?);
            servers.push(ServerSettings::check(&options, vec![settings], made)?);
            Ok(())
        }
    }
}

/// How an output is made, if its path is that of a manifest and its input is none itself.
fn media_of(
    input: &Endpoint,
    output: &Endpoint,
    path: &[u8],
    line: &CommandLine,
) -> Result<Option<MediaSettings>, StartupError> {
    let is_made = is_manifest(path) && !is_manifest(input.url.as_bytes());
    match media::names().find(|name| links::argument(&output.arguments, name).is_some()) {
        Some(option) if !is_made => Err(media::without_effect(option)),
        _ if !is_made => Ok(None),
        _ => MediaSettings::check(&output.arguments, &line.media).map(Some),
    }
}

/// The options of an output, with host and port of its URL.
fn options_of(output: &Endpoint, url: &Uri) -> Result<Options, StartupError> {
    let mut options = output.options.clone();
    let is_secure = url.scheme_str() == Some("https");
    if is_secure && (options.cert.is_none() || options.pkey.is_none()) {
        let reason = "`https://…` needs a certificate and its key: give `cert` and `pkey`";
        return Err(refuse("cert", reason));
    }
    let Some(authority) = url.authority() else {
        return Ok(options);
    };
    if let Some(port) = authority.port()
        && !options.port.contains(&port.as_u16())
    {
        if options.is_set("port") {
            let port = port.as_str();
            tracing::warn!(
                "option `port` is ignored: `-o {}` names port {port}, which is not in it",
                output.url
            );
        }
        // A list: it would take the port besides the others.
        options.port.clear();
        options.set(row("port")?, port.as_str())?;
    }
    if !options.is_set("ifce") {
        options.set(row("ifce")?, &interface(authority, &output.url)?)?;
    }
    Ok(options)
}

/// The address that a host of a URL means.
fn interface(authority: &Authority, url: &str) -> Result<String, StartupError> {
    let host = authority.host().trim_matches(['[', ']']);
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    if is_address || host.eq_ignore_ascii_case("localhost") {
        return Ok(host.to_ascii_lowercase());
    }
    let resolved = (host, 0).to_socket_addrs();
    let address = resolved.ok().and_then(|mut addresses| addresses.next());
    match address {
        Some(address) => Ok(address.ip().to_string()),
        None => Err(StartupError::Output {
            output: url.to_owned(),
            reason: format!(
                "no address of this machine is known as `{}`",
                host.escape_debug()
            ),
        }),
    }
}

fn media_type_of(options: &Options, path: &[u8]) -> Result<Option<HeaderValue>, StartupError> {
    if let Some(given) = options.mime.as_deref() {
        let value = HeaderValue::try_from(given);
        let reason = || format!("`{}` is not a media type", given.escape_debug());
        return value.map(Some).map_err(|_| refuse("mime", reason()));
    }
    Ok(match options.ext.as_deref() {
        Some(extension) => media_type::by_name(format!("x.{extension}").as_bytes()),
        None => media_type::by_name(path),
    })
}

fn extension(options: &Options, path: &[u8]) -> Option<String> {
    let path = String::from_utf8_lossy(path);
    let (_, of_path) = path.rsplit_once('.')?;
    let extension = options.ext.as_deref().unwrap_or(of_path);
    Some(extension.to_ascii_lowercase())
}

/// `ice-*` as they are, and the name of the service (documents: HTTP server sink).
fn ice(properties: &[(String, String)]) -> Result<Vec<(HeaderName, HeaderValue)>, StartupError> {
    let mut fields = Vec::new();
    for (name, value) in properties {
        let field = match name.as_str() {
            "ServiceName" => "icy-name",
            name => match name.split_at_checked(4) {
                Some((start, rest)) if start.eq_ignore_ascii_case("ice-") && !rest.is_empty() => {
                    name
                }
                _ => continue,
            },
        };
        let field = HeaderName::try_from(field)
            .ok()
            .zip(HeaderValue::try_from(value).ok());
        let Some(field) = field else {
            let shown = format!("{}={}", name.escape_debug(), value.escape_debug());
            return Err(refuse(
                "ice",
                format!("property `#{shown}` is no field of a response"),
            ));
        };
        fields.push(field);
    }
    Ok(fields)
}
