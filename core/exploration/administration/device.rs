//! The device: a driver as the agent's, whose account, setter and journal are values.

use alloc::{rc::Rc, vec::Vec};

use super::acts::Fault;
use super::records::{Made, sealed, sid_number};
use super::state::{ACCOUNTS, Disk, START, Setting, World, id, number};
use crate::identity::Timestamp;
use crate::rotation::journal::Journal;
use crate::rotation::message::{MAX_HEAD, record_prefix};
use crate::rotation::{AccountSeen, Acted, Effect, MAX_JOURNAL, Rotation, State, Verified};

/// From one run to the next, where nothing else is said: every wait and every memory of a quiet day
/// is over.
pub(super) const BETWEEN_RUNS: u64 = 2 * 86_400 + 7_200;
const NONCE: [u8; 16] = [0xcc; 16];
/// More records than any run makes: who makes them does so without end.
const MOST: usize = 62;

/// Where the device stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// An answer is on its way.
    InFlight,
    Save,
    CheckIn,
    Apply,
    Verify,
    /// It waits, with a password in memory or a journal to be written.
    Pause(Timestamp),
    /// It waits, and the run is over.
    Idle(Timestamp),
}

impl World {
    /// The account holds a password of ours, and the vault has its record as the current one.
    pub(super) fn first(setting: &Setting) -> Self {
        let account = |name, holds| super::state::Account {
            present: true,
            holds,
            hands: 0,
            name,
            sid: if setting.sids { name + 1 } else { 0 },
        };
        let accounts = [account(0, 0), account(1, 0)];
        let quiet = Setting { left: super::state::Left::NOTHING, ..*setting };
        let none = Made { version: 0, previous: 0, name: 0, sid: 0, readers: 0 };
        let config = crate::rotation::Config::new(
            super::state::SCOPE,
            super::state::device(),
            crate::identity::AccountName::new("Admin").unwrap(),
            None,
        );
        let mut world = Self {
            accounts,
            machine: Rotation::new(config, START).unwrap(),
            disk: None,
            readers: setting.first,
            turned: false,
            off: false,
            vault: Self::new_vault(setting, START),
            copy: None,
            image: None,
            answer: None,
            sent: None,
            older: None,
            left: quiet.left,
            made: Rc::new(alloc::vec![none]),
            committed: 0,
            since: 0,
            in_run: 0,
            last_set: 0,
            excuse: super::state::Excuse::default(),
            last: None,
            now: START,
            device_skew: 0,
            vault_skew: 0,
        };
        world.restart(&quiet);
        world.go_quietly(&quiet);
        world.pass_time(&quiet, BETWEEN_RUNS);
        world.go_quietly(&quiet);
        assert_eq!(world.accounts[0].holds, 1, "the first record is in use");
        world.crowd(setting.crowd, &quiet);
        world.left = setting.left;
        (world.since, world.in_run, world.sent) = (0, 0, None);
        world
    }

    /// The agent crashes while it changes the account, until its journal names so many records.
    fn crowd(&mut self, records: usize, quiet: &Setting) {
        while self.machine.journal.held.ids.len() < records {
            let now = self.device_now();
            self.machine.force(now);
            self.go_on(quiet);
            while self.place() != Place::Apply {
                assert!(self.one_step(quiet), "a rotation begins");
            }
            let Effect::Apply { id } = self.machine.poll() else { return };
            self.change(number(id));
            self.restart(quiet);
        }
    }

    /// The agent starts from the journal on disk. A run begins.
    pub(super) fn restart(&mut self, setting: &Setting) {
        let config = self.config(setting);
        let now = self.device_now();
        self.machine = match &self.disk {
            None => Rotation::new(config, now).unwrap(),
            Some(disk) => {
                let at = usize::from(disk.journal.account.as_str() == ACCOUNTS[1]);
                let change_stamp = self.change_stamp_of(at, setting);
                Rotation::resume(&disk.bytes, config, change_stamp, now).unwrap()
            }
        };
        (self.answer, self.sent) = (None, None);
        self.in_run = 0;
        self.tell_readers(setting);
        // The driver tells at once that the account came or went.
        let present = self.managed().present;
        if self.machine.status().account_missing == present {
            self.see(setting);
        }
        self.go_on(setting);
    }

    /// The driver keeps the sealed record, and compares whom it names with whom it would seal to
    /// now.
    pub(super) fn tell_readers(&mut self, setting: &Setting) {
        let held = self.machine.holds().map(|id| self.made[usize::from(number(id))].readers);
        let lost = held.is_some_and(|held| held & !self.readers != 0);
        let mut digest = [0; 8];
        digest[0] = self.readers;
        let now = self.device_now();
        self.machine.handle_readers(digest, setting.rules.lost(lost), now);
    }

    pub(super) fn save(&mut self) {
        let mut out = [0; MAX_JOURNAL];
        let len = self.machine.journal(&mut out).unwrap();
        let bytes = out[..len].to_vec();
        let (journal, phase) = Journal::decode(&bytes).unwrap();
        self.disk = Some(Rc::new(Disk { bytes, journal, phase }));
        self.machine.handle_saved().unwrap();
    }

    pub(super) fn place(&self) -> Place {
        if self.answer.is_some() {
            return Place::InFlight;
        }
        match self.machine.poll() {
            Effect::CheckIn | Effect::LookUp => Place::CheckIn,
            Effect::Apply { .. } => Place::Apply,
            Effect::Verify { .. } => Place::Verify,
            // Where a control keeps it from making another record.
            Effect::Prepare { .. } => Place::Idle(Timestamp::MAX),
            Effect::WaitUntil(at) if self.is_busy() => Place::Pause(at),
            Effect::WaitUntil(at) => Place::Idle(at),
            _ => Place::Save,
        }
    }

    fn is_busy(&self) -> bool {
        matches!(
            self.machine.state(),
            State::BackingUp | State::Applying | State::Verifying | State::Committing
        )
    }

    /// Performs the effects of the machine, as far as nobody could do anything in between that
    /// makes a difference.
    pub(super) fn go_on(&mut self, setting: &Setting) {
        self.tell_readers(setting);
        loop {
            while self.machine.poll_event().is_some() {}
            if self.answer.is_some() {
                return;
            }
            setting.rules.bend(&mut self.machine);
            if self.excuse.lie && !setting.rules.hold(super::rules::Rule::Limit) {
                self.machine.journal.highest = u64::MAX;
            }
            let now = self.device_now();
            match self.machine.poll() {
                Effect::Prepare { .. } if !setting.rules.has_room(&self.machine) => return,
                Effect::Wipe => self.machine.handle_wiped().unwrap(),
                Effect::Save if self.can(setting, Fault::Crash) => return,
                Effect::Save => self.save(),
                Effect::ReadChangeStamp => {
                    let change_stamp = self.change_stamp_of(self.worked_on(), setting);
                    // The password's time may run out while the change stamp is read.
                    let _ = self.machine.handle_change_stamp(change_stamp, now, 0);
                }
                Effect::Prepare { previous, version } => {
                    if self.made.len() >= MOST {
                        self.since = u8::MAX;
                        return;
                    }
                    self.make(previous.map_or(0, number), version, setting);
                }
                Effect::Act(_) => self.machine.handle_acted(Acted::NotSupported, now).unwrap(),
                Effect::Verify { .. } if self.left.acts == 0 && !self.can(setting, Fault::Mute) => {
                    self.verify(setting);
                }
                Effect::Verify { .. }
                | Effect::LookUp
                | Effect::CheckIn
                | Effect::Apply { .. }
                | Effect::WaitUntil(_) => {
                    return;
                }
            }
        }
    }

    fn make(&mut self, previous: u8, version: u64, setting: &Setting) {
        let new = u8::try_from(self.made.len()).unwrap();
        // The header names the account as the machine knows it, whatever befell that since.
        let called = self.machine.account();
        let name = ACCOUNTS.iter().position(|name| *name == called.as_str()).unwrap();
        let (name, sid) = (u8::try_from(name).unwrap(), sid_number(self.machine.sid()));
        let made = Made { version, previous, name, sid, readers: self.readers };
        let change_stamp = self.change_stamp_of(self.worked_on(), setting);
        let now = self.device_now();
        Rc::make_mut(&mut self.made).push(made);
        self.machine.handle_prepared(id(new), version, change_stamp, now).unwrap();
    }

    /// One check-in: written, carried, taken by the vault; its answer is on its way.
    pub(super) fn check_in(&mut self, setting: &Setting) {
        let mut head = [0; MAX_HEAD];
        let Ok(len) = self.machine.check_in(NONCE, &mut head) else {
            unreachable!("a check-in was asked for");
        };
        let mut bytes = head[..len].to_vec();
        for offer in self.machine.offers().iter() {
            let number = number(offer);
            let record = sealed(number, self.made[usize::from(number)]);
            bytes.extend(record_prefix(&record).unwrap());
            bytes.extend_from_slice(&record);
        }
        if self.can(setting, Fault::Repeat) {
            self.older = self.sent.take();
            self.sent = Some(Rc::new(bytes.clone()));
        }
        self.answer = self.deliver(&bytes, setting).map(Rc::new);
        if self.answer.is_none() {
            self.fail_check_in();
        }
    }

    pub(super) fn fail_check_in(&mut self) {
        self.answer = None;
        let now = self.device_now();
        self.machine.handle_check_in_failed(now, 0);
    }

    /// The device takes an answer, which may be another one than the vault's.
    pub(super) fn take(&mut self, answer: &[u8], setting: &Setting) {
        self.answer = None;
        let now = self.device_now();
        if self.machine.handle_answer(answer, now, 0).is_err() {
            self.machine.handle_check_in_failed(now, 0);
        }
        self.tell_readers(setting);
    }

    pub(super) fn truth(&self, record: u8) -> bool {
        let account = &self.accounts[self.worked_on()];
        account.present && account.holds == record
    }

    pub(super) fn verify(&mut self, setting: &Setting) {
        let Effect::Verify { id } = self.machine.poll() else { return };
        let account = &self.accounts[self.worked_on()];
        let verified = match (account.present, self.truth(number(id))) {
            (false, _) => Verified::Unavailable,
            (true, true) => Verified::Match,
            (true, false) => Verified::Mismatch,
        };
        let verified = setting.rules.verified(verified);
        let now = self.device_now();
        self.machine.handle_verified(verified, now, 0).unwrap();
    }

    /// The account is changed, if it is there.
    pub(super) fn change(&mut self, record: u8) {
        let at = self.worked_on();
        if self.accounts[at].present {
            self.accounts[at].holds = record;
            // The same password once more is no other one.
            let other = u8::from(self.last_set != record);
            self.since = self.since.saturating_add(other);
            self.in_run = self.in_run.saturating_add(other);
            self.last_set = record;
        }
    }

    /// Time passes while the device waits: a resident agent looks again, `--once` is started again.
    pub(super) fn pass_time(&mut self, setting: &Setting, seconds: u64) {
        self.now = self.now.plus(seconds);
        if setting.once && !self.is_busy() {
            self.restart(setting);
            let now = self.device_now();
            self.machine.skip_back_off(now);
        } else {
            self.in_run = 0;
            let now = self.device_now();
            self.machine.handle_timeout(now);
        }
        self.go_on(setting);
    }

    pub(super) fn pause(&mut self, until: Timestamp, setting: &Setting) {
        let now = self.device_now();
        self.now = self.now.plus(until.seconds_since(now));
        let now = self.device_now();
        self.machine.handle_timeout(now);
        self.go_on(setting);
    }

    /// Goes on without a fault until the device is idle. False when it never is.
    pub(super) fn go_quietly(&mut self, setting: &Setting) -> bool {
        for _ in 0..200 {
            self.go_on(setting);
            if self.since == u8::MAX {
                return true;
            }
            match self.place() {
                Place::Idle(_) => return true,
                _ if self.one_step(setting) => {}
                _ => return false,
            }
        }
        false
    }

    /// The next step of a device that is not idle, without a fault. False when there is none.
    pub(super) fn one_step(&mut self, setting: &Setting) -> bool {
        match self.place() {
            Place::InFlight => {
                let answer: Vec<u8> = self.answer.take().unwrap().to_vec();
                self.take(&answer, setting);
            }
            Place::Save => self.save(),
            Place::CheckIn => {
                self.look(setting);
                if self.place() == Place::CheckIn {
                    self.check_in(setting);
                }
            }
            Place::Apply => self.apply_honestly(setting),
            Place::Verify => self.verify(setting),
            Place::Pause(until) if until == Timestamp::MAX => return false,
            Place::Pause(until) => self.pause(until, setting),
            Place::Idle(_) => return false,
        }
        self.go_on(setting);
        true
    }

    /// The account is looked up before every check-in, and the configuration is read.
    pub(super) fn look(&mut self, setting: &Setting) {
        let now = self.device_now();
        let account = *self.managed();
        let config = self.config(setting);
        if account.present && *self.machine.config() != config {
            self.machine.handle_config(config, now).unwrap();
            self.go_on(setting);
        }
        if self.machine.poll() == Effect::LookUp {
            self.see(setting);
            self.go_on(setting);
        }
    }

    fn see(&mut self, setting: &Setting) {
        let seen = if self.managed().present {
            AccountSeen::Present {
                change_stamp: self.change_stamp_of(usize::from(self.turned), setting),
            }
        } else {
            AccountSeen::Missing
        };
        let now = self.device_now();
        self.machine.handle_account(setting.rules.seen(seen), now);
    }
}
