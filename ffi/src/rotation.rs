//! The rotation machine, with what a driver in C would have to hold for it: the password and the
//! sealed records.

pub mod events;

use core::ffi::c_char;
use core::ptr;

use laps_core::error::Code;
use laps_core::identity::{RecordId, Timestamp};
use laps_core::rotation::message::{MAX_HEAD, record_prefix};
use laps_core::rotation::set::IdSet;
use laps_core::rotation::{Effect, MAX_JOURNAL, Rotation, RotationError, State};
use laps_core::seal::{Header, Reader, Record};
use laps_host::agent::journal::{self, JournalFile};
use laps_host::agent::status::AgentStatus;

use crate::bytes::laps_bytes;
use crate::config::laps_config;
use crate::event::laps_event;
use crate::failure::Failure;
use crate::generator::laps_generator;
use crate::password::laps_password;
use crate::pointer::{self, Buffer, Out, Poison, object};
use crate::recipe::laps_recipe;
use crate::status::{answer, laps_status, value};

/// The rotation of one account's password on one device. It says what to do next
/// (laps_rotation_poll); you do it and tell it what happened (laps_rotation_handle_*). It touches
/// nothing itself, holds the new password until it is verified, and wipes it then. One thread at a
/// time.
#[derive(Debug)]
pub struct laps_rotation {
    poison: Poison,
    pub(crate) machine: Rotation,
    password: Option<(RecordId, Box<laps_password>)>,
    /// Random bits for the stamp that may be asked for after the account was set.
    pub(crate) entropy: u64,
    pub(crate) records: Vec<Record>,
}
object!(laps_rotation);

/// Write the state: laps_rotation_state() to a temporary file, sync it, rename it over the old one,
/// sync the folder; then laps_rotation_handle_saved() or laps_rotation_handle_save_failed().
pub const LAPS_WISH_SAVE: u32 = 1;
/// Send laps_rotation_check_in() to the vault; then laps_rotation_handle_answer() or
/// laps_rotation_handle_check_in_failed().
pub const LAPS_WISH_CHECK_IN: u32 = 2;
/// Read the account's change stamp; then laps_rotation_prepare(), which mixes fresh bytes of the
/// operating system into the generator.
pub const LAPS_WISH_PREPARE: u32 = 3;
/// Read the account's change stamp; then laps_rotation_handle_stamp().
pub const LAPS_WISH_READ_STAMP: u32 = 4;
/// Set laps_rotation_password() on laps_rotation_account(); then laps_rotation_handle_applied().
pub const LAPS_WISH_APPLY: u32 = 5;
/// Find out whether the account holds laps_rotation_password(); then
/// laps_rotation_handle_verified().
pub const LAPS_WISH_VERIFY: u32 = 6;
/// Do the LAPS_ACTION_* that is the value; then laps_rotation_handle_acted().
pub const LAPS_WISH_ACT: u32 = 7;
/// Wait until the time that is the value, or until something happens; then
/// laps_rotation_handle_timeout(), or what happened. A single run ends here.
pub const LAPS_WISH_WAIT: u32 = 8;

/// Look the account up and read its change stamp; then laps_rotation_handle_account().
pub const LAPS_WISH_LOOK_UP: u32 = 9;

/// Tell the account's sessions that they will be signed out in two minutes.
pub const LAPS_ACTION_WARN_SIGN_OUT: u32 = 1;
/// Sign the account's sessions out and end its connections.
pub const LAPS_ACTION_SIGN_OUT: u32 = 2;
/// End every remaining process of the account, without notice.
pub const LAPS_ACTION_TERMINATE: u32 = 3;
/// Tell the sessions of the device that it will restart in one minute.
pub const LAPS_ACTION_WARN_RESTART: u32 = 4;
/// Restart the device.
pub const LAPS_ACTION_RESTART: u32 = 5;

/// This run has not heard from the vault yet.
pub const LAPS_STATE_STARTING: u32 = 1;
/// No rotation is under way.
pub const LAPS_STATE_SETTLED: u32 = 2;
/// A password was made; the vault is to store it.
pub const LAPS_STATE_BACKING_UP: u32 = 3;
/// The account is being changed.
pub const LAPS_STATE_APPLYING: u32 = 4;
/// The account is being asked.
pub const LAPS_STATE_VERIFYING: u32 = 5;
/// The account holds the new password; the vault is to take it as the current one.
pub const LAPS_STATE_COMMITTING: u32 = 6;

impl laps_rotation {
    fn boxed(machine: Rotation, records: Vec<Record>) -> Result<Box<Self>, Failure> {
        let mut rotation = Box::new(Self {
            poison: Poison::default(),
            machine,
            password: None,
            entropy: 0,
            records,
        });
        rotation.settle()?;
        Ok(rotation)
    }

    /// The password is ours, so wiping it is not a wish that C sees.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        while self.machine.poll() == Effect::Wipe {
            self.password = None;
            self.machine.handle_wiped()?;
        }
        Ok(())
    }

    fn records_of(&self, ids: &IdSet) -> Result<Vec<&Record>, Failure> {
        ids.iter()
            .map(|id| {
                let record = self.records.iter().find(|record| record.header().id == id);
                record.ok_or_else(|| {
                    Failure::new(Code::Internal, &format_args!("the record {id} is not held"))
                })
            })
            .collect()
    }

    /// Makes, seals and hands over a password.
    pub(crate) fn prepare(
        &mut self,
        generator: &mut laps_generator,
        recipe: &laps_recipe,
        readers: &[Reader],
        stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Effect::Prepare { previous, version } = self.machine.poll() else {
            return Err(RotationError::UnexpectedEvent.into());
        };
        let generator = generator.ready()?;
        // Protocol §7 rule 5: fresh bytes for every rotation. The id begins with them.
        let id = RecordId::generate(generator)?;
        let mut password = laps_password::boxed();
        recipe.recipe.generate_into(generator, &mut password.password)?;
        let config = self.machine.config();
        let header = Header {
            scope: config.scope,
            device: config.device,
            account: *self.machine.account(),
            sid: self.machine.sid(),
            id,
            previous,
            version,
            made_at: now,
            policy_hash: config.policy_hash,
        };
        let record = Record::seal(&header, &password.password, readers, generator)?;
        self.machine.handle_prepared(header.id, version, stamp, now)?;
        self.password = Some((header.id, password));
        self.records.push(record);
        Ok(())
    }
}

/// 64 random bits for the machine.
pub(crate) fn entropy(generator: &mut laps_generator) -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    generator.ready()?.fill_fresh(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

pub(crate) fn time(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

/// A rotation without a state: nothing is known of the account's password. Only where no state was
/// ever written, or laps_rotation_resume() answered LAPS_STATUS_JOURNAL_MALFORMED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_new(
    config: *const laps_config,
    now: u64,
    out_rotation: *mut *mut laps_rotation,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (config, out) =
            unsafe { (pointer::shared(config)?, Out::new(out_rotation, "out_rotation")?) };
        let machine = Rotation::new(config.config, time(now))?;
        out.give(laps_rotation::boxed(machine, Vec::new())?);
        Ok(())
    })
}

/// Goes on from the state that was written last. Before this no setter of an earlier run may be
/// running any more; stamp is the account's change stamp, read after that: 32 bytes that differ
/// after every change of its password, or NULL where the platform has none.
/// LAPS_STATUS_JOURNAL_MALFORMED: start with laps_rotation_new(). LAPS_STATUS_UNSUPPORTED_VERSION:
/// update the library, do not start.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_resume(
    config: *const laps_config,
    state: *const u8,
    state_len: usize,
    stamp: *const u8,
    now: u64,
    out_rotation: *mut *mut laps_rotation,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (config, state, stamp, out) = unsafe {
            (
                pointer::shared(config)?,
                pointer::bytes(state, state_len, "state")?,
                pointer::array::<32>(stamp).copied(),
                Out::new(out_rotation, "out_rotation")?,
            )
        };
        let file = journal::read(state)?;
        let machine = Rotation::resume(&file.machine, config.config, stamp, time(now))?;
        let damaged = |_| {
            Failure::new(Code::JournalMalformed, &"not a journal: a record in it does not parse")
        };
        let records = file
            .records
            .iter()
            .map(|bytes| Record::parse(bytes).map_err(damaged))
            .collect::<Result<Vec<_>, _>>()?;
        let held = |id| records.iter().any(|record| record.header().id == id);
        if !machine.retained().iter().all(held) {
            let message = "not a journal: a record that it names is not in it";
            return Err(Failure::new(Code::JournalMalformed, &message));
        }
        out.give(laps_rotation::boxed(machine, records)?);
        Ok(())
    })
}

/// What to do next: one of LAPS_WISH_*. The value is a time for LAPS_WISH_WAIT, a LAPS_ACTION_* for
/// LAPS_WISH_ACT, the version for LAPS_WISH_PREPARE, otherwise 0. Changes nothing, and says the
/// same until a fact arrives.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_poll(
    rotation: *const laps_rotation,
    out_wish: *mut u32,
    out_value: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (rotation, wish, value) = unsafe {
            (
                pointer::shared(rotation)?,
                Out::new(out_wish, "out_wish")?,
                Out::new(out_value, "out_value")?,
            )
        };
        let (number, with) = match rotation.machine.poll() {
            Effect::Save => (LAPS_WISH_SAVE, 0),
            Effect::LookUp => (LAPS_WISH_LOOK_UP, 0),
            Effect::CheckIn => (LAPS_WISH_CHECK_IN, 0),
            Effect::Prepare { version, .. } => (LAPS_WISH_PREPARE, version),
            Effect::ReadChangeStamp => (LAPS_WISH_READ_STAMP, 0),
            Effect::Apply { .. } => (LAPS_WISH_APPLY, 0),
            Effect::Verify { .. } => (LAPS_WISH_VERIFY, 0),
            Effect::Act(action) => (LAPS_WISH_ACT, action as u64),
            Effect::WaitUntil(until) => (LAPS_WISH_WAIT, until.as_unix_seconds()),
            // `settle` leaves none.
            Effect::Wipe => return Err(Code::Internal.into()),
        };
        wish.set(number);
        value.set(with);
        Ok(())
    })
}

/// The next event, oldest first. LAPS_STATUS_NOT_FOUND when there is none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_poll_event(
    rotation: *mut laps_rotation,
    out_event: *mut *mut laps_event,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut rotation, out) =
            unsafe { (pointer::exclusive(rotation)?, Out::new(out_event, "out_event")?) };
        let none = || Failure::new(Code::NotFound, &"there is no event");
        out.give(laps_event::boxed(rotation.machine.poll_event().ok_or_else(none)?));
        Ok(())
    })
}

/// The state to be written for LAPS_WISH_SAVE. It holds no secret that this device could open;
/// `laps open` reads the passwords in it with a reader's key.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_state(
    rotation: *mut laps_rotation,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut rotation, out) =
            unsafe { (pointer::exclusive(rotation)?, Out::new(out_bytes, "out_bytes")?) };
        let mut machine = vec![0; MAX_JOURNAL];
        let len = rotation.machine.journal(&mut machine)?;
        machine.truncate(len);
        let records = rotation.records_of(&rotation.machine.retained())?;
        let records = records.iter().map(|record| record.as_bytes().to_vec()).collect();
        let status = AgentStatus::of(&rotation.machine.status()).to_json().into_bytes();
        let file = JournalFile::new(machine, status, records).to_bytes()?;
        out.give(laps_bytes::boxed(file));
        Ok(())
    })
}

/// The check-in to be sent for LAPS_WISH_CHECK_IN. Only the answer to the latest one is taken. It
/// may also be made without the wish, to check in early.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_check_in(
    rotation: *mut laps_rotation,
    generator: *mut laps_generator,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut rotation, mut generator, out) = unsafe {
            (
                pointer::exclusive(rotation)?,
                pointer::exclusive(generator)?,
                Out::new(out_bytes, "out_bytes")?,
            )
        };
        let mut nonce = [0; 16];
        generator.ready()?.fill_fresh(&mut nonce)?;
        let mut message = vec![0; MAX_HEAD];
        let len = rotation.machine.check_in(nonce, &mut message)?;
        message.truncate(len);
        for record in rotation.records_of(&rotation.machine.offers())? {
            message.extend(record_prefix(record.as_bytes())?);
            message.extend(record.as_bytes());
        }
        rotation.settle()?;
        out.give(laps_bytes::boxed(message));
        Ok(())
    })
}

/// The new password, for LAPS_WISH_APPLY and LAPS_WISH_VERIFY. Borrowed until the next call that
/// changes the rotation. NULL at every other time.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_password(
    rotation: *const laps_rotation,
) -> *const laps_password {
    value(ptr::null(), || {
        // SAFETY: contract, Objects.
        let rotation = unsafe { pointer::shared(rotation) }?;
        let (Effect::Apply { id: wanted } | Effect::Verify { id: wanted }) =
            rotation.machine.poll()
        else {
            return Ok(ptr::null());
        };
        Ok(match &rotation.password {
            Some((id, password)) if *id == wanted => ptr::from_ref(&**password),
            Some(_) | None => ptr::null(),
        })
    })
}

/// The account whose password is being replaced. While a rotation is under way it stays the one
/// that it began with.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_account(
    rotation: *const laps_rotation,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (rotation, buffer) = unsafe {
            (pointer::shared(rotation)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let account = rotation.machine.account().as_str();
        buffer.fill_utf8(account)
    })
}

/// Where the rotation stands: one of LAPS_STATE_*; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_step(rotation: *const laps_rotation) -> u32 {
    value(0, || {
        // SAFETY: contract, Objects.
        Ok(match unsafe { pointer::shared(rotation) }?.machine.status().state {
            State::Starting => LAPS_STATE_STARTING,
            State::Settled => LAPS_STATE_SETTLED,
            State::BackingUp => LAPS_STATE_BACKING_UP,
            State::Applying => LAPS_STATE_APPLYING,
            State::Verifying => LAPS_STATE_VERIFYING,
            State::Committing => LAPS_STATE_COMMITTING,
            _ => 0,
        })
    })
}

/// The version of the last committed password; 0 for none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_version(rotation: *const laps_rotation) -> u64 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(rotation) }?.machine.status().version))
}

/// When the next rotation is due; 0 before the first commit.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_due(rotation: *const laps_rotation) -> u64 {
    value(0, || {
        // SAFETY: contract, Objects.
        let due = unsafe { pointer::shared(rotation) }?.machine.status().due;
        Ok(due.map_or(0, Timestamp::as_unix_seconds))
    })
}

/// Whether a rotation is due now, also one that waits for its back-off, or under way.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_is_due(rotation: *const laps_rotation) -> bool {
    value(false, || {
        // SAFETY: contract, Objects.
        Ok(unsafe { pointer::shared(rotation) }?.machine.status().rotation_due.is_some())
    })
}

/// Frees a rotation and wipes its password. What was written as its state goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_free(rotation: *mut laps_rotation) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(rotation) };
        Ok(())
    });
}
