//! Which record was made after which: forks, and how long they are known.

use laps_core::identity::RecordId;
use laps_core::vault::Retention;
use laps_core::vault::audit::Action;
use laps_core::vault::store::{Durability, Store as _};

use super::bed::{Bed, WHO, device_id, id, scope};
use super::check_ins::history;

pub fn two_records_with_one_predecessor_are_a_fork_even_after_the_first_is_gone(bed: &Bed) {
    bed.vault.set_retention(&scope(), Retention::count(1), &WHO, bed.now()).unwrap();
    let mut device = bed.device("pc-1");
    let first = device.rotate(bed);
    for _ in 0..3 {
        device.rotate(bed);
    }
    bed.outlive(&mut device);
    assert_eq!(history(bed, "pc-1"), [3], "records 1 and 2 are deleted");
    let forks =
        |bed: &Bed| bed.audit_log().iter().filter(|entry| entry.action == Action::Fork).count();
    let nothing = device.seal(5, None, "after a lost journal");
    device.offer(bed, &[&nothing]);
    let other = device.seal(6, None, "and again");
    device.offer(bed, &[&other]);
    assert_eq!(forks(bed), 0, "none is never a fork");
    let twin = device.seal(7, Some(id(&first)), "made by an image from before");
    let answer = device.offer(bed, &[&twin]);
    assert!(answer.stored.contains(id(&twin)), "both are kept");
    assert_eq!(forks(bed), 1);
    device.offer(bed, &[&twin]);
    assert_eq!(forks(bed), 1, "one event");
}

pub fn every_parent_is_recorded_for_ever(bed: &Bed) {
    const PAIRS: u16 = 600;
    bed.settled("pc-1", 1);
    bed.settled("pc-2", 1);
    let record =
        |n: u16| RecordId::from_bytes([n.to_be_bytes(); 8].as_flattened().try_into().unwrap());
    // Most records are made after the one before, some after an earlier one, as by a device that
    // was put back.
    let predecessor = |n: u16| if n % 10 == 3 { record(n / 2) } else { record(n) };
    let key = |name| {
        bed.vault.store().read(|tx| tx.device(&scope(), &device_id(name))).unwrap().unwrap().0
    };
    let (device, other) = (key("pc-1"), key("pc-2"));
    let before = bed.vault.store().read(|tx| tx.ancestry(device)).unwrap().len();
    for n in 0..PAIRS {
        bed.vault
            .store()
            .write(Durability::Relaxed, |tx| {
                tx.record_parent(device, predecessor(n), record(n + 1))?;
                tx.record_parent(device, predecessor(n), record(n + 1))
            })
            .unwrap();
        if n > 40 && n % 50 != 0 {
            continue;
        }
        bed.vault
            .store()
            .read(|tx| {
                for m in 0..=n {
                    let child = tx.fork(device, predecessor(m), record(0xFFFF))?;
                    let child = child.unwrap();
                    assert!(
                        (0..=n).any(|k| (predecessor(k), record(k + 1)) == (predecessor(m), child))
                    );
                    let twin = tx.fork(device, predecessor(m), child)?;
                    let twins = (0..=n).filter(|k| predecessor(*k) == predecessor(m)).count();
                    assert_eq!(twin.is_some(), twins > 1, "{m} of {n}");
                    assert_eq!(tx.fork(other, predecessor(m), record(0xFFFF))?, None);
                    assert_eq!(tx.fork(device, record(m + 10_000), record(0xFFFF))?, None);
                }
                let ancestry = tx.ancestry(device)?;
                assert!(ancestry.is_sorted());
                assert_eq!(ancestry.len(), before + usize::from(n) + 1);
                Ok(())
            })
            .unwrap();
    }
    // Recorded again when it is long ago: still one pair.
    bed.vault
        .store()
        .write(Durability::Durable, |tx| {
            tx.record_parent(device, record(0), record(1))?;
            assert_eq!(tx.ancestry(device)?.len(), before + usize::from(PAIRS));
            tx.remove_device(device)
        })
        .unwrap();
    assert_eq!(bed.vault.store().read(|tx| tx.ancestry(other)).unwrap().len(), before);
}
