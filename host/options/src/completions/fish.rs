//! The script for fish: a line for each option.

use crate::completions::{FLAGS, plain, rows};
use crate::options::ROWS;
use crate::row::{Kind, Names, Row};
use crate::subcommand::SUBCOMMANDS;

const HEAD: &str = "\
# Completions of httpout for fish, printed by `httpout completions fish`.
complete -c httpout -f -a '(__fish_complete_directories)'
";

/// Fish gives the whole word `--rdirs=…`, and puts the option before what is found.
const DIRECTORIES: &str =
    r#"(__fish_complete_directories (string replace -r "^--[^=]*=" "" -- (commandline -ct)))"#;

pub(super) fn script() -> String {
    let mut script = HEAD.to_owned();
    for command in SUBCOMMANDS {
        let (name, help) = (command.name, quoted(command.help));
        script += &format!("complete -c httpout -n __fish_use_subcommand -a {name} -d {help}\n");
    }
    let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    for (command, words) in [
        ("explain", names.join(" ").as_str()),
        ("completions", "bash zsh fish"),
        ("check", "(__fish_complete_suffix .toml)"),
    ] {
        script += &format!(
            "complete -c httpout -n '__fish_seen_subcommand_from {command}' -a '{words}'\n"
        );
    }
    for (name, help) in FLAGS {
        script += &format!("complete -c httpout -l {name} -d {}\n", quoted(help));
    }
    rows().for_each(|row| script += &option(row));
    script
}

fn option(row: &Row) -> String {
    let choices: Vec<_> = row
        .choices
        .iter()
        .map(|choice| {
            format!(
                "{}\\t{}",
                choice.name,
                quoted(choice.help).replace('$', "\\$")
            )
        })
        .collect();
    let value = match row.names() {
        _ if row.kind == Kind::Bool => String::new(),
        Names::Files => " -r -F".to_owned(),
        Names::Directories => format!(" -x -a '{DIRECTORIES}'"),
        Names::Nothing if choices.is_empty() => " -x".to_owned(),
        Names::Nothing => format!(" -x -a \"{}\"", choices.join(" ")),
    };
    format!(
        "complete -c httpout -l {}{value} -d {}\n",
        row.name,
        quoted(row.help)
    )
}

fn quoted(help: &str) -> String {
    format!("'{}'", plain(help).replace('\\', "\\\\"))
}
