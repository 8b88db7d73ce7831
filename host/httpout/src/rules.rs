//! The rules file of option `rdirs`: directories, and the rules of each (documents: httpout).

use std::path::PathBuf;

use thiserror::Error;

use crate::resource::TEMPORARY;

/// A directory that a rules file exposes here, and its rules.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Where its section begins.
    pub(crate) line: usize,
    /// Relative to the current directory, unless absolute.
    pub(crate) directory: PathBuf,
    /// Its name in the URL, which may hold slashes; without one it stands at `/`.
    pub(crate) name: Option<String>,
    /// The first of its rights (`ru`, `rg`, `wu`, `wg`).
    pub(crate) right: Option<Right>,
}

/// A right that only some users have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Right {
    pub(crate) line: usize,
    pub(crate) key: Key,
}

/// What can be said of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Name,
    Ru,
    Rg,
    Wu,
    Wg,
    Filters,
    Mcast,
}

/// What is wrong with a rules file.
#[derive(Debug, Error)]
#[error("line {line}: {reason}")]
pub(crate) struct RulesError {
    line: usize,
    reason: String,
}

/// The rules that are for `httpout`, in their order. Those for other filters are only checked for their form.
///
/// # Errors
/// The first line that is none of `[DIRECTORY]`, `KEY=VALUE`, a comment and a blank.
pub(crate) fn parse(text: &str) -> Result<Vec<Rule>, RulesError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut sections: Vec<Section> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let done = match Line::parse(text.trim()) {
            Line::Nothing => Ok(()),
            Line::Directory("") => Err("a directory is missing in `[]`".to_owned()),
            Line::Directory(directory) => {
                sections.push(Section::new(line, directory));
                Ok(())
            }
            Line::Rule(key, value) => set(sections.last_mut(), line, key, value),
            Line::Unknown(text) => Err(format!(
                "`{}` is neither `[DIRECTORY]` nor `KEY=VALUE` nor a comment",
                shown(text)
            )),
        };
        done.map_err(|reason| RulesError { line, reason })?;
    }
    let for_us = sections.into_iter().filter(|section| section.is_for_us);
    Ok(for_us.map(|section| section.rule).collect())
}

/// What a line says.
enum Line<'a> {
    Nothing,
    Directory(&'a str),
    Rule(&'a str, &'a str),
    Unknown(&'a str),
}

impl Line<'_> {
    fn parse(text: &str) -> Line<'_> {
        if text.is_empty() || text.starts_with(['#', ';']) {
            return Line::Nothing;
        }
        if let Some(rest) = text.strip_prefix('[') {
            let directory = rest.strip_suffix(']').map(str::trim);
            return directory.map_or(Line::Unknown(text), Line::Directory);
        }
        match text.split_once('=') {
            Some((key, value)) => Line::Rule(key.trim_end(), value.trim_start()),
            None => Line::Unknown(text),
        }
    }
}

/// A directory and the rules read until now.
struct Section {
    rule: Rule,
    is_for_us: bool,
    given: Vec<Key>,
}

impl Section {
    fn new(line: usize, directory: &str) -> Section {
        let rule = Rule {
            line,
            directory: PathBuf::from(directory),
            name: None,
            right: None,
        };
        Section {
            rule,
            is_for_us: true,
            given: Vec::new(),
        }
    }
}

fn set(section: Option<&mut Section>, line: usize, key: &str, value: &str) -> Result<(), String> {
    let key = Key::parse(key)?;
    let name = key.name();
    let Some(section) = section else {
        return Err(format!("`{name}` stands before the first `[DIRECTORY]`"));
    };
    if section.given.contains(&key) {
        return Err(format!("`{name}` is given twice for one directory"));
    }
    section.given.push(key);
    let rule = &mut section.rule;
    match key {
        Key::Name => rule.name = Some(parse_name(value)?),
        Key::Filters => section.is_for_us = names_us(value),
        Key::Mcast => {}
        Key::Ru | Key::Rg | Key::Wu | Key::Wg => {
            rule.right.get_or_insert(Right { line, key });
        }
    }
    Ok(())
}

impl Key {
    const ALL: [Key; 7] = [
        Key::Name,
        Key::Ru,
        Key::Rg,
        Key::Wu,
        Key::Wg,
        Key::Filters,
        Key::Mcast,
    ];

    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Key::Name => "name",
            Key::Ru => "ru",
            Key::Rg => "rg",
            Key::Wu => "wu",
            Key::Wg => "wg",
            Key::Filters => "filters",
            Key::Mcast => "mcast",
        }
    }

    fn parse(text: &str) -> Result<Key, String> {
        let found = Key::ALL
            .into_iter()
            .find(|key| key.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            let known = Key::ALL.map(|key| format!("`{}`", key.name()));
            let known = known.join(", ");
            format!("`{}` is not a rule: there are {known}", shown(text))
        })
    }
}

/// The names of a mount point, without slashes around them.
fn parse_name(value: &str) -> Result<String, String> {
    let name = value.trim_matches('/');
    let cannot_be = |segment: &str| ["", ".", "..", TEMPORARY].contains(&segment);
    if name.split('/').any(cannot_be) {
        return Err(format!(
            "`{}` cannot be a name in a URL: without `name` a directory stands at `/`",
            shown(value)
        ));
    }
    Ok(name.to_owned())
}

/// Whether a value of `filters` means this filter too.
fn names_us(filters: &str) -> bool {
    let mut filters = filters.split(',').map(str::trim);
    filters.any(|filter| matches!(filter, "*" | "all" | "httpout"))
}

/// What a message shows of a text that may be anything.
fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_with_their_rules() {
        let text = "\u{feff}# comment\r\n\r\n[foodir]  \r\nname=bar\r\n; more\r\n[ a b ]\nNAME = /x/y/ \nmcast=1\nwu=u\nrg=$ALL";
        let rules = parse(text).expect("is right");
        let expected = [
            Rule {
                line: 3,
                directory: "foodir".into(),
                name: Some("bar".to_owned()),
                right: None,
            },
            Rule {
                line: 6,
                directory: "a b".into(),
                name: Some("x/y".to_owned()),
                right: Some(Right {
                    line: 9,
                    key: Key::Wu,
                }),
            },
        ];
        assert_eq!(rules, expected);
    }

    #[test]
    fn sections_for_other_filters_are_left_out() {
        for (filters, ours) in [
            ("*", 1),
            ("all", 1),
            ("httpout", 1),
            ("rtspout, httpout", 1),
            ("rtspout", 0),
            ("", 0),
            ("nhttpout", 0),
        ] {
            let rules = parse(&format!("[a]\nfilters={filters}\n")).expect("is right");
            assert_eq!(rules.len(), ours, "{filters:?}");
        }
        assert!(parse("").expect("is right").is_empty());
    }

    #[test]
    fn the_first_line_that_is_wrong_is_named() {
        for (text, line, part) in [
            ("name=a", 1, "before the first"),
            ("[a]\n\nnmae=b", 3, "`nmae` is not a rule"),
            ("[a]\nname=b\nname=c", 3, "twice"),
            ("[a]\n[b", 2, "`[b` is neither"),
            ("# it\nsome text", 2, "`some text` is neither"),
            ("[]", 1, "missing"),
            ("[a]\nname=/", 2, "cannot be a name"),
            ("[a]\nname=a/../b", 2, "cannot be a name"),
            ("[a]\nname=x/.httpout-tmp", 2, "cannot be a name"),
            ("[a]\nfilters=rtspout\nx=\u{1b}", 3, "`x`"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.to_string().contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_is_shown_of_a_line_is_short_and_escaped() {
        assert_eq!(shown("a\u{1b}"), "a\\u{1b}");
        assert_eq!(shown(&"x".repeat(50)), format!("{}…", "x".repeat(40)));
    }
}
