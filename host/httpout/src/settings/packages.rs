//! The presentations that are to be made. Outputs that name the same one, as DASH and as HLS, share it.

use crate::error::StartupError;
use crate::input::Origin;
use crate::settings::destinations::Destination;
use crate::settings::session::SourceSettings;
use crate::settings::{MediaSettings, OutputSettings, ServerSettings};

/// A presentation: manifests and segments that are made of an input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PackageSettings<'a> {
    /// Of the sources, by number.
    pub(crate) source: usize,
    /// The DASH manifest. All other files lie beside it.
    pub(crate) file: &'a Destination,
    pub(crate) media: &'a MediaSettings,
}

impl<'a> PackageSettings<'a> {
    fn of(output: &'a OutputSettings) -> Option<PackageSettings<'a>> {
        Some(PackageSettings {
            source: output.source,
            file: output.file.as_ref()?,
            media: output.media.as_ref()?,
        })
    }

    /// Whether an output is this presentation, in one of its forms.
    pub(crate) fn is_of(&self, output: &OutputSettings) -> bool {
        PackageSettings::of(output) == Some(*self)
    }
}

impl ServerSettings {
    /// What is to be made for this server.
    pub(crate) fn packages(&self) -> Vec<PackageSettings<'_>> {
        let mut packages = Vec::new();
        for package in self.outputs.iter().filter_map(PackageSettings::of) {
            if !packages.contains(&package) {
                packages.push(package);
            }
        }
        packages
    }
}

/// Each presentation reads its input by itself, and standard input can be read once.
pub(super) fn check_stdin(
    servers: &[ServerSettings],
    sources: &[SourceSettings],
) -> Result<(), StartupError> {
    let mut readers = Vec::new();
    for server in servers {
        readers.extend(server.packages().iter().map(|package| package.source));
    }
    let passed_on = |number: &usize| {
        let outputs = servers.iter().flat_map(|server| &server.outputs);
        let mut passed_on = outputs.filter(|output| output.media.is_none());
        passed_on.any(|output| output.source == *number)
    };
    readers.extend((0..sources.len()).filter(passed_on));
    let readers = readers.iter().map(|number| &sources[*number]);
    let mut readers = readers.filter(|source| source.origin == Origin::Stdin);
    match (readers.next(), readers.next()) {
        (Some(source), Some(_)) => Err(StartupError::Input {
            input: source.name.clone(),
            reason: "standard input can be read once only: give it once, all its outputs the same pace, and to DASH \
                     or HLS alone"
                .to_owned(),
        }),
        _ => Ok(()),
    }
}
