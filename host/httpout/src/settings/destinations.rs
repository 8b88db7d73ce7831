//! Where outputs write that are given directories for read (documents: HTTP server file sink), and what of their options
//! holds (Multiple destinations on single server).

use httpout_options::{Options, ROWS};

use crate::error::{StartupError, shown};
use crate::packager::split;
use crate::rdirs::{Exposed, GMEM, Location};
use crate::settings::session::OutputSettings;
use crate::settings::{SegmentNames, ServerSettings, locate, refuse};

/// What every output says for itself, also where it is not the first of its server.
const OWN: [&str; 6] = ["dst", "port", "ifce", "ext", "mime", "rdirs"];

/// The file that an input is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) directory: Location,
    /// Below the directory.
    pub(crate) path: Vec<u8>,
}

impl Destination {
    /// That of an output with this path in its URL, which is normalized.
    pub(super) fn new(directory: &Location, path: &[u8]) -> Destination {
        Destination {
            directory: directory.clone(),
            path: path.strip_prefix(b"/").unwrap_or(path).to_vec(),
        }
    }
}

impl OutputSettings {
    /// Says where it writes to: where that is nowhere it is a live stream, unless it is made of several files.
    pub(super) fn set_directory(&mut self, directory: Option<Location>) {
        let is_made = self.media.is_some();
        let directory = directory.or(is_made.then_some(Location::Memory));
        let mut file = directory.map(|directory| Destination::new(&directory, &self.path));
        if let Some(file) = file.as_mut().filter(|_| is_made) {
            // HLS is made of what is pushed as DASH.
            let end = file.path.iter().rposition(|&byte| byte == b'.');
            file.path.truncate(end.unwrap_or(file.path.len()));
            file.path.extend_from_slice(b".mpd");
        }
        self.file = file;
    }

    /// The directory that it writes to.
    pub(super) fn directory(&self) -> Option<&Location> {
        self.file.as_ref().map(|file| &file.directory)
    }

    /// What lies at the mount point of its directory lies below that directory: `/NAME/a.ts` is `a.ts`.
    pub(super) fn settle(&mut self, exposed: &[Exposed]) {
        let Some(file) = &mut self.file else {
            return;
        };
        let mount = exposed.iter().find(|one| one.location == file.directory);
        let name = mount.map_or("", |mount| &mount.name).as_bytes();
        let below = file.path.strip_prefix(name);
        let below = below.and_then(|below| below.strip_prefix(b"/"));
        if let Some(below) = below.filter(|_| !name.is_empty()) {
            file.path = below.to_vec();
        }
    }
}

/// No two outputs may write one file.
pub(super) fn check(servers: &[ServerSettings]) -> Result<(), StartupError> {
    let mut taken: Vec<&Destination> = Vec::new();
    for server in servers {
        let packages = server.packages();
        let written = server.outputs.iter().filter(|one| one.media.is_none());
        let written = written.filter_map(|one| one.file.as_ref());
        for file in written.chain(packages.iter().map(|package| package.file)) {
            if taken.contains(&file) {
                let directory = shown(file.directory.path().unwrap_or(GMEM.as_ref()));
                let path = String::from_utf8_lossy(&file.path);
                let output = format!("{directory}/{}", path.escape_debug());
                let reason = "another output writes the same file: give each its own".to_owned();
                let error = StartupError::Output { output, reason };
                return Err(locate(&server.options, error));
            }
            taken.push(file);
        }
    }
    Ok(())
}

/// Presentations in one directory may not give their segments the same names (option `template`).
pub(super) fn check_names(servers: &[ServerSettings]) -> Result<(), StartupError> {
    let mut taken = Vec::new();
    for server in servers {
        for package in server.packages() {
            let SegmentNames::Template(template) = &package.media.names else {
                continue;
            };
            let (beside, _) = split(&package.file.path);
            let names = (&package.file.directory, beside, template);
            if taken.contains(&names) {
                let template = template.escape_debug();
                let reason = format!("`{template}` is that of two outputs in one directory");
                return Err(locate(&server.options, refuse("template", reason)));
            }
            taken.push(names);
        }
    }
    Ok(())
}

/// What to tell of an output that takes part in a server whose own options hold.
pub(super) fn ignored(
    url: &str,
    options: &Options,
    flags: &Options,
    server: &Options,
) -> Option<String> {
    let differs = |name: &str, other: &Options| options.value_of(name) != other.value_of(name);
    let is_ignored = |name: &&str| {
        let is_own = !flags.is_set(name) || differs(name, flags);
        let is_elsewhere = *name == "rdirs" && options.rdirs.len() > 1;
        options.is_set(name)
            && is_own
            && differs(name, server)
            && (!OWN.contains(name) || is_elsewhere)
    };
    let names = ROWS.iter().map(|row| row.name).filter(is_ignored);
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "output `{}` shares a server whose own options hold: what it says of {} is ignored",
            url.escape_debug(),
            names.join(", ")
        )
    })
}
