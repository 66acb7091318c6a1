//! Mounts where only this test sees them: a vault's single file in a second place, and media that
//! nobody can write.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use laps_core::error::Code;
use laps_core::vault::{DiscloseOptions, Vault};
use laps_host::sqlite::{SqliteStore, back_up, restorable, restore};

use super::bed::{Bed, WHO, scope};
use super::worker;

pub fn a_vault_on_read_only_media_is_read_and_one_mounted_by_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    super::small_disk::isolated(&["mounts"], folder.path());
}

fn mount(arguments: &[&str], what: &Path, place: &Path) {
    let mut command = Command::new("mount");
    assert!(command.args(arguments).arg(what).arg(place).status().unwrap().success());
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// `FOLDER`, in a namespace of its own.
pub fn work(arguments: &[String]) {
    let folder = Path::new(&arguments[0]);
    let home = folder.join("home");
    fs::create_dir(&home).unwrap();
    let path = super::vault(&home);
    let bed = Bed::in_memory();
    let open = |path: &Path| SqliteStore::open(path).map(Vault::from_system);
    let vault = open(&path).unwrap();
    worker::rotate(&vault, &mut bed.device("pc-1")).unwrap();
    single_file(folder, &path);
    read_only(folder, &home, vault);
}

/// Two vaults came of one, as containers mount it.
fn single_file(folder: &Path, path: &Path) {
    let second = folder.join("second");
    fs::write(&second, "").unwrap();
    mount(&["--bind"], path, &second);
    let refused = SqliteStore::open(&second).unwrap_err();
    assert_eq!(refused.code, Code::PermissionDenied);
    assert!(refused.message.contains("mount the folder"), "{refused}");
    assert!(restorable(&second).unwrap_err().to_string().contains("mount the folder"));
    // The folder may be mounted: there is one log for both names.
    let folder_again = folder.join("again");
    fs::create_dir(&folder_again).unwrap();
    mount(&["--bind"], path.parent().unwrap(), &folder_again);
    SqliteStore::open(folder_again.join("vault")).unwrap();
}

fn read_only(folder: &Path, home: &Path, vault: Vault<SqliteStore>) {
    let now = Bed::in_memory().now();
    let media = folder.join("media");
    fs::create_dir(&media).unwrap();
    mount(&["--bind"], home, &media);
    mount(&["-o", "remount,bind,ro"], home, &media);
    let path = media.join("vault");
    // Somebody has it open: what it said last is in the log.
    let refused = SqliteStore::open(&path).unwrap_err();
    assert_eq!(refused.code, Code::PermissionDenied);
    assert!(refused.message.contains("copy both files"), "{refused}");
    drop(vault);
    let before = fs::read(&path).unwrap();
    let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
    assert_eq!(vault.list(&scope(), None, 10).unwrap().items.len(), 1);
    let report = vault.audit_verify(&scope(), None).unwrap();
    assert!(report.ok && report.entries > 0);
    let refused =
        vault.disclose(&scope(), "pc-1", &WHO, DiscloseOptions::default(), now).unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    assert!(refused.to_string().contains("read-only media"), "{refused}");
    // A back-up is an entry of the log, which cannot be made; a restore is one of the new vault's.
    let copied = back_up(&vault, &folder.join("copy"), &WHO, now).unwrap_err();
    assert_eq!(copied.code(), Code::PermissionDenied, "{copied}");
    assert_eq!(restorable(&path).unwrap().len(), 1);
    let place = folder.join("restored");
    restore(&path, &place, &WHO, now).unwrap();
    let restored = Vault::from_system(SqliteStore::open(&place).unwrap());
    assert!(restored.audit_verify(&scope(), None).unwrap().ok);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(!beside(&path, "-wal").exists() && !beside(&path, "-shm").exists());
    // It is read-only here, and somebody writes it where it comes from.
    let writer = Vault::from_system(SqliteStore::open(home.join("vault")).unwrap());
    worker::rotate(&writer, &mut Bed::in_memory().device("pc-2")).unwrap();
    let refused = vault.list(&scope(), None, 10).unwrap_err();
    assert_eq!(refused.code(), Code::Unreachable, "{refused}");
}
