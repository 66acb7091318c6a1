//! Entries that a device causes by what it sends: one for one cause, and few of one kind. Whoever
//! has the identity of a device can send what it likes; it must not fill the log, or bury in it
//! what somebody else did.

use alloc::vec::Vec;

use super::audit::Entry;
use super::plan::Entries;
use super::unit::{Rows, Stop};

/// Among how many of the latest entries the same cause is looked for.
const LATEST: usize = 64;
/// How long an entry speaks for its cause.
const DAY: u64 = 86_400;
/// Of one kind a device appends no more among the latest entries of a day, whatever the causes are.
const MOST: usize = 4;

/// Whether the log has no entry yet for what this one is about, and room for another of its kind.
/// Every entry is new again after a day, or when many others have come: so one device appends at
/// most four of a kind for sixty-four of others, and four a day when there are none.
pub(super) fn is_new(rows: &Rows, entry: &Entry) -> Result<bool, Stop> {
    let fresh: Vec<&Entry> = rows.fresh_entries().collect();
    let behind = LATEST.saturating_sub(fresh.len());
    let number = rows.head()?.length.saturating_sub(behind as u64).saturating_add(1);
    let stored = rows.entries(&Entries::From { number, limit: LATEST })?;
    let latest = stored.iter().filter_map(|stored| stored.entry.as_ref().ok()).chain(fresh);
    let alike = latest.filter(|noted| {
        noted.action == entry.action
            && noted.device == entry.device
            && entry.at.seconds_since(noted.at) < DAY
    });
    let same = |noted: &Entry| noted.detail == entry.detail && noted.records == entry.records;
    Ok(alike.clone().count() < MOST && !alike.into_iter().any(same))
}

/// Appends it if it is new.
pub(super) fn note(rows: &mut Rows, entry: Entry) -> Result<(), Stop> {
    if is_new(rows, &entry)? {
        rows.append(entry);
    }
    Ok(())
}
