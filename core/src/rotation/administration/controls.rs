//! Negative controls: every fault that was seen once, and every rule left out, is caught, each with its shortest trace.

use super::acts::{Act, Fault, Lie, any};
use super::judge::{C, L, O, P, S, T, V};
use super::records::A;
use super::rules::{Rule, Rules};
use super::runs::{say, setting};
use super::search::explore;
use super::state::Setting;

#[track_caller]
fn caught(name: &str, checks: u16, rules: Rules, run: Setting, expected: &str) {
    let found = explore(&Setting { rules, checks, ..run }, 400_000);
    say(name, &found);
    let Some((wrong, steps)) = found.violation else { panic!("{name}: nothing was found") };
    assert!(wrong.contains(expected) && !steps.is_empty(), "{name}: {wrong}");
    // With the rules it holds, within the same bounds.
    let found = explore(&Setting { checks, ..run }, 400_000);
    assert!(found.violation.is_none(), "{name}, with every rule: {:?}", found.violation);
}

fn acts(most: u8, acts: u64) -> Setting {
    setting((most, acts), (0, 0), (0, 0))
}

fn blind(run: Setting) -> Setting {
    Setting { can_verify: false, stamps: false, ..run }
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
        Setting { first: A, active: A, ..acts(3, any![RestoreVault, AddReader, SealToN]) },
        "BLOCKED",
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
        Rules::without(Rule::KeepStamp),
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
