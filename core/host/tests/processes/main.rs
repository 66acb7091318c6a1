//! A vault among processes: killed at any point, eight at once, on a disk that fills, in a file
//! that may not be written, forked, on read-only media, with cancelled locks.
//!
//! This program is its own helper: as `worker` it works on a vault and tells on standard output
//! what was acknowledged. The number of kills is `LAPS_KILLS`, by default fifty. An argument
//! chooses the tests whose names have it in them.

#![cfg(all(feature = "sqlite", unix))]
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::integer_division_remainder_used,
    reason = "a test stops where something is wrong, and uses a part of what the other one has"
)]

extern crate alloc;

mod answers;
mod clear_text;
#[cfg(target_os = "linux")]
mod faults;
mod fork;
mod ledger;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod published;
mod removing;
mod resealing;
#[cfg(target_os = "linux")]
mod small_disk;
mod worker;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use laps_core::vault::Vault;
use laps_host::sqlite::SqliteStore;

use laps_testkit::program::{self, Worker};
use laps_testkit::{age, bed, named};
use ledger::Ledger;

fn main() {
    let workers: &[(&str, Worker)] = &[
        ("worker", worker::work),
        ("send-many", worker::send_many),
        ("reseal", resealing::work),
        ("clear-text", clear_text::work),
        ("remove-reader", removing::work),
        ("answers", answers::work),
        #[cfg(target_os = "linux")]
        ("locks", locks::work),
        #[cfg(target_os = "linux")]
        ("published", published::work),
        #[cfg(target_os = "linux")]
        ("mounts", mounts::work),
        #[cfg(target_os = "linux")]
        ("can-mount", small_disk::can_mount),
        #[cfg(target_os = "linux")]
        ("small-disk", small_disk::work),
        #[cfg(target_os = "linux")]
        ("faults", faults::work),
    ];
    let tests = named![
        #[cfg(target_os = "linux")]
        locks::nothing_is_lost_when_a_process_cancelled_its_own_locks,
        #[cfg(target_os = "linux")]
        locks::careless_processes_share_one_vault_and_lose_nothing,
        #[cfg(target_os = "linux")]
        locks::whoever_holds_the_lock_too_long_is_named_with_the_way_to_end_it,
        #[cfg(target_os = "linux")]
        locks::processes_take_turns_and_nobody_is_told_that_the_vault_is_busy,
        #[cfg(target_os = "linux")]
        mounts::a_vault_on_read_only_media_is_read_and_one_mounted_by_itself_is_refused,
        #[cfg(target_os = "linux")]
        published::a_second_user_reads_what_the_owner_published_and_cannot_write,
        #[cfg(target_os = "linux")]
        faults::no_failing_call_loses_what_was_acknowledged_or_leaves_half_an_operation,
        resealing::a_killed_run_is_gone_on_with_and_no_record_is_lost,
        answers::a_record_leaves_only_when_its_entry_is_on_the_disk,
        clear_text::a_killed_process_leaves_no_password_in_any_file,
        removing::a_removal_over_many_pages_that_is_killed_orders_all_that_could_be_opened,
        a_commit_costs_one_sync_and_a_check_in_that_changes_nothing_none,
        no_kill_loses_what_was_acknowledged_or_leaves_half_an_operation,
        eight_processes_share_one_vault_while_some_are_killed,
        a_disk_that_fills_loses_nothing_and_works_again_when_there_is_room,
        #[cfg(target_os = "linux")]
        small_disk::a_small_file_system_that_fills_loses_nothing_and_works_again_when_there_is_room,
        a_vault_that_may_not_be_written_says_so_and_stays_as_it_is,
        fork::a_fork_cannot_use_or_harm_the_vault_of_its_parent,
        fork::a_vault_that_was_let_go_before_the_fork_opens_on_both_sides,
        a_vault_opened_by_a_relative_name_is_the_same_one_in_another_folder,
    ];
    program::run(workers, tests);
}

/// Connections for reading are opened when they are needed: by then the program may be elsewhere,
/// where another vault has the same name.
fn a_vault_opened_by_a_relative_name_is_the_same_one_in_another_folder() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = std::env::current_dir().unwrap();
    drop(vault(there.path()));
    std::env::set_current_dir(here.path()).unwrap();
    let opened = Vault::new(SqliteStore::init("vault").unwrap(), bed::counting());
    std::env::set_current_dir(there.path()).unwrap();
    let reader = bed::key("reader");
    let history = laps_core::vault::Retention::default();
    let readers = [reader.reader().clone()];
    opened.initialise(&bed::scope(), &readers, history, &bed::WHO, bed::NOW).unwrap();
    assert_eq!(opened.readers(&bed::scope()).unwrap().len(), 1);
    std::env::set_current_dir(before).unwrap();
}

fn vault(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("vault");
    drop(SqliteStore::init(&path).unwrap());
    path
}

fn start(path: &Path, slot: usize, rounds: usize) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["worker", path.to_str().unwrap(), &slot.to_string(), &rounds.to_string()]);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Where the next kill falls: after so many lines, and a little later.
fn sampler() -> impl FnMut(u64) -> u64 {
    let mut seed = [0; 8];
    bed::rng().fill(&mut seed).unwrap();
    let mut state = u64::from_le_bytes(seed) | 1;
    println!("seed {state}");
    move |sides| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % sides
    }
}

/// As the kernel counts them: strace, over programs that differ in nothing but the number of their
/// check-ins.
fn a_commit_costs_one_sync_and_a_check_in_that_changes_nothing_none() {
    let folder = tempfile::tempdir().unwrap();
    let syncs = |kind: &str, count: usize| -> [usize; 2] {
        let path = folder.path().join(format!("{kind}-{count}"));
        drop(SqliteStore::init(&path).unwrap());
        let trace = folder.path().join("trace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,msync,sync_file_range,sync", "-o"]);
        strace.arg(&trace).arg(std::env::current_exe().unwrap()).arg("send-many");
        strace.arg(&path).args([kind, &count.to_string()]).stdout(Stdio::null());
        assert!(strace.status().unwrap().success());
        let trace = fs::read_to_string(&trace).unwrap();
        ["sync", "fdatasync("].map(|call| trace.lines().filter(|line| line.contains(call)).count())
    };
    let set_up = syncs("offer", 0);
    let [all, data] = syncs("offer", 7);
    assert_eq!(all - set_up[0], 7, "one for each commit");
    assert_eq!(data - set_up[1], 7, "of the data alone");
    assert_eq!(syncs("nothing", 50), set_up, "none where nothing changes");
}

fn no_kill_loses_what_was_acknowledged_or_leaves_half_an_operation() {
    let folder = tempfile::tempdir().unwrap();
    let path = vault(folder.path());
    let kills = std::env::var("LAPS_KILLS").map_or(50, |kills| kills.parse().unwrap());
    let mut ledger = Ledger::default();
    let mut draw = sampler();
    for _ in 0..kills {
        let child = start(&path, 0, usize::MAX);
        let (lines, pause) = (1 + draw(40), draw(3_000));
        ledger.follow_and_kill(child, lines, core::time::Duration::from_micros(pause));
        ledger.compare(&path);
    }
    assert!(ledger.acknowledged() >= kills, "{}", ledger.acknowledged());
}

fn eight_processes_share_one_vault_while_some_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = vault(folder.path());
    let mut draw = sampler();
    let mut ledgers: Vec<Ledger> = Vec::new();
    for _ in 0..3 {
        let plans: Vec<Option<u64>> =
            (0..8).map(|slot| (slot % 2 == 0).then(|| 1 + draw(30))).collect();
        let results = Ledger::of_each(plans.into_iter().enumerate(), |ledger, (slot, kill)| {
            let rounds = kill.map_or(4, |_| usize::MAX);
            let child = start(&path, slot, rounds);
            match kill {
                Some(lines) => ledger.follow_and_kill(child, lines, core::time::Duration::ZERO),
                None => ledger.follow_to_the_end(child),
            }
        });
        results.iter().for_each(|ledger| ledger.compare(&path));
        ledgers.extend(results);
    }
    let acknowledged: u64 = ledgers.iter().map(Ledger::acknowledged).sum();
    assert!(acknowledged > 100, "{acknowledged}");
}

/// The kernel refuses to let a file of this process grow beyond a limit, as a full disk does.
fn a_disk_that_fills_loses_nothing_and_works_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = vault(folder.path());
    let mut ledger = Ledger::default();
    for blocks in [200, 300, 600] {
        let mut command = Command::new("sh");
        let program = std::env::current_exe().unwrap();
        command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"]);
        command.arg(program).args(["worker", path.to_str().unwrap(), "0", "1000"]);
        ledger.follow_to_the_end(command.stdout(Stdio::piped()).spawn().unwrap());
        assert!(ledger.refused() > 0, "the limit was met");
        ledger.compare(&path);
    }
    let before = ledger.acknowledged();
    ledger.follow_to_the_end(start(&path, 0, 5));
    assert!(ledger.acknowledged() > before);
    ledger.compare(&path);
}

fn a_vault_that_may_not_be_written_says_so_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = vault(folder.path());
    let mut ledger = Ledger::default();
    ledger.follow_to_the_end(start(&path, 0, 3));
    let before = fs::read(&path).unwrap();
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let root = rustix::process::geteuid().is_root();
    // Root may write everything: as root the worker is somebody else.
    let nobody = 65_534;
    let own = |owner| {
        std::os::unix::fs::chown(&path, Some(owner), Some(owner)).unwrap();
        std::os::unix::fs::chown(folder.path(), Some(owner), Some(owner)).unwrap();
    };
    if root {
        own(nobody);
    }
    set(&path, 0o400);
    set(folder.path(), 0o500);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["worker", path.to_str().unwrap(), "0", "3"]).stdout(Stdio::piped());
    if root {
        // Nobody may not run a program in the folder of root.
        let copy = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        let program = copy.path().join("worker");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        set(&program, 0o755);
        let mut command = Command::new("setpriv");
        let user = nobody.to_string();
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(&program);
        command.args(["worker", path.to_str().unwrap(), "0", "3"]).stdout(Stdio::piped());
        ledger.follow_to_the_end(command.spawn().unwrap());
    } else {
        ledger.follow_to_the_end(command.spawn().unwrap());
    }
    set(folder.path(), 0o700);
    set(&path, 0o600);
    if root {
        own(0);
    }
    assert!(ledger.refused() > 0, "the worker was told");
    assert_eq!(fs::read(&path).unwrap(), before);
    ledger.compare(&path);
    let vault = Vault::new(SqliteStore::open(&path).unwrap(), bed::counting());
    assert!(vault.audit_verify(&bed::scope(), None).unwrap().ok);
}
