//! A reader is removed from a vault of more devices than one transaction takes, by a process that
//! is killed behind each of its transactions: whatever the reader can open is ordered to rotate
//! once the call, or what it says to call instead, came to its end. And the orders lie evenly in
//! their window.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use laps_core::error::Code;
use laps_core::identity::{DeviceId, Scope};
use laps_core::seal::ReaderId;
use laps_core::vault::Retention;
use laps_core::vault::plan::{DeviceRange, Plan};
use laps_core::vault::run::look;
use laps_core::vault::{Confirmation, Vault};
use laps_host::sqlite::SqliteStore;
use rusqlite::Connection;

use super::bed::{self, Bed, NOW, WHO, encoded, scope};

/// More than two of the pages in which it is done, and every other device sealed to the reader.
const DEVICES: usize = 2_100;
const WINDOW: u64 = 86_400;

fn sealed_to_it(n: usize) -> bool {
    n.is_multiple_of(2)
}

fn id_of(text: &str) -> ReaderId {
    let vault = Vault::from_system(SqliteStore::open(text).unwrap());
    vault.readers(&scope()).unwrap().last().unwrap().reader.id()
}

/// `PATH HOW`: removes the last reader, or orders what it can open.
pub fn work(arguments: &[String]) {
    let id = id_of(&arguments[0]);
    let vault = Vault::from_system(SqliteStore::open(&arguments[0]).unwrap());
    let done = if arguments[1] == "remove" {
        vault.remove_reader(&scope(), &id, Some(WINDOW), Confirmation::NotGiven, &WHO, NOW)
    } else {
        vault.order_readable(&scope(), &id, WINDOW, &WHO, NOW)
    };
    let _ = done.unwrap();
}

fn start(path: &Path, how: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("remove-reader").arg(path).arg(how).stderr(Stdio::null()).spawn().unwrap()
}

/// A vault with the reader `other` beside the first one, in whose records it is here and there.
fn prepare(path: &Path) -> ReaderId {
    let vault = Vault::new(SqliteStore::init(path).unwrap(), bed::counting());
    let bed = Bed::in_memory();
    let other = bed::key("other");
    let readers = [bed.reader.reader().clone(), other.reader().clone()];
    vault.initialise(&scope(), &readers, Retention::default(), &WHO, NOW).unwrap();
    let offers: Vec<(String, Vec<u8>)> = (0..DEVICES)
        .map(|n| {
            let name = format!("pc-{n:04}");
            let mut device = bed.device(&name);
            if sealed_to_it(n) {
                device.readers = readers.to_vec();
            }
            let record = device.make();
            (name, encoded(&device.message(), &[&record]))
        })
        .collect();
    let sent: Vec<(&str, &[u8])> =
        offers.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let answers = vault.check_in_many(&scope(), &sent, NOW).unwrap();
    assert!(answers.iter().all(Result::is_ok));
    other.id()
}

/// When each device is to rotate: the time of its order, or none; never two orders.
fn orders(vault: &Vault<SqliteStore>) -> Vec<Option<u64>> {
    let page = DeviceRange::by_name(None, DEVICES + 1);
    let read = look(vault.store(), Plan::page(&Scope::EMPTY, &page), |rows| {
        let order = |name: &DeviceId| {
            let orders = rows.stored(name)?.device.clone()?.managed.candidates.orders;
            assert!(orders.len() <= 1, "{name} is ordered twice");
            Ok(orders.first().map(|order| order.not_before().as_unix_seconds()))
        };
        rows.names(&page)?.iter().map(order).collect()
    });
    read.unwrap()
}

pub fn a_removal_over_many_pages_that_is_killed_orders_all_that_could_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template");
    let id = prepare(&template);
    for how in ["remove", "order"] {
        // Behind so many entries of the audit log; three pages are three, the removal is one.
        for entries in 0..=4 {
            let path = folder.path().join(format!("{how}-{entries}"));
            fs::copy(&template, &path).unwrap();
            let vault = Vault::new(SqliteStore::open(&path).unwrap(), bed::counting());
            let length = || vault.audit_head(&scope()).unwrap().length;
            let begun = length();
            let mut child = start(&path, how);
            while length() < begun + entries && child.try_wait().unwrap().is_none() {
                thread::yield_now();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let half = orders(&vault);
            assert!((0..DEVICES).all(|n| sealed_to_it(n) || half[n].is_none()));
            let pages = half.chunks(1_000).map(|page| page.iter().flatten().count());
            for (page, ordered) in pages.enumerate() {
                let all =
                    (page * 1_000..DEVICES.min((page + 1) * 1_000)).filter(|n| sealed_to_it(*n));
                assert!(ordered == 0 || ordered == all.count(), "half a page");
            }
            // As the documentation says: again, or the other call when the reader is removed
            // already.
            if how == "remove" {
                let word = Confirmation::NotGiven;
                let again = vault.remove_reader(&scope(), &id, Some(WINDOW), word, &WHO, NOW);
                match again.map_err(|error| error.code()) {
                    Ok(_) => {}
                    Err(code) => {
                        assert_eq!(code, Code::NotFound);
                        vault.order_readable(&scope(), &id, WINDOW, &WHO, NOW).unwrap();
                    }
                }
                assert!(vault.readers(&scope()).unwrap().last().unwrap().removed.is_some());
            } else {
                vault.order_readable(&scope(), &id, WINDOW, &WHO, NOW).unwrap();
            }
            let done = orders(&vault);
            for (n, order) in done.iter().enumerate() {
                assert_eq!(order.is_some(), sealed_to_it(n), "pc-{n:04}");
                assert!(half[n].is_none() || half[n] == *order, "an order was moved");
            }
            assert_eq!(vault.order_readable(&scope(), &id, WINDOW, &WHO, NOW).unwrap().devices, 0);
            assert!(vault.audit_verify(&scope(), None).unwrap().ok);
            assert_even(done.into_iter().flatten());
            drop(vault);
            let connection = Connection::open(&path).unwrap();
            let sound: String =
                connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(sound, "ok");
        }
    }
}

/// The names decide the places, so the figures are the same at each run: chi-squared over 24 hours
/// of 1 050 orders is below the 99.9 % quantile of 23 degrees of freedom, and the largest gap is
/// below 17 times the mean one.
fn assert_even(times: impl Iterator<Item = u64>) {
    let mut places: Vec<u64> = times.map(|at| at - NOW.as_unix_seconds()).collect();
    places.sort_unstable();
    assert!(places.iter().all(|place| *place < WINDOW));
    let mut hours = [0_u64; 24];
    places.iter().for_each(|place| hours[usize::try_from(place / 3_600).unwrap()] += 1);
    let orders = u64::try_from(places.len()).unwrap();
    // Sum of (24 n - N)^2 / (24 N), times 1 000.
    let squares: u64 = hours.iter().map(|hour| (24 * hour).abs_diff(orders).pow(2)).sum();
    let chi = 1_000 * squares / (24 * orders);
    let gap = places.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(chi < 49_728, "{chi}/1000 in {hours:?}");
    assert!(gap < 17 * WINDOW / orders, "a gap of {gap} s");
}
