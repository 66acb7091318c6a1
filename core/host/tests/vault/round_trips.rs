//! How often a vault turns to its store: what a database on another machine would wait for.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use laps_core::identity::Scope;
use laps_core::vault::plan::{Plan, Want};
use laps_core::vault::store::{Durability, Store, Work};
use laps_core::vault::unit::{Appended, Rows, Writes};
use laps_core::vault::{DiscloseOptions, Selection, Vault, VaultError};

use super::bed::{Bed, Either, EitherWork, WHO, counting, encoded, exchange, scope};

/// A store that counts what it is asked.
#[derive(Clone)]
struct Counting {
    store: Either,
    reads: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
}

impl Store for Counting {
    type Work<'s> = CountingWork<'s>;

    fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        self.store.scopes()
    }

    fn read(&self, plan: &Plan) -> Result<Rows, VaultError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.read(plan)
    }

    fn begin(
        &self,
        plan: &Plan,
        durability: Durability,
    ) -> Result<(CountingWork<'_>, Rows), VaultError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let (work, rows) = self.store.begin(plan, durability)?;
        Ok((CountingWork { work, store: self }, rows))
    }
}

struct CountingWork<'s> {
    work: EitherWork<'s>,
    store: &'s Counting,
}

impl Work for CountingWork<'_> {
    fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError> {
        self.store.reads.fetch_add(1, Ordering::Relaxed);
        self.work.fetch(wants, rows)
    }

    fn write(self, writes: Writes) -> Result<Appended, VaultError> {
        self.store.writes.fetch_add(1, Ordering::Relaxed);
        self.work.write(writes)
    }
}

pub fn an_operation_turns_to_its_store_once_to_read_and_once_to_write(bed: &Bed) {
    let (reads, writes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let store = bed.vault.store().clone();
    let store = Counting { store, reads: Arc::clone(&reads), writes: Arc::clone(&writes) };
    let vault = Vault::new(store, counting());
    let trips = || (reads.swap(0, Ordering::Relaxed), writes.swap(0, Ordering::Relaxed));
    let mut device = bed.settled("pc-1", 2);
    let mut others: Vec<_> = (2..12).map(|n| bed.settled(&format!("pc-{n}"), 1)).collect();

    exchange(&vault, &device.message(), &[], bed.now()).unwrap();
    assert_eq!(trips(), (1, 0), "a check-in that changes nothing");
    let record = device.make();
    exchange(&vault, &device.message(), &[&record], bed.now()).unwrap();
    assert_eq!(trips(), (1, 1), "a record is offered");
    let sent: Vec<(String, Vec<u8>)> = others
        .iter_mut()
        .map(|device| {
            let record = device.make();
            (device.name.to_string(), encoded(&device.message(), &[&record]))
        })
        .collect();
    let sent: Vec<(&str, &[u8])> =
        sent.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let taken = vault.check_in_many(&scope(), &sent, bed.now()).unwrap();
    assert!(taken.iter().all(Result::is_ok));
    assert_eq!(trips(), (1, 1), "ten at once");

    // The records that are shown are known when the device is.
    let shown = vault.disclose(&scope(), "pc-1", &WHO, DiscloseOptions::default(), bed.now());
    assert_eq!(trips(), (2, 1), "a disclosure");
    vault.record_outcome(&scope(), shown.unwrap().entry, false, &[], &WHO, bed.now()).unwrap();
    assert_eq!(trips().1, 1, "its outcome");
    vault.disclose(&scope(), "pc-99", &WHO, DiscloseOptions::default(), bed.now()).unwrap_err();
    assert_eq!(trips(), (2, 1), "a refusal is in the log, with the nearest name");
    let named = ["pc-2", "pc-3", "PC-4"];
    vault.order_rotation(&scope(), Selection::Devices(&named), &WHO, bed.now()).unwrap();
    assert_eq!(trips(), (1, 1), "an order for some");
    vault.order_rotation(&scope(), Selection::All, &WHO, bed.now()).unwrap();
    assert_eq!(trips(), (1, 1), "an order for all, up to a thousand");
    vault.retire(&scope(), "pc-2", &WHO, bed.now()).unwrap();
    assert_eq!(trips(), (1, 1), "a retirement");
    vault.list(&scope(), None, 100).unwrap();
    assert_eq!(trips(), (1, 0), "a list");
}
