//! What may happen next: the device's own steps, faults, lies, and acts.

use alloc::{format, rc::Rc, string::String};

use super::acts::{Act, Fault, Lie};
use super::device::{BETWEEN_RUNS, Place};
use super::lies;
use super::records::{A, N, R, W};
use super::state::{Image, SKEW, Setting, World, mask, number};
use crate::rotation::message::Answer;
use crate::rotation::{Applied, Effect};

/// Takes the next states, each with a way to name the step that leads to it.
pub(super) type Visit<'a> = dyn FnMut(World, &dyn Fn() -> String) + 'a;

impl World {
    pub(super) fn steps(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let place = self.place();
        match place {
            Place::InFlight => self.answers(setting, visit),
            Place::Save => {
                let mut next = self.clone();
                next.save();
                next.go_on(setting);
                visit(next, &|| "journal made durable".into());
            }
            Place::CheckIn => {
                let mut next = self.clone();
                next.look(setting);
                if next.place() == Place::CheckIn {
                    next.check_in(setting);
                    next.go_on(setting);
                }
                visit(next, &|| "check-in".into());
            }
            Place::Apply => self.apply(setting, visit),
            Place::Verify => self.verifications(setting, visit),
            Place::Pause(until) => {
                let mut next = self.clone();
                if setting.once && until.seconds_since(self.device_now()) > 10 {
                    // A single run does not wait so long.
                    next.restart(setting);
                    visit(next, &|| "the run ends; agent run --once".into());
                } else {
                    next.pause(until, setting);
                    visit(next, &|| "the device waits".into());
                }
            }
            Place::Idle(until) => {
                let mut next = self.clone();
                next.pass_time(setting, BETWEEN_RUNS);
                visit(next, &|| "time passes".into());
                let wait = until.seconds_since(self.device_now());
                if self.can(setting, Fault::Soon) && wait < BETWEEN_RUNS {
                    let mut next = self.clone();
                    next.faulted();
                    next.since = self.since;
                    next.pass_time(setting, wait);
                    visit(next, &|| format!("{wait} s pass"));
                }
            }
        }
        self.faults(setting, place, visit);
        self.acts(setting, place, visit);
    }

    fn answers(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let Some(answer) = &self.answer else { return };
        let mut next = self.clone();
        next.take(answer, setting);
        next.go_on(setting);
        visit(next, &|| format!("answer: {}", describe(answer)));
        if self.can(setting, Fault::Lose) {
            let mut next = self.clone();
            next.faulted();
            next.fail_check_in();
            next.go_on(setting);
            visit(next, &|| Fault::Lose.text().into());
        }
        if self.left.lies == 0 {
            return;
        }
        for lie in Lie::ALL.iter().filter(|lie| self.lies(setting, **lie)) {
            let Some(told) = lies::falsify(*lie, answer, &self.machine) else { continue };
            let mut next = self.clone();
            next.lied();
            next.take(&told, setting);
            next.go_on(setting);
            visit(next, &|| format!("answer: {}: {}", lie.text(), describe(&told)));
        }
    }

    pub(super) fn apply_honestly(&mut self, setting: &Setting) {
        let Effect::Apply { id } = self.machine.poll() else { return };
        let there = self.accounts[self.worked_on()].present;
        if there {
            self.change(number(id));
        }
        self.report(if there { Applied::Success } else { Applied::NotFound }, setting);
    }

    fn report(&mut self, applied: Applied, setting: &Setting) {
        let applied = setting.rules.applied(applied);
        let now = self.device_now();
        self.machine.handle_applied(applied, now).unwrap();
        self.go_on(setting);
    }

    fn apply(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let Effect::Apply { id } = self.machine.poll() else { return };
        let new = number(id);
        let mut next = self.clone();
        next.apply_honestly(setting);
        let there = self.accounts[self.worked_on()].present;
        visit(next, &|| if there { format!("set {new}") } else { "set: no such account".into() });
        if !there {
            return;
        }
        for (fault, applied) in [
            (Fault::Refuse, Applied::Refused),
            (Fault::Missing, Applied::NotFound),
            (Fault::Nothing, Applied::ManagedElsewhere),
            (Fault::Fail, Applied::TimedOut),
        ] {
            if self.can(setting, fault) {
                let mut next = self.clone();
                next.faulted();
                next.report(applied, setting);
                visit(next, &|| fault.text().into());
            }
        }
        for (lie, applied) in [
            (Lie::SetsNothing, Applied::Success),
            (Lie::RefusesSet, Applied::Refused),
            (Lie::MissesSet, Applied::NotFound),
            (Lie::ElsewhereSet, Applied::ManagedElsewhere),
            (Lie::FailsSet, Applied::TimedOut),
        ] {
            if self.lies(setting, lie) {
                let mut next = self.clone();
                next.lied();
                if lie != Lie::SetsNothing {
                    next.change(new);
                }
                next.report(applied, setting);
                // Where neither the account nor a change stamp can be asked, the machine cannot
                // count what the setter denies among the two changes of a run (see SECURITY.md).
                let denied = !matches!(applied, Applied::Success | Applied::TimedOut);
                if denied && !setting.can_verify && !setting.change_stamps {
                    next.in_run = self.in_run;
                }
                visit(next, &|| lie.text().into());
            }
        }
        if self.can(setting, Fault::Crash) {
            let mut next = self.clone();
            next.faulted();
            next.change(new);
            next.restart(setting);
            visit(next, &|| format!("set {new}, then agent CRASH"));
        }
    }

    fn verifications(&self, setting: &Setting, visit: &mut Visit<'_>) {
        let mut next = self.clone();
        next.verify(setting);
        next.go_on(setting);
        visit(next, &|| "verify".into());
        if self.can(setting, Fault::Mute) {
            let mut next = self.clone();
            next.faulted();
            let now = next.device_now();
            let silent = crate::rotation::Verified::Unavailable;
            next.machine.handle_verified(silent, now, 0).unwrap();
            next.go_on(setting);
            visit(next, &|| Fault::Mute.text().into());
        }
    }

    fn faults(&self, setting: &Setting, place: Place, visit: &mut Visit<'_>) {
        // A start that has not said anything yet has nothing to lose.
        let fresh = place == Place::CheckIn && !self.is_heard();
        if self.can(setting, Fault::Crash) && !fresh {
            let mut next = self.clone();
            next.faulted();
            next.restart(setting);
            visit(next, &|| Fault::Crash.text().into());
        }
        if let Some(older) = &self.older
            && place == Place::CheckIn
            && self.can(setting, Fault::Repeat)
        {
            let mut next = self.clone();
            next.faulted();
            next.older = None;
            let _ = next.deliver(older, setting);
            visit(next, &|| Fault::Repeat.text().into());
        }
        if place == Place::CheckIn && self.disk.is_some() && self.can(setting, Fault::Clone) {
            let mut next = self.clone();
            next.faulted();
            next.run_clone(setting);
            visit(next, &|| Fault::Clone.text().into());
        }
    }

    /// Another device runs from a copy of this one's journal, and has an account of its own; or a
    /// thief of this one's identity makes it look so.
    fn run_clone(&mut self, setting: &Setting) {
        let quiet = Setting { left: super::state::Left::NOTHING, ..*setting };
        // Who came back to an account does not know what it holds before the next check-in: only
        // the vault does, and believes the clone.
        let held = self.managed().holds;
        let named = mask(self.machine.journal.held.may_hold().ids.iter());
        self.excuse.torn |= held != 0 && named >> held & 1 == 0;
        let mut clone = self.clone();
        clone.left = quiet.left;
        for _ in 0..2 {
            clone.restart(&quiet);
            let now = clone.device_now();
            clone.machine.force(now);
            clone.go_quietly(&quiet);
        }
        (self.vault, self.made, self.committed) = (clone.vault, clone.made, clone.committed);
    }

    fn acts(&self, setting: &Setting, place: Place, visit: &mut Visit<'_>) {
        if self.left.acts == 0 || place == Place::Save {
            return;
        }
        if self.is_between_check_ins(place) {
            if setting.acts & Act::RestoreVault.bit() != 0 && self.copy.is_none() {
                let mut next = self.clone();
                next.copy = Some(self.vault.clone());
                visit(next, &|| "copy the vault".into());
            }
            let restores = Act::RestoreDevice.bit() | Act::RestoreJournal.bit();
            if setting.acts & restores != 0 && self.image.is_none() {
                let mut next = self.clone();
                next.image =
                    Some(Rc::new(Image { disk: next.disk.clone(), accounts: self.accounts }));
                visit(next, &|| "copy the device".into());
            }
        }
        for act in Act::ALL.iter().filter(|act| self.may(setting, **act)) {
            let mut next = self.clone();
            next.acted(*act, setting);
            if next.act(*act, place, setting) {
                visit(next, &|| act.text().into());
            }
        }
    }

    /// What happens at the vault between two check-ins may as well happen right before the second;
    /// so it is explored there alone. A device that manages nothing does not check in: there it
    /// happens while the device is idle.
    fn is_between_check_ins(&self, place: Place) -> bool {
        place == Place::CheckIn || self.off && matches!(place, Place::Idle(_))
    }

    /// Does it, where it makes a difference at this place; says whether it did.
    fn act(&mut self, act: Act, place: Place, setting: &Setting) -> bool {
        use Act::*;
        let here = self.is_between_check_ins(place);
        let device = here || matches!(place, Place::Apply | Place::Verify);
        match act {
            RemoveReader | RemoveQuietly | RemoveByWord | AddReader | AddAgain | Order
            | Disclose | DiscloseUntil | RestoreVault | Retire | ReEnrol | Purge | Reseal
            | ResealSpoilt | ResealFewer | ResealJump | ReadNew | Import => {
                if here {
                    self.administer(act, setting);
                }
                return here;
            }
            SealToA => self.seal_to(A, setting),
            SealToAr => self.seal_to(A | R, setting),
            SealToAn => self.seal_to(A | N, setting),
            SealToR => self.seal_to(R, setting),
            SealToN => self.seal_to(N, setting),
            SealToW => self.seal_to(W, setting),
            Goes | Appears | Replaced | Renamed | SetByHand => {
                if device {
                    self.befalls(act, setting);
                }
            }
            PolicyTurns | PolicyReturns | PolicyOff | PolicyOn => {
                if !device && place != Place::InFlight {
                    return false;
                }
                match act {
                    PolicyTurns => self.turned = true,
                    PolicyReturns => self.turned = false,
                    PolicyOff => self.off = true,
                    _ => self.off = false,
                }
                let (config, now) = (self.config(setting), self.device_now());
                self.machine.handle_config(config, now).unwrap();
                self.go_on(setting);
                return true;
            }
            RestoreDevice | RestoreJournal => return here && self.restore_device(act, setting),
            LoseJournal => {
                self.disk = None;
                self.excuse.torn = true;
                self.restart(setting);
                return place != Place::Save;
            }
            Age => {
                if here {
                    // The next check-in is a scheduled one: a run begins.
                    self.in_run = 0;
                    self.now = self.now.plus(366 * 86_400);
                    let now = self.device_now();
                    self.machine.handle_timeout(now);
                    self.go_on(setting);
                }
            }
            Force => {
                let idle = matches!(place, Place::Idle(_));
                if idle || here {
                    let now = self.device_now();
                    self.machine.force(now);
                    self.in_run = 0;
                    self.go_on(setting);
                }
                return idle || here;
            }
            Use => {
                if here {
                    let now = self.device_now();
                    self.machine.handle_used(now, now);
                    self.go_on(setting);
                }
            }
            Acknowledge => {
                if here {
                    let now = self.device_now();
                    self.machine.acknowledge_log(now);
                    self.go_on(setting);
                }
                return here;
            }
            Stop => {
                self.restart(setting);
                return true;
            }
            DeviceForth | DeviceBack | VaultForth | VaultBack => {
                let skew = match act {
                    DeviceForth | DeviceBack => &mut self.device_skew,
                    _ => &mut self.vault_skew,
                };
                let by = if matches!(act, DeviceForth | VaultForth) { SKEW } else { -SKEW };
                *skew = (*skew + by).clamp(-SKEW, SKEW);
                let now = self.device_now();
                if here {
                    if act == DeviceForth {
                        self.in_run = 0;
                    }
                    self.machine.handle_timeout(now);
                    self.go_on(setting);
                }
                return here;
            }
        }
        device
    }

    fn seal_to(&mut self, readers: u8, setting: &Setting) {
        self.readers = readers;
        self.tell_readers(setting);
        self.go_on(setting);
    }

    fn befalls(&mut self, act: Act, setting: &Setting) {
        let seen = setting.change_stamps || act == Act::Appears && self.machine.journal.missing;
        if matches!(act, Act::Appears | Act::Replaced | Act::SetByHand) && !seen {
            self.excuse.unseen = true;
        }
        if act == Act::Replaced || act == Act::Appears && !self.managed().present {
            // What is counted in a run are the changes of one account.
            self.in_run = 0;
        }
        let account = self.managed_mut();
        match act {
            Act::Goes => (account.present, account.holds) = (false, 0),
            Act::Appears if !account.present => {
                (account.present, account.holds) = (true, 0);
                account.hands += 1;
            }
            Act::Replaced => {
                (account.present, account.holds) = (true, 0);
                account.hands += 1;
                if account.sid != 0 {
                    account.sid += 10;
                }
            }
            Act::Renamed if account.sid != 0 => {
                account.name = if account.name == 0 { 2 } else { account.name }
            }
            Act::SetByHand if account.present => {
                account.holds = 0;
                account.hands += 1;
            }
            _ => {}
        }
    }

    fn restore_device(&mut self, act: Act, setting: &Setting) -> bool {
        let Some(image) = self.image.take() else { return false };
        self.excuse.torn = true;
        self.excuse.rewound |= act == Act::RestoreJournal && !setting.change_stamps;
        self.disk = image.disk.clone();
        if act == Act::RestoreDevice {
            self.accounts = image.accounts;
        }
        self.restart(setting);
        true
    }
}

fn describe(bytes: &[u8]) -> String {
    let Ok(answer) = Answer::decode(bytes) else { return "unreadable".into() };
    let ids = |set: &crate::rotation::set::IdSet| super::state::ids(mask(set.iter()));
    let commit = answer.commit.map_or("no commit", crate::rotation::message::CommitAnswer::as_str);
    let mut text = format!("{commit}, {} candidates", answer.candidates);
    for (what, set) in [
        ("stored", &answer.stored),
        ("lacking", &answer.lacking),
        ("stale", &answer.refused.stale),
        ("full", &answer.refused.full),
        ("unreadable", &answer.refused.unreadable),
        ("orders", &answer.orders),
    ] {
        if !set.is_empty() {
            text += &format!(", {what} {}", ids(set));
        }
    }
    text
}
