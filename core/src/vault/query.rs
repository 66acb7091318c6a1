//! Looking at the vault without opening anything. A type of its own, so that a program can be given
//! this and nothing else.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::identity::{Scope, Timestamp};
use crate::seal::Record;

use super::disclosure::{intact, wanted};
use super::names::locate;
use super::plan::{DeviceRange, Plan};
use super::readers::Readers;
use super::rows::{DeviceRow, DueRow, Findings, FormerAccount, Page, RecordRow, Stats};
use super::state::{Account, Device, Held, RuledOut, is_unproven};
use super::status::DeviceStatus;
use super::store::{DeviceKey, Store, StoredDevice};
use super::unit::{Rows, Stop};
use super::{Vault, VaultError};

const PAGE: usize = 1_000;

/// The most rows of one page.
pub const MAX_PAGE: usize = 10_000;

/// Access to everything but sealed bytes: names, versions, times, states.
#[derive(Clone, Debug)]
pub struct Metadata<S> {
    vault: Vault<S>,
}

impl<S: Store> Vault<S> {
    /// The vault without the power to hand anything out or to change anything.
    #[must_use]
    pub fn metadata(&self) -> Metadata<S> {
        Metadata { vault: self.clone() }
    }

    /// Devices by name, those behind `after`; at most [`MAX_PAGE`] of them. Damaged ones are named
    /// apart.
    ///
    /// # Errors
    /// What the store says.
    pub fn list(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DeviceRow>, VaultError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let range = DeviceRange::by_name(after, limit);
        self.look(Plan::page(scope, &range), |rows| {
            let readers = rows.readers()?;
            page(rows, &range, |last| Some(last.name.to_string()), |stored| row(stored, readers))
        })
    }

    /// One device.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, and what the store says.
    pub fn show(&self, scope: &Scope, device: &str) -> Result<DeviceRow, VaultError> {
        self.look(Plan::named(scope, device), |rows| {
            let (name, _) = locate(rows, device)?;
            Ok(row(rows.stored(&name)?, rows.readers()?)?)
        })
    }

    /// The records of a device without their content, in the order of a disclosure: those of the
    /// managed account with its history, then those of the accounts that were managed before.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, and what the store says.
    pub fn history(&self, scope: &Scope, device: &str) -> Result<Vec<RecordRow>, VaultError> {
        self.look(Plan::named(scope, device), |read| {
            let readers = read.readers()?;
            let (name, device) = locate(read, device)?;
            let held = device.accounts().flat_map(|account| account.candidates.all());
            read.need_sealed(held.map(|held| (&name, held.id, held.newest().digest)))?;
            let mut rows = Vec::new();
            for account in device.accounts() {
                for (held, state) in wanted(account, true) {
                    let sealed = intact(read, &name, held, held.newest())?;
                    let record = sealed.and_then(|sealed| Record::parse(&sealed).ok());
                    let header = record.as_ref().map(Record::header);
                    let past =
                        account.candidates.history.iter().find(|past| past.held.id == held.id);
                    rows.push(RecordRow {
                        record: held.id,
                        version: held.version,
                        state,
                        updated: held.stored_at,
                        displaced: past.map(|past| past.displaced_at),
                        ruled_out: past.is_some_and(|past| past.ruled_out != RuledOut::No),
                        stale_readers: held.names_removed(readers),
                        unreadable: !held.is_openable(readers),
                        confirmed: held.confirmed,
                        opened: held.opened,
                        account: header.map(|header| header.account),
                        made_at: header.map(|header| header.made_at),
                        readers: readers.ids(&held.newest().readers).to_vec(),
                    });
                }
            }
            Ok(rows)
        })
    }

    /// Devices by due date, those due no later than `until`; `after` is the `next` of the page
    /// before. Costs grow with the answer, not with the vault.
    ///
    /// # Errors
    /// `InvalidArgument` for an `after` that is not ours, and what the store says.
    pub fn due(
        &self,
        scope: &Scope,
        until: Timestamp,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DueRow>, VaultError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let after = after.map(cursor).transpose()?;
        let range = DeviceRange::ByDue { until, after, limit };
        let place = |last: &StoredDevice| {
            let (due, key) = last.due_place()?;
            Some(format!("{}.{}", due.as_unix_seconds(), key.number()))
        };
        self.look(Plan::page(scope, &range), |rows| page(rows, &range, place, due_row))
    }

    /// Figures about a scope. Costs grow with the scope.
    ///
    /// # Errors
    /// What the store says.
    pub fn stats(&self, scope: &Scope, now: Timestamp) -> Result<Stats, VaultError> {
        let mut stats = Stats { entries: self.audit_head(scope)?.length, ..Stats::default() };
        self.each_page(scope, PAGE, |page, readers| {
            page.iter().for_each(|stored| stats.count(stored, readers, now));
        })?;
        Ok(stats)
    }
}

impl<S: Store> Metadata<S> {
    /// See [`Vault::list`].
    ///
    /// # Errors
    /// As there.
    pub fn list(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DeviceRow>, VaultError> {
        self.vault.list(scope, after, limit)
    }

    /// See [`Vault::show`].
    ///
    /// # Errors
    /// As there.
    pub fn show(&self, scope: &Scope, device: &str) -> Result<DeviceRow, VaultError> {
        self.vault.show(scope, device)
    }

    /// See [`Vault::history`].
    ///
    /// # Errors
    /// As there.
    pub fn history(&self, scope: &Scope, device: &str) -> Result<Vec<RecordRow>, VaultError> {
        self.vault.history(scope, device)
    }

    /// See [`Vault::due`].
    ///
    /// # Errors
    /// As there.
    pub fn due(
        &self,
        scope: &Scope,
        until: Timestamp,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DueRow>, VaultError> {
        self.vault.due(scope, until, after, limit)
    }

    /// See [`Vault::stats`].
    ///
    /// # Errors
    /// As there.
    pub fn stats(&self, scope: &Scope, now: Timestamp) -> Result<Stats, VaultError> {
        self.vault.stats(scope, now)
    }
}

impl Stats {
    fn count(&mut self, stored: &StoredDevice, readers: &Readers, now: Timestamp) {
        let add = |place: &mut u64, n: usize| {
            *place = place.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        };
        add(&mut self.devices, 1);
        let Ok(device) = &stored.device else {
            add(&mut self.damaged, 1);
            return;
        };
        let place = match device.status(readers) {
            DeviceStatus::Settled => &mut self.settled,
            DeviceStatus::Pending => &mut self.pending,
            DeviceStatus::Uncertain => &mut self.uncertain,
            DeviceStatus::Unreadable => &mut self.unreadable,
            DeviceStatus::Failed => &mut self.failed,
            DeviceStatus::Retired => &mut self.retired,
        };
        add(place, 1);
        add(&mut self.ordered, usize::from(device.is_ordered()));
        add(&mut self.overdue, usize::from(device.due().is_some_and(|due| due <= now)));
        for account in device.accounts() {
            add(&mut self.candidates, account.candidates.len());
            add(&mut self.history, account.candidates.history.len());
        }
        if device.about.retired.is_none() {
            let managed = &device.managed;
            let mut found = findings(device, readers);
            found.unproven = !managed.candidates.is_empty()
                && is_unproven(managed.proven_at, managed.since, now);
            let counts = &mut self.findings;
            for (holds, count) in [
                (found.unreadable, &mut counts.unreadable),
                (found.stale_readers, &mut counts.stale_readers),
                (found.account_missing, &mut counts.account_missing),
                (found.log_differs, &mut counts.log_differs),
                (found.log_restored, &mut counts.log_restored),
                (found.unproven, &mut counts.unproven),
            ] {
                add(count, usize::from(holds));
            }
        }
    }
}

/// The rows of a page; one device that is damaged does not hide the others.
fn page<T>(
    rows: &Rows,
    range: &DeviceRange,
    place: impl Fn(&StoredDevice) -> Option<String>,
    row: impl Fn(&StoredDevice) -> Result<T, VaultError>,
) -> Result<Page<T>, Stop> {
    let found = rows.page(range)?;
    let last = found.last().filter(|_| found.len() >= range.limit());
    let next = last.and_then(place);
    let mut page = Page { items: Vec::with_capacity(found.len()), next, damaged: Vec::new() };
    for stored in found {
        match row(stored) {
            Ok(row) => page.items.push(row),
            Err(VaultError::Damaged { .. }) => page.damaged.push(stored.name),
            Err(error) => return Err(Stop::Refused(error)),
        }
    }
    Ok(page)
}

fn cursor(after: &str) -> Result<(Timestamp, DeviceKey), VaultError> {
    let parts = after.split_once('.').and_then(|(due, key)| {
        Some((Timestamp::from_unix_seconds(due.parse().ok()?), DeviceKey::new(key.parse().ok()?)))
    });
    parts.ok_or(VaultError::InvalidArgument("`after` is not the `next` of an earlier page"))
}

/// What is to be said about a device, as far as it needs no clock.
fn findings(device: &Device, readers: &Readers) -> Findings {
    let unknown = device.about.unknown_head;
    let restored = unknown.is_some_and(|head| readers.restored_before(head.length).is_some());
    Findings {
        unreadable: device.managed.is_unreadable(readers),
        stale_readers: !device.managed.removed_readers(readers).is_empty(),
        account_missing: device.managed.report.missing,
        log_differs: unknown.is_some() && !restored,
        log_restored: restored,
        unproven: false,
    }
}

fn newest(account: &Account) -> Option<&Held> {
    account.candidates.current.as_ref().or_else(|| account.candidates.pending.last())
}

fn row(stored: &StoredDevice, readers: &Readers) -> Result<DeviceRow, VaultError> {
    let state = stored.device.as_ref().map_err(Clone::clone)?;
    let (managed, report) = (&state.managed, &state.managed.report);
    let newest_record = newest(managed);
    let former = |account: &Account| FormerAccount {
        account: account.name,
        sid: account.sid,
        version: newest(account).map(|held| held.version),
        candidates: account.candidates.len(),
        ordered: !account.candidates.orders.is_empty(),
    };
    Ok(DeviceRow {
        device: stored.name,
        account: managed.name,
        sid: managed.sid,
        version: newest_record.map(|held| held.version),
        state: state.status(readers),
        ordered: state.is_ordered(),
        updated: newest_record.map(|held| held.stored_at),
        expires: report.due,
        last_seen: state.about.last_seen,
        outcome: report.outcome,
        candidates: managed.candidates.len(),
        findings: findings(state, readers),
        reset_at: report.reset_at,
        waits_until: report.waits_until,
        order_at: state.order_at(),
        proven_at: managed.proven_at,
        since: managed.since,
        accounts: state.former.iter().map(former).collect(),
    })
}

fn due_row(stored: &StoredDevice) -> Result<DueRow, VaultError> {
    let state = stored.device.as_ref().map_err(Clone::clone)?;
    let due = state.due().ok_or_else(|| VaultError::Damaged {
        what: "the due date",
        device: stored.name.to_string(),
    })?;
    Ok(DueRow { device: stored.name, due, ordered: state.is_ordered() })
}
