//! Options that all servers of a line share: what one of them gives counts for all.

use httpout_options::Options;

use crate::error::StartupError;
use crate::settings::{ServerSettings, locate, refuse};

/// There is one of each in the process: one log, one memory for files, one pool of instances, one file of state.
const SHARED: [&str; 7] = [
    "log",
    "gmem_max",
    "plugin_instances",
    "plugin_wait",
    "plugin_stack",
    "plugin_cache",
    "plugin_state",
];

/// The options that count for the process.
pub(super) fn options(servers: &[ServerSettings]) -> Result<Options, StartupError> {
    let mut all = servers.iter().map(|server| &server.options);
    let mut shared = all.next().ok_or(StartupError::NothingToServe)?.clone();
    for options in all {
        shared.inherit(options);
        let differs = |name: &&str| {
            let [ours, theirs] = [options, &shared].map(|options| options.value_of(name));
            options.is_set(name) && ours != theirs
        };
        if let Some(name) = SHARED.into_iter().find(differs) {
            let reason = "the servers of a line share one: give it once, or the same to all";
            return Err(locate(options, refuse(name, reason)));
        }
    }
    Ok(shared)
}
