//! Pages while rows come, go and change: whatever is there the whole time stands in the pages
//! exactly once.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use laps_core::vault::{Confirmation, DiscloseOptions};

use super::bed::{Bed, WHO, scope};

const STAYING: usize = 25;
const COMING: usize = 40;

/// Something that changes, each time something else. Names lie between those that stay, and due
/// dates around theirs.
fn change(bed: &Bed, number: usize) {
    let name = format!("pc-{:02}{}", number % STAYING, ["-a", "-b"][number / STAYING % 2]);
    let there = bed.vault.show(&scope(), &name).is_ok();
    match (number % 3, there) {
        (0, true) => {
            let _ = bed.vault.purge(&scope(), &name, Confirmation::Given, &WHO, bed.now());
        }
        (1, true) => {
            let _ = bed.vault.retire(&scope(), &name, &WHO, bed.now());
        }
        _ => {
            let mut device = bed.device(&name);
            let due = u64::try_from(number * 7 % 70).unwrap();
            device.due = Some(bed.now().plus(950 + due));
            device.check_in(bed);
        }
    }
}

/// All pages of a list by name or by due date; the device that a page ended with is changed or gone
/// before the next one is asked for.
fn pages(bed: &Bed, due: bool, number: &AtomicUsize) -> Vec<String> {
    let until = bed.now().plus(1_000_000);
    let (mut names, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let (page, next): (Vec<String>, _) = if due {
            let page = bed.vault.due(&scope(), until, after.as_deref(), 3).unwrap();
            (page.items.iter().map(|row| row.device.to_string()).collect(), page.next)
        } else {
            let page = bed.vault.list(&scope(), after.as_deref(), 3).unwrap();
            (page.items.iter().map(|row| row.device.to_string()).collect(), page.next)
        };
        assert!(page.len() <= 3);
        if let Some(last) = page.last().filter(|name| !stays(name)) {
            // Another thread may have been faster.
            let _ = bed.vault.purge(&scope(), last, Confirmation::Given, &WHO, bed.now());
        }
        names.extend(page);
        change(bed, number.fetch_add(1, Ordering::Relaxed));
        after = next;
        if after.is_none() {
            return names;
        }
    }
}

fn stays(name: &str) -> bool {
    !name.contains("-a") && !name.contains("-b")
}

/// The audit log, page by page, as far as it is by then: no number is missing or twice.
fn audit_log(bed: &Bed) {
    let (mut next, end) = (1, bed.vault.audit_head(&scope()).unwrap().length);
    while next <= end {
        let page = bed.vault.audit_entries(&scope(), next - 1, 7).unwrap();
        assert!(!page.is_empty());
        for stored in page {
            assert_eq!(stored.number, next);
            next += 1;
        }
    }
}

pub fn what_is_there_the_whole_time_is_in_the_pages_exactly_once(bed: &Bed) {
    // Each device that settles lets time pass.
    let start = bed.now().plus(1_000);
    let mut expected = Vec::new();
    for n in 0..STAYING {
        let name = format!("pc-{n:02}");
        let mut device = bed.settled(&name, 2);
        // Several are due at the same time.
        device.due = Some(start.plus(u64::try_from(n % 4 * 20).unwrap()));
        device.check_in(bed);
        expected.push(name);
    }
    let number = AtomicUsize::new(0);
    (0..COMING).for_each(|n| change(bed, n));
    let history = bed.vault.history(&scope(), "pc-07").unwrap();
    let (done, changed) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for thread in 0..2 {
            let (number, done, changed) = (&number, &done, &changed);
            threads.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    change(bed, number.fetch_add(1, Ordering::Relaxed));
                    // Something about those that stay changes too, but for their names and due
                    // dates.
                    let name =
                        format!("pc-{:02}", (changed.load(Ordering::Relaxed) + thread) % STAYING);
                    let options = DiscloseOptions::default();
                    bed.vault.disclose(&scope(), &name, &WHO, options, bed.now()).unwrap();
                    changed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // The other threads stop also when this one panics.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let stop = Stop(&done);
        let mut rounds = 0;
        while rounds < 6 || changed.load(Ordering::Relaxed) < 60 {
            for due in [false, true] {
                let mut found = pages(bed, due, &number);
                let mut all = found.clone();
                all.dedup();
                assert!(due || all == found && all.is_sorted(), "no name twice: {found:?}");
                found.retain(|name| stays(name));
                found.sort();
                assert_eq!(found, expected, "by due date: {due}");
            }
            audit_log(bed);
            assert_eq!(bed.vault.history(&scope(), "pc-07").unwrap(), history);
            rounds += 1;
        }
        drop(stop);
    });
    assert!(bed.vault.audit_verify(&scope(), None).unwrap().ok);
}
