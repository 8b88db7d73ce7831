//! `cargo xtask gen`: files that are written from the code. A new one is a row here.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{paths, usage};

struct Generated {
    path: &'static str,
    content: fn() -> String,
}

const GENERATED: &[Generated] = &[
    Generated {
        path: "docs/reference/options.md",
        content: httpout_options::reference_page,
    },
    Generated {
        path: "docs/reference/httpout.1",
        content: httpout_options::man_page,
    },
];

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    if usage::only_flag("--check", arguments)? {
        check()
    } else {
        write()
    }
}

/// Fails with the names of the files that are not what the code says.
pub(crate) fn check() -> Result<()> {
    let outdated: Vec<String> = GENERATED
        .iter()
        .filter(|file| !file.is_current())
        .map(|file| format!("`{}`", file.path))
        .collect();
    if outdated.is_empty() {
        return Ok(());
    }
    bail!(
        "out of date: {}; run `cargo xtask gen` and commit what it writes",
        outdated.join(", ")
    );
}

fn write() -> Result<()> {
    for file in GENERATED.iter().filter(|file| !file.is_current()) {
        file.write()
            .with_context(|| format!("cannot write `{}`", file.path))?;
        println!("wrote {}", file.path);
    }
    Ok(())
}

impl Generated {
    fn is_current(&self) -> bool {
        fs::read_to_string(paths::root().join(self.path))
            .is_ok_and(|present| present == (self.content)())
    }

    fn write(&self) -> std::io::Result<()> {
        let path = paths::root().join(self.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, (self.content)())
    }
}
