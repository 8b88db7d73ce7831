//! The options of httpout and the command line.
//!
//! [`options`] holds one table with a row for each option. Flags, filter strings (`httpout:port=8080:dlist`),
//! configuration files, `--help`, completions and the reference pages all derive from it. Nothing here touches a file or a
//! socket.

mod choice;
mod command_line;
mod completions;
mod config_file;
mod error;
mod filter;
mod help;
mod line;
mod man;
mod media;
mod merge;
pub mod options;
mod place;
mod plugin;
mod reference;
mod row;
mod subcommand;
mod suggest;
mod table;
mod value;

pub use choice::{Choice, Cors, Hmode, Log, PluginFail};
pub use command_line::{CommandLine, Endpoint, Filter, FilterName, HelpLevel, Invocation, parse};
pub use completions::{Shell, completions};
pub use config_file::ConfigFile;
pub use error::UsageError;
pub use filter::{Argument, FilterString};
pub use help::{explain, help};
pub use man::man_page;
pub use media::{MEDIA_OPTIONS, MediaOption};
pub use options::{Options, ROWS};
pub use place::Place;
pub use plugin::Plugin;
pub use reference::reference_page;
pub use row::{Group, Kind, Level, Origin, Row, State, row};
