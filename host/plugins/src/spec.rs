//! What a plugin is, before it is loaded: its file, what it is told, what it may do and what it may spend.

use std::path::PathBuf;
use std::time::Duration;

use http::Method;

/// Which component to load, for which requests, and with what rights and limits.
#[derive(Debug, Clone)]
pub struct PluginSpec {
    /// The component's file.
    pub path: PathBuf,
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

/// The requests that a plugin is asked about.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Paths, decoded and normalized, each with all that lies below it; none for every path.
    pub paths: Vec<String>,
    /// Methods; none for every method.
    pub methods: Vec<Method>,
}

/// What a plugin may spend.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Linear memory of one instance in bytes (option `plugin_memory`).
    pub memory: usize,
    /// Elements of the tables of one instance (option `plugin_table`).
    pub table: usize,
    /// Handles that one instance may hold: pollables, descriptors, streams (option `plugin_handles`).
    pub handles: usize,
    /// Time that one call may take, waiting included (option `plugin_timeout`).
    pub call: Duration,
    /// Time from the request to `send`, and of every wait for bytes or their delay (option `timeout`).
    pub reply: Duration,
    /// Fields that one plugin may add to one response (option `plugin_fields`).
    pub fields: usize,
    /// Their names and values in bytes (option `plugin_fields_size`).
    pub fields_size: usize,
    /// Bytes of a body that is set at once (option `plugin_body`).
    pub body: usize,
    /// Bytes that a plugin may write into the log in a second (option `plugin_log`).
    pub log: usize,
    /// What its state may take, in bytes (option `plugin_state_size`).
    pub state: usize,
}

/// What a plugin may reach beside its request. Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// Option `plugin_dirs`.
    pub directories: Vec<GrantedDirectory>,
    /// Option `plugin_allow`, as written.
    pub destinations: Vec<String>,
}

/// A directory that a plugin may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedDirectory {
    /// As it was written, which is also how the guest names it.
    pub path: PathBuf,
    /// Files may be made, changed and removed there.
    pub writable: bool,
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
    /// Whether figures are recorded (option `metrics`).
    pub metrics: bool,
}
