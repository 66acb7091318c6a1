//! Every body, over every file of its corpus, on stable.

use std::{fs, path::Path};

use laps_fuzz::TARGETS;

#[test]
fn no_file_of_a_corpus_breaks_a_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, body) in TARGETS {
        let files =
            fs::read_dir(root.join("corpus").join(name)).expect("every target has a corpus");
        let mut count = 0;
        for file in files {
            let path = file.expect("the folder can be listed").path();
            let data = fs::read(&path).expect("the file can be read");
            // Whole, cut short, and with one byte changed: a corpus is a place to start from.
            body(&data);
            body(data.get(..data.len().wrapping_div(2)).unwrap_or_default());
            for at in [1, 3, 7].map(|part| data.len().wrapping_mul(part).wrapping_div(8)) {
                let mut changed = data.clone();
                if let Some(byte) = changed.get_mut(at) {
                    *byte ^= 0x21;
                }
                body(&changed);
            }
            count += 1;
        }
        assert!(count > 0, "the corpus of {name} is empty");
    }
}

#[test]
fn every_target_has_its_file_and_its_place_in_the_manifest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let mut files: Vec<String> = fs::read_dir(root.join("fuzz_targets"))
        .expect("the folder")
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut names: Vec<String> = TARGETS.iter().map(|(name, _)| format!("{name}.rs")).collect();
    names.sort();
    assert_eq!(files, names);
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}
