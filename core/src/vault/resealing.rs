//! Re-sealing records for the readers of now, without rotating (protocol §4.3). The vault opens
//! nothing: it hands sealed records out and takes them back; the key is the caller's.

use alloc::{format, string::String, string::ToString as _, vec, vec::Vec};

use crate::identity::{DeviceId, Scope, Timestamp};
use crate::seal::{Reader, Record, SealError};

use super::audit::Action;
use super::check_ins::sealing;
use super::disclosure::intact;
use super::plan::{DeviceRange, Plan, Want};
use super::readers::Readers;
use super::rows::{ResealPage, Resealed, Resealing, Unsealed};
use super::rules::ResealRefused;
use super::state::{Device, Held, Sealing};
use super::store::Store;
use super::unit::{Rows, Stop};
use super::{Confirmation, Request, ResealOptions, Vault, VaultError, name};

/// How many devices one transaction looks at.
const PAGE: usize = 1_000;

/// How many devices [`Vault::reseal_all`] looks at in one go: what a kill can undo.
const STEP: usize = 200;

impl<S: Store> Vault<S> {
    /// Re-seals every record that is not sealed to exactly the readers of now. `seal` is given
    /// records and the readers to seal them to, and answers for each the sealed bytes or why
    /// there are none; it has the key, and may use all cores. When it answers fewer than it was
    /// given, the run ends with them.
    ///
    /// A record that cannot be opened, sealed or imported is reported and left as it was: one
    /// hostile or damaged record does not keep the others from it. What was re-sealed is not
    /// looked at again, so this goes on where a killed run stopped.
    ///
    /// # Errors
    /// `Random` when `seal` says so, `InvalidArgument` without a reader, `ReasonRequired`, and what
    /// the store says.
    pub fn reseal_all(
        &self,
        scope: &Scope,
        request: &Request<'_>,
        now: Timestamp,
        mut seal: impl FnMut(&[Resealing], &[Reader]) -> Vec<Result<Vec<u8>, SealError>>,
    ) -> Result<Resealed, VaultError> {
        let mut done = Resealed::default();
        let mut after: Option<String> = None;
        let nobody = VaultError::InvalidArgument("there is no reader to seal to");
        if self.settings(scope)?.active().next().is_none() {
            return Err(nobody);
        }
        loop {
            let options = ResealOptions::default();
            let (page, known) =
                self.export_page(scope, after.as_deref(), STEP, options, request, now)?;
            let readers = known.active_readers()?;
            if readers.is_empty() {
                return Err(nobody);
            }
            let what = "its stored bytes";
            let damaged = page.damaged_records.iter().map(|(device, record)| Unsealed {
                device: *device,
                record: *record,
                why: VaultError::Damaged { what, device: device.to_string() },
            });
            let mut step = Resealed { failed: damaged.collect(), ..Resealed::default() };
            let mut resealed = Vec::new();
            let sealed = seal(&page.items, &readers);
            let stopped = sealed.len() < page.items.len();
            for (item, sealed) in page.items.iter().zip(sealed) {
                match sealed {
                    Ok(sealed) => resealed.push(Resealing::new(item.device, item.record, sealed)),
                    Err(SealError::NotAReader) => step.not_ours = step.not_ours.saturating_add(1),
                    Err(SealError::Random(_)) => return Err(VaultError::Random),
                    Err(error) => step.failed.push(Unsealed {
                        device: item.device,
                        record: item.record,
                        why: VaultError::Record(error),
                    }),
                }
            }
            if !resealed.is_empty() {
                let taken = self.import_resealed_each(scope, &resealed, request, now)?;
                done.replaced = done.replaced.saturating_add(taken.replaced);
                // The readers changed while the page was sealed: it is sealed again, for those of
                // now.
                let refused = taken.failed.iter().any(|unsealed| unsealed.why == OTHER_READERS);
                let active = known.active_ids();
                if refused && !stopped && self.settings(scope)?.active_ids() != active {
                    continue;
                }
                step.failed.extend(taken.failed);
            }
            done.strangers.extend(page.strangers);
            done.damaged.extend(page.damaged);
            done.failed.append(&mut step.failed);
            done.not_ours = done.not_ours.saturating_add(step.not_ours);
            after = page.next;
            if after.is_none() || stopped {
                return Ok(done);
            }
        }
    }

    /// Records that are not sealed to exactly the readers of now, of at most `limit` devices behind
    /// `after`: to be opened by a reader, re-sealed and imported with
    /// [`Vault::import_resealed_each`] or [`Vault::import_resealed`]. The export is in the audit
    /// log, with every record.
    ///
    /// Where the reader's machine is not the vault's, it seals to readers that it knows itself,
    /// from a signed set or its own list: who keeps the vault could name one of theirs.
    ///
    /// What was re-sealed is not in the list any more, so this goes on where a killed run stopped.
    ///
    /// # Errors
    /// `ReasonRequired`, and what the store says.
    pub fn export_for_resealing(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<ResealPage, VaultError> {
        self.export_for_resealing_with(scope, after, limit, ResealOptions::default(), request, now)
    }

    /// As [`Vault::export_for_resealing`], and with a word also what names readers that the vault
    /// never knew; or, of records that were re-sealed, the sealings that came from the devices: for
    /// when what was re-sealed opens for nobody. Those name who could read before, so the
    /// rotation of what is exported is ordered.
    ///
    /// # Errors
    /// As there.
    pub fn export_for_resealing_with(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
        options: ResealOptions,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<ResealPage, VaultError> {
        Ok(self.export_page(scope, after, limit, options, request, now)?.0)
    }

    /// The same, with the readers of that state.
    fn export_page(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
        options: ResealOptions,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(ResealPage, Readers), VaultError> {
        let limit = limit.clamp(1, PAGE);
        let range = DeviceRange::by_name(after, limit);
        let plan = Plan::page(scope, &range);
        let attempt = "export records for re-sealing";
        let (page, _) = self.audited(plan, request, "", attempt, now, |rows| {
            let readers = rows.readers()?.clone();
            let devices = rows.names(&range)?;
            let wanted = |held: &&Held| match options.from_devices {
                true => held.resealed.is_some(),
                false => held.needs_resealing(&readers),
            };
            let sealing = |held: &'_ Held| match options.from_devices {
                true => held.original.clone(),
                false => held.newest().clone(),
            };
            let word = options.strangers == Confirmation::Given;
            let mut page = ResealPage::default();
            let mut found: Vec<(DeviceId, Vec<Held>)> = Vec::new();
            for name in &devices {
                let Ok(device) = &rows.stored(name)?.device else {
                    page.damaged.push(*name);
                    continue;
                };
                let held = device.accounts().flat_map(|account| account.candidates.all());
                let (strange, known): (Vec<&Held>, Vec<&Held>) =
                    held.filter(wanted).partition(|held| held.names_stranger(&readers) && !word);
                page.strangers.extend(strange.iter().map(|held| (*name, held.id)));
                found.push((*name, known.into_iter().cloned().collect()));
            }
            rows.need_sealed(found.iter().flat_map(|(name, held)| {
                held.iter().map(move |held| (name, held.id, sealing(held).digest))
            }))?;
            for (name, found) in &found {
                let mut exported = Vec::new();
                for held in found {
                    match intact(rows, name, held, &sealing(held))? {
                        Some(sealed) => {
                            exported.push(held.id);
                            let above = held.newest().number;
                            let item = Resealing::new(*name, held.id, sealed);
                            page.items.push(Resealing { above, word, ..item });
                        }
                        None => page.damaged_records.push((*name, held.id)),
                    }
                }
                if options.from_devices
                    && !exported.is_empty()
                    && let Ok(device) = &rows.stored(name)?.device
                {
                    let mut device = device.clone();
                    if device.order(&exported, now, 0) {
                        rows.put_device(name, device);
                    }
                }
            }
            page.next = devices.last().filter(|_| devices.len() >= limit).map(DeviceId::to_string);
            if !page.items.is_empty() {
                let mut entry = request.entry(Action::ExportedForResealing, "", now);
                entry.detail = format!("{} records of {} devices", page.items.len(), devices.len());
                if options.from_devices {
                    entry.detail.push_str(", as the devices sealed them, and ordered to rotate");
                }
                entry.records = page.items.iter().map(|item| item.record).collect();
                rows.append(entry);
            }
            Ok((page, readers))
        })?;
        Ok(page)
    }

    /// Imports re-sealed records. Each is the same password for the same purpose,
    /// sealed to exactly the active readers, under the number behind the highest that is kept;
    /// all of them or none. Answers how many were taken; those that were removed, imported already,
    /// or re-sealed by somebody else in the meantime are left out, so a page can be imported again
    /// when its answer was lost.
    ///
    /// The vault, which opens nothing, cannot tell whether a reader can open what it imports.
    /// So the sealing that came from the device stays beside it until a commit displaces the
    /// record; what is imported replaces only what was imported before.
    ///
    /// # Errors
    /// `Record` for what does not parse; `InvalidArgument` for another password, other readers or a
    /// number that leaps; `ConfirmationRequired` for a record that names a reader whom the
    /// vault never knew and who would lose it, unless the item has the word; `ReasonRequired`,
    /// and what the store says.
    pub fn import_resealed(
        &self,
        scope: &Scope,
        resealed: &[Resealing],
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        let names = resealed.iter().map(|item| Want::Device(item.device));
        let plan = Plan { scope: *scope, wants: names.collect() };
        let (count, _) =
            self.audited(plan, request, "", "import re-sealed records", now, |rows| {
                need_stored(rows, resealed)?;
                let mut readers = rows.readers()?.clone();
                let sets = readers.sets.len();
                let mut replaced = vec![];
                for item in resealed {
                    let record = Record::parse(&item.sealed).map_err(VaultError::Record)?;
                    if replace(rows, item, &record, &mut readers)? {
                        replaced.push(item.record);
                    }
                }
                if readers.sets.len() != sets {
                    rows.put_readers(readers);
                }
                let count = replaced.len();
                let mut entry = request.entry(Action::Resealed, "", now);
                entry.detail = format!("{count} records");
                entry.records = replaced;
                rows.append(entry);
                Ok(count)
            })?;
        Ok(count)
    }

    /// As [`Vault::import_resealed`], but one that is refused does not hinder the others: it stays
    /// as it was and is in `failed`. Each is then taken in a transaction of its own, and the
    /// refused attempts are in the audit log.
    ///
    /// # Errors
    /// `ReasonRequired`, and what the store says. What was taken before that stays; all may be
    /// imported again.
    pub fn import_resealed_each(
        &self,
        scope: &Scope,
        resealed: &[Resealing],
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Resealed, VaultError> {
        let mut done = Resealed::default();
        let mut count = |replaced: usize| {
            let replaced = u64::try_from(replaced).unwrap_or(u64::MAX);
            done.replaced = done.replaced.saturating_add(replaced);
        };
        match self.import_resealed(scope, resealed, request, now) {
            Ok(replaced) => count(replaced),
            Err(error) if request.check().is_err() || !concerns_a_record(&error) => {
                return Err(error);
            }
            Err(_) => {
                for item in resealed {
                    match self.import_resealed(scope, core::slice::from_ref(item), request, now) {
                        Ok(replaced) => count(replaced),
                        Err(error) if !concerns_a_record(&error) => return Err(error),
                        Err(why) => done.failed.push(Unsealed {
                            device: item.device,
                            record: item.record,
                            why,
                        }),
                    }
                }
            }
        }
        Ok(done)
    }
}

const OTHER_READERS: VaultError = VaultError::InvalidArgument(
    "a record that is not sealed to exactly the active readers of this vault",
);

/// Whether an answer is about a record that was imported, and not about the store or the request.
const fn concerns_a_record(error: &VaultError) -> bool {
    matches!(
        error,
        VaultError::Record(_)
            | VaultError::InvalidArgument(_)
            | VaultError::ConfirmationRequired(_)
            | VaultError::Damaged { .. }
    )
}

/// The device that an item names, under exactly that name.
fn named<'r>(rows: &'r Rows, item: &Resealing) -> Result<Option<&'r Device>, Stop> {
    let device = name(item.device.as_str())?;
    Ok(rows.device(&device)?.filter(|(found, _)| *found == device).map(|(_, device)| device))
}

/// What is stored of these records, fetched in one go.
fn need_stored(rows: &Rows, resealed: &[Resealing]) -> Result<(), Stop> {
    let mut sealed = Vec::new();
    for item in resealed {
        // An item that is refused is refused in its turn.
        let device = match named(rows, item) {
            Err(Stop::Refused(_)) => continue,
            device => device?,
        };
        let held = device.and_then(|device| device.find(item.record));
        let sealings = held.into_iter().flat_map(Held::sealings);
        sealed.extend(sealings.map(|sealing| (&item.device, item.record, sealing.digest)));
    }
    rows.need_sealed(sealed)
}

fn replace(
    rows: &mut Rows,
    item: &Resealing,
    record: &Record,
    readers: &mut Readers,
) -> Result<bool, Stop> {
    let device = item.device;
    let Some(mut known) = named(rows, item)?.cloned() else { return Ok(false) };
    let Some(held) = known.find_mut(item.record) else { return Ok(false) };
    let mut stored = None;
    for sealing in held.sealings() {
        if stored.is_none() {
            stored = intact(rows, &device, held, sealing)?;
        }
    }
    let Some(stored) = stored else { return Ok(false) };
    let stored = Record::parse(&stored).map_err(VaultError::Record)?;
    let new = sealing(record, readers);
    let known_already = |kept: &Sealing| kept.digest == new.digest;
    if held.resealed.as_ref().is_some_and(known_already) {
        return Ok(false);
    }
    if !record.has_core_of(&stored) || known_already(&held.original) {
        return Err(Stop::Refused(VaultError::InvalidArgument(
            "this is not the stored record, re-sealed; only its readers may change",
        )));
    }
    if new.number <= held.newest().number && readers.ids(&new.readers) == readers.active_ids() {
        // Somebody else was faster.
        return Ok(false);
    }
    let digest = new.digest;
    held.import_resealed(new, readers, item.word).map_err(|refused| match refused {
        ResealRefused::Readers => OTHER_READERS,
        ResealRefused::Number => VaultError::InvalidArgument(
            "a record whose sealing number is not the one behind the stored one",
        ),
        ResealRefused::Stranger => VaultError::ConfirmationRequired(
            "the record names a reader that this vault never knew, and who would lose it",
        ),
    })?;
    let sealed = ((item.record, digest), record.as_bytes().to_vec());
    rows.put_records(&device, known, [sealed], []);
    Ok(true)
}
