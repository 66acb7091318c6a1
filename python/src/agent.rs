//! The agent on a device, and what an administrator asks of it.

use core::convert::identity;
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use laps_core::error::Code;
use laps_core::identity::{DeviceId, Scope};
use laps_core::policy::Clash;
use laps_host::account;
use laps_host::agent::channel::{Channel, ChannelError, CommandChannel, VaultChannel};
use laps_host::agent::event::AgentEvent;
use laps_host::agent::log::EventLog;
use laps_host::agent::{
    Agent as CoreAgent, AgentError, AgentOptions, PolicySource, ReaderSetSource, RunOutcome, state,
};
use laps_host::stop;
use laps_host::time::parse_rfc3339;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDelta, PyString};

use crate::ending::{self, long, long_until};
use crate::error::raise;
use crate::reader::Reader;
use crate::reader_set::Signer;
use crate::record::text;
use crate::time::When;
use crate::vault::Vault;

/// Something that happened on a device. Nothing in it is secret.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Event {
    inner: AgentEvent,
}

#[pymethods]
impl Event {
    /// When.
    #[getter]
    fn time(&self) -> When {
        When(self.inner.time)
    }

    /// What, in a word.
    #[getter]
    fn name(&self) -> &'static str {
        self.inner.name
    }

    /// The event id of Windows LAPS, where it has this event.
    #[getter]
    fn id(&self) -> Option<u32> {
        self.inner.id
    }

    /// What the vault calls this device.
    #[getter]
    fn device(&self) -> &str {
        &self.inner.device
    }

    /// The managed account; empty when none is known.
    #[getter]
    fn account(&self) -> &str {
        &self.inner.account
    }

    /// The version of the record that it is about; 0 for none.
    #[getter]
    fn version(&self) -> u64 {
        self.inner.version
    }

    /// Why, in a word.
    #[getter]
    fn reason(&self) -> &'static str {
        self.inner.reason
    }

    /// One sentence for people.
    #[getter]
    fn message(&self) -> &str {
        &self.inner.message
    }

    /// The same as one JSON object.
    fn to_json(&self) -> String {
        self.inner.to_json()
    }

    fn __repr__(&self) -> String {
        format!("<Event {} {:?}>", self.inner.name, self.inner.device)
    }
}

/// What a state folder says about its device.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct AgentStatus {
    /// What the vault calls the device.
    device: String,
    /// The managed account.
    account: String,
    /// The version of the last record.
    version: u64,
    /// Where a rotation stands, in a word.
    state: String,
    /// When the next rotation is due.
    due: Option<When>,
    /// The ids of the records that the account may hold, or `unknown`.
    may_hold: Vec<String>,
    /// What the device's own password policy asked for beyond ours: each demand, and why it is not
    /// followed, or None where it is.
    demands: Vec<(String, Option<String>)>,
    /// The same as one JSON object.
    json: String,
}

/// Reads a state folder. Nothing is locked or changed.
#[pyfunction]
#[pyo3(signature = (state, /))]
pub(crate) fn agent_status(py: Python<'_>, state: PathBuf) -> PyResult<AgentStatus> {
    let found = long(py, failed, || state::status(&state))?;
    Ok(AgentStatus {
        json: found.to_json(),
        device: found.device,
        account: found.account,
        version: found.version,
        state: found.state,
        due: found.due.as_deref().and_then(parse_rfc3339).map(When),
        may_hold: found.may_hold,
        demands: found.demands.into_iter().map(|each| (each.demand, each.why)).collect(),
    })
}

/// The sealed records in a journal file: the device cannot open them, a reader can.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn journal_records<'py>(
    py: Python<'py>,
    data: &[u8],
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let file = laps_host::agent::journal::read(data).map_err(|error| raise(error.code(), error))?;
    Ok(file.records.iter().map(|record| PyBytes::new(py, record)).collect())
}

/// The sealed records of a journal file, each with `current` or `pending`: current is the one of
/// the last commit, or, while a commit is under way, the one that is being committed, since the
/// account holds it.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn journal_candidates<'py>(
    py: Python<'py>,
    data: &[u8],
) -> PyResult<Vec<(Bound<'py, PyBytes>, &'static str)>> {
    let file = laps_host::agent::journal::read(data).map_err(|error| raise(error.code(), error))?;
    let current = file.current();
    let word = |index| if Some(index) == current { "current" } else { "pending" };
    let records = file.records.iter().enumerate();
    Ok(records.map(|(index, record)| (PyBytes::new(py, record), word(index))).collect())
}

/// An agent on a state folder, which it holds locked. It rotates the password of one account.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Agent {
    inner: Mutex<Slot>,
    /// Somebody who waits for it may look again.
    free: Condvar,
    stop: Arc<AtomicBool>,
}

/// Where an agent is.
enum Slot {
    Here(Box<CoreAgent>),
    /// This thread works with it.
    Taken(ThreadId),
    Closed,
}

#[pymethods]
impl Agent {
    /// `policy` is a list of pairs of a name and the bytes of a document, or of paths, which are
    /// read at every run; `last_wins` is as for `evaluate`.
    /// `channel` is a `Vault`, `command:CMD`, or a callable that takes the check-in and gives the
    /// answer (bytes). `store` is `linux`, `linux:NAME` or `command:CMD`. `log` is `syslog` or
    /// a file that gets every event as a JSON line. In place of `readers`, `reader_set` is
    /// the path of a signed set, which is read at every run, and `authority` the one that signs it:
    /// the first one is pinned in the state folder. `acknowledge_log`: a person has looked into
    /// what the device said about the vault's audit log, and it is in order as it is.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        *, policy, channel, state, device, store, readers = Vec::new(), reader_set = None, authority
        = None, last_wins = false, scope = "", lock_timeout = None, setter_timeout = None, on_event
        = None, log = None, acknowledge_log = false
    ))]
    fn new(
        py: Python<'_>,
        policy: Vec<Bound<'_, PyAny>>,
        channel: &Bound<'_, PyAny>,
        state: PathBuf,
        device: &str,
        store: &str,
        readers: Vec<Bound<'_, Reader>>,
        reader_set: Option<PathBuf>,
        authority: Option<Bound<'_, Signer>>,
        last_wins: bool,
        scope: &str,
        lock_timeout: Option<&Bound<'_, PyDelta>>,
        setter_timeout: Option<&Bound<'_, PyDelta>>,
        on_event: Option<Py<PyAny>>,
        log: Option<&str>,
        acknowledge_log: bool,
    ) -> PyResult<Self> {
        let device = text(DeviceId::new(device), "device")?;
        let readers = readers.iter().map(|reader| reader.get().inner.clone()).collect();
        let mut options = AgentOptions::new(device, readers, documents(&policy)?, state);
        options.reader_set = match (reader_set, authority) {
            (Some(file), Some(authority)) => {
                Some(ReaderSetSource::new(file, authority.get().inner))
            }
            (None, None) => None,
            _ => {
                let text =
                    "reader_set and authority go together: who signs the set, and where it is";
                return Err(raise(Code::InvalidArgument, text));
            }
        };
        if last_wins {
            options.clash = Clash::LastWins;
        }
        options.scope = text(Scope::new(scope), "scope")?;
        if let Some(limit) = lock_timeout {
            options.lock_timeout = Duration::from_secs_f64(positive(limit)?);
        }
        if let Some(limit) = setter_timeout {
            options.setter_timeout = Duration::from_secs_f64(positive(limit)?);
        }
        options.acknowledge_log = acknowledge_log;
        let channel = channel_of(channel, &options)?;
        let store = account::open(store).map_err(|error| raise(error.code(), error))?;
        let mut log = log
            .map(|name| {
                EventLog::open(name).map_err(|error| {
                    raise(Code::Io, format!("cannot open the log {name}: {error}"))
                })
            })
            .transpose()?;
        let events = Box::new(move |event: &AgentEvent| {
            if let Some(log) = &mut log {
                // A log that fails never stops a rotation.
                let _kept = log.write(event);
            }
            if let Some(on_event) = &on_event {
                Python::attach(|py| {
                    let told = Py::new(py, Event { inner: event.clone() })
                        .and_then(|event| on_event.call1(py, (event,)));
                    if let Some(error) =
                        told.err().and_then(|error| ending::unless_it_leaves(py, error))
                    {
                        error.write_unraisable(py, None);
                    }
                });
            }
        });
        let agent = long(py, failed, || CoreAgent::open(options, store, channel, events))?;
        Ok(Self {
            inner: Mutex::new(Slot::Here(Box::new(agent))),
            free: Condvar::new(),
            stop: Arc::default(),
        })
    }

    /// One check-in, and what is due after it; with `force` a new password in any case. Gives
    /// `committed`, `not-committed`, `nothing-due`, `account-missing` or `unreachable`. Ends at
    /// its next step when a signal's handler raises, or after `stop`.
    #[pyo3(signature = (*, force = false))]
    fn run_once(&self, py: Python<'_>, force: bool) -> PyResult<&'static str> {
        self.stoppable(py, |agent, stop| agent.run_once_until(force, stop)).map(RunOutcome::name)
    }

    /// One check-in, without a rotation.
    fn check_in(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.stoppable(py, |agent, _| agent.check_in()).map(RunOutcome::name)
    }

    /// Runs until `stop` or `close`, or until a signal's handler raises, as Ctrl-C does: a check-in
    /// every `interval`, and whatever is due in between. In a thread it ends when another one calls
    /// `stop`, at its next step; a callable that blocks is waited for.
    #[pyo3(signature = (*, interval))]
    fn run(&self, py: Python<'_>, interval: &Bound<'_, PyDelta>) -> PyResult<()> {
        let interval = Duration::from_secs_f64(positive(interval)?);
        self.stoppable(py, |agent, stop| agent.run(stop, interval))
    }

    /// Asks what is running to end at its next step, for good: a signal's handler may call it.
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Gives the state folder free; what runs in another thread is stopped first. Within `on_event`
    /// or a callable that this agent calls, it is refused, as every call of this agent but `stop`
    /// is.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.stop();
        long(py, identity, || {
            if self.take()?.is_some() {
                self.put(Slot::Closed);
            }
            Ok(())
        })
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(
        &self,
        py: Python<'_>,
        exception: &Bound<'_, pyo3::types::PyTuple>,
    ) -> PyResult<()> {
        let _ = exception;
        self.close(py)
    }
}

impl Agent {
    /// Works with the agent until that is done, somebody stops it, or a signal's handler raises.
    fn stoppable<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut CoreAgent, &AtomicBool) -> Result<T, AgentError> + Send,
    ) -> PyResult<T> {
        let stop = Arc::clone(&self.stop);
        let stopped = move || stop.load(Ordering::Relaxed);
        long_until(py, identity, stopped, || {
            let mut taken = BorrowedAgent { of: self, agent: self.take()? };
            let agent = taken.agent.as_mut().ok_or_else(closed)?;
            work(agent, &self.stop).map_err(failed)
        })
    }

    /// Takes the agent out, once whoever works with it is done; none when it is closed.
    fn take(&self) -> PyResult<Option<Box<CoreAgent>>> {
        let me = thread::current().id();
        let mut slot = self.slot();
        loop {
            match *slot {
                Slot::Taken(who) if who == me => {
                    let text = "this agent is in the middle of a call of this thread; ask when \
                                that has ended";
                    return Err(raise(Code::UnexpectedEvent, text));
                }
                Slot::Taken(_) if stop::is_ended() => {
                    return Err(raise(Code::Busy, "another thread works with this agent"));
                }
                Slot::Taken(_) => {
                    let waited = self.free.wait_timeout(slot, LOOK_EVERY);
                    slot = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Slot::Closed => return Ok(None),
                Slot::Here(_) => match mem::replace(&mut *slot, Slot::Taken(me)) {
                    Slot::Here(agent) => return Ok(Some(agent)),
                    Slot::Taken(_) | Slot::Closed => {}
                },
            }
        }
    }

    fn put(&self, slot: Slot) {
        *self.slot() = slot;
        self.free.notify_all();
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An agent that is worked with; it goes back to its place, also after a panic.
struct BorrowedAgent<'a> {
    of: &'a Agent,
    agent: Option<Box<CoreAgent>>,
}

impl Drop for BorrowedAgent<'_> {
    fn drop(&mut self) {
        if let Some(agent) = self.agent.take() {
            self.of.put(Slot::Here(agent));
        }
    }
}

/// How often whoever waits for an agent looks whether it is to end.
const LOOK_EVERY: Duration = Duration::from_millis(20);

fn closed() -> PyErr {
    raise(Code::InvalidArgument, "the agent is closed")
}

fn failed(error: AgentError) -> PyErr {
    raise(error.code(), error)
}

fn positive(delay: &Bound<'_, PyDelta>) -> PyResult<f64> {
    let seconds: f64 = delay.call_method0("total_seconds")?.extract()?;
    if !(0.0..=1e9).contains(&seconds) {
        return Err(raise(Code::InvalidArgument, "a negative or endless time; give one from 0"));
    }
    Ok(seconds)
}

fn documents(policy: &[Bound<'_, PyAny>]) -> PyResult<PolicySource> {
    if let Ok(texts) =
        policy.iter().map(PyAnyMethods::extract).collect::<PyResult<Vec<(String, Vec<u8>)>>>()
    {
        return Ok(PolicySource::Texts(texts));
    }
    let files = policy.iter().map(PyAnyMethods::extract).collect::<PyResult<Vec<PathBuf>>>()?;
    Ok(PolicySource::Files(files))
}

fn channel_of(
    channel: &Bound<'_, PyAny>,
    options: &AgentOptions,
) -> PyResult<Box<dyn Channel + Send>> {
    if let Ok(vault) = channel.cast::<Vault>() {
        let vault = vault.get().inner.clone();
        return Ok(Box::new(VaultChannel::new(vault, options.scope, options.device)));
    }
    if let Ok(command) = channel.cast::<PyString>() {
        let command = command.to_cow()?;
        let words = command.strip_prefix("command:").ok_or_else(|| {
            raise(Code::InvalidArgument, "a channel is a Vault, command:CMD or a callable")
        })?;
        let channel = CommandChannel::new(words).map_err(|error| raise(error.code(), error))?;
        return Ok(Box::new(channel));
    }
    let callable = channel.clone().unbind();
    Ok(Box::new(move |check_in: &[u8]| {
        Python::attach(|py| {
            let answered = callable
                .call1(py, (PyBytes::new(py, check_in),))
                .and_then(|answer| answer.extract::<Vec<u8>>(py));
            answered.map_err(|error| {
                let code = error
                    .value(py)
                    .getattr("code")
                    .and_then(|code| code.extract::<u16>())
                    .ok()
                    .and_then(Code::from_u16)
                    .unwrap_or(Code::Unreachable);
                let text = error.value(py).to_string();
                let _told = ending::unless_it_leaves(py, error);
                ChannelError::new(code, text)
            })
        })
    }))
}
