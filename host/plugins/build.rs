//! Tells the crate whether the engine of scripts has been built, to be put into the binary.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(has_js_engine)");
    // The directory, which is always there, and with it the file once it comes.
    println!("cargo::rerun-if-changed=engines");
    println!("cargo::rerun-if-changed=build.rs");
    if Path::new("engines/js.wasm.gz").exists() {
        println!("cargo::rustc-cfg=has_js_engine");
    }
}
