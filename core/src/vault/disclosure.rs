//! Handing out sealed records (protocol §6.1): first the entry, and the order if asked for; then
//! the bytes.

use alloc::{collections::BTreeSet, format, string::String, string::ToString as _, vec::Vec};

use crate::account::same_name;
use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::seal::{OpenedProof, Record};

use super::audit::{Action, Entry};
use super::checksum::digest;
use super::names::locate;
use super::plan::{Plan, Want};
use super::rows::{Candidate, CandidateState, Disclosure};
use super::rules::ON_WORD;
use super::state::{Account, Device, Held, Past, RuledOut, Sealing};
use super::store::Store;
use super::unit::{Rows, Stop};
use super::{
    AuditHead, Confirmation, DiscloseOptions, Observed, Request, RotateAfter, Vault, VaultError,
    name,
};

/// The longest actor, reason and context, in bytes.
pub(super) const MAX_ACTOR: usize = 256;
const MAX_REASON: usize = 1_024;

impl<S: Store> Vault<S> {
    /// Hands out the sealed candidates of a device. The audit entry, and the order to rotate, are
    /// durable before. The order follows from the setting of the vault: whoever discloses may
    /// ask for an earlier one, and needs a word for a later one or none.
    ///
    /// # Errors
    /// `ReasonRequired`, `NotFound`, `ConfirmationRequired` for a later rotation than the setting
    /// says, and what the store says. The refused attempt is in the log.
    pub fn disclose(
        &self,
        scope: &Scope,
        device: &str,
        request: &Request<'_>,
        options: DiscloseOptions<'_>,
        now: Timestamp,
    ) -> Result<Disclosure, VaultError> {
        let plan = Plan::named(scope, device);
        let (shown, appended) = self.audited(plan, request, device, "disclose", now, |rows| {
            let (name, known) = locate(rows, device)?;
            let mut known = known.clone();
            let readers = rows.readers()?;
            let account = known
                .account_named(options.account)
                .ok_or(VaultError::NotFound("account of this device"))?;
            let (account_name, is_managed) = (account.name, account.name == known.managed.name);
            let wanted = wanted(account, options.history);
            if wanted.is_empty() {
                return Err(Stop::Refused(VaultError::NotFound(if known.former.is_empty() {
                    "record of this device"
                } else {
                    "record of this account; name one that the device managed before"
                })));
            }
            let shown = |held: &Held| -> Vec<Sealing> {
                match options.from_device {
                    true => held.sealings().cloned().collect(),
                    false => held.disclosable(readers).into_iter().cloned().collect(),
                }
            };
            let wanted = wanted.into_iter().map(|(held, state)| (held, state, shown(held)));
            let wanted: Vec<(&Held, CandidateState, Vec<Sealing>)> = wanted.collect();
            rows.need_sealed(wanted.iter().flat_map(|(held, _, shown)| {
                shown.iter().map(|sealing| (&name, held.id, sealing.digest))
            }))?;
            let mut candidates = Vec::with_capacity(wanted.len());
            let mut damaged = Vec::new();
            for (held, state, shown) in wanted {
                let shown = shown.iter().map(|sealing| intact(rows, &name, held, sealing));
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
                return Err(Stop::Refused(VaultError::Damaged {
                    what: "every record",
                    device: device.to_string(),
                }));
            }
            let (delay, mut detail) = rotation_after(&options, readers.rotate_after)?;
            if !is_managed {
                detail = format!("of account {account_name}; {detail}");
            }
            let mut entry = request.entry(Action::Disclosed, name.as_str(), now);
            entry.records = candidates.iter().map(|candidate| candidate.record).collect();
            entry.detail = detail;
            rows.append(entry);
            if let Some(delay) = delay
                && let Some(account) = known.account_named_mut(options.account)
                && account.candidates.order_all(now, delay)
            {
                rows.put_device(&name, known);
            }
            Ok((name, account_name, candidates, damaged))
        })?;
        let (name, account, candidates, damaged) = shown;
        let head = appended.head()?;
        let disclosure =
            Disclosure { device: name, account, entry: head.length, head, candidates, damaged };
        let records = disclosure.candidates.len();
        self.observe(&Observed::Disclosed { device: disclosure.device, records });
        Ok(disclosure)
    }

    /// Notes what became of a disclosure: whether the records were opened. They count as revealed
    /// whatever is noted, and a later outcome is added and replaces nothing. With what opening
    /// a record told (`proofs`), that record is proven to have been opened; without,
    /// somebody claims it.
    ///
    /// # Errors
    /// `NotFound` when that entry is not a disclosure, `InvalidArgument` for the disclosure of
    /// somebody else, for a proof that belongs to none of its records, and for proofs of what
    /// was not opened; `ReasonRequired`, and what the store says.
    pub fn record_outcome(
        &self,
        scope: &Scope,
        entry: u64,
        opened: bool,
        proofs: &[OpenedProof],
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        let plan = Plan::of(scope).with(Want::Entry(entry));
        let attempt = "record the outcome of a disclosure";
        let ((), appended) = self.audited(plan, request, "", attempt, now, |rows| {
            let disclosed = rows
                .entry(entry)?
                .and_then(|stored| stored.entry.clone().ok())
                .filter(|disclosed| disclosed.action == Action::Disclosed)
                .ok_or(VaultError::NotFound("disclosure"))?;
            if !disclosed.is_by(request) {
                return Err(Stop::Refused(VaultError::InvalidArgument(
                    "the outcome of somebody else's disclosure; it is noted by who disclosed",
                )));
            }
            if !opened && !proofs.is_empty() {
                return Err(Stop::Refused(VaultError::InvalidArgument(
                    "a proof of what was not opened",
                )));
            }
            let mut outcome = request.entry(Action::Outcome, &disclosed.device, now);
            outcome.refers_to = entry;
            outcome.detail = match (opened, proofs.is_empty()) {
                (false, _) => "not opened",
                (true, true) => "opened",
                (true, false) => "opened, proven",
            }
            .to_string();
            // A device of that very name: the entry has the one that it had.
            let name = name(&disclosed.device)?;
            if opened
                && let Some((_, known)) = rows.device(&name)?.filter(|(found, _)| *found == name)
            {
                let mut device = known.clone();
                outcome.records = if proofs.is_empty() {
                    disclosed.records.iter().for_each(|id| device.claim_opened(*id));
                    Vec::new()
                } else {
                    prove(rows, &name, &mut device, &disclosed, proofs, now)?
                };
                if device != *known {
                    rows.put_device(&name, device);
                }
            }
            rows.append(outcome);
            Ok(())
        })?;
        appended.head()
    }
}

/// After how many seconds what is shown is rotated, and how the entry says it.
fn rotation_after(
    options: &DiscloseOptions<'_>,
    setting: Option<u64>,
) -> Result<(Option<u64>, String), VaultError> {
    if options.from_device {
        return Ok((Some(0), "as the device sealed it, and ordered to rotate".to_string()));
    }
    let asked = match options.rotate_after {
        RotateAfter::Setting => setting,
        RotateAfter::Seconds(seconds) => Some(seconds),
        RotateAfter::Never => None,
    };
    let longer = setting.is_some_and(|setting| asked.is_none_or(|asked| asked > setting));
    if longer && options.longer == Confirmation::NotGiven {
        return Err(VaultError::ConfirmationRequired(
            "what is shown would be rotated later than the setting of the vault says, or not at \
             all",
        ));
    }
    let word = if longer { ", by word" } else { "" };
    let detail = match asked {
        Some(seconds) => format!("and ordered to rotate after {seconds} s{word}"),
        None if longer => format!("without rotation{word}"),
        None => "".to_string(),
    };
    Ok((asked, detail))
}

/// Compares proofs with the records of a disclosure; the ids of those that are proven.
fn prove(
    rows: &Rows,
    name: &DeviceId,
    device: &mut Device,
    disclosed: &Entry,
    proofs: &[OpenedProof],
    now: Timestamp,
) -> Result<Vec<RecordId>, Stop> {
    let held = || disclosed.records.iter().filter_map(|id| device.find(*id));
    rows.need_sealed(
        held().flat_map(|held| held.sealings().map(|sealing| (name, held.id, sealing.digest))),
    )?;
    let mut records = Vec::new();
    for held in held() {
        for sealing in held.sealings() {
            if let Some(sealed) = intact(rows, name, held, sealing)? {
                records.push((held.id, Record::parse(&sealed).map_err(VaultError::Record)?));
                break;
            }
        }
    }
    let mut proven = Vec::new();
    for proof in proofs {
        let (id, _) = records.iter().find(|(_, record)| record.is_proven_by(proof)).ok_or(
            VaultError::InvalidArgument(
                "a proof that belongs to no record of this disclosure that is still kept",
            ),
        )?;
        device.prove_opened(*id, now);
        proven.push(*id);
    }
    Ok(proven)
}

/// The records of an account, the one that it most likely holds first: those that the latest report
/// named, the current one before the pending ones, of these the newest first; then the other
/// candidates; then what was ruled out on a word; then the history, if asked for.
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

/// The bytes of a sealing, if they are what was stored, and the record that the device's row says:
/// whoever writes the store's file could have put another device's, or an older one, in its place.
pub(super) fn intact(
    rows: &Rows,
    device: &DeviceId,
    held: &Held,
    sealing: &Sealing,
) -> Result<Option<Vec<u8>>, Stop> {
    let scope = rows.scope();
    let in_its_place = |bytes: &&[u8]| {
        digest(bytes) == sealing.digest
            && Record::parse(bytes).is_ok_and(|record| {
                let header = record.header();
                header.scope == *scope
                    && same_name(header.device.as_str(), device.as_str())
                    && (header.id, header.version) == (held.id, held.version)
            })
    };
    let bytes = rows.sealed(device, held.id, sealing.digest)?;
    Ok(bytes.filter(in_its_place).map(<[u8]>::to_vec))
}

impl Request<'_> {
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
        if !fits(self.actor, MAX_ACTOR) || !fits(self.caller, MAX_ACTOR) {
            return Err(VaultError::InvalidArgument(
                "the actor or the caller is not at most 256 bytes without control characters",
            ));
        }
        if !fits(self.reason, MAX_REASON) || !fits(self.context, MAX_REASON) {
            return Err(VaultError::InvalidArgument(
                "the reason or its context is not at most 1024 bytes without control characters",
            ));
        }
        Ok(())
    }

    /// An entry of this request; what does not fit is cut, which happens only where the request is
    /// refused.
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
        entry.caller = cut(self.caller, MAX_ACTOR);
        entry.reader = self.reader;
        entry.actor = cut(self.actor, MAX_ACTOR);
        entry.reason = cut(self.reason, MAX_REASON);
        entry.context = cut(self.context, MAX_REASON);
        entry.device = cut(device, MAX_ACTOR);
        entry
    }
}
