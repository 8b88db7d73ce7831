//! What the table says about one option.

use crate::choice::Choice;
use crate::error::UsageError;
use crate::options::ROWS;
use crate::suggest::nearest;

/// One option.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The name, as in `--name` and `httpout:name=`.
    pub name: &'static str,
    /// How a value is written.
    pub kind: Kind,
    /// The default, as it would be written; absent when the option is off unless given.
    pub default: Option<&'static str>,
    /// What stands for a value in the help; empty for a bool.
    pub value: &'static str,
    /// Which help shows it.
    pub level: Level,
    /// Whether this version has it.
    pub state: State,
    /// Where in the help it stands.
    pub group: Group,
    /// What it does, in one line.
    pub help: &'static str,
    /// The values of an enumeration; empty for any other kind.
    pub choices: &'static [Choice],
    /// Who defined it.
    pub origin: Origin,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`; the name alone is `true`.
    Bool,
    /// An unsigned integer, perhaps with a suffix `k`, `M` or `G`.
    Uint,
    /// A signed integer, perhaps with a suffix `k`, `M` or `G`.
    Sint,
    /// Unsigned integers, comma separated.
    Uintl,
    /// Any text.
    Str,
    /// Any text that stays the same for the whole run.
    Cstr,
    /// Texts, comma separated.
    Strl,
    /// Any text, commas included; given again it adds one.
    Repeated,
    /// One of the row's choices.
    Enum,
}

/// What the values of an option name on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Nothing,
    Files,
    Directories,
}

/// Which help shows an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `-h` and `--help`.
    Basic,
    /// `--help` only.
    Advanced,
}

/// Whether this version has an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works.
    Ready,
    /// It is parsed, and refused by the server with one line.
    Planned,
}

/// Where in the help an option stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What is read and written.
    Files,
    /// Where and how connections are accepted.
    Network,
    /// What a client may use up.
    Limits,
    /// What answers look like.
    Responses,
    /// Inputs and outputs of media.
    Media,
    /// Scripts and plugins.
    Plugins,
    /// How the server is run.
    Operation,
}

/// Who defined an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// GPAC's httpout filter.
    Documented,
    /// This server.
    Own,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 9] = [
        Kind::Bool,
        Kind::Uint,
        Kind::Sint,
        Kind::Uintl,
        Kind::Str,
        Kind::Cstr,
        Kind::Strl,
        Kind::Repeated,
        Kind::Enum,
    ];

    /// How a value is written in a configuration file, in words.
    pub(crate) fn in_file(self) -> &'static str {
        match self {
            Kind::Bool => "`true` or `false`",
            Kind::Uint => "`5`, or a string with a suffix: `\"50M\"`",
            Kind::Sint => "`-5`, or a string with a suffix: `\"2k\"`",
            Kind::Uintl => "`[8080, 8443]`, or `8080`",
            Kind::Str | Kind::Cstr | Kind::Enum => "`\"text\"`",
            Kind::Strl => {
                "`[\"a\", \"b\"]`, whose items may hold commas, or `\"a,b\"`; `hdrs` also a table"
            }
            Kind::Repeated => "a table `[[plugin]]` for each, or `[\"text\", \"text\"]`",
        }
    }

    /// The name of the type, as in the documents.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Uint => "uint",
            Kind::Sint => "sint",
            Kind::Uintl => "uintl",
            Kind::Str => "str",
            Kind::Cstr => "cstr",
            Kind::Strl => "strl",
            Kind::Repeated => "str, repeatable",
            Kind::Enum => "enum",
        }
    }

    /// How a value is written, in words.
    pub fn description(self) -> &'static str {
        match self {
            Kind::Bool => {
                "`true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`; the name alone is `true`"
            }
            Kind::Uint => {
                "unsigned integer; a suffix `k`, `M` or `G` multiplies by a power of 1000"
            }
            Kind::Sint => {
                "integer, perhaps negative; a suffix `k`, `M` or `G` multiplies by a power of 1000"
            }
            Kind::Uintl => "unsigned integers, comma separated",
            Kind::Str | Kind::Cstr => "text",
            Kind::Strl => "texts, comma separated; given again it adds to the list",
            Kind::Repeated => "text, commas included; given again it adds one",
            Kind::Enum => "one of the words that the option lists",
        }
    }
}

impl Group {
    /// All groups, in the order of the help.
    pub const ALL: [Group; 7] = [
        Group::Files,
        Group::Network,
        Group::Limits,
        Group::Responses,
        Group::Media,
        Group::Plugins,
        Group::Operation,
    ];

    /// The heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Group::Files => "files",
            Group::Network => "network",
            Group::Limits => "limits",
            Group::Responses => "responses",
            Group::Media => "media",
            Group::Plugins => "scripts and plugins",
            Group::Operation => "operation",
        }
    }
}

impl Row {
    /// How the option is written as a flag.
    pub fn flag(&self) -> String {
        format!("--{}", self.argument())
    }

    /// What its values name on disk.
    pub(crate) fn names(&self) -> Names {
        match self.value.split(',').next() {
            Some("FILE") => Names::Files,
            Some("DIR") => Names::Directories,
            _ => Names::Nothing,
        }
    }

    /// A relative path of this option, below a directory.
    pub(crate) fn resolve(&self, path: &str, base: &str) -> String {
        /// Words that stand in the place of a path.
        const WORDS: [(&str, &str); 3] = [
            ("rdirs", "gmem"),
            ("wdir", "gmem"),
            ("plugin_cache", "none"),
        ];
        // What a plugin calls a directory is what was written, so the server puts that below `base`.
        let is_path = self.names() != Names::Nothing
            && self.name != "plugin_dirs"
            && !path.is_empty()
            && !path.starts_with('/')
            && !WORDS.contains(&(self.name, path));
        let base = if is_path { base } else { "" };
        format!("{base}{path}")
    }

    /// Whether it is about the whole line, and stands neither in a filter nor in a configuration file.
    pub(crate) fn is_of_the_line(&self) -> bool {
        self.name == "config"
    }

    /// The key of a plugin's table that stands for this option; none where it is not about single plugins.
    pub(crate) fn plugin_key(&self) -> Option<&'static str> {
        /// What all plugins share.
        const SHARED: [&str; 5] = ["instances", "wait", "stack", "cache", "state"];
        let key = self.name.strip_prefix("plugin_")?;
        Some(key).filter(|key| !SHARED.contains(key))
    }

    /// What it does, and whether it does so yet.
    pub(crate) fn meaning(&self) -> String {
        match self.state {
            State::Ready => self.help.to_owned(),
            State::Planned => format!("{} (not in this version yet)", self.help),
        }
    }

    /// How the option is written in a filter string.
    pub fn argument(&self) -> String {
        match self.kind {
            Kind::Bool => self.name.to_owned(),
            _ => format!("{}={}", self.name, self.value),
        }
    }
}

/// The option of this name; dashes are accepted for underscores.
pub fn row(name: &str) -> Result<&'static Row, UsageError> {
    find(name).ok_or_else(|| UsageError::UnknownOption {
        name: name.to_owned(),
        suggestion: similar(name).map(str::to_owned),
    })
}

pub(crate) fn find(name: &str) -> Option<&'static Row> {
    let name = name.replace('-', "_");
    ROWS.iter().find(|row| row.name == name)
}

pub(crate) fn similar(name: &str) -> Option<&'static str> {
    nearest(name, ROWS.iter().map(|row| row.name))
}
