//! A vault that can be read, and not written: its disk is full, it is read-only, or somebody else
//! has it for a long time.

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::rotation::message::{Answer, CheckIn};
use laps_core::seal::Record;
use laps_core::vault::plan::{Plan, Want};
use laps_core::vault::store::{Durability, Store, Work};
use laps_core::vault::unit::{Appended, Rows, Writes};
use laps_core::vault::{StoreError, Vault, VaultError};

use super::bed::{Bed, Either, EitherWork, counting, encoded, exchange, scope};

/// A store in which nothing can be written any more.
#[derive(Clone)]
struct Refusing(Either, VaultError);

impl Store for Refusing {
    type Work<'s> = RefusingWork<'s>;

    fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        self.0.scopes()
    }

    fn read(&self, plan: &Plan) -> Result<Rows, VaultError> {
        self.0.read(plan)
    }

    fn begin(
        &self,
        plan: &Plan,
        durability: Durability,
    ) -> Result<(RefusingWork<'_>, Rows), VaultError> {
        let (work, rows) = self.0.begin(plan, durability)?;
        Ok((RefusingWork(work, self.1.clone()), rows))
    }
}

struct RefusingWork<'s>(EitherWork<'s>, VaultError);

impl Work for RefusingWork<'_> {
    fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError> {
        self.0.fetch(wants, rows)
    }

    fn write(self, _: Writes) -> Result<Appended, VaultError> {
        Err(self.1)
    }
}

pub fn a_check_in_that_changes_nothing_is_answered_where_nothing_can_be_written(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let seen = bed.vault.show(&scope(), "pc-1").unwrap().last_seen;
    bed.pass(3_700);
    let store = |code| VaultError::Store(StoreError::new(code, "for a test"));
    let send = |message: &CheckIn, records: &[&Record], error: VaultError| {
        let vault = Vault::new(Refusing(bed.vault.store().clone(), error), counting());
        exchange(&vault, message, records, bed.now())
    };
    let message = device.message();
    for code in [Code::StorageFull, Code::Busy, Code::PermissionDenied] {
        let answer = send(&message, &[], store(code)).unwrap();
        assert_eq!((Some(answer.token), answer.lacking.len()), (message.token, 0), "{code}");
    }
    // A fault, and damage, are told.
    let damaged = VaultError::Damaged { what: "a page", device: String::new() };
    let faults =
        [store(Code::Io), store(Code::Unreachable), VaultError::Internal("a bug"), damaged];
    for fault in faults {
        assert_eq!(send(&message, &[], fault.clone()), Err(fault));
    }
    // Whatever changes something is stored, or not acknowledged.
    let full = store(Code::StorageFull);
    let record = device.make();
    assert_eq!(send(&device.message(), &[&record], full.clone()), Err(full.clone()));
    device.due = Some(bed.now());
    assert_eq!(send(&device.message(), &[], full.clone()), Err(full.clone()));
    let mut restarted = device.message();
    restarted.token = None;
    assert_eq!(send(&restarted, &[], full.clone()), Err(full));
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().last_seen, seen);
    device.check_in(bed);
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().last_seen, bed.now());
}

pub fn of_many_check_ins_those_that_change_nothing_are_answered_where_nothing_can_be_written(
    bed: &Bed,
) {
    let mut devices = ["pc-0", "pc-1", "pc-2"].map(|name| bed.settled(name, 1));
    bed.pass(3_700);
    let record = devices[1].make();
    let messages = [
        encoded(&devices[0].message(), &[]),
        encoded(&devices[1].message(), &[&record]),
        encoded(&devices[2].message(), &[]),
        b"nothing".to_vec(),
    ];
    let names = ["pc-0", "pc-1", "pc-2", "pc-3"];
    let sent: Vec<(&str, &[u8])> =
        names.into_iter().zip(messages.iter().map(Vec::as_slice)).collect();
    for code in [Code::StorageFull, Code::Busy, Code::PermissionDenied] {
        let error = VaultError::Store(StoreError::new(code, "for a test"));
        let vault = Vault::new(Refusing(bed.vault.store().clone(), error.clone()), counting());
        let answers = vault.check_in_many(&scope(), &sent, bed.now()).unwrap();
        for n in [0, 2] {
            let answer = Answer::decode(answers[n].as_ref().unwrap()).unwrap();
            assert_eq!(Some(answer.token), devices[n].token);
        }
        assert_eq!(answers[1], Err(error.clone()));
        assert!(matches!(answers[3], Err(VaultError::Message(_))));
        let offer = vault.check_in_many(&scope(), &sent[1..2], bed.now());
        assert_eq!(offer, Err(error), "none was taken");
    }
    let fault = VaultError::Store(StoreError::new(Code::Io, "for a test"));
    let vault = Vault::new(Refusing(bed.vault.store().clone(), fault.clone()), counting());
    assert_eq!(vault.check_in_many(&scope(), &sent, bed.now()), Err(fault));
    assert!(bed.vault.history(&scope(), "pc-1").unwrap().len() == 1, "nothing was stored");
}
