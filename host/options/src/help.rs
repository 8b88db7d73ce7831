//! What `-h`, `--help` and `explain` print.

use crate::command_line::HelpLevel;
use crate::media::MEDIA_OPTIONS;
use crate::options::ROWS;
use crate::row::{Group, Level, Origin, Row, State};
use crate::subcommand::SUBCOMMANDS;

const WIDTH: usize = 80;
/// Where the second column begins.
const COLUMN: usize = 27;

const USAGE: &str = "\
httpout: an HTTP server for media and files, with plugins

usage:
  httpout [DIR]... [--OPTION[=VALUE]]...
  httpout httpout[:OPTION[=VALUE]]... [--OPTION[=VALUE]]...
  httpout --config=FILE [--OPTION[=VALUE]]...

examples:
  serve a directory on port 80
    httpout outcoming
  serve two directories, `/films/` and `/music/`, on another port
    httpout httpout:rdirs=films,music:port=8080
  ask a plugin about each request
    httpout outcoming --plugin 'auth.wasm?user=alice&password=wonderland'
";

const WORDS: &[(&str, &str)] = &[
    ("DIR", "directory to serve, short for `--rdirs=DIR`"),
    ("-h, --help", "show the common options, or all"),
    ("-V, --version", "show the version"),
];

/// Words of lines with media.
const MEDIA_WORDS: &[(&str, &str)] = &[
    (
        "-i SOURCE",
        "file or URL to take as input, `-` for standard input",
    ),
    (
        "-o URL",
        "URL to serve it at, DASH and HLS of it for `.mpd` and `.m3u8`; uploads, files and `-` are not in this version yet",
    ),
    (
        "FILTER",
        "`reframer:rt=on` paces; `dashin`, `vout`, `aout` (not in this version yet)",
    ),
];

const MORE: &str = "
`httpout --help` shows all options, `httpout explain OPTION` all about one.
";

const GRAMMAR: &str = "
Options apply to the whole line. Written as arguments of one filter, source or
destination they apply to that one: `httpout:port=8080:dlist`. A switch that is
on by default is turned off with `=false`. Numbers may end in k, M or G.
In a configuration file the options are keys: `port = [8080, 8443]`.
";

/// The help, wrapped at 80 columns.
pub fn help(level: HelpLevel) -> String {
    let mut text = USAGE.to_owned();
    let commands = SUBCOMMANDS
        .iter()
        .map(|command| (command.usage(), command.help.to_owned()));
    section(&mut text, "commands", commands);
    section(&mut text, "words", pairs(WORDS));
    if level == HelpLevel::All {
        section(&mut text, "media", pairs(MEDIA_WORDS));
    }
    for group in Group::ALL {
        let is_shown = |row: &&Row| {
            let is_common = row.level == Level::Basic && row.state == State::Ready;
            row.group == group && (level == HelpLevel::All || is_common)
        };
        section(
            &mut text,
            group.title(),
            ROWS.iter().filter(is_shown).flat_map(entries),
        );
    }
    match level {
        HelpLevel::Common => text += MORE,
        HelpLevel::All => {
            let media = MEDIA_OPTIONS
                .iter()
                .map(|option| (option.flag(), option.help.to_owned()));
            section(
                &mut text,
                "media that are made, of `-o URL.mpd` and `-o URL.m3u8`",
                media,
            );
            text += GRAMMAR;
        }
    }
    text
}

fn pairs(words: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned = |(left, right): &(&str, &str)| ((*left).to_owned(), (*right).to_owned());
    words.iter().map(owned)
}

/// All about one option.
pub fn explain(row: &Row) -> String {
    let origin = match row.origin {
        Origin::Documented => "GPAC's httpout filter",
        Origin::Own => "this server",
    };
    let mut text = format!("{}\n", row.name);
    let mut line = |left: &str, right: &str| entry(&mut text, left, 12, right);
    line("meaning", &row.meaning());
    line(
        "type",
        &format!("{}: {}", row.kind.name(), row.kind.description()),
    );
    for choice in row.choices {
        line("", &format!("{}: {}", choice.name, choice.help));
    }
    line("default", row.default.unwrap_or("none"));
    line("flag", &row.flag());
    if !row.is_of_the_line() {
        line("filter", &format!("httpout:{}", row.argument()));
        line("in a file", row.kind.in_file());
    }
    line("from", origin);
    text
}

fn section(text: &mut String, title: &str, entries: impl Iterator<Item = (String, String)>) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        *text += &format!("\n{title}:\n");
    }
    for (left, right) in entries {
        entry(text, &left, COLUMN, &right);
    }
}

/// The option, and its choices below.
fn entries(row: &'static Row) -> impl Iterator<Item = (String, String)> {
    let meaning = match row.default {
        None | Some("false") => row.meaning(),
        Some(default) => format!("{} [default{STICKY}{default}]", row.meaning()),
    };
    let choices = row.choices.iter().map(|choice| {
        (
            String::new(),
            format!("{}:{STICKY}{}", choice.name, choice.help),
        )
    });
    std::iter::once((row.flag(), meaning)).chain(choices)
}

/// A space where no line is broken.
const STICKY: char = '\u{a0}';

/// Two columns, the right one wrapped.
fn entry(text: &mut String, left: &str, column: usize, right: &str) {
    let mut line = format!("  {left:<width$}", width = column - 2);
    if left.len() + 3 > column {
        *text += &format!("  {left}\n");
        line = " ".repeat(column);
    }
    let mut length = column;
    for word in right.split(' ') {
        let word_length = word.chars().count();
        if length > column && length + 1 + word_length > WIDTH {
            *text += &format!("{line}\n");
            (line, length) = (" ".repeat(column), column);
        }
        if length > column {
            line.push(' ');
            length += 1;
        }
        line += &word.replace(STICKY, " ");
        length += word_length;
    }
    *text += &format!("{line}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_the_help_is_wider_than_a_terminal() {
        let pages = [help(HelpLevel::Common), help(HelpLevel::All)];
        for page in pages.into_iter().chain(ROWS.iter().map(explain)) {
            for line in page.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }

    #[test]
    fn help_shows_the_basic_options_that_work_and_all_help_each() {
        let (common, all) = (help(HelpLevel::Common), help(HelpLevel::All));
        for row in ROWS {
            let line = format!("\n  {}", row.flag());
            assert!(all.contains(&line), "{}", row.name);
            assert_eq!(
                common.contains(&line),
                row.level == Level::Basic && row.state == State::Ready,
                "{}",
                row.name
            );
        }
        assert!(common.contains("--help` shows all"));
    }

    #[test]
    fn explain_tells_type_default_and_choices() {
        let text = explain(crate::row("cors").expect("an option"));
        for part in [
            "enum",
            "auto",
            "off: ",
            "on: ",
            "--cors=MODE",
            "httpout:cors=MODE",
            "GPAC",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
