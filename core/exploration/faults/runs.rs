//! The runs: with every rule none finds a violation; with one rule left out each finds one.

use std::println;

use super::judge::Found;
use super::network::history;
use super::rules::{ALL, Rules};
use super::state::{Fault, Setting, State, budget};
use crate::rotation::search::{exhaust, explore};

/// No fault at all.
pub(super) const PLAIN: Setting = Setting {
    rules: ALL,
    faults: [0; super::state::FAULTS],
    history: history(1),
    passwords: 3,
    can_verify: true,
    change_stamps: true,
};

fn setting(faults: &[(Fault, u8)]) -> Setting {
    Setting { faults: budget(faults), ..PLAIN }
}

fn unverified(faults: &[(Fault, u8)]) -> Setting {
    Setting { can_verify: false, ..setting(faults) }
}

fn without_change_stamps(faults: &[(Fault, u8)]) -> Setting {
    Setting { change_stamps: false, ..setting(faults) }
}

/// Neither verification nor change stamps: what the setter says is all there is.
fn blind(faults: &[(Fault, u8)]) -> Setting {
    Setting { can_verify: false, ..without_change_stamps(faults) }
}

fn say(name: &str, found: &Found) {
    println!(
        "{name}: {} states, {} steps, at most {} candidates",
        found.states, found.steps, found.tally
    );
    if let Some((wrong, steps)) = &found.violation {
        for (number, step) in steps.iter().enumerate() {
            println!("   {}. {step}", number + 1);
        }
        println!("   => {wrong}");
    }
}

#[track_caller]
fn holds(name: &str, setting: &Setting) {
    let found = explore::<State>(setting, 3_000_000);
    say(name, &found);
    assert!(found.violation.is_none(), "{name}");
}

#[track_caller]
fn caught(name: &str, setting: Setting, rules: Rules, expected: &str) {
    let found = explore::<State>(&Setting { rules, ..setting }, 3_000_000);
    say(name, &found);
    let (wrong, steps) = found.violation.unwrap();
    assert!(wrong.contains(expected) && !steps.is_empty(), "{name}: {wrong}");
}

#[test]
fn every_rule_together_survives_each_fault() {
    use Fault::*;
    holds("no fault", &PLAIN);
    let runs: [(&str, Setting); 22] = [
        ("two crashes", setting(&[(Crash, 2)])),
        ("crash, refusal", setting(&[(Crash, 1), (Refuse, 1)])),
        ("crash, failure without effect", setting(&[(Crash, 1), (Fail, 1)])),
        ("crash, failure with effect", setting(&[(Crash, 1), (LieFail, 1)])),
        ("crash, success without effect", setting(&[(Crash, 1), (LieOk, 1)])),
        ("no answer to verification", setting(&[(Crash, 1), (Mute, 1)])),
        ("unverified: crash, failure with effect", unverified(&[(Crash, 1), (LieFail, 1)])),
        ("unverified: crash, success without effect", unverified(&[(Crash, 1), (LieOk, 1)])),
        ("orphaned setter", setting(&[(Orphan, 1), (Crash, 1)])),
        ("image rolled back", setting(&[(Image, 1)])),
        ("image with memory", setting(&[(Memory, 1)])),
        ("journal lost", setting(&[(JournalLoss, 1), (Crash, 1)])),
        ("older vault", setting(&[(OldVault, 1)])),
        ("older journal", setting(&[(OldJournal, 1)])),
        ("two clones take turns", setting(&[(Clone, 2)])),
        ("order, crash", setting(&[(Order, 1), (Crash, 1)])),
        ("disk full, crash", setting(&[(Disk, 1), (Crash, 1)])),
        ("no change stamps: two crashes", without_change_stamps(&[(Crash, 2)])),
        (
            "no change stamps: crash, failure with effect",
            without_change_stamps(&[(Crash, 1), (LieFail, 1)]),
        ),
        ("no change stamps: image rolled back", without_change_stamps(&[(Image, 1)])),
        (
            "no change stamps, unverified: two crashes",
            Setting { can_verify: false, ..without_change_stamps(&[(Crash, 2)]) },
        ),
        (
            "image rolled back, older vault",
            Setting { passwords: 2, ..setting(&[(Image, 1), (OldVault, 1)]) },
        ),
    ];
    for (name, setting) in runs {
        holds(name, &setting);
    }
}

#[test]
fn each_rule_left_out_is_caught() {
    use Fault::*;
    let four = |setting: Setting| Setting { passwords: 4, ..setting };
    let five = |setting: Setting| Setting { passwords: 5, ..setting };
    let torn = "TORN";
    let controls: [(&str, Setting, Rules, &str); 19] = [
        ("no token", four(setting(&[(Image, 1), (Crash, 2)])), Rules { token: false, ..ALL }, torn),
        (
            "what unverified commits displaced is not kept",
            five(blind(&[(Crash, 2), (LieOk, 2)])),
            Rules { keep_unverified: false, ..ALL },
            torn,
        ),
        (
            "ruled-out records enter history at its newest end",
            four(blind(&[(Crash, 2), (LieOk, 1)])),
            Rules { ruled_out_last: false, ..ALL },
            torn,
        ),
        (
            "no change stamp when a record is made",
            setting(&[(OldJournal, 1), (Crash, 1)]),
            Rules { change_stamp_when_made: false, ..ALL },
            "NO CONVERGENCE",
        ),
        (
            "the change stamp is read while the setter may run",
            setting(&[(Orphan, 1), (Crash, 1)]),
            Rules { setter_lock: false, ..ALL },
            torn,
        ),
        (
            "the predecessor is the record committed before",
            setting(&[(Crash, 2)]),
            Rules { previous_made: false, ..ALL },
            "FORK",
        ),
        (
            "a commit below the current version is not answered",
            setting(&[(Image, 1)]),
            Rules { acknowledge_lower: false, ..ALL },
            "NO CONVERGENCE",
        ),
        (
            "applied before it is backed up",
            setting(&[]),
            Rules { back_up_first: false, ..ALL },
            torn,
        ),
        ("no journal", setting(&[(Crash, 1)]), Rules { journal: [false; 3], ..ALL }, "FORK"),
        (
            "a record that was made is not journalled",
            setting(&[(Crash, 1)]),
            Rules { journal: [false, true, true], ..ALL },
            "FORK",
        ),
        (
            "the due date moves early",
            setting(&[]),
            Rules { due_at_commit: false, ..ALL },
            "DUE DATE",
        ),
        (
            "an older report is taken",
            setting(&[(Image, 1)]),
            Rules { refuse_stale: false, ..ALL },
            "OLDER",
        ),
        (
            "a new pending record replaces the one before",
            setting(&[(LieFail, 1), (Crash, 1)]),
            Rules { pending_is_a_set: false, ..ALL },
            torn,
        ),
        (
            "after a crash in Applying the new id is dropped",
            setting(&[(Crash, 1)]),
            Rules { both_stay: false, ..ALL },
            "NO CONVERGENCE",
        ),
        (
            "no change stamps: after a crash in Applying the new id is dropped",
            without_change_stamps(&[(Crash, 1)]),
            Rules { both_stay: false, ..ALL },
            "NO CONVERGENCE",
        ),
        (
            "no change stamps: a new pending record replaces the one before",
            without_change_stamps(&[(LieFail, 1), (Crash, 1)]),
            Rules { pending_is_a_set: false, ..ALL },
            torn,
        ),
        (
            "no verification",
            setting(&[(LieOk, 1)]),
            Rules { verify: false, ..ALL },
            "NO CONVERGENCE",
        ),
        (
            "a failed set is believed",
            setting(&[(LieFail, 1)]),
            Rules { verify_failures: false, ..ALL },
            torn,
        ),
        (
            "records in history stay there",
            setting(&[(Image, 1)]),
            Rules { bring_back: false, ..ALL },
            "NO CONVERGENCE",
        ),
    ];
    for (name, setting, rules, expected) in controls {
        caught(name, setting, rules, expected);
    }
}

/// The journals of what was verified and of what was committed keep no promise: they spare a device
/// that loses its power a further rotation. So the first is the least that a rotation needs.
#[test]
fn the_last_two_journals_spare_rotations_and_not_passwords() {
    use Fault::*;
    let last = Rules { journal: [true, false, false], ..ALL };
    for (name, setting) in [
        ("not journalled: two crashes", setting(&[(Crash, 2)])),
        ("not journalled: crash, failure with effect", setting(&[(Crash, 1), (LieFail, 1)])),
        ("not journalled, unverified: two crashes", unverified(&[(Crash, 2)])),
    ] {
        holds(name, &Setting { rules: last, ..setting });
    }
}

/// The large bounds, for `LAPS_PROOFS=1`; without it the runs are told, and the smallest of them is
/// taken.
fn proofs(runs: &[(&str, Setting)]) {
    let large = std::env::var_os("LAPS_PROOFS").is_some();
    let mut states = 0;
    for (name, setting) in runs {
        let small = Setting { passwords: 2, faults: budget(&[(Fault::Crash, 1)]), ..*setting };
        let found = exhaust::<State>(if large { setting } else { &small });
        say(name, &found);
        states += found.states;
        assert!(found.violation.is_none(), "{name}");
        if !large {
            break;
        }
    }
    println!("{states} states");
}

#[test]
fn proof_of_images_and_vaults() {
    use Fault::*;
    let four = |setting: Setting| Setting { passwords: 4, ..setting };
    proofs(&[
        ("J1: older journal, two crashes", four(setting(&[(OldJournal, 1), (Crash, 2)]))),
        ("T1: image, two crashes", four(setting(&[(Image, 1), (Crash, 2)]))),
        ("T2: image, older vault", setting(&[(Image, 1), (OldVault, 1)])),
        ("T3: image, journal lost", setting(&[(Image, 1), (JournalLoss, 1)])),
        (
            "T5: journal lost, older vault, two crashes",
            setting(&[(JournalLoss, 1), (OldVault, 1), (Crash, 2)]),
        ),
        ("I2: two images, crash", setting(&[(Image, 2), (Crash, 1)])),
        (
            "M: image with memory, refusal, failure with effect, crash",
            setting(&[(Memory, 1), (Refuse, 1), (LieFail, 1), (Crash, 1)]),
        ),
        ("three turns of two clones, crash", setting(&[(Clone, 3), (Crash, 1)])),
        ("disk full, crash, image", setting(&[(Disk, 1), (Crash, 1), (Image, 1)])),
    ]);
}

#[test]
fn proof_of_setters_and_orders() {
    use Fault::*;
    let four = |setting: Setting| Setting { passwords: 4, ..setting };
    proofs(&[
        (
            "T7: unverified, two crashes, refusal, failure with effect",
            four(unverified(&[(Crash, 2), (Refuse, 1), (LieFail, 1)])),
        ),
        (
            "B3: unverified, two false successes, a false failure, crash",
            four(unverified(&[(LieOk, 2), (LieFail, 1), (Crash, 1)])),
        ),
        (
            "T6: two crashes and a setter that lies both ways",
            four(setting(&[(Crash, 2), (Refuse, 1), (LieFail, 1), (LieOk, 1)])),
        ),
        ("no answers, failures, crashes", four(setting(&[(Crash, 2), (Fail, 1), (Mute, 2)]))),
        (
            "orphaned setter, two crashes, order",
            four(setting(&[(Orphan, 1), (Crash, 2), (Order, 1)])),
        ),
    ]);
}

/// Where the account has no change stamp, a crash while applying always leaves both records, and
/// nothing is ruled out by what the account looks like.
#[test]
fn proof_without_change_stamps() {
    use Fault::*;
    let four = |setting: Setting| Setting { passwords: 4, ..setting };
    let unverified = |setting: Setting| Setting { can_verify: false, ..setting };
    proofs(&[
        (
            "no change stamps: three crashes, refusal, failure with effect",
            four(without_change_stamps(&[(Crash, 3), (Refuse, 1), (LieFail, 1)])),
        ),
        (
            "no change stamps: two crashes and a setter that lies both ways",
            four(without_change_stamps(&[(Crash, 2), (Refuse, 1), (LieFail, 1), (LieOk, 1)])),
        ),
        (
            "no change stamps, unverified: two crashes, refusal, failure with effect",
            four(unverified(without_change_stamps(&[(Crash, 2), (Refuse, 1), (LieFail, 1)]))),
        ),
        (
            "no change stamps, unverified: two false successes, a false failure, crash",
            four(unverified(without_change_stamps(&[(LieOk, 2), (LieFail, 1), (Crash, 1)]))),
        ),
        (
            "no change stamps: older journal, two crashes",
            four(without_change_stamps(&[(OldJournal, 1), (Crash, 2)])),
        ),
        (
            "no change stamps: image, two crashes",
            four(without_change_stamps(&[(Image, 1), (Crash, 2)])),
        ),
        (
            "no change stamps: image, older vault",
            without_change_stamps(&[(Image, 1), (OldVault, 1)]),
        ),
        (
            "no change stamps: journal lost, older vault, two crashes",
            without_change_stamps(&[(JournalLoss, 1), (OldVault, 1), (Crash, 2)]),
        ),
        (
            "no change stamps: image with memory, refusal, failure with effect, crash",
            without_change_stamps(&[(Memory, 1), (Refuse, 1), (LieFail, 1), (Crash, 1)]),
        ),
        (
            "no change stamps: orphaned setter, two crashes, order",
            four(without_change_stamps(&[(Orphan, 1), (Crash, 2), (Order, 1)])),
        ),
        (
            "no change stamps: three turns of two clones, crash",
            without_change_stamps(&[(Clone, 3), (Crash, 1)]),
        ),
    ]);
}

#[test]
fn proof_of_everything_together() {
    use Fault::*;
    let faults = [
        (Image, 1),
        (OldVault, 1),
        (JournalLoss, 1),
        (Crash, 1),
        (Refuse, 1),
        (LieFail, 1),
        (LieOk, 1),
    ];
    proofs(&[("T4: all together", Setting { passwords: 2, ..setting(&faults) })]);
}
