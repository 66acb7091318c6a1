//! What the device may do next: its own steps, and what may befall it.

use alloc::{format, rc::Rc, string::String, vec::Vec};

use super::state::{
    Excuse, Fault, Image, Message, Reply, Setting, State, config, id, ids, mask, may_hold, names,
    number, token,
};
use crate::identity::Timestamp;
use crate::rotation::event::Reason;
use crate::rotation::journal::{Attempt, Journal, Phase};
use crate::rotation::machine::{Hurry, Rotation, Step, Unsaved};
use crate::rotation::message::{
    Answer, AuditHead, CheckIn, CommitAnswer, MAX_ANSWER, MAX_HEAD, Refusals,
};
use crate::rotation::wait::Cause;
use crate::rotation::{AccountSeen, Applied, Effect, MAX_JOURNAL, Verified};

/// Takes the next states, each with a way to name the step that leads to it.
pub(super) type Visit<'a> = dyn FnMut(State, &dyn Fn() -> String) + 'a;

const NONCE: [u8; 16] = [1; 16];

impl State {
    pub(super) fn device_steps(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let machine = &self.machine;
        if machine.poll() == Effect::ReadChangeStamp
            && matches!(machine.step, Step::Committing { .. })
        {
            self.apply(setting, visit);
            return;
        }
        if machine.unsaved == Unsaved::Step {
            let mut next = self.clone();
            next.save();
            let step = match machine.step.phase() {
                Phase::BackingUp(_) | Phase::Applying(_) => 0,
                Phase::Committing { .. } => 1,
                Phase::Settled(_) => 2,
            };
            if !setting.rules.journal[step] {
                next.disk = Rc::clone(&self.disk);
            }
            visit(next, &|| "journal made durable".into());
            if self.has(Fault::Disk) && machine.plaintext_end().is_some() {
                let mut next = self.clone();
                next.spend(Fault::Disk);
                next.machine.handle_save_failed(next.now, 0);
                next.expire();
                visit(next, &|| "JOURNAL NOT WRITABLE until the password is wiped".into());
            }
            return;
        }
        let detail = |journal: &Journal, phase: Phase| {
            (journal.highest, journal.reasons, matches!(phase, Phase::Applying(_)))
        };
        let disk = Journal::decode(&self.disk);
        let now = detail(&machine.journal, machine.step.phase());
        if disk.is_ok_and(|(journal, phase)| detail(&journal, phase) != now) {
            let mut next = self.clone();
            next.save();
            visit(next, &|| "details made durable".into());
        }
        self.make(setting, visit);
        self.send(visit);
        for reply in &self.replies {
            self.take(setting, reply, visit);
        }
        self.apply(setting, visit);
    }

    fn make(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let machine = &self.machine;
        let new = self.versions.len();
        let settled = matches!(machine.step, Step::Settled(_));
        if !settled || !machine.talk.heard || new > setting.passwords {
            return;
        }
        let mut next = self.clone();
        let machine = &mut next.machine;
        // A vault that was out of reach for a while: what it lacks does not hold a rotation up.
        (machine.talk.spins, machine.hurry) = (3, Hurry::Forces);
        machine.talk.check_in_not_before = Timestamp::MAX;
        let reasons = machine.journal.reasons;
        machine.journal.reasons.forced = true;
        let Effect::Prepare { previous, version } = machine.poll() else { return };
        let new = u8::try_from(new).unwrap();
        let change_stamp = Some([self.account; 32]);
        machine.handle_prepared(id(new), version, change_stamp, next.now).unwrap();
        let changed = machine.journal.reasons.account_changed;
        machine.journal.reasons = reasons;
        machine.journal.reasons.account_changed |= changed;
        let Step::BackingUp { attempt, made_at } = &mut machine.step else { return };
        attempt.cause = Cause { reason: Reason::Age, kind: None };
        let (attempt, made_at) = (*attempt, *made_at);
        let previous = if setting.rules.previous_made {
            previous.map_or(0, number)
        } else {
            // The record of the last commit.
            self.versions
                .iter()
                .rposition(|version| u64::from(*version) == self.machine.journal.committed)
                .and_then(|at| u8::try_from(at).ok())
                .unwrap_or(0)
        };
        if !setting.rules.due_at_commit {
            machine.journal.due = Some(next.now.plus(999));
        }
        if !setting.rules.back_up_first {
            machine.step = Step::ReadingChangeStamp { attempt, made_at };
        }
        next.retire_latest();
        next.versions.push(u8::try_from(version).unwrap());
        next.previous.push(previous);
        visit(next, &|| format!("make {new} (version {version}, predecessor {previous})"));
    }

    pub(super) fn send(&self, visit: &mut Visit<'_>) {
        let mut next = self.clone();
        next.look();
        if next.machine.unsaved == Unsaved::Step && self.machine.unsaved != Unsaved::Step {
            visit(next, &|| "device sees that its account was changed".into());
            return;
        }
        let mut head = [0; MAX_HEAD];
        let Ok(len) = next.machine.check_in(NONCE, &mut head) else { return };
        let check_in = CheckIn::decode_head(&head[..len]).unwrap().0;
        let keep = self.machine.retained();
        assert!(check_in.offers.iter().all(|id| keep.contains(id)), "offers only what it keeps");
        let message = Message {
            token: check_in.token.map_or(0, |token| token[0]),
            may_hold: mask(&check_in.may_hold.ids) | u32::from(check_in.may_hold.unknown),
            offers: mask(&check_in.offers),
            ruled_out: mask(&check_in.ruled_out),
            commit: check_in.commit.map_or(0, |commit| number(commit.id)),
            verified: check_in.commit.is_some_and(|commit| commit.verified),
        };
        if self.latest == Some(message) {
            return;
        }
        next.retire_latest();
        next.latest = Some(message);
        visit(next, &|| format!("device sends {}", message.describe()));
    }

    pub(super) fn take(&self, setting: &Setting, reply: &Reply, visit: &mut Visit<'_>) {
        let mut next = self.clone();
        let mut answer = Answer::new(NONCE, token(reply.token), AuditHead::new(0, [0; 32]));
        answer.stored = ids(reply.stored);
        answer.lacking = ids(reply.lacking);
        answer.refused =
            Refusals { stale: ids(reply.stale), full: ids(reply.full), ..Refusals::NONE };
        answer.commit = match reply.commit {
            0 => None,
            1 => Some(CommitAnswer::Acknowledged),
            2 => Some(CommitAnswer::Lacking),
            _ => Some(CommitAnswer::StaleToken),
        };
        answer.highest_version = reply.highest;
        answer.candidates = u32::from(reply.candidates);
        answer.orders = ids(reply.orders);
        let mut out = [0; MAX_ANSWER];
        let len = answer.encode(&mut out).unwrap();
        if next.machine.handle_answer(&out[..len], next.now, 0).is_err() {
            // An image with memory came back so late that its password was wiped first, and its
            // check-in with it.
            assert!(self.machine.plaintext_end().is_some());
            assert!(next.machine.plaintext_end().is_none());
            next.retire_latest();
            visit(next, &|| "password WIPED before the answer came".into());
            return;
        }
        if self.excuse != Excuse::None && !reply.outdated && reply.lacking == 0 {
            let unknown = self.latest.is_some_and(|message| message.may_hold & 1 == 1);
            next.excuse = if unknown { Excuse::Password(self.account) } else { Excuse::None };
        }
        next.retire_latest();
        if !setting.rules.due_at_commit && matches!(next.machine.step, Step::Settled(_)) {
            next.machine.journal.due = self.machine.journal.due;
        }
        visit(next, &|| format!("device takes {}", reply.describe()));
    }

    /// One call of the setter, and what is reported about it.
    fn apply(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let mut at = self.clone();
        if let Effect::WaitUntil(time) = at.machine.poll() {
            if !matches!(at.machine.step, Step::Applying(_)) {
                return;
            }
            at.now = time;
            at.machine.handle_timeout(time);
        }
        let rules = &setting.rules;
        match at.machine.poll() {
            Effect::ReadChangeStamp => {
                let change_stamp = at.change_stamp();
                at.machine.handle_change_stamp(change_stamp, at.now, 0).unwrap();
                visit(at, &|| "read the change stamp".into());
            }
            Effect::Apply { id } => {
                let new = number(id);
                let outcomes = [
                    (None, Applied::Success, true, "set"),
                    (Some(Fault::Refuse), Applied::Refused, false, "set REFUSED, no effect"),
                    (Some(Fault::Fail), Applied::Failed, false, "set FAILS, no effect"),
                    (
                        Some(Fault::LieFail),
                        Applied::Failed,
                        true,
                        "set TAKES EFFECT, reports failure",
                    ),
                    (
                        Some(Fault::LieOk),
                        Applied::Success,
                        false,
                        "set has NO EFFECT, reports success",
                    ),
                ];
                for (fault, applied, effect, label) in outcomes {
                    if fault.is_some_and(|fault| !at.has(fault)) {
                        continue;
                    }
                    let mut next = at.clone();
                    fault.into_iter().for_each(|fault| next.spend(fault));
                    if effect {
                        next.account = new;
                    }
                    next.machine.handle_applied(applied, next.now).unwrap();
                    let now = next.now;
                    if !rules.verify && applied == Applied::Success && setting.can_verify {
                        next.machine.handle_verified(Verified::Match, now, 0).unwrap();
                    } else if !rules.verify_failures && applied != Applied::Success {
                        let Step::Applying(applying) = &mut next.machine.step else { return };
                        applying.tries = u8::MAX;
                        next.machine.handle_verified(Verified::Mismatch, now, 0).unwrap();
                    }
                    visit(next, &|| format!("{label} ({new})"));
                }
                if at.has(Fault::Crash) {
                    let mut next = at.clone();
                    next.account = new;
                    next.spend(Fault::Crash);
                    next.restart(setting);
                    visit(next, &|| format!("set ({new}), then agent CRASH"));
                }
            }
            Effect::Verify { id } => {
                let mut next = at.clone();
                let held = at.account == number(id);
                let verified = if held { Verified::Match } else { Verified::Mismatch };
                next.machine.handle_verified(verified, next.now, 0).unwrap();
                visit(next, &|| format!("verify: {verified:?}"));
                if at.has(Fault::Mute) {
                    let mut next = at.clone();
                    next.spend(Fault::Mute);
                    next.machine.handle_verified(Verified::Unavailable, next.now, 0).unwrap();
                    visit(next, &|| "verify: NO ANSWER".into());
                }
            }
            _ => {}
        }
    }

    /// The password in memory grows too old.
    fn expire(&mut self) {
        self.now = self.machine.plaintext_end().unwrap();
        self.machine.handle_timeout(self.now);
    }

    /// The device looks its account up.
    pub(super) fn look(&mut self) {
        let change_stamp = self.change_stamp();
        self.machine.handle_account(AccountSeen::Present { change_stamp }, self.now);
    }

    /// The agent is started again, with the journal on disk.
    pub(super) fn restart(&mut self, setting: &Setting) {
        let config = config(setting);
        self.machine = if self.disk.is_empty() {
            Rotation::new(config, self.now).unwrap()
        } else {
            let disk = spoilt(&self.disk, self.account, setting);
            Rotation::resume(&disk, config, self.change_stamp(), self.now).unwrap()
        };
        if !setting.rules.both_stay {
            let before = Journal::decode(&self.disk);
            let journal = &mut self.machine.journal;
            if let Ok((_, Phase::Applying(Attempt { id, .. }))) = before
                && journal.held.ids.remove(id)
            {
                journal.ruled_out.push_out(id);
            }
        }
        self.retire_latest();
    }

    pub(super) fn device_faults(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let busy = !matches!(self.machine.step, Step::Settled(_))
            || self.machine.talk.heard
            || self.machine.unsaved != Unsaved::Nothing
            || self.latest.is_some();
        if busy && self.has(Fault::Crash) {
            let mut next = self.clone();
            next.spend(Fault::Crash);
            next.restart(setting);
            visit(next, &|| "agent CRASH".into());
            if matches!(self.machine.step, Step::BackingUp { .. } | Step::ReadingChangeStamp { .. })
            {
                let mut next = self.clone();
                next.spend(Fault::Crash);
                next.expire();
                next.retire_latest();
                visit(next, &|| "password WIPED before it was applied".into());
            }
        }
        if let (true, Effect::Apply { id }) = (self.has(Fault::Orphan), self.machine.poll()) {
            let mut next = self.clone();
            next.spend(Fault::Orphan);
            if setting.rules.setter_lock {
                // The start waits until the setter has ended, one way or the other.
                let mut ended = next.clone();
                ended.account = number(id);
                ended.restart(setting);
                visit(ended, &|| {
                    format!("agent CRASH, the setter ends with effect ({})", number(id))
                });
            } else {
                next.orphan = number(id);
            }
            next.restart(setting);
            visit(next, &|| "agent CRASH, setter still running".into());
        }
        if self.orphan != 0 {
            let mut next = self.clone();
            next.account = next.orphan;
            next.orphan = 0;
            visit(next, &|| format!("orphaned setter TAKES EFFECT ({})", self.orphan));
        }
        for fault in [Fault::Image, Fault::Memory, Fault::Clone] {
            if self.has(fault) {
                self.image_faults(fault, setting, visit);
            }
        }
        if self.has(Fault::OldJournal) {
            self.old_journal(setting, visit);
        }
        if self.has(Fault::JournalLoss) {
            let mut next = self.clone();
            next.spend(Fault::JournalLoss);
            next.disk = Rc::new(Vec::new());
            next.restart(setting);
            if self.excuse != Excuse::None {
                next.excuse = Excuse::Password(self.account);
            }
            visit(next, &|| "journal LOST".into());
        }
    }

    fn image_faults(&self, fault: Fault, setting: &Setting, visit: &mut Visit<'_>) {
        let present = || Image {
            account: self.account,
            disk: Rc::clone(&self.disk),
            memory: (fault == Fault::Memory).then(|| Rc::new(self.machine.clone())),
        };
        let Some(image) = &self.image else {
            let mut next = self.clone();
            next.image = Some(present());
            visit(next, &|| "take an image of the device".into());
            return;
        };
        if image.account == self.account && image.disk == self.disk && image.memory.is_none() {
            return;
        }
        let mut next = self.clone();
        next.spend(fault);
        next.account = image.account;
        next.disk = Rc::clone(&image.disk);
        next.orphan = 0;
        next.excuse = if self.excuse == Excuse::Anything || fault == Fault::Memory {
            Excuse::Anything
        } else {
            Excuse::Password(image.account)
        };
        next.image = match fault {
            Fault::Clone if next.has(fault) => Some(present()),
            _ if next.has(fault) => next.image,
            _ => None,
        };
        match &image.memory {
            Some(machine) => {
                next.retire_latest();
                next.machine = machine.as_ref().clone();
                // Which check-in was the latest then is not known to this model any more: no answer
                // to it arrives.
                next.machine.talk.sent = None;
                next.machine.handle_timeout(next.now);
            }
            None => next.restart(setting),
        }
        visit(next, &|| {
            format!("{fault:?}: the device of the image (account {}) goes on", image.account)
        });
    }

    fn old_journal(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let Some(image) = &self.image else {
            let mut next = self.clone();
            next.image = Some(Image { account: 0, disk: Rc::clone(&self.disk), memory: None });
            visit(next, &|| "copy the journal".into());
            return;
        };
        if image.disk == self.disk {
            return;
        }
        let mut next = self.clone();
        next.spend(Fault::OldJournal);
        next.disk = Rc::clone(&image.disk);
        next.image = None;
        next.restart(setting);
        visit(next, &|| "older JOURNAL put back, account as it is".into());
    }
}

/// The journal as a start reads it. Without the rule that the change stamp is journalled when a
/// record is made, every record that is being backed up is ruled out.
fn spoilt(disk: &[u8], account: u8, setting: &Setting) -> Vec<u8> {
    let (journal, mut phase) = Journal::decode(disk).unwrap();
    if let (false, Phase::BackingUp(attempt)) = (setting.rules.change_stamp_when_made, &mut phase) {
        attempt.change_stamp = Some([account; 32]);
    }
    let mut out = [0; MAX_JOURNAL];
    let len = journal.encode(&phase, &mut out).unwrap();
    out[..len].to_vec()
}

impl Message {
    pub(super) fn check_in(&self) -> CheckIn {
        let config = config(&super::runs::PLAIN);
        let mut check_in = CheckIn::new(config.scope, config.device, config.account, NONCE);
        check_in.token = (self.token != 0).then_some(token(self.token));
        check_in.may_hold = may_hold(self.may_hold);
        check_in.offers = ids(self.offers);
        check_in.ruled_out = ids(self.ruled_out);
        check_in.commit = (self.commit != 0)
            .then(|| crate::rotation::message::Commit::new(id(self.commit), self.verified));
        check_in
    }

    pub(super) fn describe(&self) -> String {
        let token = ["none or dead", "current", "of the copy"][usize::from(self.token)];
        let mut text = format!("check-in(token {token}, may hold {}", names(self.may_hold));
        for (what, mask) in [("offers", self.offers), ("ruled out", self.ruled_out)] {
            if mask != 0 {
                text += &format!(", {what} {}", names(mask));
            }
        }
        if self.commit != 0 {
            text += &format!(", commit {}", self.commit);
        }
        text + ")"
    }
}

impl Reply {
    fn describe(&self) -> String {
        let commit =
            ["no commit", "acknowledged", "lacking", "stale token"][usize::from(self.commit)];
        let token = ["dead", "current", "of the copy"][usize::from(self.token)];
        format!(
            "answer(token {token}, stored {}, lacking {}, stale {}, full {}, {commit}, {} \
             candidates)",
            names(self.stored),
            names(self.lacking),
            names(self.stale),
            names(self.full),
            self.candidates
        )
    }
}
