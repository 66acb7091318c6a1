//! A file system of its own that fills: in memory, mounted where only this test sees it, in a
//! namespace of users and mounts. Where the kernel or its settings allow none, the test says so;
//! the limit on a file's size is tried everywhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use laps_core::error::Code;
use laps_core::vault::Vault;
use laps_host::sqlite::{SqliteStore, back_up};

use super::bed::{self, Bed, WHO};
use super::ledger::Ledger;

fn mount(options: &str, place: &Path) -> Result<(), String> {
    let mut command = Command::new("mount");
    let output = command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(place).output();
    let output = output.map_err(|error| error.to_string())?;
    let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(told) }
}

/// Runs this program where it can mount what nobody else sees.
pub fn isolated(words: &[&str], folder: &Path) {
    let isolated = |words: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount"]).arg(std::env::current_exe().unwrap());
        command.args(words).arg(folder).output()
    };
    match isolated(&["can-mount"]) {
        Ok(output) if output.status.success() => {
            let output = isolated(words).unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{told}");
        }
        refused => {
            let why = refused.map_or_else(
                |error| error.to_string(),
                |output| String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            );
            println!(
                "NOT RUN, though it counts as passed: no small file system can be mounted here: \
                 {why}"
            );
        }
    }
}

pub fn a_small_file_system_that_fills_loses_nothing_and_works_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    isolated(&["small-disk"], folder.path());
}

/// `FOLDER`: whether a file system can be mounted here.
pub fn can_mount(arguments: &[String]) {
    if let Err(why) = mount("size=64k", Path::new(&arguments[0])) {
        eprintln!("{why}");
        std::process::exit(1);
    }
}

/// `FOLDER`, in a namespace of its own.
pub fn work(arguments: &[String]) {
    let folder = Path::new(&arguments[0]);
    for kilobytes in [120, 320, 700, 1_500] {
        mount(&format!("size={kilobytes}k,mode=0700"), folder).unwrap();
        let path = super::vault(folder);
        let mut ledger = Ledger::default();
        ledger.follow_to_the_end(super::start(&path, 0, 1_000));
        assert!(ledger.refused() > 0, "{kilobytes} kB were enough");
        let ballast = fill(folder);
        assert_eq!(
            fs::write(folder.join("more"), [1; 4_096]).unwrap_err().raw_os_error(),
            Some(libc::ENOSPC)
        );
        fs::remove_file(folder.join("more")).unwrap();
        nothing_is_left_of_what_had_no_room(folder, &path);
        // Opening needs room for the index alone; then whatever was acknowledged is read.
        let full = ballast.metadata().unwrap().len();
        ballast.set_len(full.saturating_sub(40 << 10)).unwrap();
        ledger.compare(&path);
        drop(ballast);
        let before = ledger.acknowledged();
        mount_again(folder, kilobytes + 600);
        ledger.follow_to_the_end(super::start(&path, 0, 5));
        assert!(ledger.acknowledged() > before, "{kilobytes} kB: there is room again");
        ledger.compare(&path);
        assert!(Command::new("umount").arg(folder).status().unwrap().success());
    }
}

/// Takes the last room there is.
fn fill(folder: &Path) -> fs::File {
    let mut ballast = fs::File::create(folder.join("ballast")).unwrap();
    let full = std::io::copy(&mut std::io::repeat(0), &mut ballast).unwrap_err();
    assert_eq!(full.raw_os_error(), Some(libc::ENOSPC));
    ballast
}

fn mount_again(folder: &Path, kilobytes: u32) {
    mount(&format!("remount,size={kilobytes}k"), folder).unwrap();
}

/// New files are made whole or not at all.
fn nothing_is_left_of_what_had_no_room(folder: &Path, path: &Path) {
    let names = || {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.retain(|name| !name.to_str().unwrap().starts_with("vault-"));
        names.sort();
        names
    };
    let before = names();
    let made = SqliteStore::init(folder.join("new")).unwrap_err();
    assert_eq!(made.code(), Code::StorageFull, "{made}");
    match SqliteStore::open(path) {
        Ok(store) => {
            let vault = Vault::new(store, bed::counting());
            let now = Bed::in_memory().now();
            let copied = back_up(&vault, &folder.join("copy"), &WHO, now).unwrap_err();
            assert_eq!(copied.code(), Code::StorageFull, "{copied}");
        }
        Err(refused) => {
            assert_eq!(refused.code, Code::StorageFull, "{refused}");
            assert!(refused.message.contains("no room for its index"), "{refused}");
        }
    }
    assert_eq!(names(), before);
}
