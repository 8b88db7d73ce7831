//! The `httpout` command.
fn main() {}
