//! What an agent calls: the way to the vault, and who is told of events.

use core::ffi::c_void;
use core::ptr;

use laps_core::error::Code;
use laps_host::agent::channel::{Channel, ChannelError};
use laps_host::agent::event::AgentEvent;

use crate::bytes::laps_bytes;
use crate::event::laps_event;
use crate::pointer;
use crate::status::{OK, laps_status};

/// Brings a check-in to the vault and its answer back; it authenticates the device. With
/// LAPS_STATUS_OK it has put the answer into out_answer, as laps_bytes_new() makes it, and the
/// library frees it. Any other status means that the answer is not known; LAPS_STATUS_UNREACHABLE
/// is the usual one. See the contract, Callbacks.
pub type laps_channel = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        check_in: *const u8,
        check_in_len: usize,
        out_answer: *mut *mut laps_bytes,
    ) -> laps_status,
>;

/// Is told what happened on the device. The event is lent for the call. See the contract,
/// Callbacks.
pub type laps_on_event = Option<unsafe extern "C" fn(user: *mut c_void, event: *const laps_event)>;

/// What belongs to a function of C.
#[derive(Clone, Copy, Debug)]
pub(super) struct User(pub(super) *mut c_void);

// SAFETY: contract, Callbacks: what user points at can be used by every thread that makes a call of
// the agent; two never do so at once.
unsafe impl Send for User {}

/// A channel that is a function of C.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) call:
        unsafe extern "C" fn(*mut c_void, *const u8, usize, *mut *mut laps_bytes) -> laps_status,
    pub(super) user: User,
}

impl Channel for Way {
    fn exchange(&mut self, check_in: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let mut answer: *mut laps_bytes = ptr::null_mut();
        // SAFETY: contract, Callbacks: it can be called until the agent is freed, and returns.
        let status =
            unsafe { (self.call)(self.user.0, check_in.as_ptr(), check_in.len(), &raw mut answer) };
        if status != OK {
            let code = u16::try_from(status).ok().and_then(Code::from_u16);
            let text = format!("the channel answered the status {status}");
            return Err(ChannelError::new(code.unwrap_or(Code::Unreachable), text));
        }
        // SAFETY: contract, Callbacks: with success it is a result of this library that is ours
        // now, or still NULL.
        let answer = unsafe { pointer::regain(answer) };
        let answer = answer.map_err(|_| {
            let text = "the channel answered LAPS_STATUS_OK without an answer";
            ChannelError::new(Code::InvalidArgument, text)
        })?;
        Ok(answer.as_slice().to_vec())
    }
}

/// Who is told of events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) call: unsafe extern "C" fn(*mut c_void, *const laps_event),
    pub(super) user: User,
}

impl Told {
    pub(super) fn tell(&self, event: &AgentEvent) {
        let event = laps_event::told(event);
        // SAFETY: contract, Callbacks: it can be called until the agent is freed, and returns; the
        // event lives for the call.
        unsafe { (self.call)(self.user.0, &raw const event) };
    }
}
