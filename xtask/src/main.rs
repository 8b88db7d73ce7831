//! The project's own commands: `cargo xtask COMMAND`.
#![expect(
    clippy::print_stdout,
    reason = "what a command prints is its result, there is no log"
)]

mod bench;
mod build;
mod c_compiler;
mod child;
mod ci;
mod clients;
mod demo;
mod generate;
mod guests;
mod httpout;
mod js_engine;
mod npm;
mod paths;
mod players;
mod process;
mod record;
mod test;
mod tools;
mod types;
mod usage;

use std::process::ExitCode;

struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        arguments: "",
        about: "list the commands",
        run: help,
    },
    Command {
        name: "build",
        arguments: "",
        about: "build the guests and the release binary",
        run: build::command,
    },
    Command {
        name: "guests",
        arguments: "",
        about: "build the WebAssembly guests, with the Rust targets they need",
        run: guests::command,
    },
    Command {
        name: "test",
        arguments: "[ARGS]",
        about: "build the guests and run all tests, ARGS go to `cargo test`",
        run: test::command,
    },
    Command {
        name: "test-guests",
        arguments: "[ARGS]",
        about: "build the guests and run the contract tests over them",
        run: test::guests_command,
    },
    Command {
        name: "types",
        arguments: "",
        about: "check the types for scripts, with the TypeScript compiler from npm",
        run: types::command,
    },
    Command {
        name: "players",
        arguments: "",
        about: "fetch dash.js and hls.js from npm, to be put into the binary",
        run: players::command,
    },
    Command {
        name: "clients",
        arguments: "[--binary FILE] [--seconds S] [NAME] …",
        about: "watch browsers play what ffmpeg pushes: latency, stalls, errors; all scenarios or those named",
        run: clients::command,
    },
    Command {
        name: "gen",
        arguments: "[--check]",
        about: "rewrite the generated files, or fail where one is out of date",
        run: generate::command,
    },
    Command {
        name: "ci",
        arguments: "",
        about: "format, generated files, lints and tests, as CI runs them",
        run: ci::command,
    },
    Command {
        name: "demo",
        arguments: "[--check]",
        about: "serve a small site with two plugins and show how to ask for it",
        run: demo::command,
    },
    Command {
        name: "record",
        arguments: "[NAME] …",
        about: "record what encoders send, for `tests/data/ingest`; all sessions or those named",
        run: record::command,
    },
    Command {
        name: "bench",
        arguments: "[--rounds N] [--seconds S] [--binary FILE] [W1] [W11] …",
        about: "measure what requests cost the server, beside nginx (scripts: W11-JS and W13, beside njs and node); all workloads or those named",
        run: bench::command,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = arguments.collect();
    if name == c_compiler::ZIG_COMMAND {
        return finish(c_compiler::command(&rest));
    }
    let Some(command) = find(&name) else {
        eprintln!("error: unknown command `{name}`; `cargo xtask help` lists them");
        return ExitCode::from(2);
    };
    finish((command.run)(&rest))
}

fn finish(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<usage::Error>() { 2 } else { 1 })
        }
    }
}

fn find(name: &str) -> Option<&'static Command> {
    let name = match name {
        "-h" | "--help" => "help",
        other => other,
    };
    COMMANDS.iter().find(|command| command.name == name)
}

fn help(_: &[String]) -> anyhow::Result<()> {
    println!("usage: cargo xtask COMMAND\n");
    for command in COMMANDS {
        let line = format!(
            "  {:<12} {}: {}",
            command.name, command.about, command.arguments
        );
        println!("{}", line.trim_end_matches(": "));
    }
    Ok(())
}
