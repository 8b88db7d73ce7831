//! The stack of the engine, in bytes: twice what scripts may have of it. The server looks at all of it after each request,
//! to give the next one clean memory.

fn main() {
    println!("cargo::rustc-link-arg=-zstack-size={}", 512 << 10);
    println!("cargo::rerun-if-changed=build.rs");
}
