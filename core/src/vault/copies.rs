//! Taking devices from one vault to another: what is kept about each, its sealed records, its
//! ancestry, as one frame of bytes.
//!
//! A frame is `LAPSX`, the format (1), the length of the body in four bytes, the body, and its
//! checksum. Frames stand one behind the other in a file. Nothing in a frame opens anything. The
//! token of a device does not travel.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::ToString as _,
    vec,
    vec::Vec,
};

use crate::codec::{Input, Output};
use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::seal::Record;

use super::audit::{Action, Entry};
use super::check_ins::sealing;
use super::disclosure::intact;
use super::names::find;
use super::plan::{DeviceRange, Plan, Want};
use super::readers::Readers;
use super::rows::Page;
use super::state::{Device, Held, OpenedStatus, Sealing};
use super::store::Store;
use super::unit::{Rows, Stop};
use super::{Request, Vault, VaultError};

const MAGIC: &[u8; 6] = b"LAPSX\x01";

/// The most devices that one call exports.
const PAGE: usize = 1_000;

/// One device, as it travels.
struct Travelling {
    name: DeviceId,
    device: Device,
    ancestry: Vec<(RecordId, RecordId)>,
    /// By their sealing numbers.
    records: BTreeMap<(RecordId, u32), Vec<u8>>,
}

impl<S: Store> Vault<S> {
    /// Devices with everything that is kept about them, one frame each; those behind `after`, at
    /// most `limit`. It is in the audit log like a disclosure, with every record. Damaged records
    /// are left out, and a damaged ancestry, and damaged devices; `damaged` names the devices of
    /// all these.
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
        let range = DeviceRange::by_name(after, limit);
        let (page, _) =
            self.audited(Plan::page(scope, &range), request, "", "export", now, |rows| {
                let page = rows.names(&range)?;
                need_all(rows, &page)?;
                let mut items = Vec::with_capacity(page.len());
                let (mut damaged, mut lost) = (Vec::new(), 0_usize);
                let mut records = Vec::new();
                for name in &page {
                    let Ok(device) = &rows.stored(name)?.device else {
                        damaged.push(*name);
                        continue;
                    };
                    let ancestry = match rows.ancestry(name) {
                        Err(Stop::Refused(VaultError::Damaged { .. })) => None,
                        ancestry => Some(ancestry?),
                    };
                    let known = ancestry.unwrap_or_default();
                    let (frame, left_out) = frame(rows, name, device, known, &mut records)?;
                    items.push(frame);
                    if left_out > 0 || ancestry.is_none() {
                        damaged.push(*name);
                        lost = lost.saturating_add(left_out);
                    }
                }
                let mut entry = request.entry(Action::Exported, "", now);
                let first = page.first().map(DeviceId::to_string).unwrap_or_default();
                entry.detail =
                    format!("{} records of {} devices, from {first:?}", records.len(), items.len());
                entry.records = records;
                if lost > 0 {
                    entry.detail = format!("{}, without {lost} damaged records", entry.detail);
                }
                rows.append(entry);
                let next = page.last().filter(|_| page.len() >= limit);
                Ok(Page { items, next: next.map(DeviceId::to_string), damaged })
            })?;
        Ok(page)
    }

    /// Takes exported devices in; all of them or none. `bytes` are frames, one behind the other.
    /// Answers how many.
    ///
    /// # Errors
    /// `AlreadyExists` for a device that is there, or twice in the export, `Damaged` for bytes that
    /// are not frames, `WrongDevice` for a record in another name, `ReasonRequired`, and what
    /// the store says.
    pub fn import(
        &self,
        scope: &Scope,
        bytes: &[u8],
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        self.import_watched(scope, bytes, request, now, &mut |_| {})
    }

    /// The same, and `progress` is told after each device how many bytes are taken in.
    ///
    /// # Errors
    /// As there.
    pub fn import_watched(
        &self,
        scope: &Scope,
        bytes: &[u8],
        request: &Request<'_>,
        now: Timestamp,
        progress: &mut dyn FnMut(usize),
    ) -> Result<usize, VaultError> {
        let mut wants = Vec::new();
        let mut rest = bytes;
        // What is no frame is refused in its turn.
        while let Some((travelling, behind)) = next_frame(rest) {
            wants.push(Want::Device(travelling.name));
            rest = behind;
        }
        let plan = Plan { scope: *scope, wants };
        let (count, _) = self.audited(plan, request, "", "import", now, |rows| {
            let mut readers = rows.readers()?.clone();
            let mut count = 0_usize;
            let mut rest = bytes;
            while !rest.is_empty() {
                let (travelling, behind) = next_frame(rest).ok_or(DAMAGED)?;
                if let Some((name, known)) = find(rows, travelling.name.as_str())? {
                    return Err(Stop::Refused(taken(&name, known, bytes, count)));
                }
                rest = behind;
                settle(rows, travelling, &mut readers, now)?;
                count = count.saturating_add(1);
                progress(bytes.len().saturating_sub(rest.len()));
            }
            rows.put_readers(readers);
            let mut entry = request.entry(Action::Imported, "", now);
            entry.detail = format!("{count} devices");
            rows.append(entry);
            Ok(count)
        })?;
        Ok(count)
    }
}

const DAMAGED: VaultError = VaultError::InvalidArgument("not an export, cut short, or damaged");

/// A device of the export is there already: in the vault, or because the export, of which so many
/// are taken in, holds it twice.
fn taken(name: &DeviceId, known: &Device, export: &[u8], count: usize) -> VaultError {
    let mut rest = export;
    for _ in 0..count {
        let Some((earlier, behind)) = next_frame(rest) else { break };
        if earlier.name == *name {
            return VaultError::AlreadyExists(format!(
                "device {name} stands twice in the export; nothing was taken in, each device is \
                 accepted once"
            ));
        }
        rest = behind;
    }
    VaultError::AlreadyExists(format!(
        "device {name} (account {}) is in this vault already; nothing was taken in: an import is \
         accepted when the vault has \
         none of its devices, so purge it here first, or import into another vault",
        known.managed.name
    ))
}

/// Everything that is kept about the devices of a page, fetched in one go.
fn need_all(rows: &Rows, page: &[DeviceId]) -> Result<(), Stop> {
    let mut missing = Vec::new();
    let mut sealed = Vec::new();
    for name in page {
        let Ok(device) = &rows.stored(name)?.device else { continue };
        if let Err(Stop::Missing(wants)) = rows.ancestry(name) {
            missing.extend(wants);
        }
        for held in device.accounts().flat_map(|account| account.candidates.all()) {
            sealed.extend(held.sealings().map(|sealing| (name, held.id, sealing.digest)));
        }
    }
    if let Err(Stop::Missing(wants)) = rows.need_sealed(sealed) {
        missing.extend(wants);
    }
    if missing.is_empty() { Ok(()) } else { Err(Stop::Missing(missing)) }
}

/// The frame of a device, and how many of its records are damaged and not in it; `named` takes the
/// ids of those that are.
fn frame(
    rows: &Rows,
    name: &DeviceId,
    device: &Device,
    ancestry: &[(RecordId, RecordId)],
    named: &mut Vec<RecordId>,
) -> Result<(Vec<u8>, usize), Stop> {
    let mut body = Output::<Vec<u8>>::default();
    body.blob(name.as_str().as_bytes());
    let mut device = device.clone();
    device.accounts_mut().for_each(|account| account.candidates.token = None);
    body.blob(&device.to_bytes());
    body.list(ancestry, |body, (predecessor, id)| {
        body.id(*predecessor);
        body.id(*id);
    });
    let (mut records, mut left_out) = (Vec::new(), 0_usize);
    for held in device.accounts().flat_map(|account| account.candidates.all()) {
        let mut whole = 0_usize;
        for sealing in held.sealings() {
            if let Some(sealed) = intact(rows, name, held, sealing)? {
                records.push(sealed);
                whole = whole.saturating_add(1);
            }
        }
        if whole > 0 {
            named.push(held.id);
        }
        left_out = left_out.saturating_add(usize::from(whole < held.sealings().count()));
    }
    body.list(&records, |body, sealed| body.blob(sealed));
    Ok((framed(body), left_out))
}

fn framed(body: Output<Vec<u8>>) -> Vec<u8> {
    let body = body.sealed();
    let mut frame = Output::<Vec<u8>>::default();
    frame.bytes(MAGIC);
    frame.blob(&body);
    frame.into_bytes()
}

fn next_frame(bytes: &[u8]) -> Option<(Travelling, &[u8])> {
    let mut input = Input::new(bytes.strip_prefix(MAGIC)?);
    let mut body = Input::sealed(input.blob()?)?;
    let name = DeviceId::from_bytes(body.blob()?).ok()?;
    let device = Device::from_bytes(body.blob()?)?;
    let ancestry = body.list(|body| Some((body.id()?, body.id()?)))?;
    let mut records = BTreeMap::new();
    for sealed in body.list(Input::blob)? {
        let record = Record::parse(sealed).ok()?;
        let key = (record.header().id, record.sealing());
        if records.insert(key, sealed.to_vec()).is_some() {
            return None;
        }
    }
    body.end()?;
    Some((Travelling { name, device, ancestry, records }, input.rest()))
}

fn settle(
    rows: &mut Rows,
    travelling: Travelling,
    readers: &mut Readers,
    now: Timestamp,
) -> Result<(), VaultError> {
    let scope = *rows.scope();
    let Travelling { name, mut device, ancestry, records } = travelling;
    let mut ids = BTreeSet::new();
    for account in device.accounts_mut() {
        let candidates = &mut account.candidates;
        // What was damaged in the other vault did not travel.
        candidates.current.take_if(|held| !keep_what_came(held, &records));
        candidates.pending.retain_mut(|held| keep_what_came(held, &records));
        candidates.history.retain_mut(|past| keep_what_came(&mut past.held, &records));
        candidates.token = None;
        // One record stands in one place, or two would share their bytes.
        if !candidates.all().all(|held| ids.insert(held.id)) {
            return Err(DAMAGED);
        }
        // What the other vault says about its readers and its proofs says nothing about ours.
        account.report.offered = None;
        account.report.late = false;
        account.proven_at = None;
    }
    device.about.unknown_head = None;
    let mut late = vec![];
    let mut bytes = Vec::new();
    for held in device.accounts_mut().flat_map(|account| account.candidates.all_mut()) {
        held.opened = held.opened.min(OpenedStatus::Claimed);
        let (id, version) = (held.id, held.version);
        let mut core: Option<Record> = None;
        for kept in core::iter::once(&mut held.original).chain(&mut held.resealed) {
            let sealed = records.get(&(id, kept.number)).ok_or(DAMAGED)?;
            let record = Record::parse(sealed).map_err(VaultError::Record)?;
            let header = record.header();
            if header.device != name || header.scope != scope {
                return Err(VaultError::WrongDevice { authenticated: name.to_string() });
            }
            if header.version != version
                || core.as_ref().is_some_and(|core| !record.has_core_of(core))
            {
                return Err(DAMAGED);
            }
            *kept = sealing(&record, readers);
            bytes.push(((id, kept.digest), sealed.clone()));
            core = Some(record);
        }
        if held.names_removed(readers) {
            late.push(id);
        }
    }
    if !late.is_empty() {
        let mut entry = Entry::of_device(Action::LateRecord, name.as_str(), now);
        entry.records = late.clone();
        entry.detail =
            "imported, and sealed to a reader that was removed; ordered to rotate".into();
        rows.append(entry);
        device.order(&late, now, 0);
    }
    rows.put_records(&name, device, bytes, ancestry);
    Ok(())
}

/// Keeps of a record the sealings whose bytes travelled; false when none did.
fn keep_what_came(held: &mut Held, records: &BTreeMap<(RecordId, u32), Vec<u8>>) -> bool {
    let came = |sealing: &Sealing| records.contains_key(&(held.id, sealing.number));
    let original = came(&held.original);
    let resealed = held.resealed.take().filter(came);
    match (original, resealed) {
        (true, resealed) => held.resealed = resealed,
        (false, Some(resealed)) => held.original = resealed,
        (false, None) => return false,
    }
    true
}

#[cfg(all(test, feature = "getrandom"))]
mod tests {
    use alloc::boxed::Box;
    use core::error::Error;

    use super::super::{DiscloseOptions, MemoryStore};
    use super::*;
    use crate::identity::AccountName;
    use crate::random::Generator;
    use crate::seal::{Header, ReaderKey, Suite};
    use crate::secret::Password;
    use crate::vault::Confirmation;
    use crate::vault::Retention;
    use crate::vault::checksum::digest;
    use crate::vault::state::{Candidates, Past};

    const WHO: Request<'_> = Request::new("alice", "ticket");
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn record(name: &str, reader: &ReaderKey, version: u64) -> Result<Record, Box<dyn Error>> {
        let header = Header {
            scope: Scope::EMPTY,
            device: DeviceId::new(name)?,
            account: AccountName::new("Admin")?,
            sid: None,
            id: RecordId::from_bytes([u8::try_from(version)?; 16]),
            previous: None,
            version,
            made_at: NOW,
            policy_hash: [0; 32],
        };
        let password = Password::try_from_str("Secret")?;
        let mut rng = Generator::from_system()?;
        Ok(Record::seal(&header, &password, &[reader.reader().clone()], &mut rng)?)
    }

    /// A frame that a stranger made: consistent in itself, about a device with these candidates.
    fn crafted(
        name: &str,
        candidates: Candidates,
        records: &[&Record],
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut device = Device::first_seen(AccountName::new("Admin")?, None, NOW);
        device.managed.candidates = candidates;
        let mut body = Output::<Vec<u8>>::default();
        body.blob(name.as_bytes());
        body.blob(&device.to_bytes());
        body.list(&[], |_, (): &()| {});
        body.list(records, |body, record| body.blob(record.as_bytes()));
        Ok(framed(body))
    }

    fn candidates(current: Held, history: &[Held]) -> Candidates {
        Candidates {
            highest_version: current.version,
            current: Some(current),
            history: history.iter().map(|held| Past::new(held.clone(), NOW)).collect(),
            ..Candidates::default()
        }
    }

    fn vault(reader: &ReaderKey) -> Result<Vault<MemoryStore>, VaultError> {
        let vault = Vault::from_system(MemoryStore::new());
        let readers = [reader.reader().clone()];
        vault.initialise(&Scope::EMPTY, &readers, Retention::default(), &WHO, NOW)?;
        Ok(vault)
    }

    fn held(record: &Record) -> Held {
        Held::new(record.header().id, record.header().version)
    }

    #[test]
    fn a_crafted_export_reaches_no_other_device() -> Result<(), Box<dyn Error>> {
        let reader = ReaderKey::generate(Suite::X25519, "reader", &mut Generator::from_system()?)?;
        let vault = vault(&reader)?;
        let import = |frames: &[u8]| vault.import(&Scope::EMPTY, frames, &WHO, NOW);
        let mine = record("victim", &reader, 1)?;
        import(&crafted("victim", candidates(held(&mine), &[]), &[&mine])?)?;
        let (one, two) = (record("pc-1", &reader, 1)?, record("pc-1", &reader, 2)?);
        let twice = candidates(held(&one), &[held(&one)]);
        assert_eq!(import(&crafted("pc-1", twice, &[&one])?), Err(DAMAGED));
        let mut twice = candidates(held(&one), &[]);
        twice.pending = vec![held(&two), held(&two)];
        assert_eq!(import(&crafted("pc-1", twice, &[&one, &two])?), Err(DAMAGED));
        let repeated = crafted("pc-1", candidates(held(&one), &[]), &[&one, &one])?;
        assert_eq!(import(&repeated), Err(DAMAGED));
        let mut other_version = held(&one);
        other_version.version = 9;
        let other_version = crafted("pc-1", candidates(other_version, &[]), &[&one])?;
        assert_eq!(import(&other_version), Err(DAMAGED));
        // The bytes of another device have a name of their own, and that is what they are kept by.
        let mut other = held(&one);
        other.original.digest = digest(mine.as_bytes());
        import(&crafted("pc-1", candidates(held(&two), &[other]), &[&one, &two])?)?;
        let word = Confirmation::Given;
        vault.remove_record(&Scope::EMPTY, "pc-1", one.header().id, word, &WHO, NOW)?;
        vault.purge(&Scope::EMPTY, "pc-1", word, &WHO, NOW)?;
        let options = DiscloseOptions::default();
        let shown = vault.disclose(&Scope::EMPTY, "victim", &WHO, options, NOW)?;
        assert_eq!(shown.candidates.len(), 1);
        assert!(shown.damaged.is_empty());
        Ok(())
    }

    #[test]
    fn an_import_knows_its_own_removed_readers() -> Result<(), Box<dyn Error>> {
        let reader = ReaderKey::generate(Suite::X25519, "old", &mut Generator::from_system()?)?;
        let vault = vault(&reader)?;
        let next = ReaderKey::generate(Suite::X25519, "new", &mut Generator::from_system()?)?;
        vault.add_reader(&Scope::EMPTY, next.reader(), &WHO, NOW)?;
        let word = Confirmation::Given;
        vault.remove_reader(&Scope::EMPTY, &reader.id(), None, word, &WHO, NOW)?;
        let (old, new) = (record("pc-1", &reader, 1)?, record("pc-2", &next, 1)?);
        let frames = [
            crafted("pc-1", candidates(held(&old), &[]), &[&old])?,
            crafted("pc-2", candidates(held(&new), &[]), &[&new])?,
        ];
        vault.import(&Scope::EMPTY, &frames.concat(), &WHO, NOW)?;
        for (device, late) in [("pc-1", true), ("pc-2", false)] {
            let rows = vault.history(&Scope::EMPTY, device)?;
            assert_eq!(
                rows.iter().map(|row| row.stale_readers).collect::<Vec<_>>(),
                [late],
                "{device}"
            );
            assert_eq!(vault.show(&Scope::EMPTY, device)?.ordered, late, "{device}");
        }
        let entries = vault.audit_entries(&Scope::EMPTY, 0, 100)?;
        let late = |entry: &&crate::vault::store::StoredEntry| {
            entry.entry.as_ref().is_ok_and(|entry| entry.action == Action::LateRecord)
        };
        assert_eq!(entries.iter().filter(late).count(), 1);
        Ok(())
    }
}
