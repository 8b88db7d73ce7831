//! Option `config`: the file is read, and put behind the command line.

use std::io::Read as _;
use std::path::Path;

use httpout_options::{CommandLine, ConfigFile, Options, Place};

use crate::error::{StartupError, shown};
use crate::settings::refuse;

/// The largest configuration file, in bytes: what is larger was not meant to be one.
const LARGEST: u64 = 1 << 20;

/// The command line over the file that it names, if it names one.
pub(super) fn apply(line: CommandLine) -> Result<CommandLine, StartupError> {
    let Some(name) = line.flags.config.clone() else {
        return Ok(line);
    };
    let text = read(Path::new(&name)).map_err(|reason| {
        let reason = format!("`{}` {reason}", shown(Path::new(&name)));
        refuse("config", reason)
    })?;
    Ok(line.over(ConfigFile::parse(&name, &text)?))
}

fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Err("is a directory, name a file such as `httpout.toml`".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err("is too large for a configuration file".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
}

/// The directory that relative paths of an option are below: that of the file where it was given there.
pub(super) fn directory_of<'a>(options: &'a Options, option: &str) -> &'a Path {
    let file = options.config.as_deref().filter(|_| {
        let place = options.place_of(option);
        matches!(place, Some(Place::Line(_)))
    });
    let parent = file.and_then(|file| Path::new(file).parent());
    parent.unwrap_or(Path::new(""))
}

/// Says where in the file an error comes from, if what is wrong stands there.
pub(crate) fn locate(options: &Options, error: StartupError) -> StartupError {
    match error {
        StartupError::Option { option, .. } => at(options, options.place_of(option), error),
        StartupError::State(_) => at(options, options.place_of("plugin_state"), error),
        other => other,
    }
}

/// An error about something that was given in this place.
pub(crate) fn at(options: &Options, place: Option<Place>, error: StartupError) -> StartupError {
    match (&options.config, place) {
        (Some(file), Some(Place::Line(line))) => StartupError::ConfigFile {
            file: file.clone(),
            line,
            error: Box::new(error),
        },
        _ => error,
    }
}
