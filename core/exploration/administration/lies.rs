//! A vault that lies: one field of an answer says something else.

use alloc::vec::Vec;

use super::acts::Lie;
use super::records::{A, N, readers};
use super::state::id;
use crate::rotation::Rotation;
use crate::rotation::message::{Answer, AuditHead, CommitAnswer, MAX_ANSWER, Refusals};
use crate::rotation::set::IdSet;

/// The answer with this lie in it; none where it says nothing else then.
pub(super) fn falsify(lie: Lie, answer: &[u8], machine: &Rotation) -> Option<Vec<u8>> {
    let truth = Answer::decode(answer).unwrap();
    let mut told = truth;
    let offers = machine.offers();
    let held = machine.status().may_hold.ids;
    let own = machine.journal.highest;
    match lie {
        Lie::Stored => told.stored = offers,
        Lie::Acknowledged if truth.commit.is_some() => {
            told.commit = Some(CommitAnswer::Acknowledged);
        }
        Lie::CommitLacking if truth.commit.is_some() => told.commit = Some(CommitAnswer::Lacking),
        Lie::StaleToken if truth.commit.is_some() => {
            told.commit = Some(CommitAnswer::StaleToken);
            told.token = [0xee; 16];
        }
        Lie::StaleToken => told.token = [0xee; 16],
        Lie::Unreadable => refuse(&mut told, offers, |set, ids| set.unreadable = ids),
        Lie::Full => refuse(&mut told, offers, |set, ids| set.full = ids),
        Lie::Stale => refuse(&mut told, offers, |set, ids| set.stale = ids),
        Lie::Orders => {
            told.orders = if held.is_empty() { IdSet::one(id(1)) } else { held };
        }
        Lie::OrderAt => told.order_at = Some(machine.clock.now().plus(60)),
        Lie::Candidates => told.candidates = 2,
        Lie::ManyCandidates => told.candidates = u32::MAX,
        Lie::Lacking => told.lacking = held,
        Lie::HighestNext => told.highest_version = own + 1,
        Lie::HighestFar => told.highest_version = own.saturating_add(1 << 32),
        Lie::HighestTooFar => told.highest_version = own.saturating_add((1 << 32) + 1),
        Lie::HighestMax => told.highest_version = u64::MAX,
        Lie::RemovedReaders => {
            for reader in readers(A | N) {
                told.removed_readers.insert(*reader.id().as_bytes()).unwrap();
            }
        }
        Lie::Restored => told.restored = Some(1),
        Lie::OtherLog => {
            told.audit = AuditHead::new(truth.audit.length + 1, [0xaa; 32]);
            told.audit_at = told.audit_at.map(|_| [0xbb; 32]);
        }
        _ => return None,
    }
    if told == truth {
        return None;
    }
    let mut out = [0; MAX_ANSWER];
    let len = told.encode(&mut out).ok()?;
    Some(out[..len].to_vec())
}

fn refuse(told: &mut Answer, offers: IdSet, put: impl FnOnce(&mut Refusals, IdSet)) {
    told.stored = IdSet::EMPTY;
    told.refused = Refusals::NONE;
    put(&mut told.refused, offers);
}
