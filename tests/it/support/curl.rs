//! curl, the client that everybody has.

use std::process::{Command, Output};

/// How curl ends with these arguments. It reads no configuration file.
pub(crate) fn try_curl(arguments: &[&str]) -> Output {
    Command::new("curl")
        .args(["--disable", "--silent", "--show-error", "--max-time", "60"])
        .args(arguments)
        .output()
        .expect("curl is installed")
}

/// What curl prints with these arguments.
pub(crate) fn curl(arguments: &[&str]) -> String {
    let output = try_curl(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
