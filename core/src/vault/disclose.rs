//! Handing out sealed records (protocol §6.1): first the entry, and the order if asked for; then the bytes.

use alloc::{collections::BTreeSet, format, string::ToString as _, vec::Vec};

use crate::error::Code;
use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::seal::Record;

use super::bytes::digest;
use super::checkin::append;
use super::rules::ON_WORD;
use super::state::{Account, Held, Past, RuledOut, Sealing};
use super::store::{Durability, Store, Transaction};
use super::trail::{Action, Entry, MAX_DETAIL, quoted};
use super::view::{Candidate, CandidateState, Disclosure};
use super::{AuditHead, DiscloseOptions, Observed, Request, Vault, VaultError, name};

/// The longest actor, reason and context, in bytes.
pub(super) const MAX_ACTOR: usize = 256;
const MAX_REASON: usize = 1_024;

impl<S: Store> Vault<S> {
    /// Hands out the sealed candidates of a device. The audit entry, and the order to rotate if asked for, are durable before.
    ///
    /// # Errors
    /// `ReasonRequired`, `NotFound`, and what the store says. The refused attempt is in the trail.
    pub fn disclose(
        &self,
        scope: &Scope,
        device: &str,
        request: &Request<'_>,
        options: DiscloseOptions,
        now: Timestamp,
    ) -> Result<Disclosure, VaultError> {
        let disclosure = self.audited(scope, request, device, "disclose", now, |tx| {
            let name = name(device)?;
            let (key, mut known) =
                tx.device(scope, &name)?.ok_or(VaultError::NotFound("device"))?;
            let wanted = wanted(&known.managed, options.history);
            if wanted.is_empty() {
                return Err(VaultError::NotFound("record of this device"));
            }
            let readers = tx.readers(scope)?;
            let mut candidates = Vec::with_capacity(wanted.len());
            let mut damaged = Vec::new();
            for (held, state) in wanted {
                let shown = held.shown(&readers);
                let shown = shown.iter().map(|sealing| intact(tx, scope, &name, held, sealing));
                let shown: Vec<Option<Vec<u8>>> = shown.collect::<Result<_, _>>()?;
                let mut shown = shown.into_iter().flatten();
                match shown.next() {
                    Some(sealed) => candidates.push(Candidate {
                        record: held.id,
                        version: held.version,
                        state,
                        updated: held.stored_at,
                        confirmed: held.confirmed,
                        opened: held.opened,
                        sealed,
                        before: shown.next(),
                    }),
                    None => damaged.push(held.id),
                }
            }
            if candidates.is_empty() {
                return Err(VaultError::Damaged {
                    what: "every record",
                    device: device.to_string(),
                });
            }
            let mut entry = request.entry(Action::Disclosed, device, now);
            entry.records = candidates.iter().map(|candidate| candidate.record).collect();
            entry.detail = match options.rotate_after {
                Some(seconds) => format!("and ordered to rotate after {seconds} s"),
                None => "".to_string(),
            };
            let head = append(tx, scope, &entry)?;
            if let Some(seconds) = options.rotate_after
                && known.managed.candidates.order_all(now, seconds)
            {
                tx.update_device(key, &known)?;
            }
            let account = known.managed.name;
            Ok(Disclosure { device: name, account, entry: head.length, head, candidates, damaged })
        })?;
        let records = disclosure.candidates.len();
        self.observe(&Observed::Disclosed { device: disclosure.device, records });
        Ok(disclosure)
    }

    /// Notes what became of a disclosure: whether the records were opened. They count as revealed whatever is noted.
    ///
    /// # Errors
    /// `NotFound` when that entry is not a disclosure, `ReasonRequired`, and what the store says.
    pub fn record_outcome(
        &self,
        scope: &Scope,
        entry: u64,
        opened: bool,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        self.audited(scope, request, "", "record the outcome of a disclosure", now, |tx| {
            let found = tx.entries(scope, entry, 1)?;
            let disclosed = found.into_iter().find(|stored| stored.number == entry);
            let disclosed = disclosed
                .and_then(|stored| stored.entry.ok())
                .filter(|disclosed| disclosed.action == Action::Disclosed)
                .ok_or(VaultError::NotFound("disclosure"))?;
            let mut outcome = request.entry(Action::Outcome, &disclosed.device, now);
            outcome.refers_to = entry;
            outcome.detail = if opened { "opened" } else { "not opened" }.to_string();
            append(tx, scope, &outcome)
        })
    }

    /// Runs `work` in a durable transaction. When the request itself is refused, that attempt is put into the trail.
    pub(super) fn audited<T>(
        &self,
        scope: &Scope,
        request: &Request<'_>,
        device: &str,
        attempt: &'static str,
        now: Timestamp,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let result = request.check().and_then(|()| self.store.write(Durability::Durable, work));
        if let Err(error) = &result
            && !matches!(error, VaultError::Store(_) | VaultError::Internal(_))
        {
            self.store.write(Durability::Durable, |tx| {
                let mut entry = request.entry(Action::Refused, device, now);
                entry.detail = quoted(&format!("{attempt}: {error}"), MAX_DETAIL);
                append(tx, scope, &entry)
            })?;
            self.observe(&Observed::Refused { code: error.code() });
        }
        result
    }

    /// Puts one entry into the trail.
    pub(super) fn write_entry(
        &self,
        scope: &Scope,
        code: Code,
        entry: &Entry,
    ) -> Result<AuditHead, VaultError> {
        let head = self.store.write(Durability::Durable, |tx| append(tx, scope, entry))?;
        self.observe(&Observed::Refused { code });
        Ok(head)
    }
}

/// The records of an account, the one that it most likely holds first: those that the latest report named, the current one before the
/// pending ones, of these the newest first; then the other candidates; then what was ruled out on a word; then the history, if asked for.
pub(super) fn wanted(account: &Account, history: bool) -> Vec<(&Held, CandidateState)> {
    let candidates = &account.candidates;
    let current = candidates.current.iter().map(|held| (held, CandidateState::Current));
    let pending = candidates.pending.iter().rev().map(|held| (held, CandidateState::Pending));
    let mut wanted: Vec<(&Held, CandidateState)> = current.chain(pending).collect();
    wanted.sort_by_key(|(held, _)| !account.report.likely.contains(held.id));
    let word = |past: &&Past| past.ruled_out == RuledOut::OnWord;
    let on_word = candidates.history.iter().filter(word).take(ON_WORD);
    wanted.extend(on_word.map(|past| (&past.held, CandidateState::RuledOut)));
    if history {
        let known: BTreeSet<RecordId> = wanted.iter().map(|(held, _)| held.id).collect();
        let past = candidates.history.iter().map(|past| &past.held);
        let past = past.filter(|held| !known.contains(&held.id));
        wanted.extend(past.map(|held| (held, CandidateState::History)));
    }
    wanted
}

/// The bytes of a sealing, if they are what was stored, and the record that the device's row says: whoever writes the store's
/// file could have put another device's, or an older one, in its place.
pub(super) fn intact(
    tx: &mut dyn Transaction,
    scope: &Scope,
    device: &DeviceId,
    held: &Held,
    sealing: &Sealing,
) -> Result<Option<Vec<u8>>, VaultError> {
    let in_its_place = |bytes: &Vec<u8>| {
        digest(bytes) == sealing.digest
            && Record::parse(bytes).is_ok_and(|record| {
                let header = record.header();
                (header.scope, header.device) == (*scope, *device)
                    && (header.id, header.version) == (held.id, held.version)
            })
    };
    match tx.record(sealing.row) {
        Ok(bytes) => Ok(bytes.filter(in_its_place)),
        Err(VaultError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Request<'_> {
    /// Whether it may stand in the trail as it is.
    /// Whether actor, reason and context are there and fit. Every operation asks this first.
    ///
    /// # Errors
    /// `ReasonRequired`, and `InvalidArgument` for text that is too long or has control characters.
    pub fn check(&self) -> Result<(), VaultError> {
        let blank = |text: &str| text.trim().is_empty();
        if blank(self.actor) || blank(self.reason) {
            return Err(VaultError::ReasonRequired);
        }
        let fits = |text: &str, max| text.len() <= max && !text.chars().any(char::is_control);
        if !fits(self.actor, MAX_ACTOR) {
            return Err(VaultError::InvalidArgument(
                "the actor is not at most 256 bytes without control characters",
            ));
        }
        if !fits(self.reason, MAX_REASON) || !fits(self.context, MAX_REASON) {
            return Err(VaultError::InvalidArgument(
                "the reason or its context is not at most 1024 bytes without control characters",
            ));
        }
        Ok(())
    }

    /// An entry of this request; what does not fit is cut, which happens only where the request is refused.
    pub(super) fn entry(&self, action: Action, device: &str, now: Timestamp) -> Entry {
        let cut = |text: &str, max: usize| {
            let clean = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
            let mut used = 0_usize;
            clean
                .take_while(|c| {
                    used = used.saturating_add(c.len_utf8());
                    used <= max
                })
                .collect()
        };
        let mut entry = Entry::new(action, now);
        entry.actor = cut(self.actor, MAX_ACTOR);
        entry.reason = cut(self.reason, MAX_REASON);
        entry.context = cut(self.context, MAX_REASON);
        entry.device = cut(device, MAX_ACTOR);
        entry
    }
}
