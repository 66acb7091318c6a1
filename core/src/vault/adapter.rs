//! Plans and writes over a transaction.

use alloc::{string::ToString as _, vec::Vec};

use super::names::Nearest;
use super::plan::{Entries, Plan, Range, Want};
use super::store::{StoredDevice, Transaction};
use super::unit::{Appended, Rows, Writes};
use super::{VaultError, Who};
use crate::identity::Scope;
use crate::rotation::message::AuditHead;

const PAGE: usize = 1_000;

pub(super) fn read(tx: &mut dyn Transaction, plan: &Plan) -> Result<Rows, VaultError> {
    let readers = kept(tx.readers(&plan.scope))?;
    let head = kept(tx.audit_head(&plan.scope))?;
    let mut rows = Rows::new(plan.scope, head, readers);
    fetch(tx, &plan.wants, &mut rows)?;
    Ok(rows)
}

/// Damage is a finding about what was read.
fn kept<T>(result: Result<T, VaultError>) -> Result<Result<T, VaultError>, VaultError> {
    match result {
        Err(error @ VaultError::Damaged { .. }) => Ok(Err(error)),
        result => result.map(Ok),
    }
}

pub(super) fn fetch(
    tx: &mut dyn Transaction,
    wants: &[Want],
    rows: &mut Rows,
) -> Result<(), VaultError> {
    let scope = *rows.scope();
    let scope = &scope;
    for want in wants {
        match want {
            Want::Device(name) => {
                let mut found = *name;
                let mut device = kept(tx.device(scope, name))?;
                if device == Ok(None)
                    && let Some(other) = tx.similar(scope, name)?
                {
                    found = other;
                    device = kept(tx.device(scope, &other))?;
                }
                let stored = match device {
                    Ok(device) => {
                        device.map(|(key, device)| StoredDevice::new(key, found, Ok(device)))
                    }
                    Err(error) => {
                        let key = super::store::DeviceKey::new(0);
                        Some(StoredDevice::new(key, found, Err(error)))
                    }
                };
                rows.add_device(*name, stored);
            }
            Want::Devices(range) => {
                let page = match range {
                    Range::ByName { after, limit } => {
                        tx.devices(scope, after.as_deref(), *limit)?
                    }
                    Range::ByDue { until, after, limit } => {
                        tx.due(scope, *until, *after, *limit)?
                    }
                };
                rows.add_page(range.clone(), page);
            }
            Want::Sealed(device, id, number) => {
                let row = rows.read_sealing(device, *id, *number).map_or(0, |found| found.row);
                let bytes = kept(tx.record(row))?.unwrap_or_default();
                rows.add_sealed(*device, *id, *number, bytes);
            }
            Want::Children(device, parent) => {
                let mut children = Ok(Vec::new());
                if let Some(stored) = rows.read_device(device) {
                    children = kept(tx.ancestry(stored.key))?.map(|pairs| {
                        let named = pairs.into_iter().filter(|(one, _)| one == parent);
                        named.map(|(_, child)| child).collect()
                    });
                }
                rows.add_children(*device, *parent, children);
            }
            Want::Ancestry(device) => {
                let mut ancestry = Ok(Vec::new());
                if let Some(stored) = rows.read_device(device) {
                    ancestry = kept(tx.ancestry(stored.key))?;
                }
                rows.add_ancestry(*device, ancestry);
            }
            Want::Entry(number) => {
                let found = tx.entries(scope, *number, 1)?;
                rows.add_entry(*number, found.into_iter().find(|found| found.number == *number));
            }
            Want::EntryBeforeHead(number) => {
                let before = |head: &AuditHead| (1..head.length).contains(number);
                if rows.read_head().as_ref().is_ok_and(before) {
                    fetch(tx, &[Want::Entry(*number)], rows)?;
                }
            }
            Want::Entries(which) => {
                let found = match which {
                    Entries::From { number, limit } => tx.entries(scope, *number, *limit)?,
                    Entries::Of { name, typed, after, limit } => {
                        let who = if *typed { Who::TypedAs(name) } else { Who::Caller(name) };
                        tx.entries_of(scope, who, *after, *limit)?
                    }
                };
                rows.add_entries(which.clone(), found);
            }
            Want::Times(from, limit) => {
                let found = tx.times(scope, *from, *limit)?;
                rows.add_times(*from, *limit, found);
            }
            Want::Nearest(asked) => {
                let mut nearest = Nearest::to(asked.as_str());
                let mut after = None;
                loop {
                    let page = tx.devices(scope, after.as_deref(), PAGE)?;
                    page.iter().for_each(|stored| nearest.look(stored.name.as_str()));
                    after = page.last().map(|last| last.name.to_string());
                    if page.len() < PAGE {
                        break;
                    }
                }
                rows.add_nearest(*asked, nearest.found());
            }
            Want::StrayEntries => {
                let found = tx.stray_entries()?;
                rows.add_stray_entries(found);
            }
        }
    }
    Ok(())
}

pub(super) fn apply(
    tx: &mut dyn Transaction,
    scope: &Scope,
    writes: Writes,
) -> Result<Appended, VaultError> {
    for (name, mut change) in writes.devices {
        let key = match (change.key, &change.device) {
            (Some(key), None) => {
                tx.remove_device(key)?;
                continue;
            }
            (None, None) => continue,
            (Some(key), Some(_)) => key,
            (None, Some(device)) => tx.insert_device(scope, &name, device)?,
        };
        for (_, row) in &change.drop {
            tx.remove_record(key, *row)?;
        }
        change.place(|_, bytes| tx.insert_record(key, bytes))?;
        for (predecessor, id) in change.parents {
            tx.record_parent(key, predecessor, id)?;
        }
        if let Some(device) = &change.device {
            tx.update_device(key, device)?;
        }
    }
    if let Some(readers) = &writes.readers {
        tx.put_readers(scope, readers)?;
    }
    let appended = Appended::behind(scope, kept(tx.audit_head(scope))?, &writes.append)?;
    for (entry, head) in writes.append.iter().zip(&appended.heads) {
        tx.append(scope, entry, head)?;
    }
    Ok(appended)
}
