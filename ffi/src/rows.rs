//! What a vault lists: rows of named fields. Only in the full build.
#![cfg(feature = "vault")]

use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use core::ffi::c_char;
use core::ptr;

use laps_core::error::Code;

use crate::failure::Failure;
use crate::pointer::{self, Poison, object};
use crate::status::value;

/// A page of rows: devices, records, readers, entries of the trail. Which fields a row has stands
/// with the call that hands it out. Immutable: threads may share it.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_rows {
    poison: Poison,
    rows: Vec<Row>,
    next: Option<CString>,
}
object!(laps_rows);

/// One row, as it is put together.
#[derive(Debug, Default)]
pub(crate) struct Row {
    texts: BTreeMap<u32, CString>,
    numbers: BTreeMap<u32, u64>,
    bytes: Vec<u8>,
}

impl Row {
    /// With a text; a NUL inside, which no name has, would end it.
    pub(crate) fn text(mut self, field: u32, text: impl ToString) -> Self {
        let text = text.to_string().replace('\0', "\u{fffd}");
        self.texts.insert(field, CString::new(text).unwrap_or_default());
        self
    }

    pub(crate) fn text_if(self, field: u32, text: Option<impl ToString>) -> Self {
        match text {
            Some(text) => self.text(field, text),
            None => self,
        }
    }

    pub(crate) fn number(mut self, field: u32, number: u64) -> Self {
        self.numbers.insert(field, number);
        self
    }

    pub(crate) fn number_if(self, field: u32, number: Option<u64>) -> Self {
        match number {
            Some(number) => self.number(field, number),
            None => self,
        }
    }

    pub(crate) fn bytes(mut self, bytes: Vec<u8>) -> Self {
        self.bytes = bytes;
        self
    }

    /// A device that the vault cannot read.
    pub(crate) fn damaged(device: impl ToString) -> Self {
        Self::default().text(LAPS_FIELD_DEVICE, device).number(LAPS_FIELD_DAMAGED, 1)
    }

    /// A record whose bytes are damaged.
    pub(crate) fn damaged_record(device: impl ToString, record: impl ToString) -> Self {
        Self::damaged(device).text(LAPS_FIELD_RECORD, record)
    }
}

impl laps_rows {
    pub(crate) fn boxed(rows: Vec<Row>, next: Option<String>) -> Box<Self> {
        let next = next.map(|next| CString::new(next).unwrap_or_default());
        Box::new(Self { poison: Poison::default(), rows, next })
    }

    fn at(&self, index: usize) -> Result<&Row, Failure> {
        self.rows.get(index).ok_or_else(|| {
            let count = self.rows.len();
            Failure::new(Code::InvalidArgument, &format_args!("index is {index} of {count}"))
        })
    }
}

/// Text: the device.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_DEVICE: u32 = 1;
/// Text: the managed account.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_ACCOUNT: u32 = 2;
/// Text: its SID; none where the device did not say.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_SID: u32 = 3;
/// Number: the version of a record; of a device's current one, or of its newest candidate.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_VERSION: u32 = 4;
/// Text: "settled", "pending", "uncertain", "failed", "unreadable", "retired" for a device;
/// "current", "pending", "ruled-out", "history" for a record.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_STATE: u32 = 5;
/// Number: 1 when an order to rotate is open.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_ORDERED: u32 = 6;
/// Number: when the vault received the record.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_UPDATED: u32 = 7;
/// Number: when the device will rotate, as it says, or when it is due.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_EXPIRES: u32 = 8;
/// Number: the last check-in, to the hour.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_LAST_SEEN: u32 = 9;
/// Text: how the last rotation ended.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_OUTCOME: u32 = 10;
/// Text: why.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_OUTCOME_REASON: u32 = 11;
/// Number: the event id of Windows LAPS, where it has this event.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_OUTCOME_ID: u32 = 12;
/// Number: when.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_OUTCOME_AT: u32 = 13;
/// Number: how many records the device may hold, as the vault sees it.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_CANDIDATES: u32 = 14;
/// Text: a record's id, 32 hexadecimal digits.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_RECORD: u32 = 15;
/// Number: when the record was displaced or ruled out.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_DISPLACED: u32 = 16;
/// Number: 1 when the device said that it was never applied.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_RULED_OUT: u32 = 17;
/// Number: 1 when a kept sealing of it names a reader that was removed.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_STALE_READERS: u32 = 18;
/// Text: the ids of those who can open it, 64 hexadecimal digits each, a space between them.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_READER_IDS: u32 = 19;
/// Text: a reader's line, as laps_reader_parse() takes it.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_READER: u32 = 20;
/// Text: its id, 64 hexadecimal digits.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_READER_ID: u32 = 21;
/// Number: when it was added.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_ADDED: u32 = 22;
/// Number: when it was removed.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_REMOVED: u32 = 23;
/// Number: an entry of the trail, from 1.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_NUMBER: u32 = 24;
/// Number: when.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_AT: u32 = 25;
/// Text: what.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_ACTION: u32 = 26;
/// Text: who.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_ACTOR: u32 = 27;
/// Text: why.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_REASON: u32 = 28;
/// Text: from where.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_CONTEXT: u32 = 29;
/// Text: the records it is about, ids as above, a space between them.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_RECORDS: u32 = 30;
/// Number: the entry that this one follows up.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_REFERS_TO: u32 = 31;
/// Text: what else there is to say.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_DETAIL: u32 = 32;
/// Text: its hash, 64 hexadecimal digits.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_HASH: u32 = 33;
/// Number: 1 when the vault cannot read this row; what else the row has is all that is known.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_DAMAGED: u32 = 34;
/// Text: why something was not done.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_WHY: u32 = 35;
/// Number: what happened, one of LAPS_OBSERVED_*.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_KIND: u32 = 36;
/// Number: how many: records that a check-in added or a disclosure gave out, devices that were
/// ordered to rotate, entries of the trail.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_COUNT: u32 = 37;
/// Number: 1 when a check-in changed anything but the time of the last one.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_CHANGED: u32 = 38;
/// Number: how many offered records a check-in did not take.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_REFUSED: u32 = 39;
/// Number: what became of a check-in's commit, one of LAPS_COMMIT_*; 0 when it had none.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_COMMIT: u32 = 40;
/// Number: the status with which something was refused.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_STATUS: u32 = 41;
/// Number: 1 when every entry of the trail is as it was written, and the expected head is in it.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_VERIFIED: u32 = 42;
/// Text: the head of the trail, as far as it holds.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_HEAD: u32 = 43;
/// Number: the first entry that is not as it was written, or is missing, from 1.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_FIRST_BAD: u32 = 44;
/// Number: the schema of a vault's file before it was migrated.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_SCHEMA_BEFORE: u32 = 45;
/// Number: its schema now.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_SCHEMA: u32 = 46;
/// Text: the path of the file from before, where it was kept.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_COPY: u32 = 47;
/// Text: what else there is to say about a device, a space between: "unreadable", "stale-readers",
/// "account-missing", "log-differs", "log-restored".
#[cfg(feature = "vault")]
pub const LAPS_FIELD_FINDINGS: u32 = 48;
/// Number: when the password is to be reset because the account was used, as the device says.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_RESET_AT: u32 = 49;
/// Number: until when the device waits with a rotation that is due, as it says.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_WAITS_UNTIL: u32 = 50;
/// Number: when the first open order is given to the device.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_ORDER_AT: u32 = 51;
/// Number: when somebody last proved that a record of the account can be opened.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_PROVEN_AT: u32 = 52;
/// Text: accounts that the device managed before, the latest first, a line break between.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_FORMER_ACCOUNTS: u32 = 53;
/// Number: 1 when the device has named the record among what the account may hold.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_CONFIRMED: u32 = 54;
/// Text: whether somebody opened the record: "no", "claimed", "proven".
#[cfg(feature = "vault")]
pub const LAPS_FIELD_OPENED: u32 = 55;
/// Number: when the password was made, by the device's clock, as the sealed header has it.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_MADE_AT: u32 = 56;
/// Text: whom the program authenticated.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_CALLER: u32 = 57;
/// Number: 1 when the entry's time is before that of the entry in front of it: a clock was set
/// back, or had been wrong.
#[cfg(feature = "vault")]
pub const LAPS_FIELD_EARLIER: u32 = 58;

/// How many rows there are; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rows_count(rows: *const laps_rows) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(rows) }?.rows.len()))
}

/// A text of a row: field is one of LAPS_FIELD_*, index counts from 0. Borrowed. NULL where the row
/// has no such text, and when there is no such row.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rows_text(
    rows: *const laps_rows,
    index: usize,
    field: u32,
) -> *const c_char {
    value(ptr::null(), || {
        // SAFETY: contract, Objects.
        let rows = unsafe { pointer::shared(rows) }?;
        Ok(rows.at(index)?.texts.get(&field).map_or(ptr::null(), |text| text.as_ptr()))
    })
}

/// A number of a row: field is one of LAPS_FIELD_*, index counts from 0. 0 where the row has no
/// such number, and when there is no such row. Times are as everywhere.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rows_number(rows: *const laps_rows, index: usize, field: u32) -> u64 {
    value(0, || {
        // SAFETY: contract, Objects.
        let rows = unsafe { pointer::shared(rows) }?;
        Ok(rows.at(index)?.numbers.get(&field).copied().unwrap_or(0))
    })
}

/// The bytes of a row, laps_rows_bytes_len() of them, borrowed; which rows have bytes stands with
/// the call that hands them out. NULL where the row has none, and when there is no such row.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rows_bytes(rows: *const laps_rows, index: usize) -> *const u8 {
    value(ptr::null(), || {
        // SAFETY: contract, Objects.
        let rows = unsafe { pointer::shared(rows) }?;
        let bytes = &rows.at(index)?.bytes;
        Ok(if bytes.is_empty() { ptr::null() } else { bytes.as_ptr() })
    })
}

/// How many bytes a row has; 0 when it has none, and when there is no such row.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rows_bytes_len(rows: *const laps_rows, index: usize) -> usize {
    value(0, || {
        // SAFETY: contract, Objects.
        Ok(unsafe { pointer::shared(rows) }?.at(index)?.bytes.len())
    })
}

/// What to pass as after for the next page. Borrowed. NULL at the end.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rows_next(rows: *const laps_rows) -> *const c_char {
    value(ptr::null(), || {
        // SAFETY: contract, Objects.
        let rows = unsafe { pointer::shared(rows) }?;
        Ok(rows.next.as_ref().map_or(ptr::null(), |next| next.as_ptr()))
    })
}

/// Frees rows.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rows_free(rows: *mut laps_rows) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(rows) };
        Ok(())
    });
}
