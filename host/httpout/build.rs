//! Tells the crate whether the players have been fetched, to be put into the binary.

use std::path::Path;

const LIBRARIES: [&str; 2] = ["player/libraries/dash.js.gz", "player/libraries/hls.js.gz"];

fn main() {
    println!("cargo::rustc-check-cfg=cfg(has_players)");
    // The directory, which is always there, and with it the files once they come.
    println!("cargo::rerun-if-changed=player/libraries");
    println!("cargo::rerun-if-changed=build.rs");
    if LIBRARIES.iter().all(|file| Path::new(file).exists()) {
        println!("cargo::rustc-cfg=has_players");
    }
}
