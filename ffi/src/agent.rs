//! The agent: all that a device does to rotate a password, in one object.

pub mod account_store;
pub mod channel;
pub mod options;
pub mod store;

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::ffi::c_char;
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use laps_core::error::Code;
use laps_host::agent::{Agent, AgentError, RunOutcome, state};
use laps_host::stop;

use self::options::laps_agent_options;
use crate::bytes::laps_bytes;
use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::status::{answer, laps_status, value};

/// A rotation was due, and the vault has taken its commit.
pub const LAPS_OUTCOME_COMMITTED: u32 = 1;
/// Nothing was due.
pub const LAPS_OUTCOME_NOTHING_DUE: u32 = 2;
/// A rotation is due and not committed: it failed, it waits, or the agent was stopped; the events
/// say why. It goes on at the next run.
pub const LAPS_OUTCOME_NOT_COMMITTED: u32 = 3;
/// The account does not exist. The vault knows, and no password is made until it does.
pub const LAPS_OUTCOME_ACCOUNT_MISSING: u32 = 4;
/// The vault was not reached or is locked.
pub const LAPS_OUTCOME_UNREACHABLE: u32 = 5;

/// The agent of a device. It holds its state folder locked, rotates the password of one account,
/// and loses none when it is killed. Threads may share it: laps_agent_stop() is answered at once,
/// every other call waits until the one before it is over. In a function that the agent calls, only
/// laps_agent_stop() works on it; every other call there is LAPS_STATUS_UNEXPECTED_EVENT. It works
/// in the process that opened it alone, elsewhere it answers LAPS_STATUS_INVALID_ARGUMENT.
#[derive(Debug)]
pub struct laps_agent {
    poison: Poison,
    /// The process that opened it: the lock of the state folder is its.
    process: u32,
    slot: Mutex<Slot>,
    /// Who waits for the agent may look again.
    free: Condvar,
    stop: Arc<AtomicBool>,
}
object!(laps_agent);

/// Where the agent is.
#[derive(Debug)]
enum Slot {
    Here(Box<Agent>),
    /// This thread ([`here`]) works with it.
    Taken(usize),
}

// Threads share an agent, which C says by a pointer that Rust does not look through.
const _: () = {
    const fn shared<T: Sync>() {}
    shared::<laps_agent>();
};

impl laps_agent {
    /// Works with the agent, which ends early once it is stopped.
    fn work<T>(
        &self,
        work: impl FnOnce(&mut Agent, &AtomicBool) -> Result<T, AgentError>,
    ) -> Result<T, Failure> {
        if process::id() != self.process {
            let message = "another process opened this agent; open one in each";
            return Err(Failure::new(Code::InvalidArgument, &message));
        }
        let mut taken = Taken { of: self, agent: Some(self.take()?) };
        let agent = taken.agent.as_mut().ok_or_else(|| Failure::from(Code::Internal))?;
        let stopped = Arc::clone(&self.stop);
        let ended = Rc::new(move || stopped.load(Ordering::Relaxed));
        Ok(stop::until(ended, || work(agent, &self.stop))?)
    }

    /// Takes the agent out, once whoever works with it is done.
    fn take(&self) -> Result<Box<Agent>, Failure> {
        let me = here();
        let mut slot = self.slot();
        loop {
            match mem::replace(&mut *slot, Slot::Taken(me)) {
                Slot::Here(agent) => return Ok(agent),
                Slot::Taken(who) => {
                    *slot = Slot::Taken(who);
                    if who == me {
                        let message = "this agent makes this very call; only laps_agent_stop() \
                                       works in it";
                        return Err(Failure::new(Code::UnexpectedEvent, &message));
                    }
                    slot = self.free.wait(slot).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An agent that is worked with; it goes back to its place, also after a panic.
struct Taken<'a> {
    of: &'a laps_agent,
    agent: Option<Box<Agent>>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(agent) = self.agent.take() {
            *self.of.slot() = Slot::Here(agent);
            self.of.free.notify_one();
        }
    }
}

/// Opens an agent on its state folder, which is made when it is not there. LAPS_STATUS_BUSY when
/// another agent has the folder for as long as the options let it wait. The options are copied and
/// may be freed; what they said is to be called lives until laps_agent_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_open(
    options: *const laps_agent_options,
    out_agent: *mut *mut laps_agent,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (options, out) =
            unsafe { (pointer::shared(options)?, Out::new(out_agent, "out_agent")?) };
        let agent = options.open()?;
        out.give(Box::new(laps_agent {
            poison: Poison::default(),
            process: process::id(),
            slot: Mutex::new(Slot::Here(Box::new(agent))),
            free: Condvar::new(),
            stop: Arc::default(),
        }));
        Ok(())
    })
}

/// One check-in, and what is due after it; with force a new password in any case. The outcome is
/// one of LAPS_OUTCOME_*. Ends at its next step when another thread stops the agent.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_run_once(
    agent: *const laps_agent,
    force: bool,
    out_outcome: *mut u32,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (agent, out) =
            unsafe { (pointer::shared(agent)?, Out::new(out_outcome, "out_outcome")?) };
        let ended = agent.work(|agent, stop| agent.run_once_until(force, stop))?;
        out.set(outcome(ended)?);
        Ok(())
    })
}

/// One check-in, without a rotation. The outcome is one of LAPS_OUTCOME_*.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_check_in(
    agent: *const laps_agent,
    out_outcome: *mut u32,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (agent, out) =
            unsafe { (pointer::shared(agent)?, Out::new(out_outcome, "out_outcome")?) };
        let ended = agent.work(|agent, _| agent.check_in())?;
        out.set(outcome(ended)?);
        Ok(())
    })
}

/// Runs until the agent is stopped: a check-in every so many seconds (a minute to a day), and
/// whatever is due in between. Files of policies and reader sets are read again every minute. What
/// goes wrong is an event, and tried again.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_run(
    agent: *const laps_agent,
    interval_seconds: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects.
        let agent = unsafe { pointer::shared(agent) }?;
        let interval = Duration::from_secs(interval_seconds);
        agent.work(|agent, stop| agent.run(stop, interval))
    })
}

/// Asks the agent to end what it does at its next step, for good: every later run ends at once. Any
/// thread, a handler of a signal and a function that the agent calls may ask, also for NULL. A
/// function that blocks is waited for, and a password that is being set is set to the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_stop(agent: *const laps_agent) {
    value((), || {
        if !agent.is_null() {
            // SAFETY: contract, Objects.
            unsafe { pointer::shared(agent) }?.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    });
}

/// What a state folder says about its device, as one JSON object: the last thing that was made
/// durable. Nothing is locked or changed, so it works beside a running agent.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_status(
    folder: *const c_char,
    folder_len: usize,
    out_json: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (folder, out) = unsafe {
            (pointer::text(folder, folder_len, "folder")?, Out::new(out_json, "out_json")?)
        };
        let status = state::status(folder.as_ref())?;
        out.give(laps_bytes::boxed(status.to_json().into_bytes()));
        Ok(())
    })
}

/// Frees an agent and gives its state folder free. Stop it first where another thread runs it, and
/// wait for that thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_free(agent: *mut laps_agent) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(agent) };
        Ok(())
    });
}

/// What tells running threads apart: where a value of each stands. Rust's own handle of a thread
/// would allocate, and be freed when the thread ends, for threads that C made.
fn here() -> usize {
    thread_local! { static HERE: u8 = const { 0 } }
    HERE.with(|here| ptr::from_ref(here).addr())
}

fn outcome(ended: RunOutcome) -> Result<u32, Failure> {
    let known = OUTCOMES.iter().find(|(outcome, _)| *outcome == ended);
    known.map(|(_, number)| *number).ok_or_else(|| Failure::from(Code::Internal))
}

const OUTCOMES: [(RunOutcome, u32); 5] = [
    (RunOutcome::Committed, LAPS_OUTCOME_COMMITTED),
    (RunOutcome::NothingDue, LAPS_OUTCOME_NOTHING_DUE),
    (RunOutcome::NotCommitted, LAPS_OUTCOME_NOT_COMMITTED),
    (RunOutcome::AccountMissing, LAPS_OUTCOME_ACCOUNT_MISSING),
    (RunOutcome::Unreachable, LAPS_OUTCOME_UNREACHABLE),
];
