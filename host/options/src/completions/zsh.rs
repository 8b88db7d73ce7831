//! The script for zsh: a table for its `_arguments`.

use crate::completions::{FLAGS, plain, rows};
use crate::options::ROWS;
use crate::row::{Kind, Names, Row};
use crate::subcommand::SUBCOMMANDS;

const SCRIPT: &str = r#"#compdef httpout
# Completions of httpout for zsh, printed by `httpout completions zsh`.

_httpout() {
    local -a options subcommands names
    options=(
@OPTIONS@
    )
    subcommands=(
@SUBCOMMANDS@
    )
    names=(@NAMES@)
    case $words[2] in
        explain)
            (( CURRENT == 3 )) && compadd -a names
            return ;;
        completions)
            (( CURRENT == 3 )) && compadd bash zsh fish
            return ;;
        man)
            return ;;
    esac
    if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
        _describe -t commands subcommand subcommands
    elif (( CURRENT == 3 )) && [[ $words[2] == check && $PREFIX != -* ]]; then
        _files -g '*.toml'
    fi
    _arguments $options '*:directory:_files -/'
}

if [[ $funcstack[1] == _httpout ]]; then
    _httpout "$@"
else
    compdef _httpout httpout
fi
"#;

pub(super) fn script() -> String {
    let flags = FLAGS
        .iter()
        .map(|(name, help)| format!("'--{name}[{help}]'"));
    let options = rows().map(option).chain(flags);
    let subcommands = SUBCOMMANDS
        .iter()
        .map(|command| format!("'{}:{}'", command.name, escape(command.help)));
    let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    SCRIPT
        .replace("@OPTIONS@", &lines(options))
        .replace("@SUBCOMMANDS@", &lines(subcommands))
        .replace("@NAMES@", &names.join(" "))
}

/// `'*--name=[help]:VALUE:action'`, the star where it may be given again.
fn option(row: &Row) -> String {
    let (name, help) = (row.name, escape(row.help));
    if row.kind == Kind::Bool {
        return format!("'--{name}[{help}]'");
    }
    let star = match row.kind {
        Kind::Uintl | Kind::Strl | Kind::Repeated => "*",
        _ => "",
    };
    let choices: Vec<_> = row
        .choices
        .iter()
        .map(|choice| format!("{}\\:\"{}\"", choice.name, escape(choice.help)))
        .collect();
    let action = match row.names() {
        Names::Files => "_files".to_owned(),
        Names::Directories => "_files -/".to_owned(),
        Names::Nothing if choices.is_empty() => " ".to_owned(),
        Names::Nothing => format!("(({}))", choices.join(" ")),
    };
    format!("'{star}--{name}=[{help}]:{}:{action}'", row.value)
}

/// What stands between brackets or behind a colon.
fn escape(help: &str) -> String {
    let mut text = String::new();
    for letter in plain(help).chars() {
        if matches!(letter, '[' | ']' | ':' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

fn lines(entries: impl Iterator<Item = String>) -> String {
    let lines: Vec<_> = entries.map(|entry| format!("        {entry}")).collect();
    lines.join("\n")
}
