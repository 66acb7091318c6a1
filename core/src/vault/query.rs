//! Looking at the vault without opening anything. A type of its own, so that a program can be given this and nothing else.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::identity::{Scope, Timestamp};

use super::disclose::{readers_of, wanted};
use super::state::{Device, Held};
use super::store::{DeviceKey, Store, StoredDevice};
use super::view::{CandidateState, DeviceRow, DeviceStatus, DueRow, Page, RecordRow, Stats};
use super::{Vault, VaultError, name};

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

    /// Devices by name, those behind `after`; at most [`MAX_PAGE`] of them. Damaged ones are named apart.
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
        self.store.read(|tx| {
            let found = tx.devices(scope, after, limit)?;
            let next = next(&found, limit, |last| last.name.to_string());
            page(found, next, row)
        })
    }

    /// One device.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, and what the store says.
    pub fn show(&self, scope: &Scope, device: &str) -> Result<DeviceRow, VaultError> {
        let name = name(device)?;
        self.store.read(|tx| {
            let (key, device) = tx.device(scope, &name)?.ok_or(VaultError::NotFound("device"))?;
            row(StoredDevice::new(key, name, Ok(device)))
        })
    }

    /// The records of a device without their content: current, pending, history.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, and what the store says.
    pub fn history(&self, scope: &Scope, device: &str) -> Result<Vec<RecordRow>, VaultError> {
        let name = name(device)?;
        self.store.read(|tx| {
            let readers = tx.readers(scope)?;
            let (_, device) = tx.device(scope, &name)?.ok_or(VaultError::NotFound("device"))?;
            let mut rows = records(&device);
            for (row, (held, _)) in rows.iter_mut().zip(wanted(&device, true)) {
                row.readers = readers_of(tx, scope, &name, &readers, &held)?;
            }
            Ok(rows)
        })
    }

    /// Devices by due date, those due no later than `until`; `after` is the `next` of the page before. Costs grow with the
    /// answer, not with the vault.
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
        self.store.read(|tx| {
            let found = tx.due(scope, until, after, limit)?;
            let next = next(&found, limit, |last| {
                let (due, key) = last.due_place()?;
                Some(format!("{}.{}", due.as_unix_seconds(), key.number()))
            });
            let next = next.flatten();
            page(found, next, due_row)
        })
    }

    /// Figures about a scope. Costs grow with the scope.
    ///
    /// # Errors
    /// What the store says.
    pub fn stats(&self, scope: &Scope, now: Timestamp) -> Result<Stats, VaultError> {
        let mut stats = Stats::default();
        self.store.read(|tx| {
            stats.entries = tx.trail(scope)?.length;
            let mut after: Option<String> = None;
            loop {
                let page = tx.devices(scope, after.as_deref(), PAGE)?;
                page.iter().for_each(|stored| stats.count(stored, now));
                let full = page.len() >= PAGE;
                after = page.last().map(|last| last.name.to_string());
                if !full {
                    return Ok(());
                }
            }
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
    fn count(&mut self, stored: &StoredDevice, now: Timestamp) {
        let add = |place: &mut u64, n: usize| {
            *place = place.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        };
        add(&mut self.devices, 1);
        let Ok(device) = &stored.device else {
            add(&mut self.damaged, 1);
            return;
        };
        let place = match device.status() {
            DeviceStatus::Settled => &mut self.settled,
            DeviceStatus::Pending => &mut self.pending,
            DeviceStatus::Uncertain => &mut self.uncertain,
            DeviceStatus::Failed => &mut self.failed,
            DeviceStatus::Retired => &mut self.retired,
        };
        add(place, 1);
        add(&mut self.ordered, usize::from(device.is_ordered()));
        add(&mut self.overdue, usize::from(device.due().is_some_and(|due| due <= now)));
        add(&mut self.candidates, device.candidates.len());
        add(&mut self.history, device.candidates.history.len());
    }
}

fn next<T>(
    found: &[StoredDevice],
    limit: usize,
    key: impl FnOnce(&StoredDevice) -> T,
) -> Option<T> {
    found.last().filter(|_| found.len() >= limit).map(key)
}

/// The rows of a page; one device that is damaged does not hide the others.
fn page<T>(
    found: Vec<StoredDevice>,
    next: Option<String>,
    row: impl Fn(StoredDevice) -> Result<T, VaultError>,
) -> Result<Page<T>, VaultError> {
    let mut page = Page { items: Vec::with_capacity(found.len()), next, damaged: Vec::new() };
    for stored in found {
        let name = stored.name;
        match row(stored) {
            Ok(row) => page.items.push(row),
            Err(VaultError::Damaged { .. }) => page.damaged.push(name),
            Err(error) => return Err(error),
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

fn row(stored: StoredDevice) -> Result<DeviceRow, VaultError> {
    let state = stored.device?;
    let newest: Option<&Held> =
        state.candidates.current.as_ref().or_else(|| state.candidates.pending.last());
    Ok(DeviceRow {
        device: stored.name,
        account: state.about.account,
        sid: state.about.sid,
        version: newest.map(|held| held.version),
        state: state.status(),
        ordered: state.is_ordered(),
        updated: newest.map(|held| held.stored_at),
        expires: state.about.due,
        last_seen: state.about.last_seen,
        outcome: state.about.outcome,
        candidates: state.candidates.len(),
    })
}

fn due_row(stored: StoredDevice) -> Result<DueRow, VaultError> {
    let state = stored.device?;
    let due = state.due().ok_or_else(|| VaultError::Damaged {
        what: "the due date",
        device: stored.name.to_string(),
    })?;
    Ok(DueRow { device: stored.name, due, ordered: state.is_ordered() })
}

/// The rows of a device's records, without their readers, in the order of [`wanted`].
fn records(device: &Device) -> Vec<RecordRow> {
    let row = |held: &Held, state| RecordRow {
        record: held.id,
        version: held.version,
        state,
        updated: held.stored_at,
        displaced: None,
        ruled_out: false,
        late: held.late,
        readers: Vec::new(),
    };
    let candidates = &device.candidates;
    let current = candidates.current.iter().map(|held| row(held, CandidateState::Current));
    let pending = candidates.pending.iter().rev().map(|held| row(held, CandidateState::Pending));
    let past = candidates.history.iter().map(|past| RecordRow {
        displaced: Some(past.displaced_at),
        ruled_out: past.ruled_out,
        ..row(&past.held, CandidateState::History)
    });
    current.chain(pending).chain(past).collect()
}
