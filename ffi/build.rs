//! What the linker must be told about the shared library.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A C library is found by its SONAME; below 1.0 the minor version is the one that breaks.
    let version = |part| env::var(format!("CARGO_PKG_VERSION_{part}")).unwrap_or_default();
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        let (major, minor) = (version("MAJOR"), version("MINOR"));
        let number = if major == "0" { format!("0.{minor}") } else { major };
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,liblaps.so.{number}");
    }
}
