//! The components that `cargo xtask guests` has built.

use std::path::Path;

/// The file of a Rust guest, as option `plugin` takes it.
pub(crate) fn guest(name: &str) -> String {
    let built = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../guests/target/wasm32-wasip2/release"
    );
    let path = Path::new(built).join(name).with_extension("wasm");
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask guests`",
        path.display()
    );
    path.into_os_string()
        .into_string()
        .expect("the path is text")
}
