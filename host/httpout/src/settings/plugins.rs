//! Options about plugins: which, configured how, within which limits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::http::Method;
use httpout_options::{Options, Place, Plugin, PluginFail};
use httpout_plugins::{
    Destination, GrantedDirectory, Grants, Kind, Limits, OnFailure, PluginSpec, Pool, Scope,
};

use crate::admit;
use crate::error::StartupError;
use crate::http::path;
use crate::rdirs::Exposed;
use crate::settings::{LONGEST, at, config_file, locate, refuse, refuse_planned};

/// The plugins of a server, in the order in which they are asked.
pub(super) fn specs(
    options: &Options,
    rdirs: &[Exposed],
    wdir: Option<&Path>,
) -> Result<Vec<PluginSpec>, StartupError> {
    // What is wrong with the limits is said also where there is no plugin.
    common(options)?;
    let mut specs: Vec<PluginSpec> = Vec::new();
    for (index, plugin) in options.plugin.iter().enumerate() {
        let name = name(plugin, &specs, &options.plugin[index + 1..])
            .map_err(|error| at(options, Some(plugin.place), error))?;
        let mut spec = spec(plugin, name, options)?;
        if spec.kind == Kind::Script {
            spec.grants
                .directories
                .extend(reach(&plugin.file, rdirs, wdir));
        }
        specs.push(spec);
    }
    if let Some(text) = &options.js {
        let plugin = Plugin::parse(text);
        let mut script = script(&plugin, &specs, options)?;
        let reached = reach(&plugin.file, rdirs, wdir);
        script.grants.directories.extend(reached);
        specs.push(script);
    }
    if options.is_set("plugin") && specs.is_empty() {
        return Err(nameless());
    }
    Ok(specs)
}

/// One plugin. What is said for it alone goes before what is said for all.
fn spec(plugin: &Plugin, name: String, options: &Options) -> Result<PluginSpec, StartupError> {
    refuse_planned(options, &plugin.options)?;
    let mut own = plugin.options.clone();
    own.inherit(options);
    // An empty variable in a script must not leave the server without its access rule.
    if plugin.file.is_empty() {
        return Err(at(options, Some(plugin.place), nameless()));
    }
    Ok(PluginSpec {
        name,
        path: PathBuf::from(&plugin.file),
        kind: kind(&plugin.file),
        config: plugin.config.clone(),
        scope: scope(plugin, options)?,
        ..common(&own).map_err(|error| locate(&own, error))?
    })
}

/// A script may stand among the plugins too.
fn kind(file: &str) -> Kind {
    let extension = Path::new(file).extension();
    match extension.is_some_and(|extension| extension == "js" || extension == "mjs") {
        true => Kind::Script,
        false => Kind::Component,
    }
}

/// The requests that it is asked about.
fn scope(plugin: &Plugin, options: &Options) -> Result<Scope, StartupError> {
    fn each<T>(
        items: &[(String, Place)],
        options: &Options,
        check: impl Fn(&str) -> Result<T, StartupError>,
    ) -> Result<Vec<T>, StartupError> {
        let checked = items
            .iter()
            .map(|(text, place)| check(text).map_err(|error| at(options, Some(*place), error)));
        checked.collect()
    }
    Ok(Scope {
        paths: each(&plugin.paths, options, scope_path)?,
        methods: each(&plugin.methods, options, method)?,
    })
}

/// As the paths of requests are: what a plugin guards must not be reached by another spelling.
fn scope_path(text: &str) -> Result<String, StartupError> {
    let normal = Some(text)
        .filter(|text| text.starts_with('/'))
        .and_then(|text| path::normalize_decoded(text).ok())
        .and_then(|path| String::from_utf8(path).ok());
    normal.ok_or_else(|| {
        let reason = "is no path of requests, such as `/private/`, as it is without % escapes";
        refuse("plugin", format!("`{}` {reason}", text.escape_debug()))
    })
}

fn method(text: &str) -> Result<Method, StartupError> {
    let known = Method::from_bytes(text.as_bytes()).ok();
    known.filter(admit::is_known).ok_or_else(|| {
        let reason = "is no method that this server knows, which are `GET`, `HEAD`, `PUT`, `POST`, `DELETE` and `OPTIONS`";
        refuse("plugin", format!("`{}` {reason}", text.escape_debug()))
    })
}

/// The name that is given, which no other plugin may have, or that of the file.
fn name(plugin: &Plugin, before: &[PluginSpec], after: &[Plugin]) -> Result<String, StartupError> {
    let is_given = |name: &str| {
        after
            .iter()
            .any(|plugin| plugin.name.as_deref() == Some(name))
    };
    let is_taken = |name: &str| before.iter().any(|spec| spec.name == name) || is_given(name);
    match &plugin.name {
        Some(name) if name.contains(char::is_control) => Err(refuse(
            "plugin",
            format!(
                "`{}` is no name, which stands on one line",
                name.escape_debug()
            ),
        )),
        Some(name) if is_taken(name) => Err(refuse(
            "plugin",
            format!("the name `{name}` is that of another plugin"),
        )),
        Some(name) => Ok(name.clone()),
        None => Ok(name_of_file(&plugin.file, is_taken)),
    }
}

/// The file's name without its extension, with a number behind it where another plugin has that.
fn name_of_file(file: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let stem = Path::new(file).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    let mut names = std::iter::once(stem.clone().into_owned()).chain(numbered);
    names
        .find(|name| !is_taken(name))
        .expect("there are more numbers than plugins")
}

/// The script, which is asked behind the plugins: what they refuse, such as a request without a password, does not come
/// to it.
fn script(
    plugin: &Plugin,
    before: &[PluginSpec],
    options: &Options,
) -> Result<PluginSpec, StartupError> {
    let Plugin { file, config, .. } = plugin;
    if file.is_empty() {
        return Err(refuse("js", "a file is missing: write `--js FILE.js`"));
    }
    let is_taken = |name: &str| before.iter().any(|spec| spec.name == name);
    Ok(PluginSpec {
        name: name_of_file(file, is_taken),
        path: PathBuf::from(file),
        kind: Kind::Script,
        config: config.clone(),
        ..common(options)?
    })
}

/// The directories that a script may reach without a word: the documented `File` is for them.
fn reach(file: &str, rdirs: &[Exposed], wdir: Option<&Path>) -> Vec<GrantedDirectory> {
    let grant = |path: &Path, writable| {
        let path = std::path::absolute(path).ok()?;
        Some(GrantedDirectory {
            name: path.to_str()?.to_owned(),
            path,
            writable,
        })
    };
    let own = Path::new(file).parent().map(|own| Path::new(".").join(own));
    let written = wdir.into_iter().map(|path| (path, true));
    let read = own.as_deref().into_iter();
    let read = read.chain(rdirs.iter().map(|exposed| &*exposed.path));
    // That for writing first: it may be one of the others.
    let all = written.chain(read.map(|path| (path, false)));
    all.filter_map(|(path, writable)| grant(path, writable))
        .collect()
}

/// Stack that scripts need to see an endless recursion before the server does, in bytes.
const SCRIPT_STACK: usize = 4 << 20;

/// What all plugins share, large enough for each of them; none where there is no plugin.
pub(super) fn pool(
    options: &Options,
    specs: &[PluginSpec],
    metrics: bool,
) -> Result<Option<Pool>, StartupError> {
    let instances = instances(options)?;
    let largest = |size: fn(&Limits) -> usize| specs.iter().map(|spec| size(&spec.limits)).max();
    let sizes = (
        largest(|limits| limits.memory),
        largest(|limits| limits.table),
    );
    let (Some(memory), Some(table)) = sizes else {
        return Ok(None);
    };
    Ok(Some(Pool {
        memory,
        table,
        instances,
        wait: milliseconds(options.plugin_wait),
        stack: match specs.iter().any(|spec| spec.kind == Kind::Script) {
            true => size(options.plugin_stack).max(SCRIPT_STACK),
            false => size(options.plugin_stack),
        },
        cache: cache(options)?,
        metrics,
    }))
}

/// Each has 4 GiB of addresses in the pool, of 128 TiB that a process has.
fn instances(options: &Options) -> Result<u32, StartupError> {
    const MOST: u32 = 10_000;
    let given = options.plugin_instances;
    match u32::try_from(given) {
        Ok(instances @ 1..=MOST) => Ok(instances),
        _ => {
            let reason = format!("`{given}` is not a number of instances from 1 to {MOST}");
            Err(refuse("plugin_instances", reason))
        }
    }
}

/// Where compiled plugins are kept: unless it is said, where the XDG Base Directory Specification has the user's cache.
fn cache(options: &Options) -> Result<Option<PathBuf>, StartupError> {
    match options.plugin_cache.as_deref() {
        Some("none") => return Ok(None),
        Some("") => {
            let reason = "a directory is missing: write `--plugin_cache=DIR`, or `none`";
            return Err(refuse("plugin_cache", reason));
        }
        Some(directory) => return Ok(Some(PathBuf::from(directory))),
        None => {}
    }
    // Paths that are not absolute are to be ignored.
    let directory = |variable| {
        let path = std::env::var_os(variable).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let of_user = directory("XDG_CACHE_HOME");
    let of_user = of_user.or_else(|| directory("HOME").map(|home| home.join(".cache")));
    Ok(of_user.map(|cache| cache.join("httpout")))
}

/// What the options say about every plugin.
fn common(options: &Options) -> Result<PluginSpec, StartupError> {
    Ok(PluginSpec {
        path: PathBuf::new(),
        kind: Kind::Component,
        name: String::new(),
        config: Vec::new(),
        scope: Scope::default(),
        limits: limits(options)?,
        grants: Grants {
            directories: options
                .plugin_dirs
                .iter()
                .map(|text| directory(text, config_file::directory_of(options, "plugin_dirs")))
                .collect(),
            destinations: destinations(&options.plugin_allow)?,
        },
        on_failure: match options.plugin_fail {
            PluginFail::Closed => OnFailure::Closed,
            PluginFail::Open => OnFailure::Open,
        },
        reuse: u32::try_from(options.plugin_reuse).unwrap_or(u32::MAX),
    })
}

/// `DIR`, or `DIR:rw` where files may be changed. A relative one is below `base`.
fn directory(text: &str, base: &Path) -> GrantedDirectory {
    let (name, writable) = match text.strip_suffix(":rw") {
        Some(name) => (name, true),
        None => (text, false),
    };
    GrantedDirectory {
        name: name.to_owned(),
        path: base.join(name),
        writable,
    }
}

fn destinations(allowed: &[String]) -> Result<Vec<Destination>, StartupError> {
    let parse = |text: &String| {
        let refused = |reason| {
            let shown = text.escape_debug();
            refuse("plugin_allow", format!("`{shown}` {reason}"))
        };
        text.parse().map_err(refused)
    };
    allowed.iter().map(parse).collect()
}

fn nameless() -> StartupError {
    refuse("plugin", "a file is missing: write `--plugin FILE.wasm`")
}

fn limits(options: &Options) -> Result<Limits, StartupError> {
    const PAGE: u64 = 64 << 10;
    const MB: u64 = 1 << 20;
    for (option, given, unit, (smallest, largest)) in [
        (
            "plugin_memory",
            options.plugin_memory,
            "bytes",
            (PAGE, 4096 * MB),
        ),
        (
            "plugin_table",
            options.plugin_table,
            "elements",
            (1, 1_000_000),
        ),
        (
            "plugin_handles",
            options.plugin_handles,
            "handles",
            (1, 1_000_000),
        ),
        // Compiled code checks it in steps, and functions of the server need their own.
        (
            "plugin_stack",
            options.plugin_stack,
            "bytes",
            (PAGE, 16 * MB),
        ),
        (
            "plugin_fields",
            options.plugin_fields,
            "fields",
            (1, 10_000),
        ),
        (
            "plugin_fields_size",
            options.plugin_fields_size,
            "bytes",
            (1, MB),
        ),
        ("plugin_body", options.plugin_body, "bytes", (1, 1024 * MB)),
        ("plugin_log", options.plugin_log, "bytes", (1, 1024 * MB)),
        (
            "plugin_fetches",
            options.plugin_fetches,
            "requests",
            (1, 10_000),
        ),
        (
            "plugin_fetch_size",
            options.plugin_fetch_size,
            "bytes",
            (1, u64::MAX),
        ),
    ] {
        if !(smallest..=largest).contains(&given) {
            let reason =
                format!("`{given}` is not a number of {unit} from {smallest} to {largest}");
            return Err(refuse(option, reason));
        }
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
        fetches: size(options.plugin_fetches),
        fetch_size: options.plugin_fetch_size,
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
    use httpout_options::{ConfigFile, Invocation, parse};

    /// What a configuration file says of plugins, behind these flags.
    fn specs_over(flags: &[&str], file: &str) -> Result<Vec<PluginSpec>, StartupError> {
        let words = [&["--config=httpout.toml"], flags].concat();
        let Ok(Invocation::Run(line)) = parse(words.into_iter().map(Into::into)) else {
            panic!("{flags:?} is no command line");
        };
        let file = ConfigFile::parse("httpout.toml", file)?;
        specs(&line.over(file).servers[0], &[], None)
    }

    fn specs_of(file: &str) -> Result<Vec<PluginSpec>, StartupError> {
        specs_over(&[], file)
    }

    fn names(specs: &[PluginSpec]) -> Vec<&str> {
        specs.iter().map(|spec| spec.name.as_str()).collect()
    }

    #[test]
    fn plugins_have_a_name_and_decoded_configuration() {
        let specs = specs_of(
            "plugin = ['dir/auth.wasm?user=al%26ice&empty&password=a=b', 'other/auth.wasm']",
        )
        .expect("can be loaded");
        assert_eq!(specs[0].path.to_str(), Some("dir/auth.wasm"));
        assert_eq!(names(&specs), ["auth", "auth-2"]);
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
    fn a_table_says_for_its_plugin_alone_what_options_say_for_all() {
        let specs = specs_of(
            r#"
            plugin_memory = "2M"
            plugin_timeout = 50

            [[plugin]]
            file = "auth.wasm"
            name = "door"
            paths = ["/private/", "/a/./b//../c"]
            methods = ["GET", "HEAD"]
            memory = 1048576
            config = { user = "alice", tries = 3, strict = true, realm = ["a", "b"] }

            [[plugin]]
            file = "headers.wasm"
            timeout = 70
            "#,
        )
        .expect("can be loaded");
        assert_eq!(names(&specs), ["door", "headers"]);
        assert_eq!(specs[0].scope.paths, ["/private/", "/a/c"]);
        assert_eq!(specs[0].scope.methods, [Method::GET, Method::HEAD]);
        let config: Vec<_> = specs[0]
            .config
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            config,
            ["user=alice", "tries=3", "strict=true", "realm=a", "realm=b"]
        );
        assert_eq!(specs[0].limits.memory, 1 << 20);
        assert_eq!(specs[0].limits.call, Duration::from_millis(50));
        assert!(specs[1].scope.paths.is_empty() && specs[1].scope.methods.is_empty());
        assert_eq!(specs[1].limits.memory, 2_000_000 / 65_536 * 65_536);
        assert_eq!(specs[1].limits.call, Duration::from_millis(70));
    }

    #[test]
    fn flags_say_it_for_the_tables_that_say_nothing() {
        let file = "[[plugin]]\nfile = 'a.wasm'\ntimeout = 70\n[[plugin]]\nfile = 'b.wasm'";
        let specs = specs_over(&["--plugin_timeout=90"], file).expect("can be loaded");
        let times = specs.iter().map(|spec| spec.limits.call.as_millis());
        assert_eq!(times.collect::<Vec<_>>(), [70, 90]);
    }

    #[test]
    fn plugins_of_the_command_line_come_after_those_of_the_file() {
        let specs = specs_over(&["--plugin=b.wasm?x=1"], "plugin = 'a.wasm'").expect("loadable");
        assert_eq!(names(&specs), ["a", "b"]);
        let error = specs_over(&["--plugin="], "plugin = 'a.wasm'").expect_err("no file");
        assert!(error.to_string().contains("a file is missing"), "{error}");
    }

    #[test]
    fn a_name_that_is_given_is_never_taken_by_a_file() {
        let named =
            |name: &str, file: &str| format!("[[plugin]]\nfile = '{file}'\nname = '{name}'\n");
        let two = format!(
            "[[plugin]]\nfile = 'auth.wasm'\n{}",
            named("auth", "x.wasm")
        );
        let specs = specs_of(&two).expect("can be loaded");
        assert_eq!(names(&specs), ["auth-2", "auth"]);
        let twice = named("auth", "x.wasm") + &named("auth", "y.wasm");
        let error = specs_of(&twice).expect_err("twice").to_string();
        assert_eq!(
            error,
            "httpout.toml:1: option `plugin`: the name `auth` is that of another plugin"
        );
    }

    #[test]
    fn a_scope_that_is_none_is_refused_with_its_line() {
        for (line, expected) in [
            ("paths = ['private']", "`private` is no path of requests"),
            ("paths = ['/a', '/../b']", "`/../b` is no path of requests"),
            ("methods = ['get']", "`get` is no method"),
            ("methods = ['PATCH']", "`PATCH` is no method"),
            ("memory = 1", "option `plugin_memory`: `1` is not"),
            ("timeout = 0", "option `plugin_timeout`: `0` is no limit"),
        ] {
            let file = format!("[[plugin]]\nfile = 'a.wasm'\n{line}");
            let error = specs_of(&file).expect_err(line).to_string();
            assert!(error.starts_with("httpout.toml:3: "), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_granted_directory_can_be_written_only_where_it_says_so() {
        let granted = |name: &str, path: &str, writable| GrantedDirectory {
            name: name.to_owned(),
            path: PathBuf::from(path),
            writable,
        };
        let [here, conf] = [Path::new(""), Path::new("conf/")];
        assert_eq!(directory("a:b", here), granted("a:b", "a:b", false));
        assert_eq!(directory("a:rw", here), granted("a", "a", true));
        assert_eq!(directory("a:rw", conf), granted("a", "conf/a", true));
        assert_eq!(directory("/a", conf), granted("/a", "/a", false));
    }
}
