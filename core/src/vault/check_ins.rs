//! Taking a check-in: bytes to rules, rules to rows, rows to an answer.

use alloc::{
    format,
    string::{String, ToString as _},
    vec,
    vec::Vec,
};

use crate::account::Sid;
use crate::error::Code;
use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::message::{Answer, AuditHead, CheckIn, MAX_ANSWER, MessageError};
use crate::seal::Record;

use super::audit::{Action, Entry};
use super::checksum::digest;
use super::readers::Readers;
use super::rules::{Context, Offer, Refused, Verdict};
use super::state::{Device, Held, Sealing};
use super::store::{DeviceKey, Durability, Store, Transaction, append};
use super::{Observed, Vault, VaultError, name, noted};

/// How old `last_seen` may become before it is stored again (protocol §3.8).
const LAST_SEEN_SECONDS: u64 = 3_600;

/// A check-in that parses and speaks for the authenticated device.
struct Incoming {
    device: DeviceId,
    message: CheckIn,
    offers: Vec<Offered>,
}

struct Offered {
    record: Record,
    predecessor: Option<RecordId>,
}

/// What is written back.
struct Outcome {
    /// Written out while the transaction can still be given up.
    answer: Vec<u8>,
    observed: Observed,
    stale_last_seen: bool,
}

impl<S: Store> Vault<S> {
    /// Takes a device's check-in and answers it (protocol §3). The embedder has authenticated the
    /// device.
    ///
    /// A check-in with the current token that changes nothing writes nothing but, once an hour,
    /// when the device was seen; it is answered also by a store that is full, read-only or
    /// busy, and then that time stays as it was.
    ///
    /// # Errors
    /// `Message` or `Record` for what does not parse, `WrongDevice` for a message in another name
    /// (it is in the audit log), and what the store says.
    pub fn check_in(
        &self,
        scope: &Scope,
        authenticated: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Vec<u8>, VaultError> {
        let incoming = self.receive(scope, authenticated, bytes, now)?;
        if let Some(answer) = self.check_in_quietly(scope, &incoming, now)? {
            return Ok(answer);
        }
        let outcome = self.store.write(Durability::Durable, |tx| {
            let known = self.known(tx, scope, &incoming.device)?;
            self.take(tx, scope, &incoming, known, now)
        })?;
        self.observe(&outcome.observed);
        Ok(outcome.answer)
    }

    /// Takes many check-ins in one transaction, so that they share one sync. The answers stand in
    /// the order of the check-ins, each for itself: one that does not parse, speaks for another
    /// device, or concerns a device whose data is damaged does not touch the others. A device
    /// may be named more than once; its check-ins are taken in their order.
    ///
    /// Where an error shows only while the transaction is written, all are taken again, each in a
    /// transaction of its own.
    ///
    /// # Errors
    /// What the store says about the transaction as a whole (`Busy`, `StorageFull`, …), and
    /// `Random`: then none was taken, and all may be given again. Of a store that is full,
    /// read-only or busy those that change nothing are answered all the same; if there are any,
    /// each of the others has the error for its answer.
    pub fn check_in_many(
        &self,
        scope: &Scope,
        check_ins: &[(&str, &[u8])],
        now: Timestamp,
    ) -> Result<Vec<Result<Vec<u8>, VaultError>>, VaultError> {
        if check_ins.is_empty() {
            return Ok(Vec::new());
        }
        let received: Vec<_> = check_ins
            .iter()
            .map(|(device, bytes)| self.receive(scope, device, bytes, now))
            .collect();
        let taken = match self.take_together(scope, &received, now) {
            Err(error) if matches!(error.code(), Code::VaultDamaged | Code::Internal) => {
                self.take_apart(scope, &received, now)
            }
            Err(error) if has_no_room_now(&error) => {
                self.take_quiet(scope, &received, now, error)?
            }
            taken => taken?,
        };
        let answer = |outcome: Result<Outcome, VaultError>| {
            let outcome = outcome?;
            self.observe(&outcome.observed);
            Ok(outcome.answer)
        };
        Ok(taken.into_iter().map(answer).collect())
    }

    /// All in one transaction. An error is one of the transaction, or of one of them: then none was
    /// taken.
    fn take_together(
        &self,
        scope: &Scope,
        received: &[Result<Incoming, VaultError>],
        now: Timestamp,
    ) -> Result<Vec<Result<Outcome, VaultError>>, VaultError> {
        self.store.write(Durability::Durable, |tx| {
            let mut taken = Vec::with_capacity(received.len());
            for incoming in received {
                let incoming = match incoming {
                    Ok(incoming) => incoming,
                    Err(error) => {
                        taken.push(Err(error.clone()));
                        continue;
                    }
                };
                // The usual damage is found before anything is written for the device. Whatever
                // else the store says ends the transaction: it may be gone already,
                // and what is written after it would stand alone.
                taken.push(match self.known(tx, scope, &incoming.device) {
                    Ok(known) => Ok(self.take(tx, scope, incoming, known, now)?),
                    Err(error @ (VaultError::Damaged { .. } | VaultError::AlreadyExists(_))) => {
                        Err(error)
                    }
                    Err(error) => return Err(error),
                });
            }
            Ok(taken)
        })
    }

    /// Each in its own transaction.
    fn take_apart(
        &self,
        scope: &Scope,
        received: &[Result<Incoming, VaultError>],
        now: Timestamp,
    ) -> Vec<Result<Outcome, VaultError>> {
        let take = |incoming: &Result<Incoming, VaultError>| {
            let incoming = incoming.as_ref().map_err(Clone::clone)?;
            self.store.write(Durability::Durable, |tx| {
                let known = self.known(tx, scope, &incoming.device)?;
                self.take(tx, scope, incoming, known, now)
            })
        };
        received.iter().map(take).collect()
    }

    /// Where nothing can be written: those that change nothing are answered all the same, if there
    /// are any.
    fn take_quiet(
        &self,
        scope: &Scope,
        received: &[Result<Incoming, VaultError>],
        now: Timestamp,
        error: VaultError,
    ) -> Result<Vec<Result<Outcome, VaultError>>, VaultError> {
        let take = |incoming: &Result<Incoming, VaultError>| {
            let incoming = incoming.as_ref().map_err(Clone::clone)?;
            self.quiet(scope, incoming, now)?.ok_or_else(|| error.clone())
        };
        let taken: Vec<_> = received.iter().map(take).collect();
        if taken.iter().any(Result::is_ok) { Ok(taken) } else { Err(error) }
    }

    /// Parses a check-in and compares every name in it with the authenticated one.
    fn receive(
        &self,
        scope: &Scope,
        authenticated: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Incoming, VaultError> {
        let device = name(authenticated)?;
        let (message, records) = CheckIn::decode(bytes).map_err(VaultError::Message)?;
        let mut offers = Vec::new();
        let mut wrong = (message.device != device || message.scope != *scope).then(|| {
            format!(
                "the message names device {} of scope {:?}",
                message.device,
                message.scope.as_str()
            )
        });
        for (id, bytes) in records {
            let record = Record::parse(bytes).map_err(VaultError::Record)?;
            let header = record.header();
            if header.device != device || header.scope != *scope || header.id != id {
                let (named, of) = (header.device, header.scope.as_str());
                let text = || format!("a record names device {named} of scope {of:?}");
                wrong.get_or_insert_with(text);
            }
            let predecessor = header.previous;
            offers.push(Offered { record, predecessor });
        }
        if let Some(detail) = wrong {
            let mut entry = Entry::of_device(Action::WrongDevice, device.as_str(), now);
            entry.detail = detail;
            if self.store.read(|tx| noted::is_new(tx, scope, &entry))? {
                self.store.write(Durability::Durable, |tx| noted::note(tx, scope, &entry))?;
            }
            self.observe(&Observed::Refused { code: Code::MessageWrongDevice });
            return Err(VaultError::WrongDevice { authenticated: device.to_string() });
        }
        Ok(Incoming { device, message, offers })
    }

    /// §3.8: answers from a read transaction when nothing changes. `None` when something would.
    fn quiet(
        &self,
        scope: &Scope,
        incoming: &Incoming,
        now: Timestamp,
    ) -> Result<Option<Outcome>, VaultError> {
        if incoming.message.token.is_none() || !incoming.offers.is_empty() {
            return Ok(None);
        }
        self.store.read(|tx| {
            let Some((_, mut device)) = self.known(tx, scope, &incoming.device)? else {
                return Ok(None);
            };
            let readers = tx.readers(scope)?;
            let message = &incoming.message;
            let (audit_at, head, unknown_head) = compare_audit_log(tx, scope, message)?;
            let context = Context { unknown_head, ..Context::new(&readers, now) };
            // Whatever needs a new token goes through a write transaction.
            let Ok(verdict) = device.check_in(message, &[], &context, &mut || None) else {
                return Ok(None);
            };
            let answer = encode(&verdict.answer(message, audit_at, head))?;
            let observed = Observed::check_in(&incoming.device, &verdict);
            Ok(Some(Outcome {
                answer,
                observed,
                stale_last_seen: is_stale(device.about.last_seen, now),
            }))
        })
    }

    /// As [`quiet`](Self::quiet), and stores when the device was seen.
    fn check_in_quietly(
        &self,
        scope: &Scope,
        incoming: &Incoming,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(outcome) = self.quiet(scope, incoming, now)? else { return Ok(None) };
        if outcome.stale_last_seen {
            let noted = self.store.write(Durability::Relaxed, |tx| {
                let Some((key, mut device)) = self.known(tx, scope, &incoming.device)? else {
                    return Ok(());
                };
                device.about.last_seen = now;
                tx.update_device(key, &device)
            });
            // The answer acknowledges nothing new, so nothing is lost with it; the next check-in
            // notes it.
            match noted {
                Err(error) if !has_no_room_now(&error) => return Err(error),
                _ => {}
            }
        }
        self.observe(&outcome.observed);
        Ok(Some(outcome.answer))
    }

    /// One check-in inside a write transaction; `known` is what the store has about the device.
    fn take(
        &self,
        tx: &mut dyn Transaction,
        scope: &Scope,
        incoming: &Incoming,
        known: Option<(DeviceKey, Device)>,
        now: Timestamp,
    ) -> Result<Outcome, VaultError> {
        let Incoming { device: name, message, offers } = incoming;
        let mut readers = tx.readers(scope)?;
        let (key, mut device) = match known {
            Some(known) => known,
            None => {
                let device = Device::first_seen(message.account, message.sid, now);
                (tx.insert_device(scope, name, &device)?, device)
            }
        };
        let listed = readers.sets.len();
        let offered: Vec<Offer> =
            offers.iter().map(|offer| offer.to_rules(&mut readers, now)).collect();
        let before = device.clone();
        let (audit_at, _, unknown_head) = compare_audit_log(tx, scope, message)?;
        let context = Context { unknown_head, ..Context::new(&readers, now) };
        let verdict = device
            .check_in(message, &offered, &context, &mut || self.draw_token())
            .map_err(|refused| match refused {
                Refused::NoToken => VaultError::Random,
                Refused::Version => {
                    VaultError::Message(MessageError::Malformed { field: "version of an offer" })
                }
            })?;
        for row in &verdict.removed {
            tx.remove_record(key, *row)?;
        }
        for offer in offers {
            keep(tx, scope, key, &mut device, offer, &verdict, now)?;
        }
        note(tx, scope, name, device.managed.sid, &verdict, &offered, now)?;
        if let Some(head) = unknown_head.filter(|_| unknown_head != before.about.unknown_head) {
            let mut entry = Entry::of_device(Action::HeadMismatch, name.as_str(), now);
            entry.detail = match verdict.restored {
                Some(entries) => format!(
                    "the device remembers {head}, which was lost when a copy with {entries} \
                     entries was restored"
                ),
                None => format!("the device remembers {head}, which is not in the log"),
            };
            noted::note(tx, scope, &entry)?;
        }
        if device != before || is_stale(device.about.last_seen, now) {
            device.about.last_seen = now;
            tx.update_device(key, &device)?;
        }
        if readers.sets.len() != listed {
            tx.put_readers(scope, &readers)?;
        }
        let head = tx.audit_head(scope)?;
        let answer = encode(&verdict.answer(message, audit_at, head))?;
        Ok(Outcome { answer, observed: Observed::check_in(name, &verdict), stale_last_seen: false })
    }
}

/// Whether the time of the last check-in is to be stored again: it is old, or lies ahead of a clock
/// that was corrected since.
const fn is_stale(last_seen: Timestamp, now: Timestamp) -> bool {
    let apart = now.seconds_since(last_seen).saturating_add(last_seen.seconds_since(now));
    apart > LAST_SEEN_SECONDS
}

/// Whether a store is whole, and only does not take anything now: full, read-only, or in use for a
/// long time.
fn has_no_room_now(error: &VaultError) -> bool {
    matches!(error, VaultError::Store(error)
        if matches!(error.code, Code::StorageFull | Code::Busy | Code::PermissionDenied))
}

/// Stores the bytes of an offer that the rules took, and looks for forks (§3.7).
fn keep(
    tx: &mut dyn Transaction,
    scope: &Scope,
    key: DeviceKey,
    device: &mut Device,
    offer: &Offered,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<(), VaultError> {
    let header = offer.record.header();
    if !verdict.added.contains(&header.id) {
        return Ok(());
    }
    if let Some(held) = device.find_mut(header.id) {
        held.original.row = tx.insert_record(key, offer.record.as_bytes())?;
    }
    if let Some(predecessor) = offer.predecessor {
        if let Some(other) = tx.fork(key, predecessor, header.id)? {
            let mut entry = Entry::of_device(Action::Fork, header.device.as_str(), now);
            entry.records = vec![other, header.id];
            entry.detail = format!("both name {predecessor} as the record made before");
            noted::note(tx, scope, &entry)?;
        }
        tx.record_parent(key, predecessor, header.id)?;
    }
    Ok(())
}

/// What else belongs into the log.
fn note(
    tx: &mut dyn Transaction,
    scope: &Scope,
    name: &DeviceId,
    sid: Option<Sid>,
    verdict: &Verdict,
    offers: &[Offer],
    now: Timestamp,
) -> Result<(), VaultError> {
    let entry = |action, detail: String| {
        let entry = Entry::of_device(action, name.as_str(), now);
        Entry { detail, ..entry }
    };
    if verdict.came_back {
        let detail = "the device checked in although it was retired".to_string();
        append(tx, scope, &entry(Action::Reenrolled, detail))?;
    }
    if verdict.sid_changed {
        let now_has = sid.map_or_else(|| "none".to_string(), |sid| sid.to_string());
        let detail = format!("the account has another SID than before: {now_has}");
        noted::note(tx, scope, &entry(Action::SidChanged, detail))?;
    }
    if verdict.newly_stale {
        let detail =
            "sealed to a reader that was removed; the device has to be given other readers";
        let mut entry = entry(Action::LateRecord, detail.to_string());
        entry.records = offers.iter().map(|offer| offer.held.id).collect();
        noted::note(tx, scope, &entry)?;
    }
    Ok(())
}

impl Offered {
    fn to_rules(&self, readers: &mut Readers, now: Timestamp) -> Offer {
        let header = self.record.header();
        let mut held = Held::new(header.id, header.version);
        held.stored_at = now;
        held.original = sealing(&self.record, readers);
        Offer::new(held, header.account, header.sid)
    }
}

/// A record's bytes as the rules see them; they have no row yet.
pub(super) fn sealing(record: &Record, readers: &mut Readers) -> Sealing {
    let set: Vec<[u8; 32]> = record.reader_ids().map(|id| *id.as_bytes()).collect();
    Sealing {
        row: 0,
        digest: digest(record.as_bytes()),
        len: u32::try_from(record.as_bytes().len()).unwrap_or(u32::MAX),
        number: record.sealing(),
        readers: readers.list(set),
    }
}

/// Our hash at the length that the device remembers, our head, and the device's head when it is not
/// in our audit log.
#[expect(clippy::type_complexity, reason = "three answers to one question")]
fn compare_audit_log(
    tx: &mut dyn Transaction,
    scope: &Scope,
    message: &CheckIn,
) -> Result<(Option<[u8; 32]>, AuditHead, Option<AuditHead>), VaultError> {
    let head = tx.audit_head(scope)?;
    let Some(remembered) = message.audit else { return Ok((None, head, None)) };
    let at = if remembered.length == head.length {
        Some(head.hash)
    } else if remembered.length == 0 {
        Some(AuditHead::EMPTY.hash)
    } else if remembered.length > head.length {
        None
    } else {
        let entries = tx.entries(scope, remembered.length, 1)?;
        entries.first().filter(|entry| entry.number == remembered.length).map(|entry| entry.hash)
    };
    Ok((at, head, (at != Some(remembered.hash)).then_some(remembered)))
}

fn encode(answer: &Answer) -> Result<Vec<u8>, VaultError> {
    let mut bytes = vec![0; MAX_ANSWER];
    let len =
        answer.encode(&mut bytes).map_err(|_| VaultError::Internal("an answer is too long"))?;
    bytes.truncate(len);
    Ok(bytes)
}
