//! The outputs of a server, as its settings say: live streams, and files in directories or in memory.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Access, access};
use tokio::sync::watch;

use crate::error::{StartupError, shown};
use crate::input::FileSink;
use crate::manifest::is_manifest;
use crate::mode::{FileOutput, FileServer, MadeOutput, Output, Sink};
use crate::packager::Package;
use crate::rdirs::{GMEM, Location};
use crate::resource::{
    Directory, Files, InputFiles, Live, Memory, Mounts, Names, Reading, Retention, Store,
};
use crate::settings::{Destination, OutputSettings, ServerSettings, cannot_open};

/// What files are written to, by clients and by inputs.
pub(crate) struct Stores<'a> {
    pub(crate) names: Arc<Names>,
    pub(crate) memory: &'a Arc<Memory>,
    /// Of all that is written to memory.
    pub(crate) in_memory: Arc<Retention>,
}

impl Stores<'_> {
    pub(crate) fn memory(&self) -> Store {
        Store::in_memory(self.memory.clone(), self.names.clone())
    }
}

/// Opens them beside the files that the server has anyway.
pub(crate) fn open_sink(
    settings: &ServerSettings,
    files: FileServer,
    stores: &Stores<'_>,
) -> Result<Sink, StartupError> {
    let live = &settings.live;
    let mut outputs = Vec::new();
    let mut file_outputs = Vec::new();
    let mut made = Vec::new();
    let mut directories = Vec::new();
    let mut packages = Vec::new();
    for output in &settings.outputs {
        match &output.file {
            None => outputs.push(Output {
                settings: output.clone(),
                live: Arc::new(Live::new(&output.path, live.max_async_buf, live.burst)),
            }),
            Some(file) => {
                let location = &file.directory;
                let known = directories.iter().position(|(known, _)| known == location);
                if known.is_none() {
                    directories.push((
                        location.clone(),
                        open_directory(settings, location, stores)?,
                    ));
                }
                let (_, written) = &directories[known.unwrap_or(directories.len() - 1)];
                if output.media.is_none() {
                    file_outputs.push(open_file(settings, output, file, written, stores)?);
                    continue;
                }
                let all = settings.packages();
                check_rights(location)?;
                let number = all.iter().position(|package| package.is_of(output));
                let Some(number) = number else { continue };
                let known = packages.iter().find(|(known, _)| *known == number);
                let package = match known {
                    Some((_, package)) => Arc::clone(package),
                    None => {
                        let (store, retention) = (written.store.clone(), written.retention.clone());
                        Arc::new(Package::new(&all[number], settings, store, retention))
                    }
                };
                packages.push((number, package.clone()));
                made.push(MadeOutput {
                    settings: output.clone(),
                    package,
                    files: open_files(settings, file, stores)?,
                    path: [b"/", &file.path[..]].concat(),
                });
            }
        }
    }
    Ok(Sink {
        outputs,
        file_outputs,
        made,
        files,
        ice: live.ice,
        reopen: live.reopen,
        cte: settings.cte,
    })
}

/// A directory that inputs are written to.
struct Written {
    store: Arc<Store>,
    retention: Arc<Retention>,
}

fn open_directory(
    settings: &ServerSettings,
    location: &Location,
    stores: &Stores<'_>,
) -> Result<Written, StartupError> {
    let Some(path) = location.path() else {
        return Ok(Written {
            store: Arc::new(stores.memory()),
            retention: stores.in_memory.clone(),
        });
    };
    let failed = |error: io::Error| cannot_open("rdirs", path, &error);
    let store = Store::open(path, stores.names.clone()).map_err(failed)?;
    let store = Arc::new(store);
    let files = InputFiles::open(path, store.clone()).map_err(failed)?;
    let retention = Retention::on_disk(files, settings.max_cache_segs);
    Ok(Written {
        store,
        retention: Arc::new(retention),
    })
}

fn open_file(
    settings: &ServerSettings,
    output: &OutputSettings,
    file: &Destination,
    written: &Written,
    stores: &Stores<'_>,
) -> Result<FileOutput, StartupError> {
    let reading = match settings.cte {
        false => Reading::Never,
        // A manifest is read again and again, and must never be torn.
        true if is_manifest(&file.path) => Reading::NewName,
        true => Reading::Always,
    };
    Ok(FileOutput {
        settings: output.clone(),
        sink: Arc::new(FileSink {
            store: written.store.clone(),
            retention: written.retention.clone(),
            path: file.path.clone(),
            name: output.path.clone(),
            reading,
            log: settings.reqlog.clone(),
            over: watch::Sender::new(false),
        }),
        files: open_files(settings, file, stores)?,
        path: [b"/", &file.path[..]].concat(),
    })
}

/// Whether what is made can be written: ffmpeg would not hear of it.
fn check_rights(location: &Location) -> Result<(), StartupError> {
    let Some(directory) = location.path() else {
        return Ok(());
    };
    let allowed = access(directory, Access::WRITE_OK | Access::EXEC_OK);
    allowed.map_err(|error| StartupError::Option {
        option: "rdirs",
        reason: format!(
            "the server may not write to directory `{}`: {error}",
            shown(directory)
        ),
    })
}

/// Where the file is read, whatever the server exposes.
fn open_files(
    settings: &ServerSettings,
    file: &Destination,
    stores: &Stores<'_>,
) -> Result<Files, StartupError> {
    let directory = Directory::open(&file.directory, stores.memory);
    let path = file.directory.path().unwrap_or(Path::new(GMEM));
    let directory = directory.map_err(|error| cannot_open("rdirs", path, &error))?;
    let mounts = Mounts::new([(String::new(), directory)]);
    Ok(Files::new(
        Arc::new(mounts),
        stores.names.clone(),
        settings.zmax,
    ))
}
