//! The vault under load: fleets of several sizes, records of true size, the SQLite store.
//!
//! `cargo bench -p laps-benches --bench vault` measures a thousand and ten thousand devices.
//! `LAPS_FLEET=full` measures a thousand, a hundred thousand with twelve records in history, and a
//! million with one: it needs 8 GB of disk and six minutes. What costs the same in each grows with
//! the answer and not with the vault. `LAPS_FLEET="100000x12"` measures that one. `LAPS_FOLDER`
//! names the folder, and with it the disk. Every figure about commits stands beside what fdatasync
//! alone allows in the same minute, because a disk can change its mind within a run.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division_remainder_used,
    clippy::cast_precision_loss,
    reason = "a benchmark stops where something is wrong, and its figures are rounded"
)]

mod vault {
    pub mod fleet;
}

use core::time::Duration;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use laps_core::identity::{Scope, Timestamp};
use laps_core::rotation::message::Answer;
use laps_core::vault::plan::Plan;
use laps_core::vault::run::run;
use laps_core::vault::store::Durability;
use laps_core::vault::{DiscloseOptions, Request, Vault};
use laps_host::sqlite::{SqliteStore, reseal_all};

use laps_testkit::bed::NOW;
use vault::fleet::{Device, Fleet, send_many, settle};

const WHO: Request<'_> = Request::new("bench", "measuring");
const SCOPE: Scope = Scope::EMPTY;
/// Rounds of check-ins with a new record; in each so many alone, and as many in groups of each of
/// these sizes.
const ROUNDS: usize = 3;
const GROUPS: [usize; 3] = [1, 100, 1_000];
/// The most devices that are measured.
const MEASURED: usize = 100_000;

fn main() {
    let wanted = std::env::var("LAPS_FLEET").unwrap_or_else(|_| "1000x12 10000x1".to_owned());
    let wanted = if wanted == "full" { "1000x12 100000x12 1000000x1".to_owned() } else { wanted };
    let sizes = wanted.split(' ').map(|size| {
        let (devices, history) = size.split_once('x').expect("DEVICESxHISTORY");
        (devices.parse().unwrap(), history.parse().unwrap())
    });
    for (devices, history) in sizes {
        let folder = folder();
        println!("\n## {devices} devices, {history} records in history each");
        measure(folder.path(), devices, history);
    }
    println!("\n## 10000 devices, one record each");
    reseal(folder().path());
}

fn folder() -> tempfile::TempDir {
    std::env::var("LAPS_FOLDER").map_or_else(
        |_| tempfile::tempdir().unwrap(),
        |folder| tempfile::tempdir_in(folder).unwrap(),
    )
}

/// Runs `work` on every item; items per second.
fn rate<T>(items: impl IntoIterator<Item = T>, mut work: impl FnMut(T)) -> f64 {
    let start = Instant::now();
    let mut count = 0_u32;
    for item in items {
        work(item);
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// What fdatasync alone allows a file of `len` bytes a write: appended, as a log that grows; and
/// written over, as a log that begins again. The larger of the two.
fn probe(folder: &Path, len: usize) -> f64 {
    const WRITES: u64 = 200;
    let path = folder.join("probe");
    let bytes = vec![7_u8; len];
    let mut file = File::create(&path).unwrap();
    let mut write = || {
        rate(0..WRITES, |_| {
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
        })
    };
    let appended = write();
    let mut file = File::options().write(true).open(&path).unwrap();
    let over = rate(0..WRITES, |_| {
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
    });
    std::fs::remove_file(&path).unwrap();
    appended.max(over)
}

/// How many bytes one commit writes, on average, as the kernel counts them for this process. The
/// largest is left out: it may have folded the log.
fn written(commits: impl Iterator<Item = impl FnOnce()>) -> usize {
    let count = || -> usize {
        let io = std::fs::read_to_string("/proc/self/io").unwrap();
        io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().parse().unwrap()
    };
    let mut all: Vec<usize> = commits
        .map(|commit| {
            let before = count();
            commit();
            count() - before
        })
        .collect();
    all.sort_unstable();
    all.pop();
    all.iter().sum::<usize>() / all.len()
}

/// Commits until the log has its full size: from then on it is written over, as in a vault that has
/// been open for a while.
fn fill_log(vault: &Vault<SqliteStore>, fleet: &Fleet, path: &Path) {
    let log = path.with_file_name("vault-wal");
    for n in fleet.pick(usize::MAX) {
        if std::fs::metadata(&log).unwrap().len() >= 4_000 * 4_096 {
            break;
        }
        let options = DiscloseOptions::default();
        drop(vault.disclose(&SCOPE, &Fleet::name(n), &WHO, options, NOW).unwrap());
    }
}

/// A rotation of every device that is measured. The pages of a new file are full: the first row
/// that grows splits its page, which happens once in the life of a device and not at each check-in.
fn warm_up(vault: &Vault<SqliteStore>, fleet: &Fleet, known: &mut [Device]) {
    for devices in known.chunks_mut(1_000) {
        let group = offers(fleet, devices, 0, devices.len());
        send_many(vault, &group).iter().for_each(|answer| assert_stored(answer));
    }
    settle(vault, known);
}

fn measure(folder: &Path, devices: usize, history: usize) {
    let path = folder.join("vault");
    let start = Instant::now();
    let fleet = Fleet::fill(&path, devices, history);
    println!("filled in {:.0} s", start.elapsed().as_secs_f64());
    let open = Instant::now();
    let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
    vault.show(&SCOPE, &Fleet::name(0)).unwrap();
    println!("open and first look-up: {:.2} ms", open.elapsed().as_secs_f64() * 1e3);
    let size = std::fs::metadata(&path).unwrap().len() as f64;
    println!(
        "bytes per device: {:.0} (a record has {})",
        size / devices as f64,
        fleet.record_len()
    );

    let look_up = rate(fleet.pick(20_000), |n| {
        let row = vault.show(&SCOPE, &Fleet::name(n)).unwrap();
        assert!(row.version.is_some());
    });
    println!("look-up: {look_up:.0} /s");
    let soonest = rate(0..20, |_| {
        let page = vault.due(&SCOPE, Timestamp::MAX, None, 1_000).unwrap();
        assert_eq!(page.items.len(), 1_000.min(devices));
    });
    println!("the 1000 soonest due: {:.2} ms", 1e3 / soonest);

    let count = devices.min(MEASURED);
    let mut known: Vec<Device> = fleet.pick(count).map(|n| fleet.device(n)).collect();
    settle(&vault, &mut known);
    let quiet = rate(0..20_000, |n: usize| {
        known[n % count].say_nothing(&vault);
    });
    println!("check-in that changes nothing: {quiet:.0} /s (goal 20000)");

    warm_up(&vault, &fleet, &mut known);
    fill_log(&vault, &fleet, &path);
    let written = changed(folder, &vault, &fleet, &mut known);
    let waiting = offers(&fleet, &mut known, 0, 640);
    let start = Instant::now();
    std::thread::scope(|threads| {
        for share in waiting.chunks(20) {
            let vault = &vault;
            threads.spawn(move || {
                for offer in share {
                    send(vault, offer);
                }
            });
        }
    });
    println!(
        "32 threads that wait for each other: {:.0} records/s",
        640.0 / start.elapsed().as_secs_f64()
    );

    let disclose = rate(fleet.pick(500), |n| {
        drop(
            vault.disclose(&SCOPE, &Fleet::name(n), &WHO, DiscloseOptions::default(), NOW).unwrap(),
        );
    });
    println!("disclose: {disclose:.0} /s (fdatasync alone {:.0} /s)", probe(folder, written));
    verify(&vault);
}

/// So many offers, of the devices from this one on.
fn offers(
    fleet: &Fleet,
    known: &mut [Device],
    first: usize,
    number: usize,
) -> Vec<(String, Vec<u8>)> {
    let count = known.len();
    (first..first + number)
        .map(|n| {
            let device = &mut known[n % count];
            (device.name(), device.offer(fleet))
        })
        .collect()
}

fn send(vault: &Vault<SqliteStore>, (name, bytes): &(String, Vec<u8>)) {
    assert_stored(&vault.check_in(&SCOPE, name, bytes, NOW).unwrap());
}

fn assert_stored(answer: &[u8]) {
    assert_eq!(Answer::decode(answer).unwrap().stored.len(), 1);
}

/// Check-ins with a new record, alone and in groups; how many bytes a commit writes.
fn changed(
    folder: &Path,
    vault: &Vault<SqliteStore>,
    fleet: &Fleet,
    known: &mut [Device],
) -> usize {
    let file = rusqlite::Connection::open(folder.join("vault")).unwrap();
    let fold = || {
        let whole: bool = file
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok(row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
            })
            .unwrap();
        assert!(whole);
    };
    let first = offers(fleet, known, 0, 50);
    let written = written(first.iter().map(|offer| || send(vault, offer)));
    println!("a commit writes {written} bytes");
    // As many as one fill of the log: a check-in writes a page and a half.
    let number = log_pages(folder) * 2 / 3 / GROUPS[2] * GROUPS[2];
    println!("  {number} check-ins in each part, then a fold");
    let mut floors = 0.0;
    let mut next = 0;
    let mut seconds = [0.0; GROUPS.len()];
    for _ in 0..ROUNDS {
        for (size, seconds) in GROUPS.into_iter().zip(&mut seconds) {
            let before = probe(folder, written);
            fold();
            let (mut took, first) = (Duration::ZERO, next);
            for _ in 0..number / size {
                // A message is handled right after it came in.
                let group = offers(fleet, known, next, size);
                next += size;
                let start = Instant::now();
                match group.as_slice() {
                    [one] => send(vault, one),
                    group => {
                        send_many(vault, group).iter().for_each(|answer| assert_stored(answer));
                    }
                }
                took += start.elapsed();
            }
            let folding = Instant::now();
            fold();
            let folding = folding.elapsed();
            let floor = f64::midpoint(before, probe(folder, written));
            let each = (took + folding).as_secs_f64() / number as f64;
            println!(
                "  by {size} with a new record: {:.0} /s; fdatasync alone {floor:.0} /s; the fold \
                 took {:.0} ms",
                1.0 / each,
                folding.as_secs_f64() * 1e3,
            );
            *seconds += each;
            if size == 1 {
                floors += 1.0 / floor;
            }
            fold();
            let settling = Instant::now();
            let (begin, used) = (first % known.len(), number.min(known.len()));
            let (front, back) = known.split_at_mut(begin);
            let (behind, before) = (used.min(back.len()), used.saturating_sub(back.len()));
            settle(vault, &mut back[..behind]);
            settle(vault, &mut front[..before]);
            fold();
            println!(
                "  the other check-ins of these rotations, by 1000: {:.0} rotations/s",
                used as f64 / settling.elapsed().as_secs_f64()
            );
        }
    }
    let [alone, groups @ ..] = seconds;
    let rounds = ROUNDS as f64;
    println!(
        "check-in with a new record: {:.0} /s: {:.0} % of fdatasync alone (goal 60)",
        rounds / alone,
        100.0 * floors / alone
    );
    for (size, together) in GROUPS[1..].iter().zip(groups) {
        println!(
            "grouped by {size}: {:.0} records/s: {:.1} times the single rate (goal 6)",
            rounds / together,
            alone / together
        );
    }
    written
}

/// The pages at which the log of this vault is folded into the file:
/// `core/host/src/sqlite/open.rs`.
fn log_pages(folder: &Path) -> usize {
    let pages = std::fs::metadata(folder.join("vault")).unwrap().len() / 4_096;
    usize::try_from((pages / 4).clamp(4_000, 16_000)).unwrap()
}

fn verify(vault: &Vault<SqliteStore>) {
    use laps_core::vault::audit::{Action, Entry};
    // A long audit log, written as the vault writes it.
    for _ in 0..100 {
        run(vault.store(), &Plan::of(&SCOPE), Durability::Durable, |rows| {
            for _ in 0..1_000 {
                let mut entry = Entry::new(Action::Disclosed, NOW);
                entry.actor = "alice@example.org".to_owned();
                entry.reason = "ticket 4711: the printer again".to_owned();
                entry.device = "device-000000".to_owned();
                rows.append(entry);
            }
            Ok(())
        })
        .unwrap();
    }
    let start = Instant::now();
    let report = vault.audit_verify(&SCOPE, None).unwrap();
    assert!(report.ok);
    println!(
        "audit verification: {:.0} entries/s",
        report.entries as f64 / start.elapsed().as_secs_f64()
    );
}

/// Every record of a vault of 10 000 sealed to one reader more, on both cores.
fn reseal(folder: &Path) {
    let path = folder.join("vault");
    let fleet = Fleet::sealed(&path, 10_000);
    let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
    fleet.add_reader(&vault);
    let start = Instant::now();
    let done = reseal_all(&vault, &SCOPE, fleet.key(), &WHO, NOW).unwrap();
    assert_eq!((done.replaced, done.failed.len()), (10_000, 0));
    println!(
        "10000 records re-sealed for two readers: {:.0} /s",
        done.replaced as f64 / start.elapsed().as_secs_f64()
    );
}
