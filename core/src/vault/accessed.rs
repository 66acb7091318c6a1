//! What somebody had access to, by the audit log: disclosures, exports, back-ups, records that
//! were re-sealed.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use crate::identity::{RecordId, Scope, Timestamp};

use super::audit::{Action, Entry};
use super::plan::{Entries, Plan, Want};
use super::state::Device;
use super::store::Store;
use super::{Vault, VaultError, Who};

/// How many entries are read at once.
const PAGE: usize = 1_000;

/// How many times of entries are read at once.
const TIMES: usize = 100_000;

/// How much later than its entry a copy of everything may have been made, in seconds: the entry is
/// written first, and a clock may have been set.
const COPYING_SECONDS: u64 = 3_600;

/// What the entries of one actor say that was handed out to him, or imported by him.
#[derive(Debug, Default)]
pub(super) struct Accessed {
    /// Records that an entry names; in order.
    records: Vec<RecordId>,
    /// The devices of disclosures.
    devices: BTreeSet<String>,
    /// Whether there are records of devices that no entry names.
    of_any_device: bool,
    /// The last entry that names no record, and is about all that was stored by then.
    all_until: Option<Timestamp>,
    /// The last entry that was read: what was handed out behind it is not known.
    pub(super) last: u64,
}

impl Accessed {
    /// What the log says about somebody since a time, up to the entry that is the last one now.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn by<S: Store>(
        vault: &Vault<S>,
        scope: &Scope,
        who: Who<'_>,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Self, VaultError> {
        let disordered = Disordered::of(vault, scope, now)?;
        let mut accessed = Self { last: disordered.last, ..Self::default() };
        let mut after = 0;
        loop {
            let which = Entries::of(who, after, PAGE);
            let plan = Plan::of(scope).with(Want::Entries(which.clone()));
            let page = vault.look(plan, |rows| rows.take_entries(&which))?;
            let Some(last) = page.last() else { break };
            after = last.number;
            for stored in page {
                if stored.number > accessed.last {
                    continue;
                }
                let in_time = |entry: &Entry| entry.at >= since || disordered.has(stored.number);
                if let Ok(entry) = stored.entry
                    && in_time(&entry)
                {
                    accessed.note(entry);
                }
            }
            accessed.tidy();
        }
        Ok(accessed)
    }

    fn note(&mut self, entry: Entry) {
        if entry.action == Action::Disclosed {
            self.devices.insert(entry.device);
        } else if matches!(
            entry.action,
            Action::Exported | Action::ExportedForResealing | Action::Resealed
        ) {
            // A back-up names no record, nor did earlier versions name those of an export or of a
            // page to be re-sealed.
            let nothing = entry.detail.starts_with("0 ");
            if entry.records.is_empty() && !nothing {
                self.all_until = self.all_until.max(Some(entry.at));
            }
            self.of_any_device |= !nothing;
        } else {
            return;
        }
        self.records.extend(entry.records);
    }

    fn tidy(&mut self) {
        self.records.sort_unstable();
        self.records.dedup();
    }

    /// The only devices that it can be about; none when it can be about any.
    pub(super) fn devices(&self) -> Option<Vec<&str>> {
        (!self.of_any_device).then(|| self.devices.iter().map(String::as_str).collect())
    }

    /// Whether one of the passwords that a device may have now was among it. When in doubt, yes.
    pub(super) fn has_one_of(&self, device: &Device, now: Timestamp) -> bool {
        device.managed.candidates.iter().any(|held| {
            let by_time = self.all_until.is_some_and(|until| {
                // A time that is still to come is from another clock, and says nothing.
                held.stored_at <= until.plus(COPYING_SECONDS) || held.stored_at > now
            });
            by_time || self.records.binary_search(&held.id).is_ok()
        })
    }
}

/// Entries whose times say nothing: they are earlier than one before them, because a clock was set
/// back, or had been wrong.
#[derive(Debug, Default)]
pub(super) struct Disordered {
    /// From the first entry that is earlier to the last, by their numbers.
    ranges: Vec<(u64, u64)>,
    latest: Timestamp,
    /// The last entry of the log when this began.
    last: u64,
}

impl Disordered {
    fn of<S: Store>(vault: &Vault<S>, scope: &Scope, now: Timestamp) -> Result<Self, VaultError> {
        let mut found = Self { last: u64::MAX, ..Self::default() };
        let mut from = 1;
        loop {
            let plan = Plan::of(scope).with(Want::Times(from, TIMES));
            let (page, head) =
                vault.look(plan, |rows| Ok((rows.times(from, TIMES)?.to_vec(), rows.head()?)))?;
            found.last = found.last.min(head.length);
            let end = found.last;
            let known = page.iter().filter(|(number, _)| *number <= end);
            known.for_each(|(number, at)| found.add(*number, *at, now));
            match page.last() {
                Some((last, _)) if page.len() >= TIMES => from = last.saturating_add(1),
                _ => return Ok(found),
            }
        }
    }

    /// The next entry. One that is ahead of the clock tells nothing about those behind it.
    fn add(&mut self, number: u64, at: Timestamp, now: Timestamp) {
        if at < self.latest {
            match self.ranges.last_mut() {
                Some((_, last)) if last.saturating_add(1) == number => *last = number,
                _ => self.ranges.push((number, number)),
            }
        } else if at <= now {
            self.latest = at;
        }
    }

    fn has(&self, number: u64) -> bool {
        let behind = self.ranges.partition_point(|(first, _)| *first <= number);
        let range = behind.checked_sub(1).and_then(|at| self.ranges.get(at));
        range.is_some_and(|(_, last)| number <= *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::AccountName;
    use crate::vault::state::Held;

    const AT: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_100_000);

    fn device(id: u8, stored_at: Timestamp) -> Device {
        let mut held = Held::new(RecordId::from_bytes([id; 16]), 1);
        held.stored_at = stored_at;
        let mut device = Device::first_seen(AccountName::new("Admin").unwrap(), None, AT);
        device.managed.candidates.pending.push(held);
        device
    }

    fn accessed(action: Action, detail: &str, records: &[u8]) -> Accessed {
        let mut entry = Entry::new(action, AT);
        entry.detail = detail.into();
        entry.records = records.iter().map(|id| RecordId::from_bytes([*id; 16])).collect();
        let mut accessed = Accessed::default();
        accessed.note(entry);
        accessed.tidy();
        accessed
    }

    /// Earlier versions named no record of an export, or of a page that was exported for
    /// re-sealing.
    #[test]
    fn an_entry_that_names_no_record_is_about_all_that_was_stored() {
        for (action, detail) in [
            (Action::Exported, "12 devices, from \"pc-1\""),
            (Action::Exported, "backed up to 0 records.vault"),
            (Action::ExportedForResealing, "3 records of 200 devices"),
        ] {
            let accessed = accessed(action, detail, &[]);
            assert_eq!(accessed.devices(), None);
            let had = |at| accessed.has_one_of(&device(7, at), NOW);
            assert!(had(AT) && had(AT.plus(COPYING_SECONDS)), "{detail}");
            assert!(!had(AT.plus(COPYING_SECONDS + 1)) && !had(NOW), "{detail}");
            assert!(had(NOW.plus(1)), "a time from another clock is no proof that it was later");
        }
        for (action, detail) in [
            (Action::Exported, "0 devices, from \"\""),
            (Action::Exported, "0 records of 3 devices, from \"pc-1\""),
            (Action::Resealed, "0 records"),
            (Action::Imported, "3 devices"),
        ] {
            let accessed = accessed(action, detail, &[]);
            assert_eq!(accessed.devices(), Some(Vec::new()), "{detail}");
            assert!(!accessed.has_one_of(&device(7, AT), NOW), "{detail}");
        }
    }

    #[test]
    fn an_entry_that_names_records_is_about_no_others() {
        for action in [Action::Exported, Action::ExportedForResealing, Action::Resealed] {
            let accessed = accessed(action, "3 records", &[9, 7, 8]);
            assert_eq!(accessed.devices(), None);
            assert!([7, 8, 9].iter().all(|id| accessed.has_one_of(&device(*id, NOW), NOW)));
            assert!(!accessed.has_one_of(&device(6, AT), NOW));
        }
    }
}
