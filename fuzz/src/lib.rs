//! The bodies of the fuzz targets: plain functions that take any bytes, and panic when a promise is
//! broken.
//!
//! `cargo fuzz run policy` (nightly) searches with them; the test `replay` runs each over its
//! corpus on stable. What a search finds goes into `corpus/<target>` and stays there.

mod directory;
mod messages;
mod policy;
mod reseal;
mod sealed;

pub use directory::directory;
pub use messages::{journal, message};
pub use policy::{policy, sid};
pub use reseal::reseal;
pub use sealed::sealed;

/// A body: it takes any bytes.
pub type Body = fn(&[u8]);

/// Every target by name; the name is also that of its corpus and of the file in `fuzz_targets`.
pub const TARGETS: &[(&str, Body)] = &[
    ("directory", directory),
    ("journal", journal),
    ("message", message),
    ("policy", policy),
    ("reseal", reseal),
    ("sealed", sealed),
    ("sid", sid),
];

/// Without a fuzzing runtime a target replays the files that it is given: `cargo run -p laps-fuzz
/// --bin policy -- FILE…`.
///
/// # Panics
/// When a file breaks a promise.
pub fn replay_arguments(body: Body) {
    for path in std::env::args_os().skip(1) {
        match std::fs::read(&path) {
            Ok(data) => body(&data),
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
}
