//! What a plugin is, before it is loaded: its file, what it is told, what it may do and what it may spend.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use http::Method;

pub use crate::outbound::Destination;

/// Which component to load, for which requests, and with what rights and limits.
#[derive(Debug, Clone)]
pub struct PluginSpec {
    /// Its file.
    pub path: PathBuf,
    /// What is in that.
    pub kind: Kind,
    /// How log lines, metrics and its state name it; no two plugins of a chain have the same.
    pub name: String,
    /// Its configuration, in order.
    pub config: Vec<(String, String)>,
    /// The requests that it is asked about.
    pub scope: Scope,
    /// What it may spend.
    pub limits: Limits,
    /// What it may reach.
    pub grants: Grants,
    /// What becomes of requests while the plugin fails again and again (option `plugin_fail`).
    pub on_failure: OnFailure,
    /// Further requests that an instance answers after its first (option `plugin_reuse`).
    pub reuse: u32,
}

/// What the file of a plugin holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A component (option `plugin`).
    Component,
    /// A script, for the engine that is part of the binary (option `js`).
    Script,
}

/// The requests that a plugin is asked about.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Paths, decoded and normalized, each with all that lies below it; none for every path.
    pub paths: Vec<String>,
    /// Methods, GET also for HEAD, which is answered as GET is; none for every method.
    pub methods: Vec<Method>,
}

impl Scope {
    /// Whether a request is of these, by its method and its path, which is decoded and normalized.
    pub fn covers(&self, method: &Method, path: &[u8]) -> bool {
        self.covers_method(method) && self.covers_path(path)
    }

    fn covers_method(&self, method: &Method) -> bool {
        let listed = |method: &Method| self.methods.contains(method);
        let as_get = *method == Method::HEAD && listed(&Method::GET);
        self.methods.is_empty() || listed(method) || as_get
    }

    fn covers_path(&self, path: &[u8]) -> bool {
        let mut paths = self.paths.iter();
        self.paths.is_empty()
            || paths.any(|above| {
                let rest = path.strip_prefix(above.trim_end_matches('/').as_bytes());
                rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
            })
    }
}

/// What a plugin may spend.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Linear memories of one instance together, in bytes (option `plugin_memory`).
    pub memory: usize,
    /// Elements of the tables of one instance together (option `plugin_table`).
    pub table: usize,
    /// Handles that one instance may hold: pollables, descriptors, streams (option `plugin_handles`).
    pub handles: usize,
    /// Time that one call may take, waiting included (option `plugin_timeout`).
    pub call: Duration,
    /// Time from the request to `send`, and of every wait for bytes or their delay (option `timeout`).
    pub reply: Duration,
    /// The most that a plugin may ask for in place of that (option `plugin_patience`).
    pub patience: Duration,
    /// Fields that one plugin may add to one response (option `plugin_fields`).
    pub fields: usize,
    /// Their names and values in bytes (option `plugin_fields_size`).
    pub fields_size: usize,
    /// Bytes of a body that is set at once (option `plugin_body`).
    pub body: usize,
    /// Bytes that a plugin may write into the log in a second (option `plugin_log`).
    pub log: usize,
    /// Requests to other servers that may be under way (option `plugin_fetches`); none in a dry run.
    pub fetches: usize,
    /// The largest body of their responses in bytes (option `plugin_fetch_size`).
    pub fetch_size: u64,
    /// What its state may take, in bytes (option `plugin_state_size`).
    pub state: usize,
}

/// What a plugin may reach beside its request. Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Option `plugin_dirs`.
    pub directories: Vec<GrantedDirectory>,
    /// Option `plugin_allow`.
    pub destinations: Vec<Destination>,
}

/// A directory that a plugin may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedDirectory {
    /// As it was written, which is how the guest names it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Files may be made, changed and removed there.
    pub writable: bool,
}

impl GrantedDirectory {
    /// The name that guests find it by: as it was written, without `./`, which their libraries leave out.
    pub(crate) fn name(&self) -> String {
        let name = without_dots(Path::new(&self.name));
        match name.as_os_str().is_empty() {
            true => ".".to_owned(),
            false => name.to_string_lossy().into_owned(),
        }
    }

    /// The rest of a path that begins with the name. It may still lead out.
    pub(crate) fn below(&self, path: &str) -> Option<String> {
        let path = without_dots(Path::new(path));
        let directory = without_dots(Path::new(&self.name));
        if path.is_absolute() != directory.is_absolute() {
            return None;
        }
        let below = path.strip_prefix(directory).ok()?;
        below.to_str().map(str::to_owned)
    }
}

/// A path without its `.`, which name nothing.
fn without_dots(path: &Path) -> PathBuf {
    let names = path.components();
    names.filter(|name| *name != Component::CurDir).collect()
}

/// What becomes of requests while a plugin fails again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// They are answered 503: what the plugin guards stays shut.
    Closed,
    /// They go on as if the plugin were not there.
    Open,
}

/// What all plugins share.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Instances that can exist at the same time (option `plugin_instances`).
    pub instances: u32,
    /// Instances beside these, for work that belongs to no request: one for each plugin.
    pub background: u32,
    /// How long a request waits where all are in use (option `plugin_wait`).
    pub wait: Duration,
    /// Stack of one instance in bytes (option `plugin_stack`).
    pub stack: usize,
    /// The largest of the plugins' memories in bytes.
    pub memory: usize,
    /// The largest of the plugins' tables in elements.
    pub table: usize,
    /// Where compiled plugins are kept (option `plugin_cache`); none to compile at each start.
    pub cache: Option<PathBuf>,
    /// Whether anything is written there.
    pub keeps: bool,
    /// Whether figures are recorded (option `metrics`).
    pub metrics: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(paths: &[&str], methods: &[Method]) -> Scope {
        Scope {
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
            methods: methods.to_vec(),
        }
    }

    #[test]
    fn a_path_covers_what_lies_below_it_by_whole_names() {
        for (above, path, covered) in [
            ("/a", "/a", true),
            ("/a", "/a/", true),
            ("/a", "/a/b", true),
            ("/a/", "/a/b", true),
            ("/a/", "/a", true),
            ("/a", "/ab", false),
            ("/a/b", "/a", false),
            ("/A", "/a", false),
            ("/", "/any/thing", true),
        ] {
            let scope = scope(&[above], &[]);
            let covers = scope.covers(&Method::GET, path.as_bytes());
            assert_eq!(covers, covered, "{above} {path}");
        }
        assert!(scope(&["/a", "/b"], &[]).covers(&Method::GET, b"/b/c"));
        assert!(scope(&[], &[]).covers(&Method::GET, b"*"));
    }

    #[test]
    fn get_stands_for_head_too() {
        let scope = scope(&[], &[Method::GET]);
        assert!(scope.covers(&Method::GET, b"/") && scope.covers(&Method::HEAD, b"/"));
        assert!(!scope.covers(&Method::PUT, b"/"));
    }
}
