//! Two real accounts: one has the vault and publishes a snapshot, the other reads it and cannot
//! write. Needs root.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output};

use laps_core::error::Code;
use laps_core::vault::{DiscloseOptions, Vault};
use laps_host::sqlite::{SqliteStore, publish};

use super::bed::{Bed, WHO, scope};
use super::worker;

/// An account that is removed again.
struct Account(String);

impl Account {
    fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let made = Command::new("useradd").args(["--no-create-home", &name]).status().unwrap();
        assert!(made.success());
        Self(name)
    }

    fn id(&self, which: &str) -> u32 {
        let output = Command::new("id").args([which, &self.0]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }

    fn run(&self, group: &str, program: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &self.0, "--regid", group, "--clear-groups"]);
        command.arg(program).arg("published").args(arguments).output().unwrap()
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _removed = Command::new("userdel").arg(&self.0).status();
    }
}

pub fn a_second_user_reads_what_the_owner_published_and_cannot_write() {
    if !rustix::process::geteuid().is_root() {
        println!("NOT RUN, though it counts as passed: only root makes accounts");
        return;
    }
    let (owner, auditor) = (Account::new("laps-owner"), Account::new("laps-auditor"));
    let open = || {
        let mode = fs::Permissions::from_mode(0o755);
        tempfile::Builder::new().permissions(mode).tempdir().unwrap()
    };
    let (programs, folder) = (open(), open());
    let program = programs.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    chown(folder.path(), Some(owner.id("-u")), Some(owner.id("-g"))).unwrap();
    let path = folder.path().join("vault");
    let snapshot = folder.path().join("snapshot");
    let (path, snapshot_name) = (path.to_str().unwrap(), snapshot.to_str().unwrap());
    let assert = |output: Output| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    };
    assert(owner.run(&owner.0, &program, &["publish", path, snapshot_name, "1"]));
    // The owner gives it to the auditors' group once.
    chown(&snapshot, None, Some(auditor.id("-g"))).unwrap();
    assert(auditor.run(&auditor.0, &program, &["read", path, snapshot_name, "1"]));
    // A refresh keeps the group, of which the owner is a member.
    assert(owner.run(&auditor.0, &program, &["publish", path, snapshot_name, "2"]));
    assert(auditor.run(&auditor.0, &program, &["read", path, snapshot_name, "2"]));
}

/// `publish VAULT SNAPSHOT DEVICES` as its owner, `read VAULT SNAPSHOT DEVICES` as somebody else.
pub fn work(arguments: &[String]) {
    let [what, path, snapshot, devices] = arguments else { panic!("{arguments:?}") };
    let devices: usize = devices.parse().unwrap();
    let now = Bed::in_memory().now();
    if what == "publish" {
        let there = Path::new(path).exists();
        let store =
            if there { SqliteStore::open(path).unwrap() } else { SqliteStore::init(path).unwrap() };
        let vault = Vault::from_system(store);
        let mut device = Bed::in_memory().device(&format!("pc-{devices}"));
        worker::rotate(&vault, &mut device).unwrap();
        return publish(&vault, Path::new(snapshot)).unwrap();
    }
    assert_eq!(SqliteStore::open(path).unwrap_err().code, Code::PermissionDenied);
    let vault = Vault::from_system(SqliteStore::open(snapshot).unwrap());
    assert_eq!(vault.list(&scope(), None, 10).unwrap().items.len(), devices);
    let report = vault.audit_verify(&scope(), None).unwrap();
    assert!(report.ok && report.entries == u64::try_from(devices).unwrap());
    assert_eq!(vault.audit_entries(&scope(), 0, 10).unwrap().len(), devices);
    let options = DiscloseOptions::default();
    let refused = vault.disclose(&scope(), "pc-1", &WHO, options, now).unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    assert!(fs::OpenOptions::new().write(true).open(snapshot).is_err());
    assert!(fs::remove_file(snapshot).is_err());
}
