//! Options about plugins: which, configured how, within which limits.

use std::path::PathBuf;
use std::time::Duration;

use httpout_options::{Options, PluginFail};
use httpout_plugins::{GrantedDirectory, Grants, Limits, OnFailure, PluginSpec, Pool, Scope};
use percent_encoding::percent_decode_str;

use crate::error::StartupError;
use crate::settings::{LONGEST, refuse};

/// The plugins of a server, in the order in which they are asked.
pub(super) fn specs(options: &Options) -> Result<Vec<PluginSpec>, StartupError> {
    let common = common(options)?;
    let mut specs: Vec<PluginSpec> = Vec::new();
    for text in &options.plugin {
        let (path, config) = split(text);
        // An empty variable in a script must not leave the server without its access rule.
        if path.is_empty() {
            return Err(nameless());
        }
        let path = PathBuf::from(path);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        specs.push(PluginSpec {
            name: unused_name(&specs, &stem),
            config: pairs(config),
            path,
            ..common.clone()
        });
    }
    if options.is_set("plugin") && specs.is_empty() {
        return Err(nameless());
    }
    Ok(specs)
}

/// What all plugins share, large enough for each of them; none where there is no plugin.
pub(super) fn pool(options: &Options, specs: &[PluginSpec], metrics: bool) -> Option<Pool> {
    let largest = |size: fn(&Limits) -> usize| specs.iter().map(|spec| size(&spec.limits)).max();
    Some(Pool {
        memory: largest(|limits| limits.memory)?,
        table: largest(|limits| limits.table)?,
        instances: u32::try_from(options.plugin_instances).unwrap_or(u32::MAX),
        wait: milliseconds(options.plugin_wait),
        stack: size(options.plugin_stack),
        cache: options.plugin_cache.as_ref().map(PathBuf::from),
        metrics,
    })
}

/// What the options say about every plugin.
fn common(options: &Options) -> Result<PluginSpec, StartupError> {
    Ok(PluginSpec {
        path: PathBuf::new(),
        name: String::new(),
        config: Vec::new(),
        scope: Scope::default(),
        limits: limits(options)?,
        grants: Grants {
            directories: options
                .plugin_dirs
                .iter()
                .map(|text| directory(text))
                .collect(),
            destinations: options.plugin_allow.clone(),
        },
        on_failure: match options.plugin_fail {
            PluginFail::Closed => OnFailure::Closed,
            PluginFail::Open => OnFailure::Open,
        },
        reuse: u32::try_from(options.plugin_reuse).unwrap_or(u32::MAX),
    })
}

/// `auth.wasm?users=users.toml&realm=staff`: the file, and its configuration.
fn split(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

/// `users=users.toml&realm=staff`, percent-encoded where a name or value holds `&`, `=` or `%`.
fn pairs(config: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = config.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The name itself, or with a number behind it where another plugin has it.
fn unused_name(specs: &[PluginSpec], name: &str) -> String {
    let is_unused = |name: &String| specs.iter().all(|spec| spec.name != *name);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names
        .find(is_unused)
        .expect("there are more numbers than plugins")
}

/// `DIR`, or `DIR:rw` where files may be changed.
fn directory(text: &str) -> GrantedDirectory {
    let (path, writable) = match text.strip_suffix(":rw") {
        Some(path) => (path, true),
        None => (text, false),
    };
    GrantedDirectory {
        path: PathBuf::from(path),
        writable,
    }
}

fn nameless() -> StartupError {
    refuse("plugin", "a file is missing: write `--plugin FILE.wasm`")
}

fn limits(options: &Options) -> Result<Limits, StartupError> {
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
        memory: size(options.plugin_memory / PAGE * PAGE),
        table: size(options.plugin_table),
        handles: size(options.plugin_handles),
        call: milliseconds(options.plugin_timeout),
        reply: Duration::from_secs(reply.min(LONGEST)),
        fields: size(options.plugin_fields),
        fields_size: size(options.plugin_fields_size),
        body: size(options.plugin_body),
        log: size(options.plugin_log),
        state: size(options.plugin_state_size),
    })
}

fn milliseconds(value: u64) -> Duration {
    Duration::from_millis(value.min(LONGEST * 1000))
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_have_a_name_and_decoded_configuration() {
        let mut options = Options::default();
        options.plugin = vec![
            "dir/auth.wasm?user=al%26ice&empty&password=a=b".to_owned(),
            "other/auth.wasm".to_owned(),
        ];
        let specs = specs(&options).expect("can be loaded");
        assert_eq!(specs[0].path.to_str(), Some("dir/auth.wasm"));
        assert_eq!(
            specs.iter().map(|spec| &*spec.name).collect::<Vec<_>>(),
            ["auth", "auth-2"]
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            specs[0].config,
            [
                pair("user", "al&ice"),
                pair("empty", ""),
                pair("password", "a=b")
            ]
        );
    }

    #[test]
    fn a_granted_directory_can_be_written_only_where_it_says_so() {
        let granted = |path: &str, writable| GrantedDirectory {
            path: PathBuf::from(path),
            writable,
        };
        assert_eq!(directory("a:b"), granted("a:b", false));
        assert_eq!(directory("a:rw"), granted("a", true));
    }
}
