//! Setting up a scope, its readers (protocol §4.3) and its settings.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::identity::{Scope, Timestamp};
use crate::seal::{MAX_READERS, Reader};

use super::audit::{Action, Entry, MAX_DETAIL, quoted};
use super::plan::Plan;
use super::readers::{KnownReader, Readers};
use super::retention::Retention;
use super::rows::ReaderRow;
use super::store::{Durability, Store};
use super::{AuditHead, Observed, Request, Vault, VaultError};

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
    pub(super) fn settings(&self, scope: &Scope) -> Result<Readers, VaultError> {
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

    /// Puts a finding about the store into the audit log of these scopes, one after the other: that
    /// a copy was made, that it was restored.
    ///
    /// # Errors
    /// `ReasonRequired`, and what the store says.
    pub fn note_in(
        &self,
        scopes: &[Scope],
        action: Action,
        detail: &str,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        request.check()?;
        self.append_in(scopes, &finding(action, detail, request, now))
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
        self.append_in(&self.scopes()?, &finding(Action::Refused, &detail, request, now))?;
        self.observe(&Observed::Refused { code: error.code() });
        Ok(())
    }

    fn append_in(&self, scopes: &[Scope], entry: &Entry) -> Result<(), VaultError> {
        for scope in scopes {
            self.run(&Plan::of(scope), Durability::Durable, |rows| {
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
