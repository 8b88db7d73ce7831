//! `cargo xtask ci`: what must hold before a change is taken.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::{generate, guests, paths, process, test, types, usage};

struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
}

const STEPS: &[Step] = &[
    Step {
        name: "format",
        run: || format(""),
    },
    Step {
        name: "format of the guests",
        run: || format(paths::GUESTS),
    },
    Step {
        name: "generated files",
        run: generate::check,
    },
    Step {
        name: "lints",
        run: clippy,
    },
    Step {
        name: "lints of the guests",
        run: guests::clippy,
    },
    Step {
        name: "types for scripts",
        run: types::check,
    },
    Step {
        name: "tests",
        run: || test::command(&[]),
    },
];

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    usage::nothing(arguments)?;
    for (number, step) in (1..).zip(STEPS) {
        println!("=== {number}/{} {}", STEPS.len(), step.name);
        let start = Instant::now();
        (step.run)().with_context(|| format!("step `{}`", step.name))?;
        println!("=== {}: {:.1} s", step.name, start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn format(workspace: &str) -> Result<()> {
    process::run(&mut process::cargo(workspace, ["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets"];
    process::run(process::cargo("", arguments).args(["--", "-D", "warnings"]))
}
