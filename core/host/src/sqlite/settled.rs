//! What the row of a device has while a rotation is in flight (`in_flight.rs`).

use laps_core::vault::state::{Account, Device, Past};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::value::due;

/// What the row of a device has that `in_flight` has not, as it was read in this transaction.
pub(super) struct Settled {
    pub(super) history: Vec<Past>,
    pub(super) former: Vec<Account>,
    pub(super) due: Option<i64>,
    /// Whether `in_flight` has a row.
    pub(super) apart: bool,
}

impl Settled {
    /// `device` as it was read; `column` is that of `in_flight.recent`.
    pub(super) fn read(device: &Device, row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let history = device.managed.candidates.history.clone();
        let former = device.former.clone();
        // A due date that is not that of the row is written to the row, so this is the row's.
        let apart = !matches!(row.get_ref(column)?, ValueRef::Null);
        Ok(Self { history, former, due: due(device), apart })
    }
}

/// The state of a device from `device.state` and `in_flight.state`; none when one of them is
/// damaged, or not even bytes.
pub(super) fn state(
    row: &Row<'_>,
    settled: usize,
    in_flight: usize,
) -> rusqlite::Result<Option<Box<Device>>> {
    let read = |bytes| Device::from_bytes(bytes).map(Box::new);
    let settled = row.get_ref(settled)?.as_blob().ok().and_then(read);
    let Ok(in_flight) = row.get_ref(in_flight)?.as_blob_or_null() else { return Ok(None) };
    let Some(in_flight) = in_flight else { return Ok(settled) };
    Ok(settled.zip(read(in_flight)).map(|(settled, mut device)| {
        device.take_settled(*settled);
        device
    }))
}
