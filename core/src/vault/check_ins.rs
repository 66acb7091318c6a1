//! Taking a check-in: bytes to rules, rules to rows, rows to an answer.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString as _},
    vec,
    vec::Vec,
};

use core::ops::Range;

use crate::account::Sid;
use crate::error::Code;
use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::message::{Answer, AuditHead, CheckIn, MAX_ANSWER, MessageError};
use crate::seal::Record;

use super::audit::{Action, Entry};
use super::checksum::digest;
use super::plan::{Plan, Want};
use super::readers::Readers;
use super::rules::{Context, Offer, Refused, Verdict};
use super::state::{Device, Held, Sealing};
use super::store::{Durability, Store};
use super::unit::{Appended, Rows, Stop};
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

/// What was decided about one. The answer is made when the head of the audit log is known.
struct Decided {
    verdict: Verdict,
    audit_at: Option<[u8; 32]>,
    /// How many entries were appended by then.
    appended: usize,
}

struct Answered {
    answer: Vec<u8>,
    observed: Observed,
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
        let outcome = self.take_alone(scope, &incoming, now)?;
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
        let answer = |outcome: Result<Answered, VaultError>| {
            let outcome = outcome?;
            self.observe(&outcome.observed);
            Ok(outcome.answer)
        };
        Ok(taken.into_iter().map(answer).collect())
    }

    fn take_alone(
        &self,
        scope: &Scope,
        incoming: &Incoming,
        now: Timestamp,
    ) -> Result<Answered, VaultError> {
        let plan = Plan { scope: *scope, wants: incoming.wants() };
        let (taken, appended) =
            self.run(&plan, Durability::Durable, |rows| self.take(rows, incoming, now))?;
        taken.outcome(incoming, &appended)
    }

    /// All in one transaction, each decided on what the ones before it changed. One that is refused
    /// changes nothing; an error is one of the transaction: then none was taken.
    fn take_together(
        &self,
        scope: &Scope,
        received: &[Result<Incoming, VaultError>],
        now: Timestamp,
    ) -> Result<Vec<Result<Answered, VaultError>>, VaultError> {
        let plan = |part: Range<usize>| {
            let incoming = received.get(part).unwrap_or_default().iter().flatten();
            Plan { scope: *scope, wants: incoming.flat_map(Incoming::wants).collect() }
        };
        let incoming = |at: usize| match received.get(at) {
            Some(incoming) => incoming.as_ref().map_err(Clone::clone),
            None => Err(VaultError::Internal("more decisions than check-ins")),
        };
        self.run_each(
            received.len(),
            plan,
            |at, rows| self.take(rows, incoming(at)?, now),
            |at, taken: Decided, appended| taken.outcome(incoming(at)?, appended),
        )
    }

    /// Each in its own transaction.
    fn take_apart(
        &self,
        scope: &Scope,
        received: &[Result<Incoming, VaultError>],
        now: Timestamp,
    ) -> Vec<Result<Answered, VaultError>> {
        let take = |incoming: &Result<Incoming, VaultError>| {
            self.take_alone(scope, incoming.as_ref().map_err(Clone::clone)?, now)
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
    ) -> Result<Vec<Result<Answered, VaultError>>, VaultError> {
        let take = |incoming: &Result<Incoming, VaultError>| {
            let incoming = incoming.as_ref().map_err(Clone::clone)?;
            let (outcome, _) = self.quiet(scope, incoming, now)?.ok_or_else(|| error.clone())?;
            Ok(outcome)
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
            if self.look(Plan::of(scope), |rows| noted::is_new(rows, &entry))? {
                self.run(&Plan::of(scope), Durability::Durable, |rows| {
                    noted::note(rows, entry.clone())
                })?;
            }
            self.observe(&Observed::Refused { code: Code::MessageWrongDevice });
            return Err(VaultError::WrongDevice { authenticated: device.to_string() });
        }
        Ok(Incoming { device, message, offers })
    }

    /// §3.8: answers from what was read when nothing changes, and whether the device was last seen
    /// long ago. `None` when something would change.
    fn quiet(
        &self,
        scope: &Scope,
        incoming: &Incoming,
        now: Timestamp,
    ) -> Result<Option<(Answered, bool)>, VaultError> {
        if incoming.message.token.is_none() || !incoming.offers.is_empty() {
            return Ok(None);
        }
        self.look(Plan { scope: *scope, wants: incoming.wants() }, |rows| {
            let Some((_, device)) = self.known(rows, &incoming.device)? else {
                return Ok(None);
            };
            let message = &incoming.message;
            let (audit_at, unknown_head) = compare_audit_log(rows, message)?;
            let context = Context { unknown_head, ..Context::new(rows.readers()?, now) };
            // Whatever needs a new token goes through a write transaction.
            let Ok((_, verdict)) = device.after_check_in(message, &[], &context, &mut || None)
            else {
                return Ok(None);
            };
            let head = rows.head()?;
            let outcome = Decided { verdict, audit_at, appended: 0 }.answered(incoming, head)?;
            Ok(Some((outcome, is_stale(device.about.last_seen, now))))
        })
    }

    /// As [`quiet`](Self::quiet), and stores when the device was seen.
    fn check_in_quietly(
        &self,
        scope: &Scope,
        incoming: &Incoming,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let Some((outcome, stale)) = self.quiet(scope, incoming, now)? else { return Ok(None) };
        if stale {
            let plan = Plan::device(scope, incoming.device);
            let noted = self.run(&plan, Durability::Relaxed, |rows| {
                // Others may have come in since it was read: their time stands.
                if let Some((name, device)) = self.known(rows, &incoming.device)?
                    && is_stale(device.about.last_seen, now)
                {
                    let mut device = device.clone();
                    device.about.last_seen = now;
                    rows.put_device(&name, device);
                }
                Ok(())
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

    /// The decision about one check-in.
    fn take(&self, rows: &mut Rows, incoming: &Incoming, now: Timestamp) -> Result<Decided, Stop> {
        let Incoming { device: name, message, offers } = incoming;
        let known = self.known(rows, name)?;
        let mut readers = rows.readers()?.clone();
        let listed = readers.sets.len();
        let (kept_as, before) = known.map_or((*name, None), |(name, known)| (name, Some(known)));
        let offered: Vec<Offer> =
            offers.iter().map(|offer| offer.to_rules(&mut readers, now)).collect();
        let (audit_at, unknown_head) = compare_audit_log(rows, message)?;
        let context = Context { unknown_head, ..Context::new(&readers, now) };
        let mut draw = || self.draw_token();
        let decided = match before {
            Some(device) => device.after_check_in(message, &offered, &context, &mut draw),
            None => Device::first_seen(message.account, message.sid, now)
                .after_check_in(message, &offered, &context, &mut draw),
        };
        let (device, verdict) = decided.map_err(|refused| match refused {
            Refused::NoToken => VaultError::Random,
            Refused::Version => {
                VaultError::Message(MessageError::Malformed { field: "version of an offer" })
            }
        })?;
        let mut device = Box::new(device);
        let changed = before != Some(&*device) || is_stale(device.about.last_seen, now);
        let known_head = before.and_then(|before| before.about.unknown_head);
        let added = offers.iter().zip(&offered);
        let added = added.filter(|(_, offered)| verdict.added.contains(&offered.held.id));
        let parents = note_forks(rows, &kept_as, added.clone().map(|(offer, _)| offer), now)?;
        note(rows, name, device.managed.sid, &verdict, &offered, now)?;
        if let Some(head) = unknown_head.filter(|_| unknown_head != known_head) {
            let mut entry = Entry::of_device(Action::HeadMismatch, name.as_str(), now);
            entry.detail = match verdict.restored {
                Some(entries) => format!(
                    "the device remembers {head}, which was lost when a copy with {entries} \
                     entries was restored"
                ),
                None => format!("the device remembers {head}, which is not in the log"),
            };
            noted::note(rows, entry)?;
        }
        if changed {
            device.about.last_seen = now;
            let sealed = added.map(|(offer, offered)| {
                let name = (offered.held.id, offered.held.original.digest);
                (name, offer.record.as_bytes().to_vec())
            });
            rows.put_records(&kept_as, device, sealed, parents);
        }
        if readers.sets.len() != listed {
            rows.put_readers(readers);
        }
        Ok(Decided { verdict, audit_at, appended: rows.appended() })
    }
}

impl Decided {
    /// With the head behind what it appended.
    fn outcome(self, incoming: &Incoming, appended: &Appended) -> Result<Answered, VaultError> {
        let head = appended.head_behind(self.appended)?;
        self.answered(incoming, head)
    }

    fn answered(self, incoming: &Incoming, head: AuditHead) -> Result<Answered, VaultError> {
        let answer = encode(&self.verdict.answer(&incoming.message, self.audit_at, head))?;
        Ok(Answered { answer, observed: Observed::check_in(&incoming.device, &self.verdict) })
    }
}

impl Incoming {
    /// What its decision reads.
    fn wants(&self) -> Vec<Want> {
        let parents = self.offers.iter().filter_map(|offer| offer.predecessor);
        let children = parents.map(|parent| Want::Children(self.device, parent));
        let remembered = self.message.audit.map(|head| Want::EntryBeforeHead(head.length));
        core::iter::once(Want::Device(self.device)).chain(children).chain(remembered).collect()
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

/// Looks for forks among offers that the rules took (§3.7); their parents.
fn note_forks<'a>(
    rows: &mut Rows,
    device: &DeviceId,
    added: impl Iterator<Item = &'a Offered>,
    now: Timestamp,
) -> Result<Vec<(RecordId, RecordId)>, Stop> {
    let mut parents: Vec<(RecordId, RecordId)> = Vec::new();
    for offer in added {
        let header = offer.record.header();
        let Some(predecessor) = offer.predecessor else { continue };
        let beside = parents.iter().find(|(one, id)| *one == predecessor && *id != header.id);
        let beside = beside.map(|(_, id)| *id);
        if let Some(other) = rows.fork(device, predecessor, header.id)?.or(beside) {
            let mut entry = Entry::of_device(Action::Fork, header.device.as_str(), now);
            entry.records = vec![other, header.id];
            entry.detail = format!("both name {predecessor} as the record made before");
            noted::note(rows, entry)?;
        }
        parents.push((predecessor, header.id));
    }
    Ok(parents)
}

/// What else belongs into the log.
fn note(
    rows: &mut Rows,
    name: &DeviceId,
    sid: Option<Sid>,
    verdict: &Verdict,
    offers: &[Offer],
    now: Timestamp,
) -> Result<(), Stop> {
    let entry = |action, detail: String| {
        let entry = Entry::of_device(action, name.as_str(), now);
        Entry { detail, ..entry }
    };
    if verdict.came_back {
        let detail = "the device checked in although it was retired".to_string();
        rows.append(entry(Action::Reenrolled, detail));
    }
    if verdict.sid_changed {
        let now_has = sid.map_or_else(|| "none".to_string(), |sid| sid.to_string());
        let detail = format!("the account has another SID than before: {now_has}");
        noted::note(rows, entry(Action::SidChanged, detail))?;
    }
    if verdict.newly_stale {
        let detail =
            "sealed to a reader that was removed; the device has to be given other readers";
        let mut entry = entry(Action::LateRecord, detail.to_string());
        entry.records = offers.iter().map(|offer| offer.held.id).collect();
        noted::note(rows, entry)?;
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

/// A record's bytes as the rules see them.
pub(super) fn sealing(record: &Record, readers: &mut Readers) -> Sealing {
    let set: Vec<[u8; 32]> = record.reader_ids().map(|id| *id.as_bytes()).collect();
    Sealing {
        digest: digest(record.as_bytes()),
        len: u32::try_from(record.as_bytes().len()).unwrap_or(u32::MAX),
        number: record.sealing(),
        readers: readers.list(set),
    }
}

/// Our hash at the length that the device remembers, and the device's head when it is not in our
/// audit log.
fn compare_audit_log(
    rows: &Rows,
    message: &CheckIn,
) -> Result<(Option<[u8; 32]>, Option<AuditHead>), Stop> {
    let head = rows.head()?;
    let Some(remembered) = message.audit else { return Ok((None, None)) };
    let at = if remembered.length == head.length {
        Some(head.hash)
    } else if remembered.length == 0 {
        Some(AuditHead::EMPTY.hash)
    } else if remembered.length > head.length {
        None
    } else {
        rows.entry(remembered.length)?.map(|entry| entry.hash)
    };
    Ok((at, (at != Some(remembered.hash)).then_some(remembered)))
}

fn encode(answer: &Answer) -> Result<Vec<u8>, VaultError> {
    let mut bytes = vec![0; MAX_ANSWER];
    let len =
        answer.encode(&mut bytes).map_err(|_| VaultError::Internal("an answer is too long"))?;
    bytes.truncate(len);
    Ok(bytes)
}
