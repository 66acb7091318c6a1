//! The bytes of a journal: canonical, checked, at most [`MAX_JOURNAL`]. `MESSAGES.md` of the
//! rotation has the byte table.

use sha2::{Digest as _, Sha256};

use super::{
    Attempt, AuditFinding, Following, HeldIds, Journal, MAX_JOURNAL, Phase, Reasons, Settled, Use,
};
use crate::codec::{Buffer, Input, Output};
use crate::rotation::RotationError;
use crate::rotation::event::Reason;
use crate::rotation::message::{
    read_audit, read_outcome, read_sid, write_audit, write_outcome, write_sid,
};
use crate::rotation::set::ByAge;
use crate::rotation::wait::{Cause, Wait, WaitKind};

const MAGIC: &[u8; 4] = b"LPjn";
const FORMAT: u8 = 1;
const CHECK: usize = 32;

impl Journal {
    pub(in crate::rotation) fn encode(
        &self,
        phase: &Phase,
        out: &mut [u8],
    ) -> Result<usize, RotationError> {
        let mut w = Output::into(out);
        w.bytes(MAGIC);
        w.u8(FORMAT);
        w.bytes(&self.identity);
        w.text(&self.account);
        w.optional(self.sid, write_sid);
        write_phase(&mut w, phase);
        w.u64(self.highest);
        w.u64(self.committed);
        w.u8(u8::from(self.held.unknown));
        write_list(&mut w, &self.held.ids);
        write_list(&mut w, &self.ruled_out);
        write_list(&mut w, &self.ruled_out_on_word);
        w.optional(self.due, Output::time);
        w.optional(self.committed_at, Output::time);
        w.time(self.seen);
        w.time(self.covered);
        w.optional(self.last, write_outcome);
        w.optional(self.audit, write_audit);
        w.u8(match self.audit_finding {
            AuditFinding::None => 0,
            AuditFinding::Mismatch => 1,
            AuditFinding::Restored => 2,
        });
        w.u8(self.flags());
        for wait in self.waits {
            w.u8(wait.count);
            w.time(wait.since);
        }
        w.u8(self.failures);
        w.optional(self.not_before, Output::time);
        w.optional(self.refused_readers, |w, readers| w.bytes(&readers));
        w.optional(self.used, |w, used| {
            w.time(used.deadline);
            w.time(used.latest);
            w.u8(used.tries);
        });
        w.optional(self.following, |w, following| {
            w.u8(following.actions);
            w.time(following.at);
        });
        w.bytes(&self.demand);
        let check = Sha256::digest(w.written());
        w.bytes(&check);
        w.finish().ok_or(RotationError::BufferTooSmall)
    }

    const fn flags(&self) -> u8 {
        let Reasons { forced, ordered, account_changed, journal_lost, rolled_back } = self.reasons;
        (forced as u8)
            | ((ordered as u8) << 1)
            | ((account_changed as u8) << 2)
            | ((journal_lost as u8) << 3)
            | ((rolled_back as u8) << 4)
            | ((self.missing as u8) << 5)
            | ((self.on_word as u8) << 6)
    }

    pub(in crate::rotation) fn decode(bytes: &[u8]) -> Result<(Self, Phase), RotationError> {
        const BAD: RotationError = RotationError::JournalMalformed;
        // The check comes first, whatever the version: a damaged journal must not pass for that of
        // a later version.
        let body = bytes.len().checked_sub(CHECK).ok_or(BAD)?;
        let (body, check) = bytes.split_at_checked(body).ok_or(BAD)?;
        if bytes.len() > MAX_JOURNAL || Sha256::digest(body).as_slice() != check {
            return Err(BAD);
        }
        let mut r = Input::new(body);
        if r.array() != Some(*MAGIC) {
            return Err(BAD);
        }
        if r.u8().ok_or(BAD)? != FORMAT {
            return Err(RotationError::JournalUnsupported);
        }
        let (journal, phase) = Self::read(&mut r).ok_or(BAD)?;
        r.end().ok_or(BAD)?;
        journal.is_consistent(&phase).then_some((journal, phase)).ok_or(BAD)
    }

    fn read(r: &mut Input<'_>) -> Option<(Self, Phase)> {
        let identity = r.array()?;
        let account = r.text()?;
        let sid = r.optional(read_sid)?;
        let phase = read_phase(r)?;
        let (highest, committed) = (r.u64()?, r.u64()?);
        let unknown = r.flag()?;
        let held = HeldIds { ids: read_list(r)?, unknown };
        let (ruled_out, ruled_out_on_word) = (read_list(r)?, read_list(r)?);
        let (due, committed_at) = (r.optional(Input::time)?, r.optional(Input::time)?);
        let (seen, covered) = (r.time()?, r.time()?);
        let (last, audit) = (r.optional(read_outcome)?, r.optional(read_audit)?);
        let audit_finding = match r.u8()? {
            0 => AuditFinding::None,
            1 => AuditFinding::Mismatch,
            2 => AuditFinding::Restored,
            _ => return None,
        };
        let flags = r.u8().filter(|flags| flags >> 7 == 0)?;
        let flag = |bit: u8| flags >> bit & 1 == 1;
        let mut waits = [Wait::default(); WaitKind::COUNT];
        for wait in &mut waits {
            *wait = Wait { count: r.u8()?, since: r.time()? };
        }
        let journal = Self {
            identity,
            account,
            sid,
            highest,
            committed,
            held,
            ruled_out,
            ruled_out_on_word,
            due,
            committed_at,
            seen,
            covered,
            last,
            audit,
            audit_finding,
            reasons: Reasons {
                forced: flag(0),
                ordered: flag(1),
                account_changed: flag(2),
                journal_lost: flag(3),
                rolled_back: flag(4),
            },
            missing: flag(5),
            on_word: flag(6),
            waits,
            failures: r.u8()?,
            not_before: r.optional(Input::time)?,
            refused_readers: r.optional(Input::array)?,
            used: r.optional(|r| {
                Some(Use { deadline: r.time()?, latest: r.time()?, tries: r.u8()? })
            })?,
            following: r.optional(|r| {
                let (actions, at) = (r.u8()?, r.time()?);
                (1..32).contains(&actions).then_some(Following { actions, at })
            })?,
            demand: r.array()?,
        };
        Some((journal, phase))
    }

    /// What holds between the fields of every journal that the machine writes.
    fn is_consistent(&self, phase: &Phase) -> bool {
        let held = |id| self.held.ids.contains(id);
        let fits = |attempt: &Attempt| {
            (self.committed..=self.highest).contains(&attempt.version) && attempt.version > 0
        };
        let phase = match phase {
            Phase::Settled(_) => true,
            Phase::BackingUp(attempt) => {
                !held(attempt.id) && !self.held.ids.is_full() && fits(attempt)
            }
            Phase::Applying(attempt) | Phase::Committing { attempt, .. } => {
                held(attempt.id) && fits(attempt)
            }
        };
        let mut ruled_out = self.ruled_out.as_slice().iter();
        let mut on_word = self.ruled_out_on_word.as_slice().iter();
        phase
            && !self.account.is_empty()
            && (self.held.unknown || !self.held.ids.is_empty())
            && !ruled_out.any(|id| held(*id) || self.ruled_out_on_word.contains(*id))
            && !on_word.any(|id| held(*id))
            && self.committed <= self.highest
    }
}

fn write_phase(w: &mut Output<Buffer<'_>>, phase: &Phase) {
    let (number, attempt) = match phase {
        Phase::Settled(settled) => {
            w.u8(0);
            w.optional(settled.last_made, Output::id);
            w.optional(settled.change_stamp, |w, change_stamp| w.bytes(&change_stamp));
            return;
        }
        Phase::BackingUp(attempt) => (1, attempt),
        Phase::Applying(attempt) => (2, attempt),
        Phase::Committing { attempt, verified: false } => (3, attempt),
        Phase::Committing { attempt, verified: true } => (4, attempt),
    };
    w.u8(number);
    w.id(attempt.id);
    w.u64(attempt.version);
    w.u8(attempt.cause.reason.as_u8());
    w.u8(attempt.cause.kind.map_or(0, WaitKind::as_u8));
    w.bytes(&attempt.demand);
    w.optional(attempt.change_stamp, |w, change_stamp| w.bytes(&change_stamp));
}

fn read_phase(r: &mut Input<'_>) -> Option<Phase> {
    let number = r.u8()?;
    if number == 0 {
        let (last_made, change_stamp) = (r.optional(Input::id)?, r.optional(Input::array)?);
        return Some(Phase::Settled(Settled { last_made, change_stamp }));
    }
    let (id, version) = (r.id()?, r.u64()?);
    let reason = Reason::from_u8(r.u8()?)?;
    let kind = match r.u8()? {
        0 => None,
        number => Some(WaitKind::from_u8(number)?),
    };
    let (demand, change_stamp) = (r.array()?, r.optional(Input::array)?);
    let attempt = Attempt { id, version, cause: Cause { reason, kind }, demand, change_stamp };
    match number {
        1 => Some(Phase::BackingUp(attempt)),
        2 => Some(Phase::Applying(attempt)),
        3 => Some(Phase::Committing { attempt, verified: false }),
        4 => Some(Phase::Committing { attempt, verified: true }),
        _ => None,
    }
}

fn write_list<const N: usize>(w: &mut Output<Buffer<'_>>, ids: &ByAge<N>) {
    w.u8(u8::try_from(ids.len()).unwrap_or(u8::MAX));
    for id in ids.as_slice() {
        w.id(*id);
    }
}

fn read_list<const N: usize>(r: &mut Input<'_>) -> Option<ByAge<N>> {
    let mut ids = ByAge::EMPTY;
    let count = usize::from(r.u8()?);
    for _ in 0..count {
        ids.push(r.id()?).ok()?;
    }
    // One that comes twice is in the list once.
    (ids.len() == count).then_some(ids)
}

const _: () = assert!(
    5 + 16
        + 258
        + 69
        + 68
        + 16
        + 258
        + 2 * 129
        + 9
        + 9
        + 8
        + 8
        + 12
        + 41
        + 2
        + WaitKind::COUNT * 9
        + 1
        + 9
        + 9
        + 18
        + 10
        + 8
        + CHECK
        <= MAX_JOURNAL,
    "the longest journal fits"
);
