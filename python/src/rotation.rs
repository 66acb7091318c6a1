//! The rotation machine, for those who drive it themselves.

use std::sync::{Mutex, MutexGuard, PoisonError};

use laps_core::error::Code;
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope};
use laps_core::rotation::message::record_prefix;
use laps_core::rotation::set::IdSet;
use laps_core::rotation::{
    AccountSeen, Acted, Applied, Config, Effect as CoreEffect, MAX_JOURNAL, Rotation as Core,
    RotationError, Verified,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime};
use rand_core::TryRng;

use crate::error::raise;
use crate::policy::Policy;
use crate::random::drawing;
use crate::reader::Reader;
use crate::record::{Record, record_id, text};
use crate::time::{self, When};

fn refused(error: RotationError) -> PyErr {
    raise(error.code(), error)
}

fn entropy() -> PyResult<u64> {
    drawing(TryRng::try_next_u64)?.map_err(|error| raise(error.code(), error))
}

/// The next effect of a rotation. It says the same until an input event arrives.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Effect {
    /// `wipe`, `save`, `look-up`, `check-in`, `prepare`, `read-change-stamp`, `apply`, `verify`,
    /// `act` or `wait-until`.
    kind: &'static str,
    /// The record to apply or verify; for `prepare`, the record made before.
    record: Option<String>,
    /// The version of the record to prepare.
    version: Option<u64>,
    /// What to do for `act`: `warn-sign-out`, `sign-out`, `terminate`, `warn-restart` or
    /// `restart`.
    action: Option<&'static str>,
    /// When to wake for `wait-until`.
    until: Option<When>,
}

#[pymethods]
impl Effect {
    fn __repr__(&self) -> String {
        format!("<Effect {}>", self.kind)
    }
}

impl From<CoreEffect> for Effect {
    fn from(effect: CoreEffect) -> Self {
        let plain = |kind| Self { kind, record: None, version: None, action: None, until: None };
        match effect {
            CoreEffect::Wipe => plain("wipe"),
            CoreEffect::Save => plain("save"),
            CoreEffect::CheckIn => plain("check-in"),
            CoreEffect::LookUp => plain("look-up"),
            CoreEffect::ReadChangeStamp => plain("read-change-stamp"),
            CoreEffect::Prepare { previous, version } => Self {
                record: previous.map(|id| id.to_string()),
                version: Some(version),
                ..plain("prepare")
            },
            CoreEffect::Apply { id } => Self { record: Some(id.to_string()), ..plain("apply") },
            CoreEffect::Verify { id } => Self { record: Some(id.to_string()), ..plain("verify") },
            CoreEffect::Act(action) => Self { action: Some(action.as_str()), ..plain("act") },
            CoreEffect::WaitUntil(at) => Self { until: Some(When(at)), ..plain("wait-until") },
        }
    }
}

/// The machine that decides in a rotation: events in, effects out. It holds no password and no
/// record and touches nothing. `Agent` drives it for you; drive it yourself where the device is
/// yours.
///
/// For `prepare`, `generate()` and `Recipe.generate()` mix fresh bytes of the operating system in;
/// with a `Generator` of your own call its `reseed()` first, so that a copied machine does not
/// repeat a password. `Record.seal` does it by itself.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Rotation {
    inner: Mutex<Core>,
}

impl Rotation {
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Rotation {
    /// With the `journal` of before, or without one: then nothing is known of the account's
    /// password. `change_stamp` is what changes whenever the account's password is set, 32 bytes,
    /// where the platform has one.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        *, policy, device, account, scope = "", sid = None, can_verify = true, journal = None,
        change_stamp = None, now = None
    ))]
    fn new(
        policy: &Policy,
        device: &str,
        account: &str,
        scope: &str,
        sid: Option<&str>,
        can_verify: bool,
        journal: Option<&[u8]>,
        change_stamp: Option<[u8; 32]>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Self> {
        let sid = sid
            .map(|sid| {
                sid.parse::<laps_core::account::Sid>().map_err(|error| raise(error.code(), error))
            })
            .transpose()?;
        let mut config = Config::new(
            text(Scope::new(scope), "scope")?,
            text(DeviceId::new(device), "device")?,
            text(AccountName::new(account), "account")?,
            sid,
        )
        .with_policy(&policy.inner);
        config.can_verify = can_verify;
        let now = time::or_now(now)?;
        let machine = match journal {
            Some(journal) => Core::resume(journal, config, change_stamp, now),
            None => Core::new(config, now),
        };
        Ok(Self { inner: Mutex::new(machine.map_err(refused)?) })
    }

    /// What to do next.
    fn poll(&self) -> Effect {
        self.lock().poll().into()
    }

    /// The names of what happened since the last call, oldest first.
    fn events(&self) -> Vec<&'static str> {
        let mut machine = self.lock();
        core::iter::from_fn(|| machine.poll_event()).map(|event| event.kind.name()).collect()
    }

    /// Where it stands, in a word.
    #[getter]
    fn state(&self) -> &'static str {
        self.lock().state().name()
    }

    /// The version of the last committed record; 0 for none.
    #[getter]
    fn version(&self) -> u64 {
        self.lock().status().version
    }

    /// When the next rotation is due; None before the first commit.
    #[getter]
    fn due(&self) -> Option<When> {
        self.lock().status().due.map(When)
    }

    /// The ids of the records that the account may hold, and `unknown`.
    #[getter]
    fn may_hold(&self) -> Vec<String> {
        let held = self.lock().status().may_hold;
        names(&held.ids).into_iter().chain(held.unknown.then(|| "unknown".to_owned())).collect()
    }

    /// The ids of the records that must be durable beside the journal.
    #[getter]
    fn retained(&self) -> Vec<String> {
        names(&self.lock().retained())
    }

    /// The journal, for `save`: make it durable with the records of `keep` as one file, then
    /// `handle_saved`.
    fn journal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = [0; MAX_JOURNAL];
        let length = self.lock().journal(&mut out).map_err(refused)?;
        Ok(PyBytes::new(py, out.get(..length).unwrap_or_default()))
    }

    /// The message for `check-in`, with those of `records` that the vault is offered.
    #[pyo3(signature = (records, /))]
    fn check_in<'py>(
        &self,
        py: Python<'py>,
        records: Vec<Bound<'py, Record>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut nonce = [0; 16];
        drawing(|rng| rng.try_fill_bytes(&mut nonce))?
            .map_err(|error| raise(error.code(), error))?;
        let mut machine = self.lock();
        let mut out = vec![0; 2_048];
        let length = machine.check_in(nonce, &mut out).map_err(refused)?;
        out.truncate(length);
        for id in machine.offers().iter() {
            let found = records.iter().find(|record| record.get().inner.header().id == id);
            let Some(found) = found else {
                return Err(raise(
                    Code::InvalidArgument,
                    format!("record {id} is to be offered and was not given"),
                ));
            };
            let bytes = found.get().inner.as_bytes();
            out.extend(record_prefix(bytes).map_err(|error| raise(error.code(), error))?);
            out.extend(bytes);
        }
        Ok(PyBytes::new(py, &out))
    }

    /// The vault answered.
    #[pyo3(signature = (answer, /, *, now = None))]
    fn handle_answer(&self, answer: &[u8], now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let (now, entropy) = (time::or_now(now)?, entropy()?);
        self.lock().handle_answer(answer, now, entropy).map_err(refused)
    }

    /// No answer came, or none that could be read.
    #[pyo3(signature = (*, now = None))]
    fn handle_check_in_failed(&self, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let (now, entropy) = (time::or_now(now)?, entropy()?);
        self.lock().handle_check_in_failed(now, entropy);
        Ok(())
    }

    /// The journal that was written last is durable.
    fn handle_saved(&self) -> PyResult<()> {
        self.lock().handle_saved().map_err(refused)
    }

    /// The journal could not be made durable.
    #[pyo3(signature = (*, now = None))]
    fn handle_save_failed(&self, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let (now, entropy) = (time::or_now(now)?, entropy()?);
        self.lock().handle_save_failed(now, entropy);
        Ok(())
    }

    /// A password was made and sealed as this record.
    #[pyo3(signature = (record, /, *, change_stamp = None, now = None))]
    fn handle_prepared(
        &self,
        record: &Record,
        change_stamp: Option<[u8; 32]>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<()> {
        let header = record.inner.header();
        let now = time::or_now(now)?;
        self.lock().handle_prepared(header.id, header.version, change_stamp, now).map_err(refused)
    }

    /// No password could be made or sealed.
    #[pyo3(signature = (*, now = None))]
    fn handle_prepare_failed(&self, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let (now, entropy) = (time::or_now(now)?, entropy()?);
        self.lock().handle_prepare_failed(now, entropy).map_err(refused)
    }

    /// The account's change stamp, for `read-change-stamp`.
    #[pyo3(signature = (change_stamp, /, *, now = None))]
    fn handle_change_stamp(
        &self,
        change_stamp: Option<[u8; 32]>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<()> {
        let (now, entropy) = (time::or_now(now)?, entropy()?);
        self.lock().handle_change_stamp(change_stamp, now, entropy).map_err(refused)
    }

    /// What a look at the account found, for `look-up`: `present`, with its change stamp where the
    /// platform has one, `missing` or `unknown`. It may be told at any time.
    #[pyo3(signature = (found, /, *, change_stamp = None, now = None))]
    fn handle_account(
        &self,
        found: &str,
        change_stamp: Option<[u8; 32]>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<()> {
        let seen = match found {
            "present" => AccountSeen::Present { change_stamp },
            "missing" => AccountSeen::Missing,
            "unknown" => AccountSeen::Unknown,
            _ => return Err(unknown(found)),
        };
        let now = time::or_now(now)?;
        self.lock().handle_account(seen, now);
        Ok(())
    }

    /// Whom the next password is sealed to, and the records of `keep`. Tell it at the start, after
    /// every commit and whenever the readers change: a password that is sealed to a reader who
    /// is not among them any more is replaced, once.
    #[pyo3(signature = (readers, records, /, *, now = None))]
    fn handle_readers(
        &self,
        readers: Vec<Bound<'_, Reader>>,
        records: Vec<Bound<'_, Record>>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<()> {
        use laps_host::agent::readers::{digest, is_sealed_to_others};
        let now = time::or_now(now)?;
        let readers: Vec<_> = readers.iter().map(|reader| reader.get().inner.clone()).collect();
        let mut machine = self.lock();
        let held = machine.holds();
        let record = records.iter().find(|record| Some(record.get().inner.header().id) == held);
        let lost = record
            .is_some_and(|record| is_sealed_to_others(record.get().inner.as_bytes(), &readers));
        machine.handle_readers(digest(&readers), lost, now);
        Ok(())
    }

    /// A person has looked into it and says that the vault's audit log is in order as it is: the
    /// device remembers it from then on.
    #[pyo3(signature = (*, now = None))]
    fn acknowledge_log(&self, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let now = time::or_now(now)?;
        self.lock().acknowledge_log(now);
        Ok(())
    }

    /// What the setter reported: `success`, `refused`, `not-found`, `managed-elsewhere`, `failed`
    /// or `timed-out`.
    #[pyo3(signature = (outcome, /, *, now = None))]
    fn handle_applied(&self, outcome: &str, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let applied = match outcome {
            "success" => Applied::Success,
            "refused" => Applied::Refused,
            "not-found" => Applied::NotFound,
            "managed-elsewhere" => Applied::ManagedElsewhere,
            "failed" => Applied::Failed,
            "timed-out" => Applied::TimedOut,
            _ => return Err(unknown(outcome)),
        };
        let now = time::or_now(now)?;
        self.lock().handle_applied(applied, now).map_err(refused)
    }

    /// What the account said: `match`, `mismatch` or `unavailable`.
    #[pyo3(signature = (outcome, /, *, now = None))]
    fn handle_verified(&self, outcome: &str, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let verified = match outcome {
            "match" => Verified::Match,
            "mismatch" => Verified::Mismatch,
            "unavailable" => Verified::Unavailable,
            _ => return Err(unknown(outcome)),
        };
        let (now, entropy) = (time::or_now(now)?, entropy()?);
        self.lock().handle_verified(verified, now, entropy).map_err(refused)
    }

    /// The password was wiped from memory.
    fn handle_wiped(&self) -> PyResult<()> {
        self.lock().handle_wiped().map_err(refused)
    }

    /// How an action ended: `done`, `failed` or `not-supported`.
    #[pyo3(signature = (outcome, /, *, now = None))]
    fn handle_acted(&self, outcome: &str, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let acted = match outcome {
            "done" => Acted::Done,
            "failed" => Acted::Failed,
            "not-supported" => Acted::NotSupported,
            _ => return Err(unknown(outcome)),
        };
        let now = time::or_now(now)?;
        self.lock().handle_acted(acted, now).map_err(refused)
    }

    /// Somebody used the account.
    #[pyo3(signature = (at, /, *, now = None))]
    fn handle_used(
        &self,
        at: &Bound<'_, PyDateTime>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<()> {
        let (at, now) = (time::from_python(at)?, time::or_now(now)?);
        self.lock().handle_used(at, now);
        Ok(())
    }

    /// Time went on.
    #[pyo3(signature = (*, now = None))]
    fn handle_timeout(&self, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let now = time::or_now(now)?;
        self.lock().handle_timeout(now);
        Ok(())
    }

    /// Rotate now, due or not.
    #[pyo3(signature = (*, now = None))]
    fn force(&self, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<()> {
        let now = time::or_now(now)?;
        self.lock().force(now);
        Ok(())
    }

    /// Whether a record, by its id, is one that the account may hold.
    #[pyo3(signature = (record, /))]
    fn may_hold_record(&self, record: &str) -> PyResult<bool> {
        let id: RecordId = record_id(record)?;
        Ok(self.lock().status().may_hold.ids.contains(id))
    }

    fn __repr__(&self) -> String {
        format!("<Rotation {}>", self.state())
    }
}

fn unknown(outcome: &str) -> PyErr {
    raise(Code::InvalidArgument, format!("outcome {outcome:?} is not one of those that are named"))
}

fn names(ids: &IdSet) -> Vec<String> {
    ids.iter().map(|id| id.to_string()).collect()
}
