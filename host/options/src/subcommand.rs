//! The words that do something else than start the server.

/// A subcommand.
pub(crate) struct Subcommand {
    pub(crate) name: &'static str,
    /// What follows it, in the help.
    pub(crate) arguments: &'static str,
    pub(crate) help: &'static str,
}

pub(crate) const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "check",
        arguments: "FILE|SCRIPT|LINE",
        help: "check a configuration file, a script or a command line, and start nothing; `--request 'POST /a'` is what scripts are asked about",
    },
    Subcommand {
        name: "live",
        arguments: "[--OPTION[=VALUE]]...",
        help: "serve a low-latency origin to try: `--rdirs=gmem --wdir=gmem --player --maxp=0 --port=8080`, as far as the options do not say something else",
    },
    Subcommand {
        name: "explain",
        arguments: "OPTION",
        help: "tell all about one option",
    },
    Subcommand {
        name: "completions",
        arguments: "SHELL",
        help: "print a script that completes command lines, for `bash`, `zsh` or `fish`",
    },
    Subcommand {
        name: "man",
        arguments: "",
        help: "print the manual page",
    },
];

impl Subcommand {
    /// How it is written after the command's name.
    pub(crate) fn usage(&self) -> String {
        format!("{} {}", self.name, self.arguments)
            .trim_end()
            .to_owned()
    }
}
