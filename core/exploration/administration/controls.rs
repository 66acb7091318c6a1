//! Negative controls: every fault that was seen once, and every rule left out, is caught, each with
//! its shortest trace. The names are those of `controls.sh` beside the first model, R1 to V3.
//!
//! One fault lies outside of what is explored here, where every random byte is fresh: a generator
//! whose state is repeated. `core/tests/fork.rs`, and the tests of `core/src/random` and of
//! `core/src/seal`, repeat one and see that neither passwords nor keys are repeated with it.

use super::acts::{Act, Fault, Lie, any};
use super::judge::{C, L, O, P, S, T, V};
use super::records::{A, R};
use super::rules::{Rule, Rules};
use super::runs::{say, setting};
use super::state::{Setting, World};
use crate::rotation::search::{exhaust, explore};

#[track_caller]
fn caught(name: &str, checks: u16, rules: Rules, run: Setting, expected: &str) {
    let found = explore::<World>(&Setting { rules, checks, ..run }, 400_000);
    say(name, &found);
    let Some((wrong, steps)) = found.violation else { panic!("{name}: nothing was found") };
    assert!(wrong.contains(expected) && !steps.is_empty(), "{name}: {wrong}");
    // With the rules it holds, within the same bounds.
    let found = exhaust::<World>(&Setting { checks, ..run });
    assert!(found.violation.is_none(), "{name}, with every rule: {:?}", found.violation);
}

fn acts(most: u8, acts: u64) -> Setting {
    setting((most, acts), (0, 0), (0, 0))
}

fn blind(run: Setting) -> Setting {
    Setting { can_verify: false, change_stamps: false, ..run }
}

#[test]
fn readers_that_go() {
    use Act::{AddReader, Age, RemoveReader, RestoreVault, SealToA, SealToN, SealToW};
    caught(
        "R1: a late record is ordered again",
        C | S,
        Rules::without(Rule::LateFlag),
        acts(1, any![RemoveReader]),
        "C: ",
    );
    caught(
        "R2: a device whose readers lost one does nothing",
        C | S,
        Rules::without(Rule::DeviceReaders),
        acts(2, any![RemoveReader, SealToA]),
        "removed reader reads",
    );
    caught(
        "W1: what nobody can open is taken",
        O,
        Rules::without(Rule::Refuse),
        acts(2, any![SealToW, Age]),
        "LOCKED OUT",
    );
    caught(
        "W1: the last openable record goes",
        L,
        Rules::without_two(Rule::Refuse, Rule::Protect),
        acts(4, any![SealToW, Age]),
        "LOST",
    );
    caught(
        "V3: what nobody can open is always refused",
        P,
        Rules::without(Rule::RefuseWhile),
        Setting { first: A, active: A, ..acts(4, any![RestoreVault, AddReader, SealToN, Age]) },
        "BLOCKED",
    );
}

#[test]
fn readers_that_come_back() {
    use Act::{Age, Order, RemoveByWord, RemoveReader, SealToA, SealToAr, SealToR};
    caught(
        "a removal that leaves a candidate without an active reader does not ask",
        O,
        Rules::without(Rule::Guard),
        Setting { first: R, ..acts(1, any![RemoveReader]) },
        "LOCKED OUT",
    );
    caught(
        "R3: an order for a removal lasts until a record is without the reader",
        C,
        Rules::without_two(Rule::DeviceReaders, Rule::RemovalEnds),
        acts(4, any![RemoveReader, SealToA, SealToAr, Order]),
        "removed reader reads",
    );
    caught(
        "W3: the newest openable record stays, also one that was never committed",
        L,
        Rules::without(Rule::ProtectCommitted),
        setting((5, any![SealToR, Age, RemoveByWord, SealToA]), (1, any![Fault::Refuse]), (0, 0)),
        "LOST",
    );
}

#[test]
fn accounts_that_go() {
    use Act::{Age, Appears, Goes, PolicyTurns, SetByHand};
    caught(
        "M1: an account that comes back is the one that went",
        C,
        Rules::without(Rule::Appear),
        blind(acts(2, any![Goes, Appears])),
        "WITH THE CAUSES GONE",
    );
    caught(
        "C1: sixteen of unknown outcome, and nothing more is made",
        C,
        Rules::without(Rule::Fold),
        blind(setting((1, any![Age]), (3, any![Fault::Crash]), (0, 0))),
        "C: ",
    );
    caught(
        "C2: journals lost, crashes, and a vault that refuses what it has no place for",
        C,
        Rules::without(Rule::VaultRoom),
        blind(setting((2, any![Age, Act::LoseJournal]), (2, any![Fault::Crash]), (0, 0))),
        "C: ",
    );
    caught(
        "M1 of before: a missing account leaves candidates, until there is no room",
        C,
        Rules::without_three(Rule::Definite, Rule::Appear, Rule::Fold),
        blind(acts(2, any![Age, Goes])),
        "C: ",
    );
    caught(
        "the passwords of one account are shown as those of another",
        V,
        Rules::without(Rule::Accounts),
        acts(1, any![PolicyTurns]),
        "shown as a password of",
    );
    caught(
        "another change stamp is not noticed",
        C,
        Rules::without(Rule::KeepChangeStamp),
        acts(1, any![SetByHand]),
        "WITH THE CAUSES GONE",
    );
    caught(
        "an outcome is not reported",
        V,
        Rules::without(Rule::Report),
        setting((1, any![Age]), (1, any![Fault::Nothing]), (0, 0)),
        "the outcome is",
    );
}

#[test]
fn vaults_and_setters_that_lie() {
    caught(
        "L1: what is ruled out on a word is forgotten",
        T,
        Rules::without(Rule::Word),
        blind(setting((1, any![Act::Age]), (0, 0), (1, any![Lie::MissesSet]))),
        "TORN",
    );
    let refused = (2, any![Fault::Refuse]);
    caught(
        "L1: a setter lies, then refuses twice, and the newest two stay",
        T,
        Rules::without(Rule::ThreeOnWord),
        blind(setting((1, any![Act::Age]), refused, (1, any![Lie::RefusesSet]))),
        "TORN",
    );
    caught(
        "a thief of the device's identity pushes the true password out of history",
        T,
        Rules::without(Rule::KeepRecent),
        setting((0, 0), (1, any![Fault::Clone]), (0, 0)),
        "EVICTED",
    );
    caught(
        "a version of 2^64 - 1 is believed",
        C,
        Rules::without(Rule::Limit),
        setting((1, any![Act::Age]), (0, 0), (1, any![Lie::HighestMax])),
        "C: ",
    );
    caught(
        "a run changes the password as often as the vault says",
        S,
        Rules::without_two(Rule::PerRun, Rule::Waits),
        setting((0, 0), (0, 0), (3, any![Lie::Orders])),
        "in one run",
    );
}

#[test]
fn sealings_logs_and_clocks() {
    use Act::{Order, RemoveReader, ResealJump, ResealSpoilt, RestoreVault};
    caught(
        "a spoilt sealing replaces the good one",
        L,
        Rules::without(Rule::KeepOriginal),
        acts(2, any![RemoveReader, ResealSpoilt]),
        "LOCKED",
    );
    caught(
        "a sealing number that jumps is taken",
        L,
        Rules::without(Rule::NextSealing),
        acts(2, any![RemoveReader, ResealJump]),
        "re-sealed again",
    );
    caught(
        "a restored log is called another one",
        V,
        Rules::without(Rule::NoteRestore),
        acts(2, any![RestoreVault, Order]),
        "RESTORED",
    );
    caught(
        "an order from a clock that was ahead waits for years",
        C,
        Rules::without(Rule::FutureOrder),
        acts(3, any![Act::VaultForth, Act::VaultBack, Order]),
        "C: ",
    );
}

#[test]
fn what_is_shown() {
    use Act::{Age, Import, Order, RestoreVault, Use};
    caught(
        "the coming reset after a use is not shown",
        V,
        Rules::without(Rule::ShowReset),
        acts(1, any![Use]),
        "RESET",
    );
    caught(
        "after a restore the stale record is to be tried first",
        V,
        Rules::without(Rule::Likely),
        acts(2, any![RestoreVault, Order]),
        "TRY",
    );
    caught(
        "an import beside pc-1 makes a device PC-1",
        V,
        Rules::without(Rule::Names),
        acts(1, any![Import]),
        "2 devices",
    );
    caught(
        "a record that names an active reader counts as one that opens",
        V,
        Rules::without(Rule::Unproven),
        acts(1, any![Age]),
        "PROVEN",
    );
}
