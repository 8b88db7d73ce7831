//! The plugins of the command line, and what they may ask of the server.

use std::path::Path;
use std::sync::Arc;

use httpout_options::Options;
use httpout_plugins::{Chain, Engine, LoadError, Plugin, Server};

use crate::error::{StartupError, shown};
use crate::http::path;
use crate::mode::Mode;
use crate::settings::{ServerSettings, at};

/// Loads the plugins in their order. Without any there is no engine.
pub(crate) async fn load(
    settings: &ServerSettings,
    engine: Option<&Arc<Engine>>,
    mode: Arc<Mode>,
) -> Result<Chain, StartupError> {
    let Some(engine) = engine else {
        return Ok(Chain::new(Vec::new()));
    };
    let server: Arc<dyn Server> = Arc::new(Answers {
        options: settings.options.clone(),
        mode,
    });
    let mut plugins = Vec::new();
    for (index, spec) in settings.plugins.iter().enumerate() {
        let plugin = Plugin::load(engine.clone(), Arc::new(spec.clone()), server.clone()).await;
        plugins.push(plugin.map_err(|error| cannot_load(index, settings, error))?);
        tracing::info!("plugin `{}` is loaded", shown(&spec.path));
    }
    Ok(Chain::new(plugins))
}

/// Why a plugin is of no use, and where it was given.
fn cannot_load(index: usize, settings: &ServerSettings, error: LoadError) -> StartupError {
    let options = &settings.options;
    match options.plugin.get(index) {
        Some(given) => at(options, Some(given.place), error.into()),
        // The script stands behind the plugins.
        None => at(options, options.place_of("js"), StartupError::Script(error)),
    }
}

struct Answers {
    options: Options,
    mode: Arc<Mode>,
}

impl Server for Answers {
    fn option_value(&self, name: &str) -> Option<String> {
        // What would give away the secrets of other plugins, or of the server.
        const SECRET: [&str; 4] = ["plugin", "js", "users", "pkey"];
        self.options
            .value_of(name)
            .filter(|_| !SECRET.contains(&name))
    }

    fn is_file(&self, file: &str) -> bool {
        path::normalize_decoded(file).is_ok_and(|path| self.mode.is_file(&path))
    }

    fn is_granted_file(&self, directory: &Path, below: &str) -> bool {
        path::normalize_decoded(below).is_ok_and(|path| self.mode.is_granted_file(directory, &path))
    }
}
