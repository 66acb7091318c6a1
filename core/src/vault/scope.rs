//! Setting up a scope, and its readers (protocol §4.3): add and remove.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::identity::{DeviceId, Scope, Timestamp};
use crate::seal::{MAX_READERS, Reader, ReaderId};

use super::audit::{Action, Entry, MAX_DETAIL, quoted};
use super::checksum::digest;
use super::plan::{Plan, Range};
use super::readers::{KnownReader, Readers};
use super::retention::Retention;
use super::rows::{Ordered, ReaderRow};
use super::rules::Loss;
use super::store::{Durability, Store};
use super::unit::Stop;
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
        self.change_readers(scope, "set up", request, now, |known| {
            // An audit log alone may be that of a refused attempt.
            if !known.known.is_empty() {
                let at = match *scope == Scope::EMPTY {
                    true => String::new(),
                    false => format!(", for {scope}"),
                };
                return Err(VaultError::AlreadyExists(format!(
                    "this vault is set up already{at}, with {}; add readers to it, or set another \
                     one up",
                    known_names(known)
                )));
            }
            if readers.is_empty() {
                return Err(VaultError::InvalidArgument("a vault needs at least one reader"));
            }
            known.history = valid(history)?;
            readers.iter().try_for_each(|reader| known.add(reader, now))?;
            Ok((Action::Initialised, names(readers)))
        })
    }

    /// Changes readers or settings, with the entry that the change names.
    fn change_readers(
        &self,
        scope: &Scope,
        attempt: &'static str,
        request: &Request<'_>,
        now: Timestamp,
        change: impl Fn(&mut Readers) -> Result<(Action, String), VaultError>,
    ) -> Result<AuditHead, VaultError> {
        let ((), appended) = self.audited(Plan::of(scope), request, "", attempt, now, |rows| {
            let mut known = rows.readers()?.clone();
            let (action, detail) = change(&mut known)?;
            rows.put_readers(known);
            rows.append(Entry { detail, ..request.entry(action, "", now) });
            Ok(())
        })?;
        appended.head()
    }

    /// Readers and settings of a scope.
    fn settings(&self, scope: &Scope) -> Result<Readers, VaultError> {
        self.look(Plan::of(scope), |rows| Ok(rows.readers()?.clone()))
    }

    /// The readers that the vault knows, also those that were removed.
    ///
    /// # Errors
    /// What the store says.
    pub fn readers(&self, scope: &Scope) -> Result<Vec<ReaderRow>, VaultError> {
        self.settings(scope)?
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
        self.change_readers(scope, "add a reader", request, now, |known| {
            known.add(reader, now)?;
            Ok((Action::ReaderAdded, format!("{} {}", reader.id(), reader.name())))
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
        // Records that come in beside this are ordered by the last page of orders.
        let loss = match confirmation {
            Confirmation::NotGiven => self.reader_loss(scope, reader)?,
            Confirmation::Given => Loss::default(),
        };
        self.audited(Plan::of(scope), request, "", "remove a reader", now, |rows| {
            removable(&mut rows.readers()?.clone(), reader, confirmation)?;
            if loss.records > 0 {
                let Loss { records, devices } = loss;
                return Err(Stop::Refused(VaultError::WouldLose { records, devices }));
            }
            Ok(())
        })?;
        if let Some(window) = window {
            before = self.order_readable(scope, reader, window, request, now)?.devices;
        }
        let head = self.change_readers(scope, "remove a reader", request, now, |known| {
            removable(known, reader, confirmation)?.removed = Some(now);
            let detail = match window {
                Some(window) => format!("{reader}, and rotation within {window} s"),
                None => format!("{reader}, without rotation"),
            };
            Ok((Action::ReaderRemoved, detail))
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
        let mut loss = Loss::default();
        self.each_page(scope, PAGE, |stored, readers| {
            if let Ok(device) = &stored.device {
                loss.add(device, readers, reader.as_bytes());
            }
        })?;
        Ok(loss)
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
            let range = Range::by_name(after.as_deref(), PAGE);
            let ((next, ordered), appended) = self.audited(
                Plan::page(scope, &range),
                request,
                "",
                "order rotations",
                now,
                |rows| {
                    let readers = rows.readers()?.clone();
                    let page = rows.names(&range)?;
                    let mut ordered = 0_u64;
                    for name in &page {
                        let Ok(device) = &rows.stored(name)?.device else { continue };
                        let mut device = device.clone();
                        let delay = spread(name, window);
                        if device.order_readable_by(reader.as_bytes(), &readers, now, delay) {
                            rows.put_device(name, device);
                            ordered = ordered.saturating_add(1);
                        }
                    }
                    if said.is_none() || ordered > 0 {
                        let mut entry = request.entry(Action::RotationOrdered, "", now);
                        entry.detail = format!("what reader {reader} can open: {ordered} devices");
                        rows.append(entry);
                    }
                    let next = page.last().filter(|_| page.len() >= PAGE);
                    Ok((next.map(DeviceId::to_string), ordered))
                },
            )?;
            devices = devices.saturating_add(ordered);
            let head = match said {
                Some(said) if ordered == 0 => said,
                Some(_) | None => appended.head()?,
            };
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
        self.change_readers(scope, "set the history", request, now, |readers| {
            readers.history = valid(history)?;
            let days = history.days.map_or(String::new(), |days| format!(", and {days} days"));
            Ok((Action::SettingChanged, format!("history: {} records{days}", history.count)))
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
        let attempt = "set the rotation after a disclosure";
        self.change_readers(scope, attempt, request, now, |readers| {
            readers.rotate_after = seconds;
            let detail = match seconds {
                Some(seconds) => format!("rotation after a disclosure: {seconds} s"),
                None => "rotation after a disclosure: only when it is asked for".to_string(),
            };
            Ok((Action::SettingChanged, detail))
        })
    }

    /// How many seconds after a disclosure what was shown is rotated; none: only when whoever
    /// discloses asks for it.
    ///
    /// # Errors
    /// What the store says.
    pub fn rotate_after(&self, scope: &Scope) -> Result<Option<u64>, VaultError> {
        Ok(self.settings(scope)?.rotate_after)
    }

    /// How much history is kept.
    ///
    /// # Errors
    /// What the store says.
    pub fn retention(&self, scope: &Scope) -> Result<Retention, VaultError> {
        Ok(self.settings(scope)?.history)
    }

    /// Puts a finding about the store into the audit log of every scope, one after the other: that
    /// a copy was made, that it was restored.
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
        self.note_in_scopes(&finding(action, detail, request, now))
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
        self.note_in_scopes(&finding(Action::Refused, &detail, request, now))?;
        self.observe(&Observed::Refused { code: error.code() });
        Ok(())
    }

    fn note_in_scopes(&self, entry: &Entry) -> Result<(), VaultError> {
        for scope in self.scopes()? {
            self.run(&Plan::of(&scope), Durability::Durable, |rows| {
                rows.append(entry.clone());
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The entry of a finding about a store. The detail is cut at [`MAX_DETAIL`], and its control
/// characters are escaped.
#[must_use]
pub fn finding(action: Action, detail: &str, request: &Request<'_>, now: Timestamp) -> Entry {
    Entry { detail: quoted(detail, MAX_DETAIL), ..request.entry(action, "", now) }
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
