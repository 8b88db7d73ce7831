//! A command line and the configuration file behind it.
//!
//! What the command line says goes before the file; a list replaces that of the file. Plugins are the exception: those
//! of the command line are asked after those of the file, so that no access rule is lost to a plugin that was added.

use crate::command_line::{CommandLine, Endpoint, Servers};
use crate::config_file::ConfigFile;
use crate::options::Options;

impl CommandLine {
    /// Put a configuration file behind this line. Its servers, inputs, outputs and filters count where the line has
    /// none of its own.
    pub fn over(mut self, file: ConfigFile) -> CommandLine {
        let file = file.line;
        match self.written {
            Servers::Implied if !file.servers.is_empty() => {
                let servers = file.servers.iter();
                self.servers = servers.map(|server| over(&self.flags, server)).collect();
                self.written = Servers::Written;
            }
            _ => {
                for server in &mut self.servers {
                    *server = over(server, &file.flags);
                }
            }
        }
        self.inputs = endpoints(self.inputs, file.inputs, &self.flags, &file.flags);
        self.outputs = endpoints(self.outputs, file.outputs, &self.flags, &file.flags);
        if self.filters.is_empty() {
            self.filters = file.filters;
        }
        for (name, value) in file.media {
            if self.media.iter().all(|(given, _)| *given != name) {
                self.media.push((name, value));
            }
        }
        self.flags = over(&self.flags, &file.flags);
        self
    }
}

/// Those of the line, else those of the file.
fn endpoints(
    mut line: Vec<Endpoint>,
    mut file: Vec<Endpoint>,
    flags: &Options,
    general: &Options,
) -> Vec<Endpoint> {
    if line.is_empty() {
        for endpoint in &mut file {
            endpoint.options = over(flags, &endpoint.options);
        }
        return file;
    }
    for endpoint in &mut line {
        endpoint.options = over(&endpoint.options, general);
    }
    line
}

fn over(line: &Options, file: &Options) -> Options {
    let mut options = line.clone();
    // An option that was given without a file is refused later, as it would be without a configuration file.
    if !line.plugin.is_empty() {
        options.plugin = [file.plugin.as_slice(), &line.plugin].concat();
    }
    options.inherit(file);
    options
}
