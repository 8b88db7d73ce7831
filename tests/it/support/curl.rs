//! curl, the client that everybody has.

use std::process::Command;

/// What curl prints with these arguments. It reads no configuration file.
pub(crate) fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--disable", "--silent", "--show-error", "--max-time", "60"])
        .args(arguments)
        .output()
        .expect("curl is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
