//! Restoring a copy of a vault: what it would bring back, said before, and what is written with it.

use alloc::{format, vec::Vec};

use crate::codec::Hex;
use crate::identity::{DeviceId, Scope, Timestamp};
use crate::seal::Reader;

use super::audit::{Action, Entry, MAX_DETAIL, quoted};
use super::plan::{DeviceRange, Plan};
use super::readers::Readers;
use super::retention::Retention;
use super::state::Device;
use super::store::{Durability, Store};
use super::unit::Rows;
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
        self.scopes()?.into_iter().map(|scope| self.restorable_scope(scope)).collect()
    }

    fn restorable_scope(&self, scope: Scope) -> Result<Restorable, VaultError> {
        let mut found = self.look(Plan::of(&scope), |rows| {
            let head = rows.head()?;
            let last = rows.entry(head.length)?;
            let known = rows.readers()?;
            let last = last.and_then(|stored| stored.entry.as_ref().ok());
            Ok(Restorable {
                scope,
                head,
                last_entry: last.map(|entry| entry.at),
                readers: known.active_readers()?,
                devices: 0,
                retired: 0,
                ordered: 0,
                history: known.history,
                rotate_after: known.rotate_after,
            })
        })?;
        let add = |count: &mut u64, one: bool| *count = count.saturating_add(u64::from(one));
        self.each_page(&scope, PAGE, |page, _| {
            for stored in page {
                let device = stored.device.as_deref().ok();
                let retired = |device: &Device| device.about.retired.is_some();
                add(&mut found.devices, true);
                add(&mut found.retired, device.is_some_and(retired));
                add(&mut found.ordered, device.is_some_and(Device::is_ordered));
            }
        })?;
        Ok(found)
    }

    /// Notes in every scope that this vault was made from a copy, with the number and the head of
    /// the copy's last entry: `restored` in the answers to devices that remember more. A list
    /// of readers, from a signed set, say, wins over the copy's in its scope: who is
    /// not in it is removed, and what the copy's removed readers can open is ordered to rotate.
    ///
    /// It is for a copy that nobody uses yet: one scope after the other is noted, and the orders
    /// follow a thousand devices at a time. When it fails, throw the copy away, not the attempt
    /// alone: some of it may be written.
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
        for scope in self.scopes()? {
            let list = readers.filter(|(which, _)| **which == scope).map(|(_, list)| list);
            let gone = self.note_restored_in(&scope, from, list, request, now)?;
            self.order_what_they_open(&scope, &gone, request, now)?;
        }
        Ok(())
    }

    /// Notes it in one scope; the readers that are removed with it.
    fn note_restored_in(
        &self,
        scope: &Scope,
        from: &str,
        list: Option<&[Reader]>,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Vec<[u8; 32]>, VaultError> {
        let (gone, _) = self.run(&Plan::of(scope), Durability::Durable, |rows| {
            let head = rows.head()?;
            let mut known = rows.readers()?.clone();
            known.note_restore(head.length);
            let mut entry = request.entry(Action::Restored, "", now);
            let detail = format!(
                "restored from {from}, a copy with {} entries and the head {head}",
                head.length
            );
            entry.detail = quoted(&detail, MAX_DETAIL);
            rows.append(entry);
            let gone = match list {
                Some(list) => follow(rows, &mut known, list, request, now)?,
                None => Vec::new(),
            };
            rows.put_readers(known);
            Ok(gone)
        })?;
        Ok(gone)
    }

    /// Orders the rotation of what these readers can open, page by page.
    fn order_what_they_open(
        &self,
        scope: &Scope,
        gone: &[[u8; 32]],
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        if gone.is_empty() {
            return Ok(());
        }
        let mut after: Option<DeviceId> = None;
        loop {
            let range = DeviceRange::by_name(after.as_ref().map(DeviceId::as_str), PAGE);
            let (next, _) = self.run(&Plan::page(scope, &range), Durability::Durable, |rows| {
                let known = rows.readers()?.clone();
                let page = rows.names(&range)?;
                let mut ordered = 0_u64;
                for name in &page {
                    let Ok(device) = &rows.stored(name)?.device else { continue };
                    let mut device = device.clone();
                    let mut any = false;
                    for id in gone {
                        any |= device.order_readable_by(id, &known, now, 0);
                    }
                    if any {
                        rows.put_device(name, device);
                        ordered = ordered.saturating_add(1);
                    }
                }
                if ordered > 0 {
                    let mut entry = request.entry(Action::RotationOrdered, "", now);
                    entry.detail = format!("what removed readers can open: {ordered} devices");
                    rows.append(entry);
                }
                Ok(page.last().copied().filter(|_| page.len() >= PAGE))
            })?;
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// The readers of a list become the active ones; those that are removed with it.
fn follow(
    rows: &mut Rows,
    known: &mut Readers,
    list: &[Reader],
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Vec<[u8; 32]>, VaultError> {
    if list.is_empty() {
        return Err(VaultError::InvalidArgument("a vault needs at least one reader"));
    }
    let listed: Vec<[u8; 32]> = list.iter().map(|reader| *reader.id().as_bytes()).collect();
    let gone: Vec<[u8; 32]> =
        known.active_ids().into_iter().filter(|id| !listed.contains(id)).collect();
    let mut append = |action, detail| {
        rows.append(Entry { detail, ..request.entry(action, "", now) });
    };
    for id in &gone {
        known.remove(id, now);
        let detail = format!("{}, not in the list that was restored with", Hex(id));
        append(Action::ReaderRemoved, detail);
    }
    for reader in
        list.iter().filter(|reader| !known.is_active(reader.id().as_bytes())).collect::<Vec<_>>()
    {
        known.add(reader, now)?;
        append(Action::ReaderAdded, format!("{} {}", reader.id(), reader.name()));
    }
    Ok(gone)
}
