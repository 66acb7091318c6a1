//! What a step of a rotation reports.

use alloc::ffi::CString;
use core::ffi::c_char;
use core::ptr;

use laps_core::identity::RecordId;
use laps_core::rotation::event::{Event, Level};
use laps_host::agent::event::AgentEvent;

use crate::evaluation::{LAPS_LEVEL_ERROR, LAPS_LEVEL_INFORMATION, LAPS_LEVEL_WARNING};
use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::status::{answer, laps_status, value};

/// One event of a rotation or of an agent, for the device's log. It holds no secret.
#[derive(Debug)]
pub struct laps_event {
    poison: Poison,
    name: CString,
    reason: CString,
    /// Empty for the event of a rotation, which does not know its device.
    json: CString,
    id: u32,
    level: Level,
    at: u64,
    version: u64,
    detail: u64,
    record: Option<RecordId>,
}
object!(laps_event);

fn c_text(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

impl laps_event {
    pub(crate) fn boxed(event: Event) -> Box<Self> {
        Box::new(Self {
            poison: Poison::default(),
            name: c_text(event.kind.name()),
            reason: c_text(event.reason.name()),
            json: CString::default(),
            id: event.id.unwrap_or(0),
            level: event.kind.level(),
            at: event.at.as_unix_seconds(),
            version: event.version,
            detail: event.detail,
            record: event.record,
        })
    }

    /// What an agent tells.
    pub(crate) fn told(event: &AgentEvent) -> Self {
        Self {
            poison: Poison::default(),
            name: c_text(event.name),
            reason: c_text(event.reason),
            json: c_text(&event.to_json()),
            id: event.id.unwrap_or(0),
            level: event.level,
            at: event.time.as_unix_seconds(),
            version: event.version,
            detail: 0,
            record: None,
        }
    }
}

fn read<T>(event: *const laps_event, nothing: T, read: impl FnOnce(&laps_event) -> T) -> T {
    // SAFETY: contract, Objects.
    value(nothing, || Ok(read(&*unsafe { pointer::shared(event) }?)))
}

/// What happened, such as "committed". Borrowed. NULL for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_name(event: *const laps_event) -> *const c_char {
    read(event, ptr::null(), |event| event.name.as_ptr())
}

/// Why, such as "order"; "none" for nothing in particular. Borrowed. NULL for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_reason(event: *const laps_event) -> *const c_char {
    read(event, ptr::null(), |event| event.reason.as_ptr())
}

/// The event of an agent as one JSON object, with device, account and a sentence for people; empty
/// for the event of a rotation. Borrowed. NULL for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_json(event: *const laps_event) -> *const c_char {
    read(event, ptr::null(), |event| event.json.as_ptr())
}

/// The event id of Windows LAPS; 0 where it has no such event.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_id(event: *const laps_event) -> u32 {
    read(event, 0, |event| event.id)
}

/// How loud it is: one of LAPS_LEVEL_*; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_level(event: *const laps_event) -> u32 {
    read(event, 0, |event| match event.level {
        Level::Information => LAPS_LEVEL_INFORMATION,
        Level::Warning => LAPS_LEVEL_WARNING,
        Level::Error => LAPS_LEVEL_ERROR,
    })
}

/// When it happened; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_at(event: *const laps_event) -> u64 {
    read(event, 0, |event| event.at)
}

/// The version of the record that it is about; 0 for none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_version(event: *const laps_event) -> u64 {
    read(event, 0, |event| event.version)
}

/// A number that belongs to the event of a rotation: tries, a deadline, candidates; otherwise 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_detail(event: *const laps_event) -> u64 {
    read(event, 0, |event| event.detail)
}

/// The id of the record that it is about: 16 bytes. LAPS_STATUS_NOT_FOUND when it is about none, or
/// comes from an agent.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_record(
    event: *const laps_event,
    out_id: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (event, out) =
            unsafe { (pointer::shared(event)?, Out::new(out_id.cast::<[u8; 16]>(), "out_id")?) };
        let none =
            || Failure::new(laps_core::error::Code::NotFound, &"the event is about no record");
        out.set(*event.record.ok_or_else(none)?.as_bytes());
        Ok(())
    })
}

/// Frees an event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_event_free(event: *mut laps_event) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(event) };
        Ok(())
    });
}
