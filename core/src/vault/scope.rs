//! Setting up a scope, and its readers (protocol §4.3): add and remove.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::identity::{DeviceId, Scope, Timestamp};
use crate::seal::{MAX_READERS, Reader, ReaderId};

use super::audit::{Action, MAX_DETAIL, quoted};
use super::checksum::digest;
use super::readers::{KnownReader, Readers};
use super::retention::Retention;
use super::rows::{Ordered, ReaderRow};
use super::rules::Loss;
use super::store::append;
use super::store::{Durability, Store, Transaction};
use super::{AuditHead, Confirmation, Observed, Request, Vault, VaultError};

/// How many devices one transaction looks at.
const PAGE: usize = 1_000;

impl<S: Store> Vault<S> {
    /// Sets a scope up with its first readers.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidArgument` without a reader, `ReasonRequired`, and what the store
    /// says.
    pub fn initialise(
        &self,
        scope: &Scope,
        readers: &[Reader],
        history: Retention,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        self.audited(scope, request, "", "set up", now, |tx| {
            let mut known = tx.readers(scope)?;
            // An audit log alone may be that of a refused attempt.
            if !known.known.is_empty() {
                let at = if *scope == Scope::EMPTY {
                    String::new()
                } else {
                    format!(
                        ", for \
                         {scope}"
                    )
                };
                return Err(VaultError::AlreadyExists(format!(
                    "this vault is set up already{at}, with {}; add readers to it, or set another \
                     one up",
                    known_names(&known)
                )));
            }
            if readers.is_empty() {
                return Err(VaultError::InvalidArgument("a vault needs at least one reader"));
            }
            known.history = valid(history)?;
            readers.iter().try_for_each(|reader| known.add(reader, now))?;
            tx.put_readers(scope, &known)?;
            let mut entry = request.entry(Action::Initialised, "", now);
            entry.detail = names(readers);
            append(tx, scope, &entry)
        })
    }

    /// The readers that the vault knows, also those that were removed.
    ///
    /// # Errors
    /// What the store says.
    pub fn readers(&self, scope: &Scope) -> Result<Vec<ReaderRow>, VaultError> {
        let readers = self.store.read(|tx| tx.readers(scope))?;
        readers
            .known
            .into_iter()
            .map(|known| {
                let damaged = |_| VaultError::Damaged { what: "a reader", device: String::new() };
                let reader = known.line.parse().map_err(damaged)?;
                Ok(ReaderRow { reader, added: known.added, removed: known.removed })
            })
            .collect()
    }

    /// Adds a reader. Records that are there must be re-sealed for it: see [`Vault::reseal_all`].
    ///
    /// # Errors
    /// `AlreadyExists`, `ReasonRequired`, and what the store says.
    pub fn add_reader(
        &self,
        scope: &Scope,
        reader: &Reader,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        self.audited(scope, request, "", "add a reader", now, |tx| {
            let mut known = tx.readers(scope)?;
            known.add(reader, now)?;
            tx.put_readers(scope, &known)?;
            let mut entry = request.entry(Action::ReaderAdded, "", now);
            entry.detail = format!("{} {}", reader.id(), reader.name());
            append(tx, scope, &entry)
        })
    }

    /// Orders the rotation of what a reader can open, spread over `window` seconds from now (0: at
    /// once; none: no order), and removes it. What it has a copy of stays readable to it.
    ///
    /// The orders come first, a thousand devices in each transaction, then the removal in one, then
    /// the orders for what came in meanwhile: once the reader is gone from the records, re-sealing
    /// would hide what it could open. When it fails or is killed, call it again, or
    /// [`Vault::order_readable`] when the reader is removed already: nothing is ordered twice.
    ///
    /// # Errors
    /// `NotFound`, `ConfirmationRequired` for the last reader, `WouldLose` when passwords in use
    /// name no other active reader, `ReasonRequired`, and what the store says.
    pub fn remove_reader(
        &self,
        scope: &Scope,
        reader: &ReaderId,
        window: Option<u64>,
        confirmation: Confirmation,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let mut before = 0;
        self.audited(scope, request, "", "remove a reader", now, |tx| {
            removable(&mut tx.readers(scope)?, reader, confirmation)?;
            let loss = loss(tx, scope, reader)?;
            if loss.records > 0 && confirmation == Confirmation::NotGiven {
                let Loss { records, devices } = loss;
                return Err(VaultError::WouldLose { records, devices });
            }
            Ok(())
        })?;
        if let Some(window) = window {
            before = self.order_readable(scope, reader, window, request, now)?.devices;
        }
        let head = self.audited(scope, request, "", "remove a reader", now, |tx| {
            let mut known = tx.readers(scope)?;
            removable(&mut known, reader, confirmation)?.removed = Some(now);
            tx.put_readers(scope, &known)?;
            let mut entry = request.entry(Action::ReaderRemoved, "", now);
            entry.detail = match window {
                Some(window) => format!("{reader}, and rotation within {window} s"),
                None => format!("{reader}, without rotation"),
            };
            append(tx, scope, &entry)
        })?;
        let Some(window) = window else {
            return Ok(Ordered { devices: 0, entry: head.length, head });
        };
        let ordered = self.order_opened_by(scope, reader, window, request, now, Some(head))?;
        Ok(Ordered { devices: ordered.devices.saturating_add(before), ..ordered })
    }

    /// What the removal of a reader would leave without an active reader: the question to ask
    /// before it. Costs grow with the scope.
    ///
    /// # Errors
    /// What the store says.
    pub fn reader_loss(&self, scope: &Scope, reader: &ReaderId) -> Result<Loss, VaultError> {
        self.store.read(|tx| loss(tx, scope, reader))
    }

    /// Orders the rotation of every candidate that a reader can open, spread over `window` seconds
    /// from now. A thousand devices in each transaction; nothing is ordered twice.
    ///
    /// # Errors
    /// `ReasonRequired`, and what the store says.
    pub fn order_readable(
        &self,
        scope: &Scope,
        reader: &ReaderId,
        window: u64,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        self.order_opened_by(scope, reader, window, request, now, None)
    }

    /// With the head of an entry that says already what is done, a page without an order is no
    /// entry of its own.
    fn order_opened_by(
        &self,
        scope: &Scope,
        reader: &ReaderId,
        window: u64,
        request: &Request<'_>,
        now: Timestamp,
        mut said: Option<AuditHead>,
    ) -> Result<Ordered, VaultError> {
        let mut devices = 0_u64;
        let mut after: Option<String> = None;
        loop {
            let (next, head) = self.audited(scope, request, "", "order rotations", now, |tx| {
                let readers = tx.readers(scope)?;
                let page = tx.devices(scope, after.as_deref(), PAGE)?;
                let mut ordered = 0_u64;
                for stored in &page {
                    if let Ok(device) = &stored.device {
                        let delay = spread(&stored.name, window);
                        let mut device = device.clone();
                        if device.order_readable_by(reader.as_bytes(), &readers, now, delay) {
                            tx.update_device(stored.key, &device)?;
                            ordered = ordered.saturating_add(1);
                        }
                    }
                }
                devices = devices.saturating_add(ordered);
                let next = page.last().filter(|_| page.len() >= PAGE);
                let next = next.map(|last| last.name.to_string());
                if let Some(head) = said.filter(|_| ordered == 0) {
                    return Ok((next, head));
                }
                let mut entry = request.entry(Action::RotationOrdered, "", now);
                entry.detail = format!("what reader {reader} can open: {ordered} devices");
                Ok((next, append(tx, scope, &entry)?))
            })?;
            said = said.map(|_| head);
            if next.is_none() {
                return Ok(Ordered { devices, entry: head.length, head });
            }
            after = next;
        }
    }

    /// Sets how much history is kept. A shorter one takes effect at a device's next change.
    ///
    /// # Errors
    /// `InvalidArgument` for a count of 0, `ReasonRequired`, and what the store says.
    pub fn set_retention(
        &self,
        scope: &Scope,
        history: Retention,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        self.audited(scope, request, "", "set the history", now, |tx| {
            let mut readers = tx.readers(scope)?;
            readers.history = valid(history)?;
            tx.put_readers(scope, &readers)?;
            let mut entry = request.entry(Action::SettingChanged, "", now);
            let days = history.days.map_or(String::new(), |days| format!(", and {days} days"));
            entry.detail = format!("history: {} records{days}", history.count);
            append(tx, scope, &entry)
        })
    }

    /// Sets how many seconds after a disclosure what was shown is rotated; none: only when whoever
    /// discloses asks for it.
    ///
    /// # Errors
    /// `ReasonRequired`, and what the store says.
    pub fn set_rotate_after(
        &self,
        scope: &Scope,
        seconds: Option<u64>,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        self.audited(scope, request, "", "set the rotation after a disclosure", now, |tx| {
            let mut readers = tx.readers(scope)?;
            readers.rotate_after = seconds;
            tx.put_readers(scope, &readers)?;
            let mut entry = request.entry(Action::SettingChanged, "", now);
            entry.detail = match seconds {
                Some(seconds) => format!("rotation after a disclosure: {seconds} s"),
                None => "rotation after a disclosure: only when it is asked for".to_string(),
            };
            append(tx, scope, &entry)
        })
    }

    /// How many seconds after a disclosure what was shown is rotated; none: only when whoever
    /// discloses asks for it.
    ///
    /// # Errors
    /// What the store says.
    pub fn rotate_after(&self, scope: &Scope) -> Result<Option<u64>, VaultError> {
        Ok(self.store.read(|tx| tx.readers(scope))?.rotate_after)
    }

    /// How much history is kept.
    ///
    /// # Errors
    /// What the store says.
    pub fn retention(&self, scope: &Scope) -> Result<Retention, VaultError> {
        Ok(self.store.read(|tx| tx.readers(scope))?.history)
    }

    /// Puts a finding about the store into the audit log of every scope: that a copy was restored,
    /// that it was migrated.
    ///
    /// # Errors
    /// `ReasonRequired`, and what the store says.
    pub fn note_everywhere(
        &self,
        action: Action,
        detail: &str,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        request.check()?;
        self.store.write(Durability::Durable, |tx| note(tx, action, detail, request, now))
    }

    /// Puts a refused attempt into the audit log of every scope, also one whose request is the
    /// reason.
    ///
    /// # Errors
    /// What the store says.
    pub fn note_refusal(
        &self,
        attempt: &str,
        error: &VaultError,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let detail = format!("{attempt}: {error}");
        self.store
            .write(Durability::Durable, |tx| note(tx, Action::Refused, &detail, request, now))?;
        self.observe(&Observed::Refused { code: error.code() });
        Ok(())
    }
}

/// Puts a finding about the store into the audit log of every scope, inside a transaction that is
/// open. The detail is cut at [`MAX_DETAIL`], and its control characters are escaped.
///
/// # Errors
/// What the store says.
pub fn note(
    tx: &mut dyn Transaction,
    action: Action,
    detail: &str,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<(), VaultError> {
    for scope in tx.scopes()? {
        let mut entry = request.entry(action, "", now);
        entry.detail = quoted(detail, MAX_DETAIL);
        append(tx, &scope, &entry)?;
    }
    Ok(())
}

impl Readers {
    pub(super) fn add(&mut self, reader: &Reader, now: Timestamp) -> Result<(), VaultError> {
        let id = *reader.id().as_bytes();
        let line = reader.to_string();
        // A record is sealed to all active readers at once: to at most so many, and in one suite.
        let other_suite = self.active().any(|known| {
            known.line.parse().is_ok_and(|known: Reader| known.suite() != reader.suite())
        });
        if other_suite {
            return Err(VaultError::InvalidArgument(
                "a reader of another suite than the readers that are there; a record has one suite",
            ));
        }
        let there = self.active().any(|known| known.id == id);
        if !there && self.active().count() >= MAX_READERS {
            return Err(VaultError::InvalidArgument(
                "a reader beyond the sixteenth; a record can be sealed to 16",
            ));
        }
        if there {
            return Err(VaultError::AlreadyExists(format!(
                "reader {} {} is there already; each reader is accepted once",
                reader.id(),
                reader.name()
            )));
        }
        self.activate(KnownReader { id, line, added: now, removed: None });
        Ok(())
    }
}

fn valid(history: Retention) -> Result<Retention, VaultError> {
    match history.count {
        0 => Err(VaultError::InvalidArgument("a history of 0 records; at least 1 is kept")),
        _ => Ok(history),
    }
}

/// How many readers there are, and the names of the first three.
fn known_names(readers: &Readers) -> String {
    let names: Vec<String> = readers
        .active()
        .take(3)
        .filter_map(|known| known.line.parse().ok())
        .map(|reader: Reader| reader.name().to_string())
        .collect();
    let more = if readers.active().count() > names.len() { ", …" } else { "" };
    format!("{} readers ({}{more})", readers.active().count(), names.join(", "))
}

fn names(readers: &[Reader]) -> String {
    let names: Vec<String> =
        readers.iter().map(|reader| format!("{} {}", reader.id(), reader.name())).collect();
    names.join(", ")
}

/// Where in the window a device has its turn: always the same place, evenly over the devices.
fn spread(device: &DeviceId, window: u64) -> u64 {
    let place = u64::from(u32::from_be_bytes(digest(device.as_str().as_bytes())));
    place.saturating_mul(window) >> 32
}

/// What the removal of a reader would leave without an active reader. Costs grow with the scope.
fn loss(tx: &mut dyn Transaction, scope: &Scope, reader: &ReaderId) -> Result<Loss, VaultError> {
    let readers = tx.readers(scope)?;
    let mut loss = Loss::default();
    let mut after: Option<String> = None;
    loop {
        let page = tx.devices(scope, after.as_deref(), PAGE)?;
        for device in page.iter().filter_map(|stored| stored.device.as_ref().ok()) {
            loss.add(device, &readers, reader.as_bytes());
        }
        after = page.last().filter(|_| page.len() >= PAGE).map(|last| last.name.to_string());
        if after.is_none() {
            return Ok(loss);
        }
    }
}

/// The reader, if it is there and may be removed.
fn removable<'a>(
    known: &'a mut Readers,
    reader: &ReaderId,
    confirmation: Confirmation,
) -> Result<&'a mut KnownReader, VaultError> {
    let last = known.active().count() == 1;
    let found = known
        .known
        .iter_mut()
        .find(|known| known.id == *reader.as_bytes() && known.removed.is_none())
        .ok_or(VaultError::NotFound("reader"))?;
    if last && confirmation == Confirmation::NotGiven {
        return Err(VaultError::ConfirmationRequired(
            "this is the last reader: without one nobody can open what is stored from now on",
        ));
    }
    Ok(found)
}
