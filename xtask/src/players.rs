//! `cargo xtask players`: the players of browsers, for the page of option `player`.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};

use crate::{npm, paths, usage};

/// Where npm installs them, below the top.
const PACKAGES: &str = "host/httpout/player/npm";

/// Where the server's build script looks for them, below the top.
const LIBRARIES: &str = "host/httpout/player/libraries";

struct Library {
    name: &'static str,
    package: &'static str,
    /// Within the package.
    script: &'static str,
    /// That of its own, and those of what is in it.
    licences: &'static [&'static str],
}

const ALL: [Library; 2] = [
    Library {
        name: "dash.js",
        package: "dashjs",
        script: "dist/modern/umd/dash.mediaplayer.min.js",
        licences: &[
            "LICENSE.md",
            "dist/modern/umd/dash.mediaplayer.min.js.LICENSE.txt",
        ],
    },
    Library {
        name: "hls.js",
        package: "hls.js",
        script: "dist/hls.min.js",
        licences: &["LICENSE"],
    },
];

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    usage::nothing(arguments)?;
    fetch()?;
    for library in &ALL {
        println!("{LIBRARIES}/{}.gz", library.name);
    }
    Ok(())
}

/// Fetches those that the lock file names, unless they are there.
pub(crate) fn fetch() -> Result<()> {
    let packages = paths::root().join(PACKAGES);
    let is_there = |library: &Library| library.is_newer_than(&packages.join("package-lock.json"));
    if ALL.iter().all(is_there) {
        return Ok(());
    }
    npm::install(&packages)?;
    ALL.iter().try_for_each(|library| {
        let package = packages.join("node_modules").join(library.package);
        library
            .compress(&package)
            .with_context(|| format!("cannot take `{}` from npm", library.package))
    })
}

impl Library {
    fn path(&self) -> std::path::PathBuf {
        paths::root()
            .join(LIBRARIES)
            .join(format!("{}.gz", self.name))
    }

    fn is_newer_than(&self, file: &Path) -> bool {
        let modified = |path: &Path| path.metadata().and_then(|found| found.modified());
        matches!((modified(&self.path()), modified(file)), (Ok(own), Ok(other)) if own >= other)
    }

    /// With its licences in front, which have to go where the library goes.
    fn compress(&self, package: &Path) -> Result<()> {
        let read = |name: &str| {
            let path = package.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
        };
        let licences = self.licences.iter().map(|name| read(name));
        let licences = licences.collect::<Result<Vec<_>>>()?.join("\n");
        let licences = licences.replace("*/", "* /");
        let script = read(self.script)?;
        // The map of its source is not served.
        let script = script
            .lines()
            .filter(|line| !line.starts_with("//# sourceMappingURL="));
        // Without a date: the same versions make the same bytes.
        let mut coder = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::best());
        write!(coder, "/*! {}\n\n{licences}*/\n", self.name)?;
        for line in script {
            writeln!(coder, "{line}")?;
        }
        let path = self.path();
        // Under its name only when it is whole.
        let part = path.with_extension("part");
        File::create(&part)?.write_all(&coder.finish()?)?;
        Ok(fs::rename(&part, &path)?)
    }
}
