//! One state of the world.

use alloc::{rc::Rc, vec::Vec};

use super::acts::{Act, Fault, Lie};
use super::records::{Made, sid};
use super::rules::Rules;
use super::vault::VaultFile;
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::journal::{Journal, Phase};
use crate::rotation::{Config, Rotation};

pub(super) const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub(super) const DAY: u64 = 86_400;
/// How far a clock goes wrong: further than a password lives.
pub(super) const SKEW: i64 = 400 * 86_400;
pub(super) const SCOPE: Scope = Scope::EMPTY;
pub(super) const DEVICE: &str = "pc-1";
/// The names of accounts: of the first, of the other, of the first after it was renamed.
pub(super) const ACCOUNTS: [&str; 3] = ["Admin", "Other", "Renamed"];

pub(super) fn device() -> DeviceId {
    DeviceId::new(DEVICE).unwrap()
}

/// The fixed part of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// Which words it may use, and how many of each kind together.
    pub(super) acts: u64,
    pub(super) faults: u64,
    pub(super) lies: u64,
    pub(super) left: Left,
    pub(super) rules: Rules,
    /// The retention of the vault.
    pub(super) history: u16,
    /// At least so many records the journal names at the start: more than one, and nobody knows
    /// which of them the account holds.
    pub(super) crowd: usize,
    /// The readers of the device, and of the first record, at the start.
    pub(super) first: u8,
    /// The active readers of the vault at the start.
    pub(super) active: u8,
    pub(super) can_verify: bool,
    pub(super) change_stamps: bool,
    pub(super) sids: bool,
    /// Each wait ends the agent; the next run is another process.
    pub(super) once: bool,
    /// Which invariants are checked.
    pub(super) checks: u16,
    /// Whether the last act is part of the state, so that every ordered pair is seen.
    pub(super) pairs: bool,
}

/// How often something may still happen.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Left {
    pub(super) acts: u8,
    pub(super) faults: u8,
    pub(super) lies: u8,
}

impl Left {
    pub(super) const NOTHING: Self = Self { acts: 0, faults: 0, lies: 0 };
}

/// One account of the device.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Account {
    pub(super) present: bool,
    /// The record whose password it holds; 0: somebody else's password.
    pub(super) holds: u8,
    /// Counts passwords that somebody else set.
    pub(super) hands: u8,
    pub(super) name: u8,
    pub(super) sid: u8,
}

/// The journal file.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) bytes: Vec<u8>,
    pub(super) journal: Journal,
    pub(super) phase: Phase,
}

#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) disk: Option<Rc<Disk>>,
    pub(super) accounts: [Account; 2],
}

/// What has happened that excuses what would be wrong otherwise.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Excuse {
    /// A copy came back, or something was deleted on purpose: passwords may be unknown until the
    /// next commit.
    pub(super) torn: bool,
    /// A removal was confirmed with the word, or went without rotation: what nobody opens was
    /// accepted.
    pub(super) word: bool,
    /// The vault was restored.
    pub(super) restored: bool,
    /// Somebody else set a password, and nothing shows it.
    pub(super) unseen: bool,
    /// An older journal came back, the account stayed, and nothing shows it.
    pub(super) rewound: bool,
    /// A vault or a setter lied.
    pub(super) lie: bool,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    /// The managed account and the other one.
    pub(super) accounts: [Account; 2],
    pub(super) machine: Rotation,
    pub(super) disk: Option<Rc<Disk>>,
    /// The device's readers.
    pub(super) readers: u8,
    /// Which account the policy names, and whether it manages anything.
    pub(super) turned: bool,
    pub(super) off: bool,
    pub(super) vault: VaultFile,
    pub(super) copy: Option<VaultFile>,
    pub(super) image: Option<Rc<Image>>,
    /// An answer on its way.
    pub(super) answer: Option<Rc<Vec<u8>>>,
    /// The latest check-in, and one before it that may arrive again.
    pub(super) sent: Option<Rc<Vec<u8>>>,
    pub(super) older: Option<Rc<Vec<u8>>>,
    pub(super) left: Left,
    /// Of every record made; record 0 stands for no record.
    pub(super) made: Rc<Vec<Made>>,
    /// Records that were committed at the vault at any time, as bits.
    pub(super) committed: u64,
    /// Changes of the password since the last act, and in this run.
    pub(super) since: u8,
    pub(super) in_run: u8,
    /// The record that was set last.
    pub(super) last_set: u8,
    pub(super) excuse: Excuse,
    pub(super) last: Option<Act>,
    pub(super) now: Timestamp,
    /// How wrong the clocks are.
    pub(super) device_skew: i64,
    pub(super) vault_skew: i64,
}

pub(super) const ID_MARK: u8 = 0xd1;

pub(super) fn id(number: u8) -> RecordId {
    let mut bytes = [0; 16];
    (bytes[0], bytes[1]) = (ID_MARK, number);
    RecordId::from_bytes(bytes)
}

pub(super) fn number(id: RecordId) -> u8 {
    let bytes = id.as_bytes();
    assert_eq!(bytes[0], ID_MARK, "an id that nobody made");
    bytes[1]
}

pub(super) fn bits(mask: u64) -> impl Iterator<Item = u8> {
    (0..64).filter(move |bit| mask >> bit & 1 == 1)
}

pub(super) fn mask(ids: impl IntoIterator<Item = RecordId>) -> u64 {
    ids.into_iter().fold(0, |mask, id| mask | 1 << number(id))
}

pub(super) fn ids(mask: u64) -> alloc::string::String {
    let numbers: Vec<_> = bits(mask).map(|bit| alloc::format!("{bit}")).collect();
    alloc::format!("{{{}}}", numbers.join(","))
}

pub(super) const fn skewed(now: Timestamp, skew: i64) -> Timestamp {
    if skew < 0 { now.minus(skew.unsigned_abs()) } else { now.plus(skew.unsigned_abs()) }
}

impl World {
    pub(super) fn device_now(&self) -> Timestamp {
        skewed(self.now, self.device_skew)
    }

    pub(super) fn vault_now(&self) -> Timestamp {
        skewed(self.now, self.vault_skew)
    }

    /// The account that the policy names.
    pub(super) fn managed(&self) -> &Account {
        &self.accounts[usize::from(self.turned)]
    }

    pub(super) fn managed_mut(&mut self) -> &mut Account {
        &mut self.accounts[usize::from(self.turned)]
    }

    /// The account that the machine is busy with, which may be another one than the policy's.
    pub(super) fn worked_on(&self) -> usize {
        let name = self.machine.account().as_str();
        usize::from(name == ACCOUNTS[1])
    }

    pub(super) fn config(&self, setting: &Setting) -> Config {
        let account = self.managed();
        let name = AccountName::new(ACCOUNTS[usize::from(account.name)]).unwrap();
        let mut config = Config::new(SCOPE, device(), name, sid(account.sid));
        config.can_verify = setting.can_verify;
        config.max_age_seconds = 365 * DAY;
        config.jitter_percent = 0;
        config.post_authentication_delay_seconds = 3600;
        config.post_authentication_actions.reset = true;
        if self.off {
            config.directory = None;
        }
        config
    }

    pub(super) fn change_stamp_of(&self, account: usize, setting: &Setting) -> Option<[u8; 32]> {
        let held = &self.accounts[account];
        if !setting.change_stamps || !held.present {
            return None;
        }
        let mut change_stamp = [0; 32];
        change_stamp[..5].copy_from_slice(&[
            0xee,
            u8::from(account == 1),
            held.holds,
            held.hands,
            held.sid,
        ]);
        Some(change_stamp)
    }

    pub(super) fn may(&self, setting: &Setting, act: Act) -> bool {
        self.left.acts > 0 && setting.acts & act.bit() != 0
    }

    pub(super) fn can(&self, setting: &Setting, fault: Fault) -> bool {
        self.left.faults > 0 && setting.faults & fault.bit() != 0
    }

    pub(super) fn lies(&self, setting: &Setting, lie: Lie) -> bool {
        self.left.lies > 0 && setting.lies & lie.bit() != 0
    }

    /// A cause: what comes after it may change the password again.
    pub(super) fn acted(&mut self, act: Act, setting: &Setting) {
        self.left.acts -= 1;
        self.since = 0;
        if setting.pairs {
            self.last = Some(act);
        }
    }

    pub(super) fn faulted(&mut self) {
        self.left.faults -= 1;
        self.since = 0;
    }

    pub(super) fn lied(&mut self) {
        self.left.lies -= 1;
        self.since = 0;
        self.excuse.lie = true;
    }
}
