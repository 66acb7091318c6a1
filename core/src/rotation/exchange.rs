//! The exchange with the vault (protocol §3).

use super::event::{EventKind, Outcome, Reason};
use super::journal::{Phase, Reasons};
use super::machine::{Proposal, Rotation, Sent, Step, Unsaved};
use super::message::{Answer, CheckIn, Commit, CommitAnswer, Refusal};
use super::schedule;
use super::set::{IdSet, MAX_IDS, MayHold};
use super::wish::{RotationError, Wish};
use crate::identity::{RecordId, Timestamp};

/// How many check-ins in a row may follow each other at once.
const AT_ONCE: u8 = 4;
/// Rotations for a conflict that lie further apart than this are not in a row.
const IN_A_ROW: u64 = 2 * 24 * 3600;

impl Rotation {
    /// Writes the head of a check-in under a fresh random nonce, from which the jitter of the next due date is drawn, too; its
    /// length. The driver appends the records of
    /// [`Rotation::offers`], in that order, each behind its [`record_prefix`](super::message::record_prefix).
    /// It may be called without a wish, to check in early.
    ///
    /// # Errors
    /// `UnexpectedFact` while a journal is to be saved, a password to be wiped, or the account is being changed; `Message`.
    pub fn check_in(&mut self, nonce: [u8; 16], out: &mut [u8]) -> Result<usize, RotationError> {
        let journal = &self.journal;
        let making = match self.step {
            Step::Idle => false,
            Step::BackingUp => true,
            Step::Stamping | Step::Applying | Step::Verifying(_) => {
                return Err(RotationError::UnexpectedFact);
            }
        };
        if self.wipe || self.unsaved == Unsaved::Step {
            return Err(RotationError::UnexpectedFact);
        }
        let mut offers = self.lacking;
        if let (true, Some(id)) = (making, journal.last_made) {
            offers.insert(id).map_err(|_| RotationError::UnexpectedFact)?;
        }
        // Nothing is committed before the first check-in of this run is answered (protocol §2.1).
        let commit = match (journal.phase, journal.last_made) {
            (Phase::Committing { verified }, Some(id)) if self.heard => {
                Some(Commit::new(id, verified))
            }
            _ => None,
        };
        let proposal = commit.map(|commit| self.propose(commit.id, nonce));
        let committed = proposal.map(|proposal| self.committed_at(proposal.at));
        let check_in = CheckIn {
            token: self.token,
            may_hold: journal.may_hold,
            highest_version: journal.highest,
            sid: journal.sid,
            due: proposal.map_or(journal.due, |proposal| Some(proposal.due)),
            last: committed.or(journal.last),
            audit: journal.audit,
            ruled_out: journal.ruled_out.set(),
            offers,
            commit,
            ..CheckIn::new(self.config.scope, self.config.device, journal.account, nonce)
        };
        let len = check_in.encode(out)?;
        self.sent = Some(Sent {
            nonce,
            offers,
            commit: proposal,
            with_token: self.token.is_some(),
            audit: journal.audit,
        });
        Ok(len)
    }

    /// The records that belong behind the head that was written last.
    #[must_use]
    pub fn offers(&self) -> IdSet {
        self.sent.map_or(IdSet::EMPTY, |sent| sent.offers)
    }

    /// The vault answered. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `Message` and `UnexpectedAnswer`: nothing has changed but the time; ignore it, or give up waiting with `handle_check_in_failed`.
    pub fn handle_answer(
        &mut self,
        bytes: &[u8],
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        self.observe(now);
        let answer = Answer::decode(bytes)?;
        let sent = self.sent.filter(|sent| sent.nonce == answer.nonce);
        let sent = sent.ok_or(RotationError::UnexpectedAnswer)?;
        self.sent = None; // Accepting it uses the nonce up.
        self.token = Some(answer.token);
        self.heard = true;
        self.silent = 0;
        self.candidates = answer.candidates;
        self.said_full &= self.is_full();
        let interval = self.config.check_in_seconds;
        self.check_in_at = schedule::due(self.clock.now(), interval, 10, entropy);
        self.check_in_not_before = self.clock.now();
        self.compare_audit(&sent, &answer);
        let ahead = self.compare_version(&answer);
        self.take_lacking(&answer);
        match (self.journal.phase, self.step) {
            (Phase::BackingUp, Step::BackingUp) => self.take_offer(&sent, &answer, entropy),
            (Phase::Committing { .. }, _) => self.take_commit(&sent, &answer),
            _ => {}
        }
        if ahead {
            self.journal.reasons.rolled_back = true;
        }
        if self.journal.phase == Phase::Settled {
            self.take_orders(&sent, &answer);
        }
        self.pace(entropy);
        Ok(())
    }

    /// The device asks for the hash at the length that it remembers; another one, or none, is another trail (protocol §6.2).
    fn compare_audit(&mut self, sent: &Sent, answer: &Answer) {
        if sent.audit.is_some_and(|audit| answer.audit_at != Some(audit.hash)) {
            self.say(EventKind::AuditMismatch, Reason::AuditMismatch, answer.audit.length);
        }
        if self.journal.audit != Some(answer.audit) {
            self.journal.audit = Some(answer.audit);
            self.changed(Unsaved::Detail);
        }
    }

    /// A vault that knows higher versions than this device's journal: the journal is lost or old. Says whether it is old.
    fn compare_version(&mut self, answer: &Answer) -> bool {
        let journal = &mut self.journal;
        let fresh = journal.last_made.is_none();
        let ahead = answer.highest_version > journal.highest;
        journal.highest = journal.highest.max(answer.highest_version);
        if !ahead {
            return false;
        }
        if fresh {
            journal.reasons.journal_lost = true;
            self.say(EventKind::JournalLost, Reason::JournalLost, answer.highest_version);
        } else {
            self.say(EventKind::ImageRolledBack, Reason::ImageRolledBack, answer.highest_version);
        }
        self.changed(Unsaved::Detail);
        !fresh
    }

    fn take_lacking(&mut self, answer: &Answer) {
        let keep = self.journal.keep();
        let lacking = answer.lacking.iter().filter(|id| keep.contains(*id));
        (self.lacking, _) = IdSet::collect_first(lacking);
        if !self.lacking.is_empty() && self.spins == 0 {
            self.say(EventKind::OfferedAgain, Reason::None, 0);
        }
    }

    /// Protocol §2.3: the account is changed only after the vault has acknowledged this record's id.
    fn take_offer(&mut self, sent: &Sent, answer: &Answer, entropy: u64) {
        let Some(id) = self.journal.last_made.filter(|id| sent.offers.contains(*id)) else {
            return;
        };
        self.lacking.remove(id);
        if answer.stored.contains(id) {
            self.step = Step::Stamping;
            self.spins = 0;
            self.say_of_record(EventKind::BackedUp, self.journal.why);
            return;
        }
        match answer.refused.why(id) {
            Some(Refusal::Stale) => self.refused(Reason::Stale, true, entropy),
            Some(Refusal::Full) => self.refused(Reason::Full, false, entropy),
            Some(Refusal::Unreadable) => self.refused(Reason::Unreadable, false, entropy),
            None => {}
        }
    }

    fn take_commit(&mut self, sent: &Sent, answer: &Answer) {
        let proposal = sent.commit.filter(|proposal| self.journal.last_made == Some(proposal.id));
        let Some(proposal) = proposal else { return };
        match answer.commit {
            Some(CommitAnswer::Acknowledged) => self.committed(proposal),
            Some(CommitAnswer::Lacking) => {
                // Room is certain: the commit is one of the may-hold set, and so are the lacking ids.
                let _ = self.lacking.insert(proposal.id);
            }
            Some(CommitAnswer::StaleToken) | None => {}
        }
    }

    /// What will hold when this commit is acknowledged.
    fn propose(&self, id: RecordId, nonce: [u8; 16]) -> Proposal {
        let at = self.clock.now();
        let (age, jitter) = (self.config.max_age_seconds, self.config.jitter_percent);
        let entropy = nonce.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Proposal { id, due: schedule::due(at, age, jitter, entropy), at }
    }

    fn committed_at(&self, at: Timestamp) -> Outcome {
        Outcome::new(EventKind::Committed, self.directory(), self.journal.why, at)
    }

    /// The rotation is done: the only place where the due date moves.
    fn committed(&mut self, proposal: Proposal) {
        let now = self.clock.now();
        let journal = &mut self.journal;
        let in_a_row = journal.committed_at.is_some_and(|at| now.seconds_since(at) < IN_A_ROW);
        let before = if in_a_row { journal.conflicts } else { 0 };
        let conflict = matches!(journal.why, Reason::ImageRolledBack | Reason::OutcomeUncertain);
        journal.conflicts = before.saturating_add(u8::from(conflict));
        journal.phase = Phase::Settled;
        journal.may_hold = MayHold::exactly(proposal.id);
        journal.ruled_out = super::journal::RuledOut::NONE;
        journal.stamp = None;
        journal.committed = journal.version;
        journal.committed_at = Some(now);
        journal.due = Some(proposal.due);
        journal.reasons = Reasons::default();
        journal.demand = journal.made_demand;
        journal.failures = 0;
        journal.not_before = None;
        self.lacking = IdSet::EMPTY;
        self.hurry = false;
        self.remade = 0;
        self.changed(Unsaved::Step);
        self.say_of_record(EventKind::Committed, self.journal.why);
        self.journal.last = Some(self.committed_at(proposal.at));
        self.follow_reset();
        self.take_account();
    }

    /// Orders and the number of candidates say whether another rotation is due.
    fn take_orders(&mut self, sent: &Sent, answer: &Answer) {
        let ordered = self.journal.may_hold.obeys(&answer.orders);
        if ordered != self.journal.reasons.ordered {
            self.journal.reasons.ordered = ordered;
            // An order does not wait for a back-off that began before it.
            self.hurry |= ordered;
            self.changed(Unsaved::Detail);
        }
        self.crowded = answer.candidates > 1;
        // Ruled-out ids count only in a check-in with the current token: ask once more before another rotation is made for them.
        if self.crowded && !sent.with_token && !self.journal.ruled_out.is_empty() {
            self.crowded = false;
            self.check_in_at = self.clock.now();
        }
        match self.reason_due() {
            None => {
                self.hurry = false;
                self.say(EventKind::NotDue, Reason::None, 0);
            }
            Some(_) if self.is_full() && !self.said_full => {
                self.said_full = true;
                let most = u64::try_from(MAX_IDS).unwrap_or(u64::MAX);
                let count = u64::from(self.candidates).max(most);
                self.say(EventKind::TooManyCandidates, Reason::Full, count);
                self.remember(EventKind::TooManyCandidates, Reason::Full);
            }
            Some(_) => {}
        }
    }

    /// Check-ins that must follow at once do so a few times; then they wait.
    fn pace(&mut self, entropy: u64) {
        if self.poll() != Wish::CheckIn {
            if self.lacking.is_empty() {
                self.spins = 0;
            }
            return;
        }
        self.spins = self.spins.saturating_add(1);
        if let Some(more) = self.spins.checked_sub(AT_ONCE) {
            let wait = schedule::back_off(more, entropy);
            self.check_in_not_before = self.clock.now().plus(wait);
        }
    }

    /// No answer came, or none that could be read. `entropy` is 64 random bits.
    pub fn handle_check_in_failed(&mut self, now: Timestamp, entropy: u64) {
        self.observe(now);
        let wait = schedule::back_off(self.silent, entropy);
        self.check_in_not_before = self.clock.now().plus(wait);
        self.check_in_at = self.check_in_at.max(self.check_in_not_before);
        self.silent = self.silent.saturating_add(1);
        self.say(EventKind::CheckInFailed, Reason::Unreachable, u64::from(self.silent));
        if self.journal.phase != Phase::Settled || self.reason_due().is_some() {
            self.remember(EventKind::CheckInFailed, Reason::Unreachable);
        }
        if self.silent >= 2 {
            // Perhaps it is a record offered again that the vault does not take: say the rest without it.
            self.lacking = IdSet::EMPTY;
        }
    }
}
