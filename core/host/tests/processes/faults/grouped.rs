//! Threads that share commits while calls fail: whoever was told that it is done finds it done, and
//! whoever was not was told why.

use std::fs;
use std::path::Path;

use laps_core::vault::{Vault, VaultError};
use laps_host::sqlite::SqliteStore;

use super::library::{self, FAULTS, Fault, Kind};
use super::threads::{Log, MOST_ROUNDS, at_once, look, prepare};

const ROUNDS: usize = 4;
const _: () = assert!(ROUNDS + 1 < MOST_ROUNDS);

/// Lets a sample of at most so many calls of each kind fail.
pub fn fail_in_turn(folder: &Path, most: usize) {
    for (kind, how) in FAULTS {
        // A read that fails can be taken for damage, which one thread alone can tell better; a cut
        // is nobody's operation.
        if kind == Kind::Read || kind == Kind::Cut {
            continue;
        }
        for for_ever in [false, true] {
            let never = Fault { kind, how, at: usize::MAX >> 1, for_ever };
            let (calls, _) = run(folder, never);
            let step = calls.div_ceil(most).max(1);
            let mut told = 0;
            for at in (how as usize % step..calls).step_by(step) {
                told += run(folder, Fault { kind, how, at, for_ever }).1;
            }
            println!(
                "threads, {kind:?} {how:?} for ever {for_ever}: {told} calls of the vault failed"
            );
            assert!(told > 0, "a failure that nobody was told of");
        }
    }
}

/// How many calls of the kind there were, and how many of the vault's failed.
fn run(folder: &Path, fault: Fault) -> (usize, usize) {
    let run = folder.join("run");
    fs::create_dir(&run).unwrap();
    let path = run.join("vault");
    let mut devices = prepare(&path);
    let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
    let log = Log::default();
    let told = |told| log.lock().unwrap().push(told);
    let failed = |error: &VaultError| {
        assert!(matches!(error, VaultError::Store(_)), "{fault:?}: {error}");
        let message = error.to_string();
        assert!(message.contains(&path.display().to_string()), "{fault:?}: {message}");
    };
    library::arm(&run, fault);
    let failures = at_once(&vault, &mut devices, ROUNDS, told, failed);
    let (calls, met) = library::disarm();
    assert!(met || failures == 0, "{fault:?}");
    // The same vault goes on once nothing fails any more.
    let again = at_once(&vault, &mut devices, 1, told, |error| panic!("{fault:?}: {error}"));
    assert_eq!(again, 0);
    drop(vault);
    look(&path, log.lock().unwrap().iter(), &format!("{fault:?}"));
    fs::remove_dir_all(&run).unwrap();
    (calls, failures)
}
