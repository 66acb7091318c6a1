//! The vectors of FORMAT.md: they hold, and they are what this version writes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{cases, make};

/// The seed of the vectors that are kept.
const SEED: u64 = 1;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seal/vectors")
}

#[test]
fn every_case_is_answered_as_it_says() {
    let count = cases::run_all(&folder()).unwrap();
    assert!(count >= 138, "{count} cases");
}

#[test]
fn the_files_are_what_this_version_writes() {
    for (name, text) in make::all(SEED) {
        let kept = fs::read_to_string(folder().join(&name)).unwrap_or_default();
        assert!(
            kept == text,
            "{name} differs: `cargo run -p laps-core --features seal --example seal_vectors -- \
             make FOLDER {SEED}` \
             writes what it would be now, but records that are out there stay as they are"
        );
    }
}
