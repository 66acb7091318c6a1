//! Which record was made after which: forks, and how long they are known.

use laps_core::identity::{DeviceId, RecordId};
use laps_core::vault::audit::Action;
use laps_core::vault::plan::{Plan, Want};
use laps_core::vault::run::{look, run};
use laps_core::vault::store::Durability;
use laps_core::vault::{Confirmation, Retention};

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
    let (name, other) = (device_id("pc-1"), device_id("pc-2"));
    let ancestry = |name: DeviceId| {
        look(bed.vault.store(), Plan::device(&scope(), name), |rows| {
            Ok(rows.ancestry(&name)?.to_vec())
        })
        .unwrap()
    };
    let add = |parents: &[(RecordId, RecordId)]| {
        let plan = Plan::device(&scope(), name);
        run(bed.vault.store(), &plan, Durability::Relaxed, |rows| {
            let device = rows.device(&name)?.unwrap().1.clone();
            rows.put_records(&name, device, [], parents.iter().copied());
            Ok(())
        })
        .unwrap();
    };
    let before = ancestry(name).len();
    for n in 0..PAIRS {
        let pair = (predecessor(n), record(n + 1));
        add(&[pair, pair]);
        if n > 40 && n % 50 != 0 {
            continue;
        }
        let fork = |device: DeviceId, parent, id| {
            let plan = Plan::device(&scope(), device).with(Want::Children(device, parent));
            look(bed.vault.store(), plan, |rows| rows.fork(&device, parent, id)).unwrap()
        };
        for m in 0..=n {
            let child = fork(name, predecessor(m), record(0xFFFF)).unwrap();
            assert!((0..=n).any(|k| (predecessor(k), record(k + 1)) == (predecessor(m), child)));
            let twin = fork(name, predecessor(m), child);
            let twins = (0..=n).filter(|k| predecessor(*k) == predecessor(m)).count();
            assert_eq!(twin.is_some(), twins > 1, "{m} of {n}");
            assert_eq!(fork(other, predecessor(m), record(0xFFFF)), None);
            assert_eq!(fork(name, record(m + 10_000), record(0xFFFF)), None);
        }
        let ancestry = ancestry(name);
        assert!(ancestry.is_sorted());
        assert_eq!(ancestry.len(), before + usize::from(n) + 1);
    }
    // Recorded again when it is long ago: still one pair.
    let kept = ancestry(other).len();
    add(&[(record(0), record(1))]);
    assert_eq!(ancestry(name).len(), before + usize::from(PAIRS));
    let word = Confirmation::Given;
    bed.vault.purge(&scope(), "pc-1", word, &WHO, bed.now()).unwrap();
    assert_eq!(ancestry(other).len(), kept);
}
