//! A real fork with an open vault: the child is refused and leaks its copy of the handles, the
//! parent notices nothing.

use std::fs;
use std::path::Path;

use laps_core::error::Code;
use laps_core::vault::{Vault, VaultError};
use laps_host::sqlite::SqliteStore;

use super::bed::{self, Bed, scope};

/// Runs `work` in a fork of this process; whether it ended well.
fn in_a_fork(work: impl FnOnce()) -> bool {
    // SAFETY: there is one thread: the tests of this program run one after the other, and their
    // threads have been joined.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no fork");
    if child == 0 {
        let done = std::panic::catch_unwind(core::panic::AssertUnwindSafe(work)).is_ok();
        // SAFETY: ends the child at once, without what the parent has registered for its own end.
        unsafe { libc::_exit(i32::from(!done)) };
    }
    let mut status = 0;
    // SAFETY: the child is ours, and the status has a place.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    (waited, status) == (child, 0)
}

fn open(path: &Path) -> Result<Vault<SqliteStore>, VaultError> {
    Ok(Vault::new(SqliteStore::open(path)?, bed::counting()))
}

/// Both refusals say that it was the fork, and what to do.
fn assert_forked(error: &VaultError) {
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    let text = error.to_string();
    assert!(text.contains("forked") && text.contains("open it after the fork"), "{text}");
}

pub fn a_fork_cannot_use_or_harm_the_vault_of_its_parent() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 2);
    let path = bed.path();
    let opened = open(&path).unwrap();
    opened.show(&scope(), "pc-1").unwrap();
    let wal = path.with_file_name("vault-wal");
    let before = (fs::read(&path).unwrap(), fs::read(&wal).unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let other = super::vault(elsewhere.path());
    let mut opened = Some(opened);
    let ended_well = in_a_fork(|| {
        let opened = opened.take().unwrap();
        assert_forked(&opened.show(&scope(), "pc-1").unwrap_err());
        let who = bed::WHO;
        assert_forked(&opened.retire(&scope(), "pc-1", &who, bed.now()).unwrap_err());
        // What the child has in memory of its parent's locks would be taken for its own.
        assert_forked(&open(&path).unwrap_err());
        // Closing, too, is the parent's alone.
        drop(opened);
        assert_forked(&open(&path).unwrap_err());
        // Another file is nobody's.
        let vault = open(&other).unwrap();
        assert_eq!(vault.show(&scope(), "pc-1").unwrap_err().code(), Code::NotFound);
    });
    assert!(ended_well);
    assert_eq!((fs::read(&path).unwrap(), fs::read(&wal).unwrap()), before, "nothing was touched");
    bed.settled("pc-2", 1);
    assert_eq!(bed.reveal("pc-2"), ["Secret-pc-2-1"]);
    assert!(opened.unwrap().audit_verify(&scope(), None).unwrap().ok);
}

pub fn a_vault_that_was_let_go_before_the_fork_opens_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let path = super::vault(folder.path());
    drop(open(&path).unwrap());
    let ended_well = in_a_fork(|| {
        let bed = Bed::over(SqliteStore::open(&path).unwrap());
        bed.settled("child", 1);
    });
    assert!(ended_well);
    assert_eq!(open(&path).unwrap().show(&scope(), "child").unwrap().version, Some(1));
}
