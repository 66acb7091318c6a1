//! The invariants: of a state, of a step, and of what comes after a state when nothing more goes
//! wrong.

use alloc::{format, rc::Rc, string::String};
use core::hash::{Hash as _, Hasher as _};

use super::device::BETWEEN_RUNS;
use super::records::names;
use super::state::{Left, Setting, World, bits, ids, mask, number};
use super::vault::Stored;
use crate::rotation::State;

/// No more than two changes of the password without a new cause, and in one run.
pub(super) const S: u16 = 1;
/// The failure-free continuation is quiet, changes at most twice, and ends settled when the causes
/// are gone.
pub(super) const C: u16 = 2;
/// No step loses the newest openable record that was committed while the current one cannot be
/// opened.
pub(super) const L: u16 = 4;
/// The password of the account is known to the vault or named by the journal.
pub(super) const T: u16 = 8;
/// The password of the account names an active reader.
pub(super) const O: u16 = 16;
/// A refusal never blocks a rotation when the password in use cannot be opened either.
pub(super) const P: u16 = 32;
/// What list, show, stats, the list of what is due, the history and a disclosure say is what holds.
pub(super) const V: u16 = 64;

impl World {
    /// Whether a run checks this.
    fn checks(setting: &Setting, what: u16) -> bool {
        setting.checks & what != 0
    }

    /// The invariants of one state.
    pub(super) fn wrong_state(&self, setting: &Setting) -> Option<String> {
        if Self::checks(setting, S) {
            if self.since > 2 {
                return Some(format!(
                    "S: STORM: {} changes of the password without a new cause",
                    self.since
                ));
            }
            if self.in_run > 2 {
                return Some(format!("S: {} changes of the password in one run", self.in_run));
            }
        }
        let kept = self.vault.kept();
        let held = self.managed().holds;
        if Self::checks(setting, T) && held != 0 && self.managed().present && !self.excuse.torn {
            let held_ids = self.machine.journal.held.may_hold().ids;
            let mut known = kept.all_candidates | mask(held_ids.iter());
            known |= self.machine.step.last_made().map_or(0, |id| 1 << number(id));
            for (record, marked) in &kept.history {
                if *marked || !setting.can_verify {
                    known |= 1 << record;
                }
            }
            if known >> held & 1 == 0 {
                return Some(format!(
                    "T: TORN: the account holds {held}; the vault has current {}, candidates {}, \
                     history {:?}",
                    kept.current,
                    ids(kept.candidates()),
                    kept.history
                ));
            }
        }
        let committed = held != 0 && self.committed >> held & 1 == 1 && self.managed().present;
        let excused = self.excuse.torn || self.excuse.lie;
        if Self::checks(setting, T) && committed && !excused && !kept.has(held) {
            return Some(format!("T: EVICTED: the account holds {held}, and the vault had it"));
        }
        if Self::checks(setting, O)
            && held != 0
            && !self.excuse.word
            && !self.excuse.torn
            && kept.has(held)
            && kept.names(held) & kept.active == 0
        {
            return Some(format!(
                "O: LOCKED OUT: the account holds {held}, sealed to {}; active are {}",
                names(kept.names(held)),
                names(kept.active)
            ));
        }
        if Self::checks(setting, V)
            && let Some(wrong) = self.wrong_view(kept, setting)
        {
            return Some(format!("V: {wrong}"));
        }
        (kept.history.len() > 70).then(|| format!("the HISTORY has {} records", kept.history.len()))
    }

    /// The invariants of one step.
    pub(super) fn wrong_step(&self, next: &Self, setting: &Setting) -> Option<String> {
        if next.made.len() > self.made.len()
            && let Some(new) = next.made.last()
        {
            let own = self.machine.journal.highest;
            // A number far above was a lie, and is let go.
            let below = new.version <= own && own - new.version < 1 << 16;
            // A clone knows no more than its copy of the journal.
            let attempt = next.machine.step.attempt().map(|attempt| number(attempt.id));
            let made_here = attempt.map(usize::from) == Some(next.made.len() - 1);
            if below && made_here && self.machine.account() == next.machine.account() {
                return Some(format!("a VERSION {} that is not above {own}", new.version));
            }
        }
        if !Self::checks(setting, L) || Rc::ptr_eq(&self.made, &next.made) && self.same_vault(next)
        {
            return None;
        }
        let restored = self.copy.is_some() && next.copy.is_none();
        let (before, after) = (self.vault.kept(), next.vault.kept());
        let opened = before.current != 0
            && before.current == after.current
            && before.opens(before.current) != 0;
        if opened && after.has(before.current) && before.active == after.active {
            if after.opens(before.current) == 0 {
                return Some(format!("K: LOCKED: nobody can open {} any more", before.current));
            }
            let newest = after.sealings(before.current).map(|seen| seen.sealing.number).max();
            if newest == Some(u32::MAX) {
                return Some(format!("K: {} can never be re-sealed again", before.current));
            }
        }
        let purged = before.device.is_some() && after.device.is_none();
        if restored || purged || before.active != after.active {
            return None;
        }
        let newest = newest(before, self.committed)?;
        let openable = after.current != 0 && after.names(after.current) & after.active != 0;
        (!openable && !after.has(newest)).then(|| {
            format!(
                "L: LOST: record {newest} could be opened; now {} is current, sealed to {}, active \
                 are {}",
                after.current,
                names(after.names(after.current)),
                names(after.active)
            )
        })
    }

    /// What becomes of it when nothing more goes wrong: as it is, and with the causes gone.
    pub(super) fn wrong_end(&self, setting: &Setting) -> Option<String> {
        if Self::checks(setting, C)
            && let Some(wrong) = self.settle(setting, true)
        {
            return Some(format!("C: WITH THE CAUSES GONE: {wrong}"));
        }
        if Self::checks(setting, C | P)
            && let Some(wrong) = self.settle(setting, false)
        {
            return Some(if wrong.starts_with("P: ") { wrong } else { format!("C: {wrong}") });
        }
        None
    }

    fn settle(&self, setting: &Setting, causes_gone: bool) -> Option<String> {
        let quiet = Setting { left: Left::NOTHING, ..*setting };
        let mut end = self.clone();
        (end.left, end.since, end.in_run) = (quiet.left, 0, 0);
        if causes_gone {
            end.off = false;
            (end.device_skew, end.vault_skew) = (0, 0);
        }
        if causes_gone || !Self::checks(setting, P) {
            end.restart(&quiet);
        }
        // What was only said to be set is replaced in the end by a rotation whose setter does what
        // it says.
        let mut again = causes_gone && self.excuse.lie && !setting.can_verify;
        if causes_gone {
            // The device looks once more before the account comes back, and the readers follow.
            if !end.managed().present {
                end.go_quietly(&quiet);
                for _ in 0..3 {
                    if !end.machine.journal.missing {
                        end.pass_time(&quiet, BETWEEN_RUNS);
                        end.go_quietly(&quiet);
                    }
                }
                let account = end.managed_mut();
                (account.present, account.holds) = (true, 0);
                account.hands += 1;
            }
            let active = end.vault.kept().active;
            if active == 0 {
                return None;
            }
            end.readers = active;
            end.tell_readers(&quiet);
        }
        let mut before = [0, 1, 2];
        for round in 0.. {
            if round > 60 {
                return Some(format!("is NEVER QUIET: {} changes so far", end.since));
            }
            if !end.go_quietly(&quiet) {
                return Some(format!("STUCK in {:?}", end.machine.state()));
            }
            if end.since > 2 {
                return Some(format!("{} changes of the password in the continuation", end.since));
            }
            let key = end.calm_key();
            if before == [key; 3] {
                if !again {
                    break;
                }
                again = false;
                end.since = 0;
                let now = end.device_now();
                end.machine.force(now);
                continue;
            }
            before = [before[1], before[2], key];
            end.pass_time(&quiet, BETWEEN_RUNS);
        }
        let kept = end.vault.kept();
        if causes_gone { end.unsettled(kept) } else { end.blocked(kept, setting) }
    }

    /// What must not change any more when it is quiet. A device whose every record is refused makes
    /// one at every run; that is quiet.
    fn calm_key(&self) -> u64 {
        let kept = self.vault.kept();
        let may = self.machine.journal.held.may_hold();
        let held = self.accounts.map(|account| account.holds);
        let mut hash = std::collections::hash_map::DefaultHasher::new();
        (held, kept.current, kept.pending, mask(may.ids.iter()), may.unknown).hash(&mut hash);
        (&kept.orders, self.machine.state(), self.machine.journal.missing).hash(&mut hash);
        hash.finish()
    }

    /// What keeps it from being settled.
    fn unsettled(&self, kept: &Stored) -> Option<String> {
        // Without a change stamp nobody can know of a password that somebody else set, nor that the
        // account has another one than both older copies say.
        let unknown = self.excuse.unseen && self.managed().holds == 0 || self.excuse.rewound;
        let only = bits(kept.candidates()).next().unwrap_or(0);
        let held = if unknown { only } else { self.managed().holds };
        let may = self.machine.journal.held.may_hold();
        let (named, unknown) = (mask(may.ids.iter()), may.unknown);
        let wrong = if self.machine.state() != State::Settled {
            format!("in {:?}", self.machine.state())
        } else if kept.candidates() != 1 << held || kept.current != held || held == 0 {
            format!(
                "with {held} in the account, current {}, candidates {}",
                kept.current,
                ids(kept.candidates())
            )
        } else if named != 1 << held || unknown {
            format!("with may-hold {}{}", ids(named), if unknown { "?" } else { "" })
        } else if kept.opens(held) == 0 {
            format!("with {held}, sealed to {}: no active reader opens it", names(kept.names(held)))
        } else if self.made[usize::from(held)].readers & kept.removed != 0 {
            format!("with {held}: a removed reader reads the password in use")
        } else if !kept.orders.is_empty() {
            "with an order that is never fulfilled".into()
        } else {
            return None;
        };
        let due = (self.machine.reason_due(), self.machine.waits());
        Some(format!("ends {wrong}; due {due:?}"))
    }

    /// P: what the account holds can be opened by nobody, is due, and every new record is refused.
    fn blocked(&self, kept: &Stored, setting: &Setting) -> Option<String> {
        let held = self.managed().holds;
        let due = self.machine.status().rotation_due.is_some();
        (Self::checks(setting, P)
            && due
            && !self.off
            && held != 0
            && self.managed().present
            && kept.has(held)
            && kept.names(held) & kept.active == 0)
            .then(|| {
                format!(
                    "P: BLOCKED: the account holds {held}, sealed to {}; a rotation is due, and \
                     every new record is refused",
                    names(kept.names(held))
                )
            })
    }

    fn same_vault(&self, next: &Self) -> bool {
        self.vault.is(&next.vault) || self.vault.kept().device == next.vault.kept().device
    }

    pub(super) fn is_heard(&self) -> bool {
        self.machine.state() != State::Starting
    }
}

/// The newest record that was committed and names an active reader.
fn newest(kept: &Stored, committed: u64) -> Option<u8> {
    bits(committed)
        .filter(|record| {
            *record != 0 && kept.has(*record) && kept.names(*record) & kept.active != 0
        })
        .max()
}
