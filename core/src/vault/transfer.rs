//! Taking devices from one vault to another: what is kept about each, its sealed records, its lineage, as one frame of bytes.
//!
//! A frame is `LAPSX`, the format (1), the length of the body in four bytes, the body, and its checksum. Frames stand one behind
//! the other in a file. Nothing in a frame opens anything. The token of a device does not travel.

use alloc::{collections::BTreeMap, format, string::ToString as _, vec::Vec};

use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::seal::Record;

use super::bytes::{In, Out, digest};
use super::checkin::append;
use super::disclose::intact;
use super::readers::Readers;
use super::state::{Candidates, Device, Held};
use super::store::{Store, StoredDevice, Transaction};
use super::trail::Action;
use super::view::Page;
use super::{Request, Vault, VaultError};

const MAGIC: &[u8; 6] = b"LAPSX\x01";

/// The most devices that one call exports.
const PAGE: usize = 1_000;

/// One device, as it travels.
struct Travelling {
    name: DeviceId,
    device: Device,
    lineage: Vec<(RecordId, RecordId)>,
    records: BTreeMap<RecordId, Vec<u8>>,
}

impl<S: Store> Vault<S> {
    /// Devices with everything that is kept about them, one frame each; those behind `after`, at most `limit`. It is in the
    /// trail like a disclosure. Damaged records are left out, damaged devices too.
    ///
    /// # Errors
    /// `ReasonRequired`, and what the store says.
    pub fn export(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Page<Vec<u8>>, VaultError> {
        let limit = limit.clamp(1, PAGE);
        self.audited(scope, request, "", "export", now, |tx| {
            let page = tx.devices(scope, after, limit)?;
            let mut items = Vec::with_capacity(page.len());
            for stored in &page {
                if let Ok(device) = &stored.device {
                    items.push(frame(tx, stored, device)?);
                }
            }
            let mut entry = request.entry(Action::Exported, "", now);
            let first = page.first().map(|first| first.name.to_string()).unwrap_or_default();
            entry.detail = format!("{} devices, from {first:?}", items.len());
            append(tx, scope, &entry)?;
            let next = page.last().filter(|_| page.len() >= limit);
            let next = next.map(|last| last.name.to_string());
            let damaged = page.iter().filter(|stored| stored.device.is_err());
            let damaged = damaged.map(|stored| stored.name).collect();
            Ok(Page { items, next, damaged })
        })
    }

    /// Takes exported devices in; all of them or none. `bytes` are frames, one behind the other. Answers how many.
    ///
    /// # Errors
    /// `AlreadyExists` for a device that is there, `Damaged` for bytes that are not frames, `WrongDevice` for a record in
    /// another name, `ReasonRequired`, and what the store says.
    pub fn import(
        &self,
        scope: &Scope,
        bytes: &[u8],
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        self.audited(scope, request, "", "import", now, |tx| {
            let mut readers = tx.readers(scope)?;
            let mut count = 0_usize;
            let mut rest = bytes;
            while !rest.is_empty() {
                let (travelling, behind) = next_frame(rest).ok_or(DAMAGED)?;
                rest = behind;
                settle(tx, scope, travelling, &mut readers)?;
                count = count.saturating_add(1);
            }
            tx.put_readers(scope, &readers)?;
            let mut entry = request.entry(Action::Imported, "", now);
            entry.detail = format!("{count} devices");
            append(tx, scope, &entry)?;
            Ok(count)
        })
    }
}

const DAMAGED: VaultError = VaultError::InvalidArgument("not an export, cut short, or damaged");

fn frame(
    tx: &mut dyn Transaction,
    stored: &StoredDevice,
    device: &Device,
) -> Result<Vec<u8>, VaultError> {
    let mut body = Out::default();
    body.blob(stored.name.as_str().as_bytes());
    let mut device = device.clone();
    device.candidates.token = None;
    body.blob(&device.to_bytes());
    body.list(&tx.lineage(stored.key)?, |body, (predecessor, id)| {
        body.id(*predecessor);
        body.id(*id);
    });
    let mut records = Vec::new();
    for held in all(&device.candidates) {
        if let Some(sealed) = intact(tx, held)? {
            records.push(sealed);
        }
    }
    body.list(&records, |body, sealed| body.blob(sealed));
    let body = body.sealed();
    let mut frame = Out::default();
    frame.bytes(MAGIC);
    frame.blob(&body);
    Ok(frame.plain())
}

fn all(candidates: &Candidates) -> impl Iterator<Item = &Held> {
    candidates.iter().chain(candidates.history.iter().map(|past| &past.held))
}

fn next_frame(bytes: &[u8]) -> Option<(Travelling, &[u8])> {
    let mut input = In::plain(bytes.strip_prefix(MAGIC)?);
    let mut body = In::checked(input.blob()?)?;
    let name = body.text()?;
    let device = Device::from_bytes(body.blob()?)?;
    let lineage = body.list(|body| Some((body.id()?, body.id()?)))?;
    let mut records = BTreeMap::new();
    for sealed in body.list(In::blob)? {
        let record = Record::parse(sealed).ok()?;
        records.insert(record.header().id, sealed.to_vec());
    }
    body.end()?;
    Some((Travelling { name, device, lineage, records }, input.rest()))
}

fn settle(
    tx: &mut dyn Transaction,
    scope: &Scope,
    travelling: Travelling,
    readers: &mut Readers,
) -> Result<(), VaultError> {
    let Travelling { name, mut device, lineage, records } = travelling;
    if tx.device(scope, &name)?.is_some() {
        return Err(VaultError::AlreadyExists("device"));
    }
    let candidates = &mut device.candidates;
    // What was damaged in the other vault did not travel.
    let there = |held: &Held| records.contains_key(&held.id);
    candidates.current = candidates.current.filter(|held| there(held));
    candidates.pending.retain(there);
    candidates.history.retain(|past| there(&past.held));
    candidates.token = None;
    let key = tx.insert_device(scope, &name, &device)?;
    for (id, sealed) in records {
        let record = Record::parse(&sealed).map_err(VaultError::Record)?;
        let header = record.header();
        if header.device != name || header.scope != *scope {
            return Err(VaultError::WrongDevice { authenticated: name.to_string() });
        }
        let Some(held) = device.candidates.find_mut(id) else { continue };
        held.digest = digest(&sealed);
        held.readers = readers.intern(record.reader_ids().map(|id| *id.as_bytes()).collect());
        held.row = tx.insert_record(key, &sealed)?;
    }
    for (predecessor, id) in lineage {
        tx.remember(key, predecessor, id)?;
    }
    tx.update_device(key, &device)
}
