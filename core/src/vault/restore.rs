//! Restoring a copy of a vault: what it would bring back, said before, and what is written with it.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::codec::Hex;
use crate::identity::{Scope, Timestamp};
use crate::seal::Reader;

use super::audit::{Action, Entry, MAX_DETAIL, quoted};
use super::readers::Readers;
use super::retention::Retention;
use super::store::append;
use super::store::{Durability, Store, Transaction};
use super::{AuditHead, Request, Vault, VaultError};

/// How many devices are looked at in one go.
const PAGE: usize = 1_000;

/// What a copy of a vault would bring back in one scope: all that was changed since its last entry
/// is undone.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Restorable {
    /// The scope.
    pub scope: Scope,
    /// Length and head of the copy's log. Devices that remember a longer one will say so.
    pub head: AuditHead,
    /// When its last entry was written, by the vault's clock.
    pub last_entry: Option<Timestamp>,
    /// The readers that are active in the copy: one that was removed since can read again.
    pub readers: Vec<Reader>,
    /// Devices.
    pub devices: u64,
    /// Devices that are out of service in the copy. Others that were retired or purged since are
    /// in service again.
    pub retired: u64,
    /// Devices with an open order to rotate in the copy. Orders that were made since are gone.
    pub ordered: u64,
    /// How much history the copy keeps.
    pub history: Retention,
    /// How many seconds after a disclosure the copy has it rotated.
    pub rotate_after: Option<u64>,
}

impl<S: Store> Vault<S> {
    /// What this vault would bring back, if it is a copy that is restored: each scope. Costs grow
    /// with the vault.
    ///
    /// # Errors
    /// `Damaged` for a reader that cannot be read, and what the store says.
    pub fn restorable(&self) -> Result<Vec<Restorable>, VaultError> {
        self.store.read(|tx| {
            let scopes = tx.scopes()?;
            scopes.into_iter().map(|scope| restorable(tx, scope)).collect()
        })
    }

    /// Notes in every scope that this vault was made from a copy, with the number and the head of
    /// the copy's last entry: `restored` in the answers to devices that remember more. A list
    /// of readers, from a signed set, say, wins over the copy's in its scope: who is
    /// not in it is removed, and what the copy's removed readers can open is ordered to rotate.
    ///
    /// # Errors
    /// `ReasonRequired`, `InvalidArgument` for a list that is empty or that one record cannot be
    /// sealed to, and what the store says.
    pub fn note_restored(
        &self,
        from: &str,
        readers: Option<(&Scope, &[Reader])>,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        request.check()?;
        self.store.write(Durability::Durable, |tx| {
            for scope in tx.scopes()? {
                let head = tx.audit_head(&scope)?;
                let mut known = tx.readers(&scope)?;
                known.note_restore(head.length);
                let mut entry = request.entry(Action::Restored, "", now);
                let detail = format!(
                    "restored from {from}, a copy with {} entries and the head {head}",
                    head.length
                );
                entry.detail = quoted(&detail, MAX_DETAIL);
                append(tx, &scope, &entry)?;
                if let Some((_, list)) = readers.filter(|(which, _)| **which == scope) {
                    follow(tx, &scope, &mut known, list, request, now)?;
                }
                tx.put_readers(&scope, &known)?;
            }
            Ok(())
        })
    }
}

fn restorable(tx: &mut dyn Transaction, scope: Scope) -> Result<Restorable, VaultError> {
    let head = tx.audit_head(&scope)?;
    let last = tx.entries(&scope, head.length, 1)?;
    let known = tx.readers(&scope)?;
    let damaged = |_| VaultError::Damaged { what: "a reader", device: String::new() };
    let readers: Result<Vec<Reader>, _> =
        known.active().map(|reader| reader.line.parse().map_err(damaged)).collect();
    let mut found = Restorable {
        scope,
        head,
        last_entry: last.into_iter().find_map(|stored| stored.entry.ok()).map(|entry| entry.at),
        readers: readers?,
        devices: 0,
        retired: 0,
        ordered: 0,
        history: known.history,
        rotate_after: known.rotate_after,
    };
    let mut after: Option<String> = None;
    loop {
        let page = tx.devices(&scope, after.as_deref(), PAGE)?;
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        found.devices = found.devices.saturating_add(count(page.len()));
        let devices = || page.iter().filter_map(|stored| stored.device.as_ref().ok());
        let retired = devices().filter(|device| device.about.retired.is_some()).count();
        found.retired = found.retired.saturating_add(count(retired));
        let ordered = devices().filter(|device| device.is_ordered()).count();
        found.ordered = found.ordered.saturating_add(count(ordered));
        after = page.last().filter(|_| page.len() >= PAGE).map(|last| last.name.to_string());
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// The readers of a list become the active ones.
fn follow(
    tx: &mut dyn Transaction,
    scope: &Scope,
    known: &mut Readers,
    list: &[Reader],
    request: &Request<'_>,
    now: Timestamp,
) -> Result<(), VaultError> {
    if list.is_empty() {
        return Err(VaultError::InvalidArgument("a vault needs at least one reader"));
    }
    let listed: Vec<[u8; 32]> = list.iter().map(|reader| *reader.id().as_bytes()).collect();
    let gone: Vec<[u8; 32]> =
        known.active_ids().into_iter().filter(|id| !listed.contains(id)).collect();
    let mut changes: Vec<(Action, String)> = Vec::new();
    for id in &gone {
        known.remove(id, now);
        let detail = format!("{}, not in the list that was restored with", Hex(id));
        changes.push((Action::ReaderRemoved, detail));
    }
    for reader in
        list.iter().filter(|reader| !known.is_active(reader.id().as_bytes())).collect::<Vec<_>>()
    {
        known.add(reader, now)?;
        changes.push((Action::ReaderAdded, format!("{} {}", reader.id(), reader.name())));
    }
    let ordered = order(tx, scope, known, &gone, now)?;
    if ordered > 0 {
        let detail = format!("what removed readers can open: {ordered} devices");
        changes.push((Action::RotationOrdered, detail));
    }
    for (action, detail) in changes {
        append(tx, scope, &Entry { detail, ..request.entry(action, "", now) })?;
    }
    Ok(())
}

/// Orders the rotation of what these readers can open, on as many devices.
fn order(
    tx: &mut dyn Transaction,
    scope: &Scope,
    known: &Readers,
    gone: &[[u8; 32]],
    now: Timestamp,
) -> Result<u64, VaultError> {
    let mut ordered = 0_u64;
    let mut after: Option<String> = None;
    loop {
        let page = tx.devices(scope, after.as_deref(), PAGE)?;
        after = page.last().filter(|_| page.len() >= PAGE).map(|last| last.name.to_string());
        for stored in page {
            let Ok(mut device) = stored.device else { continue };
            let mut any = false;
            for id in gone {
                any |= device.order_readable_by(id, known, now, 0);
            }
            if any {
                tx.update_device(stored.key, &device)?;
                ordered = ordered.saturating_add(1);
            }
        }
        if after.is_none() {
            return Ok(ordered);
        }
    }
}
