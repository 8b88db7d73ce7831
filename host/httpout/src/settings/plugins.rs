//! Options about plugins: which, configured how, within which limits.

use std::path::PathBuf;
use std::time::Duration;

use httpout_options::Options;
use httpout_plugins::{Limits, PluginSpec};
use percent_encoding::percent_decode_str;

use crate::error::StartupError;
use crate::settings::{LONGEST, refuse};

/// How long a request waits where all plugin instances are in use.
const BUSY_WAIT: Duration = Duration::from_secs(1);

pub(super) fn specs(options: &Options) -> Result<Vec<PluginSpec>, StartupError> {
    let specs: Vec<PluginSpec> = options.plugin.iter().map(|text| spec(text)).collect();
    let is_nameless = specs.iter().any(|spec| spec.path.as_os_str().is_empty());
    // An empty variable in a script must not leave the server without its access rule.
    if is_nameless || (options.is_set("plugin") && specs.is_empty()) {
        return Err(refuse(
            "plugin",
            "a file is missing: write `--plugin FILE.wasm`",
        ));
    }
    Ok(specs)
}

/// `auth.wasm?users=users.toml&realm=staff`, percent-encoded where a name or value holds `&`, `=` or `%`.
fn spec(text: &str) -> PluginSpec {
    let (path, config) = text.split_once('?').unwrap_or((text, ""));
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = config.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let path = PathBuf::from(path);
    let name = path.file_stem().unwrap_or_default();
    PluginSpec {
        name: name.to_string_lossy().into_owned(),
        path,
        config: pairs
            .map(|(name, value)| (decode(name), decode(value)))
            .collect(),
    }
}

pub(super) fn limits(options: &Options) -> Result<Limits, StartupError> {
    const PAGE: u64 = 64 << 10;
    const LARGEST: u64 = 4 << 30;
    if !(PAGE..=LARGEST).contains(&options.plugin_memory) {
        let reason = format!(
            "`{}` is not a number of bytes from {PAGE} to {LARGEST}",
            options.plugin_memory
        );
        return Err(refuse("plugin_memory", reason));
    }
    if options.plugin_timeout == 0 {
        return Err(refuse(
            "plugin_timeout",
            "`0` is no limit: a plugin that hangs would hang for ever",
        ));
    }
    // A reply that never comes is given up even where connections may be idle for ever.
    let reply = if options.timeout == 0 {
        30
    } else {
        options.timeout
    };
    Ok(Limits {
        memory: usize::try_from(options.plugin_memory / PAGE * PAGE).unwrap_or(usize::MAX),
        call: Duration::from_millis(options.plugin_timeout.min(LONGEST * 1000)),
        reply: Duration::from_secs(reply.min(LONGEST)),
        busy_wait: BUSY_WAIT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_have_a_name_and_decoded_configuration() {
        let spec = spec("dir/auth.wasm?user=al%26ice&empty&password=a=b");
        assert_eq!(
            (spec.path.to_str(), spec.name.as_str()),
            (Some("dir/auth.wasm"), "auth")
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            spec.config,
            [
                pair("user", "al&ice"),
                pair("empty", ""),
                pair("password", "a=b")
            ]
        );
    }
}
