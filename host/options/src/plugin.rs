//! A plugin as option `plugin` or a table of the configuration file names it.

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::options::Options;
use crate::place::Place;
use crate::value::Item;

/// A component, its configuration, and what is said for it alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Plugin {
    /// The component's file; empty where it is missing.
    pub file: String,
    /// Its configuration, in order.
    pub config: Vec<(String, String)>,
    /// Its name, where that is not to be the file's.
    pub name: Option<String>,
    /// Where the paths begin that it is asked about, as written; none for every path.
    pub paths: Vec<(String, Place)>,
    /// The methods that it is asked about, as written; none for every method.
    pub methods: Vec<(String, Place)>,
    /// Options `plugin_…` for it alone; those of the server stand behind them.
    pub options: Options,
    /// Where it was given.
    pub place: Place,
}

impl Plugin {
    /// `auth.wasm?users=users.toml&realm=staff`: the file, then its configuration, percent-encoded where a name or a
    /// value holds `&`, `=` or `%`.
    pub fn parse(text: &str) -> Plugin {
        let (file, config) = text.split_once('?').unwrap_or((text, ""));
        let pairs = config.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Plugin {
            config: pairs
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
            ..Plugin::of_file(file)
        }
    }

    /// The component of this file, for all requests.
    pub(crate) fn of_file(file: &str) -> Plugin {
        Plugin {
            file: file.to_owned(),
            config: Vec::new(),
            name: None,
            paths: Vec::new(),
            methods: Vec::new(),
            options: Options::default(),
            place: Place::CommandLine,
        }
    }
}

/// File and configuration, as on the command line.
impl fmt::Display for Plugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        for (index, (name, value)) in self.config.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(formatter, "{separator}{}={}", encode(name), encode(value))?;
        }
        Ok(())
    }
}

impl Item for Plugin {
    fn resolve(&mut self, resolve: &dyn Fn(&str) -> String) {
        self.file = resolve(&self.file);
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn encode(text: &str) -> impl fmt::Display {
    const ENCODED: &AsciiSet = &CONTROLS.add(b'&').add(b'=').add(b'%');
    utf8_percent_encode(text, ENCODED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_follows_the_file_percent_encoded() {
        let plugin = Plugin::parse("dir/auth.wasm?user=al%26ice&empty&password=a=b");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(plugin.file, "dir/auth.wasm");
        assert_eq!(
            plugin.config,
            [
                pair("user", "al&ice"),
                pair("empty", ""),
                pair("password", "a=b")
            ]
        );
        assert_eq!(Plugin::parse(&plugin.to_string()), plugin);
        assert_eq!(Plugin::parse("auth.wasm").to_string(), "auth.wasm");
    }
}
