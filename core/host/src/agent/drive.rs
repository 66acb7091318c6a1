//! The loop of one agent: asks the machine for its next effect, performs it, and reports what
//! happened as an event.

use alloc::collections::BTreeMap;

use laps_core::account::LocalAccount;
use laps_core::error::Code;
use laps_core::identity::{RecordId, Timestamp};
use laps_core::policy::Policy;
use laps_core::random::{Generator, SystemSource};
use laps_core::rotation::event::{EventKind, Level};
use laps_core::rotation::message::{MAX_HEAD, record_prefix};
use laps_core::rotation::{
    AccountSeen, Acted, Action, Applied, Config, Effect, MAX_JOURNAL, Rotation, RotationError,
    Verified,
};
use laps_core::seal::{Header, Record};
use laps_core::secret::Password;

use super::event::AgentEvent;
use super::journal::JournalFile;
use super::look::AccountLook;
use super::state::Found;
use super::status::AgentStatus;
use super::{Agent, AgentError, readers};
use crate::account::{StoreError, Verification};
use crate::time::now;

/// The machine and what it leaves to its driver.
pub(super) struct Drive {
    pub(super) machine: Rotation,
    /// The sealed records that belong beside the journal.
    records: BTreeMap<RecordId, Vec<u8>>,
    /// The password of the rotation under way. Boxed, filled in place, wiped when dropped.
    password: Option<(RecordId, Box<Password>)>,
    /// What the last failing store or channel said; it is told with the event that follows.
    pub(super) why: Option<String>,
    /// The vault has taken a commit since the run began.
    pub(super) committed: bool,
    /// Check-ins since the run began.
    pub(super) check_ins: u32,
    /// The last check-in had no answer, and another try may have one.
    pub(super) unreachable: bool,
    /// What the last save said, when it failed.
    pub(super) unsaved: Option<super::error::StateError>,
    /// The look at the account with which the cycle began, until the machine was told.
    pub(super) look: Option<AccountLook>,
    /// The record and the readers that the machine was told about.
    readers_told: Option<(Option<RecordId>, [u8; 8])>,
}

impl Drive {
    fn new(machine: Rotation, records: BTreeMap<RecordId, Vec<u8>>) -> Self {
        Self {
            machine,
            records,
            password: None,
            why: None,
            committed: false,
            check_ins: 0,
            unreachable: false,
            unsaved: None,
            look: None,
            readers_told: None,
        }
    }
}

/// How far to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Until {
    /// To the first wait.
    Waiting,
    /// No further than check-ins and what they need.
    CheckedIn,
}

impl Agent {
    /// Starts the machine from the journal. The setter lock is held since the folder was opened.
    pub(super) fn start(
        &mut self,
        config: Config,
        look: &AccountLook,
    ) -> Result<Drive, AgentError> {
        let change_stamp = match look {
            AccountLook::There(account) => self.change_stamp(account),
            AccountLook::Missing(_) => None,
        };
        let file = match self.folder.load()? {
            Found::Journal(file) => file,
            Found::Nothing => {
                return Ok(Drive::new(Rotation::new(config, now())?, BTreeMap::new()));
            }
            Found::Damaged(error) => {
                self.tell("journal-damaged", Level::Warning, error.to_string());
                return Ok(Drive::new(Rotation::new(config, now())?, BTreeMap::new()));
            }
        };
        let records = file
            .records
            .into_iter()
            .filter_map(|bytes| Some((Record::parse(&bytes).ok()?.header().id, bytes)))
            .collect();
        let machine = match Rotation::resume(&file.machine, config, change_stamp, now()) {
            Err(
                error @ (RotationError::JournalMalformed | RotationError::JournalOfAnotherDevice),
            ) => {
                self.tell("journal-damaged", Level::Warning, error.to_string());
                Rotation::new(config, now())?
            }
            other => other?,
        };
        Ok(Drive::new(machine, records))
    }

    /// Performs the effects of the machine until it waits, or `stop` says so; from when on it asks
    /// for something again.
    pub(super) fn drive(
        &mut self,
        drive: &mut Drive,
        policy: &Policy,
        until: Until,
        stop: &dyn Fn() -> bool,
    ) -> Result<Timestamp, AgentError> {
        // An account that came or went is told at once: the next check-in may be hours away.
        let missing = matches!(drive.look, Some(AccountLook::Missing(_)));
        if drive.look.is_some() && drive.machine.status().account_missing != missing {
            self.look_up(drive, policy)?;
        }
        loop {
            self.tell_readers(drive);
            self.tell_all(drive);
            let effect = drive.machine.poll();
            let goes_on = match (effect, until) {
                (Effect::WaitUntil(at), _) => return Ok(at),
                // Quick, and what was learnt is not lost.
                (Effect::Save | Effect::Wipe, _) => true,
                (Effect::LookUp | Effect::CheckIn, _) | (_, Until::Waiting) => !stop(),
                (_, Until::CheckedIn) => false,
            };
            if !goes_on {
                return Ok(now());
            }
            self.perform(drive, policy, effect)?;
        }
    }

    /// Performs the effects of the machine as far as that needs neither a policy nor the account.
    pub(super) fn drive_without_policy(&mut self, drive: &mut Drive) -> Result<(), AgentError> {
        loop {
            self.tell_all(drive);
            match drive.machine.poll() {
                Effect::Wipe => {
                    drive.password = None;
                    drive.machine.handle_wiped()?;
                }
                Effect::Save => self.save(drive)?,
                Effect::CheckIn => self.check_in_once(drive)?,
                Effect::Act(_)
                | Effect::Apply { .. }
                | Effect::LookUp
                | Effect::Prepare { .. }
                | Effect::ReadChangeStamp
                | Effect::Verify { .. }
                | Effect::WaitUntil(_) => return Ok(()),
            }
        }
    }

    /// Tells the machine whom the next password is sealed to, when that or the record that the
    /// account holds is another than before.
    fn tell_readers(&mut self, drive: &mut Drive) {
        let held = drive.machine.holds();
        let readers = self.readers();
        let told = Some((held, readers::digest(readers)));
        if drive.readers_told == told {
            return;
        }
        let record = held.and_then(|id| drive.records.get(&id));
        let lost = record.is_some_and(|record| readers::is_sealed_to_others(record, readers));
        drive.readers_told = told;
        drive.machine.handle_readers(readers::digest(readers), lost, now());
    }

    /// Looks the account up for the machine: as the cycle began, or again.
    fn look_up(&mut self, drive: &mut Drive, policy: &Policy) -> Result<(), AgentError> {
        let look = match drive.look.take() {
            Some(look) => Ok(look),
            None => self.find(policy, Some(*drive.machine.account())),
        };
        let seen = match look {
            Ok(AccountLook::There(account)) => {
                take_in(&mut drive.machine, &account)?;
                AccountSeen::Present { change_stamp: self.change_stamp(&account) }
            }
            Ok(AccountLook::Missing(account)) => {
                take_in(&mut drive.machine, &account)?;
                AccountSeen::Missing
            }
            Err(error) => {
                self.tell_once("account-unknown", Level::Warning, error.to_string());
                AccountSeen::Unknown
            }
        };
        drive.machine.handle_account(seen, now());
        Ok(())
    }

    fn perform(
        &mut self,
        drive: &mut Drive,
        policy: &Policy,
        effect: Effect,
    ) -> Result<(), AgentError> {
        match effect {
            Effect::Wipe => {
                drive.password = None;
                drive.machine.handle_wiped()?;
            }
            Effect::Save => self.save(drive)?,
            Effect::LookUp => self.look_up(drive, policy)?,
            Effect::CheckIn => self.check_in_once(drive)?,
            Effect::Prepare { previous, version } => {
                self.prepare(drive, policy, previous, version)?;
            }
            Effect::ReadChangeStamp => {
                let change_stamp = self.change_stamp(&managed(&drive.machine));
                let entropy = self.entropy()?;
                match drive.machine.handle_change_stamp(change_stamp, now(), entropy) {
                    // The password's time ran out while the change stamp was read: the machine now
                    // asks for it wiped.
                    Ok(()) | Err(RotationError::UnexpectedEvent) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Effect::Apply { id } => self.apply(drive, policy, id)?,
            Effect::Verify { id } => self.verify(drive, id)?,
            Effect::Act(action) => self.act(drive, action)?,
            Effect::WaitUntil(_) => {}
        }
        Ok(())
    }

    // Protocol §2 rules 2 and 8: journal and records are one file.
    fn save(&mut self, drive: &mut Drive) -> Result<(), AgentError> {
        let mut buffer = [0; MAX_JOURNAL];
        let length = drive.machine.journal(&mut buffer)?;
        let machine = buffer.get(..length).unwrap_or_default().to_vec();
        let keep = drive.machine.retained();
        let records = keep.iter().filter_map(|id| drive.records.get(&id).cloned()).collect();
        let status = AgentStatus::of(&drive.machine.status()).to_json().into_bytes();
        match self.folder.save(&JournalFile::new(machine, status, records)) {
            Ok(()) => {
                drive.machine.handle_saved()?;
                drive.records.retain(|id, _| keep.contains(*id));
                drive.unsaved = None;
            }
            Err(error) => {
                self.tell("journal-failed", Level::Error, error.to_string());
                drive.unsaved = Some(error);
                drive.machine.handle_save_failed(now(), self.entropy()?);
            }
        }
        Ok(())
    }

    pub(super) fn check_in_once(&mut self, drive: &mut Drive) -> Result<(), AgentError> {
        drive.check_ins = drive.check_ins.saturating_add(1);
        let mut nonce = [0; 16];
        self.generator.fill_fresh(&mut nonce)?;
        let mut head = [0; MAX_HEAD];
        let length = drive.machine.check_in(nonce, &mut head)?;
        let mut message = head.get(..length).unwrap_or_default().to_vec();
        for id in drive.machine.offers().iter() {
            let record = drive.records.get(&id).map(Vec::as_slice).unwrap_or_default();
            let prefix = record_prefix(record).map_err(RotationError::from)?;
            message.extend(prefix);
            message.extend(record);
        }
        let failed = match self.channel.exchange(&message) {
            Ok(answer) => {
                drive.unreachable = false;
                match drive.machine.handle_answer(&answer, now(), self.entropy()?) {
                    Ok(()) => None,
                    Err(error) => Some(error.to_string()),
                }
            }
            Err(error) => {
                drive.unreachable = TRY_AGAIN.contains(&error.code());
                Some(error.to_string())
            }
        };
        match failed {
            None => drive.why = None,
            Some(text) => {
                drive.why = Some(text);
                drive.machine.handle_check_in_failed(now(), self.entropy()?);
            }
        }
        Ok(())
    }

    fn prepare(
        &mut self,
        drive: &mut Drive,
        policy: &Policy,
        previous: Option<RecordId>,
        version: u64,
    ) -> Result<(), AgentError> {
        match self.make(drive, policy, previous, version) {
            Ok((id, change_stamp)) => {
                if let Err(error) = drive.machine.handle_prepared(id, version, change_stamp, now())
                {
                    drive.password = None;
                    drive.records.remove(&id);
                    return Err(error.into());
                }
            }
            Err(text) => {
                drive.password = None;
                drive.why = Some(text);
                let entropy = self.entropy().unwrap_or_default();
                drive.machine.handle_prepare_failed(now(), entropy)?;
            }
        }
        Ok(())
    }

    /// Makes and seals a password; its id, and the change stamp before anything was done with it.
    fn make(
        &mut self,
        drive: &mut Drive,
        policy: &Policy,
        previous: Option<RecordId>,
        version: u64,
    ) -> Result<(RecordId, Option<[u8; 32]>), String> {
        let recipe = self.recipe(policy)?;
        let generator = &mut self.generator;
        // Protocol §7 rule 5: fresh bytes of the operating system for every rotation. The id begins
        // with them.
        let id = RecordId::generate(generator).map_err(|error| error.to_string())?;
        let mut password = Box::new(Password::empty());
        recipe.generate_into(generator, &mut password).map_err(|error| error.to_string())?;
        let account = managed(&drive.machine);
        // Each time, since an account may have been disabled or have got another kind of hash
        // since: a rotation that waits for an answer which cannot come would never commit.
        if drive.machine.config().can_verify && !self.store.can_verify(&account, &password) {
            self.tell(
                "store-cannot",
                Level::Warning,
                "the account store cannot verify a password: a success of the setter is believed"
                    .to_owned(),
            );
            let mut config = *drive.machine.config();
            config.can_verify = false;
            drive.machine.handle_config(config, now()).map_err(|error| error.to_string())?;
        }
        let change_stamp = self.change_stamp(&account);
        let header = Header {
            scope: self.options.scope,
            device: self.options.device,
            account: account.name,
            sid: account.sid,
            id,
            previous,
            version,
            made_at: now(),
            policy_hash: drive.machine.config().policy_hash,
        };
        let readers = self.readers().to_vec();
        let record = Record::seal(&header, &password, &readers, &mut self.generator)
            .map_err(|error| error.to_string())?;
        drive.records.insert(id, record.as_bytes().to_vec());
        drive.password = Some((id, password));
        Ok((id, change_stamp))
    }

    fn apply(
        &mut self,
        drive: &mut Drive,
        policy: &Policy,
        id: RecordId,
    ) -> Result<(), AgentError> {
        let account = managed(&drive.machine);
        let password = drive.password.as_ref().filter(|(of, _)| *of == id);
        let result = match password {
            Some((_, password)) => self.store.set(&account, password, &mut self.setter),
            None => Err(StoreError::Failed("the password is not in memory".to_owned())),
        };
        match &result {
            Ok(()) => self.keep_demands(self.demands.taken()),
            Err(StoreError::Refused(reason)) => self.learn(policy, reason),
            Err(_) => {}
        }
        let applied = match &result {
            Ok(()) => Applied::Success,
            Err(StoreError::ManagedElsewhere(_)) => Applied::ManagedElsewhere,
            Err(StoreError::NoSuchAccount(_)) => Applied::NotFound,
            Err(StoreError::Refused(_)) => Applied::Refused,
            Err(StoreError::TimedOut(_)) => Applied::TimedOut,
            Err(StoreError::Cannot(_) | StoreError::Failed(_)) => Applied::Failed,
        };
        drive.why = result.err().map(|error| error.to_string());
        drive.machine.handle_applied(applied, now())?;
        Ok(())
    }

    fn verify(&mut self, drive: &mut Drive, id: RecordId) -> Result<(), AgentError> {
        let account = managed(&drive.machine);
        let password = drive.password.as_ref().filter(|(of, _)| *of == id);
        // Protocol §2 rule 9: while something may still be changing the account, no answer counts.
        let answer = match (password, self.setter.is_held()) {
            (Some((_, password)), true) => self.store.verify(&account, password),
            (None, _) => Verification::NoAnswer("the password is not in memory".to_owned()),
            (_, false) => Verification::NoAnswer("the setter still runs".to_owned()),
        };
        let verified = match answer {
            Verification::Matches => Verified::Match,
            Verification::DoesNotMatch => Verified::Mismatch,
            Verification::Cannot => Verified::Unavailable,
            Verification::NoAnswer(text) => {
                drive.why = Some(text);
                Verified::Unavailable
            }
        };
        drive.machine.handle_verified(verified, now(), self.entropy()?)?;
        Ok(())
    }

    fn act(&mut self, drive: &mut Drive, action: Action) -> Result<(), AgentError> {
        let result = self.store.act(&managed(&drive.machine), action);
        let acted = match &result {
            Ok(()) => Acted::Done,
            Err(StoreError::Cannot(_)) => Acted::NotSupported,
            Err(_) => Acted::Failed,
        };
        drive.why = result.err().map(|error| error.to_string());
        drive.machine.handle_acted(acted, now())?;
        Ok(())
    }

    /// Tells the machine's events.
    fn tell_all(&mut self, drive: &mut Drive) {
        while let Some(event) = drive.machine.poll_event() {
            if event.kind == EventKind::Committed {
                drive.committed = true;
            }
            let why = drive.why.as_deref().filter(|_| event.kind.level() != Level::Information);
            let status = drive.machine.status();
            let mut told = AgentEvent::of(&event, self.options.device, status.account, why);
            if event.kind == EventKind::ReadersRemoved {
                told.message = readers::advice(&status.removed_readers, self.reader_set.as_ref());
            }
            let event = told;
            (self.events)(&event);
        }
    }

    fn change_stamp(&mut self, account: &LocalAccount) -> Option<[u8; 32]> {
        match self.store.change_stamp(account) {
            Ok(change_stamp) => change_stamp,
            // Unknown is on the safe side: more candidates, never fewer.
            Err(error) => {
                self.tell("change-stamp-unknown", Level::Warning, error.to_string());
                None
            }
        }
    }

    fn entropy(&mut self) -> Result<u64, AgentError> {
        let mut bytes = [0; 8];
        self.generator.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// Lets the machine know what the account is called, and its SID, when that is news.
fn take_in(machine: &mut Rotation, account: &LocalAccount) -> Result<(), RotationError> {
    let mut config = *machine.config();
    config.account = account.name;
    config.sid = account.sid;
    if config == *machine.config() { Ok(()) } else { machine.handle_config(config, now()) }
}

/// The account whose password the rotation replaces.
fn managed(machine: &Rotation) -> LocalAccount {
    LocalAccount { name: *machine.account(), sid: machine.sid(), enabled: true }
}

/// The agent's source of randomness.
pub(super) type Source = Generator<SystemSource>;

/// Codes of a channel after which another try may have an answer.
const TRY_AGAIN: [Code; 4] = [Code::Unreachable, Code::Busy, Code::Io, Code::StorageFull];
