//! What administrators do, on values alone: readers that come and go, sealings that are imported,
//! devices that leave and return.

use crate::identity::{RecordId, Timestamp};

use super::super::readers::{KnownReader, ReaderList, Readers};
use super::super::state::{Device, Held, OpenedStatus, Sealing};

/// What the removal of a reader would take: candidates that no active reader could open any more.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Loss {
    /// How many devices have one.
    pub devices: u64,
    /// How many records.
    pub records: u64,
}

/// Why a sealing that was imported is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResealRefused {
    /// It is not sealed to exactly the active readers.
    Readers,
    /// Its number is not the one behind the highest that is kept.
    Number,
    /// The kept record names a reader that the vault never knew, who would lose it. A word is
    /// needed.
    Stranger,
}

impl Readers {
    /// A reader is added, or taken back.
    pub(in crate::vault) fn activate(&mut self, reader: KnownReader) {
        match self.known.iter_mut().find(|known| known.id == reader.id) {
            Some(known) => *known = reader,
            None => self.known.push(reader),
        }
    }

    /// A reader is removed; false when it is not active.
    pub fn remove(&mut self, id: &[u8; 32], now: Timestamp) -> bool {
        let active = |known: &&mut KnownReader| known.id == *id && known.removed.is_none();
        match self.known.iter_mut().find(active) {
            Some(known) => {
                known.removed = Some(now);
                true
            }
            None => false,
        }
    }

    /// Notes that a copy was restored whose log had this many entries.
    pub(crate) fn note_restore(&mut self, entries: u64) {
        self.restored.push(entries);
    }
}

impl Loss {
    /// Adds what the removal of a reader would take from a device.
    pub fn add(&mut self, device: &Device, readers: &Readers, reader: &[u8; 32]) {
        let stays = |id: &[u8; 32]| id != reader && readers.is_active(id);
        let lost = |held: &&Held| {
            let mut ids = held.sealings().flat_map(|sealing| readers.ids(&sealing.readers));
            held.is_openable(readers) && !ids.any(stays)
        };
        let accounts =
            device.accounts().map(|account| account.candidates.iter().filter(lost).count());
        let records = u64::try_from(accounts.sum::<usize>()).unwrap_or(u64::MAX);
        self.records = self.records.saturating_add(records);
        self.devices = self.devices.saturating_add(u64::from(records > 0));
    }
}

impl Held {
    /// Imports a new sealing of this record: beside the one that came from the device, in the place
    /// of one that was imported before.
    ///
    /// # Errors
    /// [`ResealRefused`].
    pub fn import_resealed(
        &mut self,
        sealing: Sealing,
        readers: &Readers,
        word: bool,
    ) -> Result<(), ResealRefused> {
        if readers.ids(&sealing.readers) != readers.active_ids() {
            return Err(ResealRefused::Readers);
        }
        if Some(sealing.number) != self.newest().number.checked_add(1) {
            return Err(ResealRefused::Number);
        }
        if !word && self.names_stranger(readers) {
            return Err(ResealRefused::Stranger);
        }
        self.resealed = Some(sealing);
        Ok(())
    }

    /// Whether the sealing that came from the device names a reader that the vault never knew.
    pub(crate) fn names_stranger(&self, readers: &Readers) -> bool {
        readers.names_stranger(&self.original.readers)
    }

    /// Whether it has to be re-sealed: nobody but the active readers, and each of them, is to
    /// open it.
    pub(crate) fn needs_resealing(&self, readers: &Readers) -> bool {
        readers.ids(&self.newest().readers) != readers.active_ids()
    }

    /// The sealings to hand out, the newest first: those that name active readers only, where there
    /// is one; else all.
    pub(crate) fn disclosable(&self, readers: &Readers) -> alloc::vec::Vec<&Sealing> {
        let only = |sealing: &&Sealing| readers.names_only_active(&sealing.readers);
        let shown: alloc::vec::Vec<&Sealing> = self.sealings().filter(only).collect();
        if shown.is_empty() { self.sealings().collect() } else { shown }
    }
}

impl Device {
    /// Somebody says that this record was opened.
    pub(crate) fn claim_opened(&mut self, id: RecordId) {
        if let Some(held) = self.find_mut(id) {
            held.opened = held.opened.max(OpenedStatus::Claimed);
        }
    }

    /// Somebody proved that this record was opened.
    pub(crate) fn prove_opened(&mut self, id: RecordId, now: Timestamp) {
        for account in self.accounts_mut() {
            if let Some(held) = account.candidates.find_mut(id) {
                held.opened = OpenedStatus::Proven;
                account.proven_at = Some(now);
            }
        }
    }

    /// An administrator takes the device out of service; false when it is already.
    pub fn retire(&mut self, now: Timestamp) -> bool {
        let in_service = self.about.retired.is_none();
        self.about.retired.get_or_insert(now);
        in_service
    }

    /// An administrator brings it back, for a new installation under the old name; false when it is
    /// in service.
    pub fn re_enrol(&mut self) -> bool {
        let retired = self.about.retired.take().is_some();
        if retired {
            self.managed.sid = None;
        }
        retired
    }

    /// An administrator removes a record. What the token covered has changed: a commit that was
    /// made without knowing is sent again.
    pub fn remove_record(&mut self, id: RecordId) -> bool {
        let mut found = false;
        for account in self.accounts_mut() {
            let candidates = &mut account.candidates;
            if candidates.find(id).is_none() {
                continue;
            }
            candidates.current.take_if(|held| held.id == id);
            candidates.pending.retain(|held| held.id != id);
            candidates.history.retain(|past| past.held.id != id);
            candidates.token = None;
            found = true;
        }
        found
    }
}

impl ReaderList {
    /// The ids, for a sealing whose set stands in no list.
    #[must_use]
    pub fn of(ids: &[[u8; 32]]) -> Self {
        Self::Ids(ids.to_vec())
    }
}
