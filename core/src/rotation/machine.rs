//! The machine: facts in, wishes out.

use super::config::Config;
use super::event::{Event, Outcome};
use super::set::{IdSet, MayHold};
use super::wish::{Acted, Applied, RotationError, Verified, Wish};
use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Timestamp};

/// The longest journal, in bytes.
pub const MAX_JOURNAL: usize = 1024;

/// The machine of one managed account on one device.
#[derive(Clone, Debug)]
pub struct Rotation {
    config: Config,
}

/// Where a rotation stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// This run has not heard from the vault yet.
    Starting,
    /// No rotation is under way.
    Settled,
    /// A password was made; the vault is to store it.
    BackingUp,
    /// The account is being changed.
    Applying,
    /// The account is being asked.
    Verifying,
    /// The account holds the new password; the vault is to take it as the current one.
    Committing,
}

/// What `agent status` shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The device.
    pub device: DeviceId,
    /// The account whose password is managed.
    pub account: AccountName,
    /// Its SID.
    pub sid: Option<Sid>,
    /// The version of the last committed record; 0 for none.
    pub version: u64,
    /// Where the rotation stands.
    pub state: State,
    /// When the next one is due; none before the first commit.
    pub due: Option<Timestamp>,
    /// What the account may hold.
    pub may_hold: MayHold,
    /// How many candidates the vault had at the last answer; 0 when this run has had none.
    pub candidates: u32,
    /// How the last rotation or try ended.
    pub last: Option<Outcome>,
    /// Whether a rotation is due now (also one that waits for its back-off), or under way.
    pub rotation_due: bool,
}

impl Rotation {
    /// A machine without a journal: nothing is known of the account's password.
    ///
    /// # Errors
    /// [`RotationError::InvalidConfig`].
    pub fn new(config: Config, now: Timestamp) -> Result<Self, RotationError> {
        let _ = now;
        config.check()?;
        Ok(Self { config })
    }

    /// A machine that goes on from its journal. The caller holds the setter lock and has read `stamp`, the account's change stamp, after taking it (protocol §2.5, §2.9).
    ///
    /// # Errors
    /// `InvalidConfig`; `JournalMalformed` and `JournalOfAnotherDevice`: start with [`Rotation::new`];
    /// `JournalUnsupported`: do not start.
    pub fn resume(
        journal: &[u8],
        config: Config,
        stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Self, RotationError> {
        let _ = (journal, stamp);
        Self::new(config, now)
    }

    /// What to do next. Changes nothing, draws nothing, and says the same until a fact arrives.
    #[must_use]
    pub fn poll(&self) -> Wish {
        Wish::WaitUntil(Timestamp::MAX)
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// Writes the journal for [`Wish::Save`]; its length.
    ///
    /// # Errors
    /// `BufferTooSmall`; [`MAX_JOURNAL`] is always enough.
    pub fn journal(&mut self, out: &mut [u8]) -> Result<usize, RotationError> {
        let _ = out;
        Err(RotationError::UnexpectedFact)
    }

    /// The records that the driver must keep beside the journal, in the same file.
    #[must_use]
    pub fn keep(&self) -> IdSet {
        IdSet::EMPTY
    }

    /// The journal that was written last, with the records of [`Rotation::keep`], is durable.
    ///
    /// # Errors
    /// `UnexpectedFact` when the journal was not written, or the machine changed since.
    pub fn handle_saved(&mut self) -> Result<(), RotationError> {
        Err(RotationError::UnexpectedFact)
    }

    /// The journal could not be made durable; it is wished again after a while.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_save_failed(
        &mut self,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        let _ = (now, entropy);
        Err(RotationError::UnexpectedFact)
    }

    /// The password in memory was wiped.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_wiped(&mut self) -> Result<(), RotationError> {
        Err(RotationError::UnexpectedFact)
    }

    /// Writes the head of a check-in under a fresh random nonce; its length. The driver appends the records of
    /// [`Rotation::offers`], in that order, each behind its [`record_prefix`](super::message::record_prefix).
    /// It may be called without a wish, to check in early.
    ///
    /// # Errors
    /// `UnexpectedFact` while a journal is to be saved, a password to be wiped, or the account is being changed; `Message`.
    pub fn check_in(&mut self, nonce: [u8; 16], out: &mut [u8]) -> Result<usize, RotationError> {
        let _ = (nonce, out);
        Err(RotationError::UnexpectedFact)
    }

    /// The records that belong behind the head that was written last.
    #[must_use]
    pub fn offers(&self) -> IdSet {
        IdSet::EMPTY
    }

    /// The vault answered. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `Message` and `UnexpectedAnswer`: nothing has changed; ignore it, or give up waiting with `handle_check_in_failed`.
    pub fn handle_answer(
        &mut self,
        bytes: &[u8],
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        let _ = (bytes, now, entropy);
        Err(RotationError::UnexpectedAnswer)
    }

    /// No answer came, or none that could be read. `entropy` is 64 random bits.
    pub fn handle_check_in_failed(&mut self, now: Timestamp, entropy: u64) {
        let _ = (now, entropy);
    }

    /// A password was made and sealed under this id, with the version and predecessor that were wished; `stamp` is the account's
    /// change stamp, none where the platform has none.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished, or for another version; `IdRepeated`. The driver wipes the password.
    pub fn handle_prepared(
        &mut self,
        id: RecordId,
        version: u64,
        stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), RotationError> {
        let _ = (id, version, stamp, now);
        Err(RotationError::UnexpectedFact)
    }

    /// No password could be made or sealed. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_prepare_failed(
        &mut self,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        let _ = (now, entropy);
        Err(RotationError::UnexpectedFact)
    }

    /// The account's change stamp, right before the account is changed; none where the platform has none.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_stamp(
        &mut self,
        stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), RotationError> {
        let _ = (stamp, now);
        Err(RotationError::UnexpectedFact)
    }

    /// What the setter reported. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_applied(
        &mut self,
        applied: Applied,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        let _ = (applied, now, entropy);
        Err(RotationError::UnexpectedFact)
    }

    /// What the account said. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_verified(
        &mut self,
        verified: Verified,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        let _ = (verified, now, entropy);
        Err(RotationError::UnexpectedFact)
    }

    /// How the wished action ended.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_acted(&mut self, acted: Acted, now: Timestamp) -> Result<(), RotationError> {
        let _ = (acted, now);
        Err(RotationError::UnexpectedFact)
    }

    /// Somebody used the account at this time. Our own verification is never one (protocol §2.11).
    pub fn handle_used(&mut self, at: Timestamp, now: Timestamp) {
        let _ = (at, now);
    }

    /// Uses before this time are of no interest: ask the account store for later ones.
    #[must_use]
    pub fn used_since(&self) -> Timestamp {
        Timestamp::default()
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let _ = now;
    }

    /// Another policy is in force, or another account is to be managed.
    ///
    /// # Errors
    /// `InvalidConfig`; also for another scope or device, which needs a machine of its own.
    pub fn handle_config(&mut self, config: Config, now: Timestamp) -> Result<(), RotationError> {
        let _ = now;
        config.check()?;
        self.config = config;
        Ok(())
    }

    /// The administrator of this device asks for a new password now. It does not wait for a back-off.
    pub fn force(&mut self, now: Timestamp) {
        let _ = now;
    }

    /// A single run by hand: whatever is due does not wait for its back-off.
    pub fn skip_back_off(&mut self, now: Timestamp) {
        let _ = now;
    }

    /// The account whose password this rotation replaces. While a rotation is under way it stays the one that it began with.
    #[must_use]
    pub const fn account(&self) -> &AccountName {
        &self.config.account
    }

    /// Its SID.
    #[must_use]
    pub const fn sid(&self) -> Option<Sid> {
        self.config.sid
    }

    /// The settings in force.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What `agent status` shows.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            device: self.config.device,
            account: self.config.account,
            sid: self.config.sid,
            version: 0,
            state: State::Starting,
            due: None,
            may_hold: MayHold::UNKNOWN,
            candidates: 0,
            last: None,
            rotation_due: true,
        }
    }
}
