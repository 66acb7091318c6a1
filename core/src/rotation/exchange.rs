//! The exchange with the vault (protocol §3).

use super::effect::RotationError;
use super::event::{EventKind, Outcome, Reason};
use super::journal::{Attempt, HeldIds, Reasons, RuledOutIds, Settled};
use super::machine::{Hurry, Rotation, Step, Unsaved};
use super::message::{
    Answer, CheckIn, Commit, CommitAnswer, MAX_AHEAD, MessageError, OfferRefusal,
};
use super::schedule;
use super::set::IdSet;
use super::talk::{Proposal, Sent};
use crate::identity::{RecordId, Timestamp};

/// How far the highest version may stand above every version that the vault knows or a record of
/// ours has: records that were refused, or never stored, are few.
const MOST_UNKNOWN: u64 = 1 << 16;
/// How many check-ins in a row may follow each other at once.
const AT_ONCE: u8 = 4;

impl Rotation {
    /// Whether the vault is to be asked something now.
    pub(super) fn wants_check_in(&self) -> bool {
        let talk = &self.talk;
        match self.step {
            Step::Committing { .. } | Step::BackingUp { .. } => true,
            Step::ReadingChangeStamp { .. } | Step::Applying(_) => false,
            Step::Settled(_) => {
                let asks = self.is_past(talk.check_in_at)
                    || talk.ask_at.is_some_and(|ask_at| self.is_past(ask_at));
                self.config.directory.is_some()
                    && (!talk.heard
                        || talk.report
                        // A run that began with a commit has not seen the account yet.
                        || (!talk.seen && self.same_account())
                        || !talk.lacking.is_empty()
                        || (asks && self.startable().is_none()))
            }
        }
    }

    /// Writes the head of a check-in under a fresh random nonce, from which the jitter of the next
    /// due date is drawn, too; its length. The driver appends the records of
    /// [`Rotation::offers`], in that order, each behind its
    /// [`record_prefix`](super::message::record_prefix). It may be called without that effect, to
    /// check in early.
    ///
    /// # Errors
    /// `UnexpectedEvent` while a journal is to be saved, a password to be wiped, or the account is
    /// being changed; `Message`.
    pub fn check_in(&mut self, nonce: [u8; 16], out: &mut [u8]) -> Result<usize, RotationError> {
        if self.wipe || self.unsaved == Unsaved::Step {
            return Err(RotationError::UnexpectedEvent);
        }
        let (journal, talk) = (&self.journal, &self.talk);
        let mut offers = talk.lacking;
        let mut commit = None;
        let mut scheduled = false;
        match self.step {
            Step::Settled(_) => scheduled = talk.heard && self.is_past(talk.check_in_at),
            Step::BackingUp { attempt, .. } => {
                offers.insert(attempt.id).map_err(|_| RotationError::UnexpectedEvent)?;
            }
            // Nothing is committed before the first check-in of this run is answered
            // (protocol §2.1).
            Step::Committing { attempt, verified, change_stamp_read: true } => {
                commit = talk.heard.then_some((attempt, Commit::new(attempt.id, verified)));
            }
            Step::ReadingChangeStamp { .. } | Step::Applying(_) | Step::Committing { .. } => {
                return Err(RotationError::UnexpectedEvent);
            }
        }
        let proposal = commit.map(|(attempt, _)| self.propose(attempt.id, nonce));
        let last = commit.map(|(attempt, _)| self.committed_outcome(&attempt));
        let check_in = CheckIn {
            token: talk.token,
            may_hold: journal.held.may_hold(),
            highest_version: journal.highest,
            sid: journal.sid,
            due: proposal.map_or(journal.due, |proposal| Some(proposal.due)),
            reset_at: match commit {
                Some(_) => self.reset_after_commit(),
                None => journal.used.map(|used| used.deadline),
            },
            waits_until: self.waits().map(|waits| waits.until),
            account_missing: journal.missing,
            last: last.or(journal.last),
            audit: journal.audit,
            ruled_out: journal.ruled_out.set(),
            ruled_out_on_word: journal.ruled_out_on_word.set(),
            offers,
            commit: commit.map(|(_, commit)| commit),
            ..CheckIn::new(self.config.scope, self.config.device, journal.account, nonce)
        };
        let len = check_in.encode(out)?;
        self.talk.sent = Some(Sent {
            nonce,
            offers,
            commit: proposal,
            token: talk.token,
            scheduled,
            audit: journal.audit,
        });
        Ok(len)
    }

    /// The records that belong behind the head that was written last.
    #[must_use]
    pub fn offers(&self) -> IdSet {
        self.talk.sent.map_or(IdSet::EMPTY, |sent| sent.offers)
    }

    /// The vault answered. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `Message` and `UnexpectedAnswer`: nothing has changed but the time; ignore it, or give up
    /// waiting with `handle_check_in_failed`. An answer that names a version more than
    /// [`MAX_AHEAD`] above the device's own is malformed.
    pub fn handle_answer(
        &mut self,
        bytes: &[u8],
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        self.observe(now);
        let answer = Answer::decode(bytes)?;
        let sent = self.talk.sent.filter(|sent| sent.nonce == answer.nonce);
        let sent = sent.ok_or(RotationError::UnexpectedAnswer)?;
        if answer.highest_version.saturating_sub(self.journal.highest) > MAX_AHEAD {
            return Err(MessageError::Malformed { field: "highest version" }.into());
        }
        let now = self.clock.now();
        let talk = &mut self.talk;
        talk.sent = None; // Accepting it uses the nonce up.
        talk.token = Some(answer.token);
        talk.heard = true;
        talk.looked = false;
        talk.silent = 0;
        talk.report = false;
        talk.told = false;
        talk.candidates = answer.candidates;
        talk.check_in_at = schedule::due(now, self.config.check_in_seconds, 10, entropy);
        talk.ask_at = None;
        talk.check_in_not_before = now;
        if sent.scheduled {
            self.changes = 0;
        }
        self.compare_audit(&sent, &answer);
        let ahead = self.compare_version(&answer);
        self.take_lacking(&sent, &answer);
        self.take_advice(&answer);
        match self.step {
            Step::BackingUp { attempt, made_at } => {
                self.take_offer(&sent, &answer, attempt, made_at, entropy);
            }
            Step::Committing { attempt, .. } => self.take_commit(&sent, &answer, &attempt),
            Step::Settled(_) | Step::ReadingChangeStamp { .. } | Step::Applying(_) => {}
        }
        if ahead {
            self.journal.reasons.rolled_back = true;
        }
        if matches!(self.step, Step::Settled(_)) {
            if self.same_account() {
                self.take_orders(&sent, &answer);
                // The vault believes what a check-in with its token says. Of an account that is
                // missing, or that is another one than before and waits, no other
                // check-in would follow.
                let idle = self.journal.missing
                    || (self.journal.committed == 0 && self.startable().is_none());
                self.talk.report |= idle && sent.token.is_none();
            } else {
                self.leave_account(&sent, &answer);
            }
        }
        self.pace(entropy);
        Ok(())
    }

    /// Another account is to be managed, and the vault answered about the one before. It is left
    /// once the vault knows what it may hold: it keeps its token where it has heard nothing new
    /// under it. A vault that never keeps one must not stop us.
    fn leave_account(&mut self, sent: &Sent, answer: &Answer) {
        let heard = sent.token == Some(answer.token);
        if heard || (sent.token.is_some() && self.talk.spins > 2) {
            self.talk.told = true;
        } else {
            self.talk.report = true;
        }
        self.take_account();
    }

    /// A vault that knows higher versions than this device's journal: the journal is lost or old.
    /// Says whether it is old.
    fn compare_version(&mut self, answer: &Answer) -> bool {
        let fresh = self.step.last_made().is_none();
        let own = self.step.attempt().map_or(0, |attempt| attempt.version);
        let retained = self.retained();
        let journal = &mut self.journal;
        // A number that no record of ours has and that the vault does not know was once a lie:
        // kept, every later record would stand so far above what an honest vault knows that
        // it takes none.
        let vouched = answer.highest_version.max(journal.committed).max(own);
        let lie = journal.highest.saturating_sub(vouched) > MOST_UNKNOWN;
        // A record that the vault lacks may have such a number, made while the lie was believed.
        if lie && !answer.lacking.iter().any(|id| retained.contains(id)) {
            journal.highest = vouched;
            self.unsaved = self.unsaved.max(Unsaved::Detail);
            self.written = false;
        }
        let ahead = answer.highest_version > journal.highest;
        journal.highest = journal.highest.max(answer.highest_version);
        if !ahead {
            return false;
        }
        if !fresh {
            self.say(EventKind::ImageRolledBack, Reason::ImageRolledBack, answer.highest_version);
        } else if !journal.reasons.account_changed {
            journal.reasons.journal_lost = true;
            self.say(EventKind::JournalLost, Reason::JournalLost, answer.highest_version);
        }
        self.changed(Unsaved::Detail);
        !fresh
    }

    fn take_lacking(&mut self, sent: &Sent, answer: &Answer) {
        let keep = self.retained();
        let lacking = answer.lacking.iter().filter(|id| keep.contains(*id));
        (self.talk.lacking, _) = IdSet::collect_first(lacking);
        self.talk.unheld = answer.lacking;
        for id in sent.offers.iter().filter(|id| answer.stored.contains(*id)) {
            self.talk.lacking.remove(id);
            self.talk.unheld.remove(id);
        }
        if !self.talk.lacking.is_empty() && self.talk.spins == 0 {
            self.say(EventKind::OfferedAgain, Reason::None, 0);
        }
    }

    /// What the vault says for people, and for later.
    fn take_advice(&mut self, answer: &Answer) {
        let now = self.clock.now();
        if answer.order_at != self.talk.order_at {
            self.talk.order_at = answer.order_at;
            if let Some(at) = answer.order_at {
                self.say(EventKind::OrderScheduled, Reason::Order, at.as_unix_seconds());
            }
            // `agent status` shows it.
            self.changed(Unsaved::Detail);
        }
        self.talk.ask_at = answer.order_at.filter(|at| *at > now);
        if answer.removed_readers != self.talk.removed_readers {
            self.talk.removed_readers = answer.removed_readers;
            if !answer.removed_readers.is_empty() {
                let count = u64::try_from(answer.removed_readers.as_slice().len()).unwrap_or(0);
                self.say(EventKind::ReadersRemoved, Reason::RemovedReaders, count);
            }
            self.changed(Unsaved::Detail);
        }
    }

    /// Protocol §2.3: the account is changed only after the vault has acknowledged this record's
    /// id.
    fn take_offer(
        &mut self,
        sent: &Sent,
        answer: &Answer,
        attempt: Attempt,
        made_at: Timestamp,
        entropy: u64,
    ) {
        let id = attempt.id;
        if !sent.offers.contains(id) {
            return;
        }
        self.talk.lacking.remove(id);
        if answer.stored.contains(id) {
            self.step = Step::ReadingChangeStamp { attempt, made_at };
            self.talk.spins = 0;
            self.say_of(&attempt, EventKind::BackedUp, attempt.cause.reason);
            return;
        }
        match answer.refused.why(id) {
            Some(OfferRefusal::Stale) => self.refused(&attempt, Reason::Stale, entropy),
            Some(OfferRefusal::Full) => self.refused(&attempt, Reason::Full, entropy),
            Some(OfferRefusal::Unreadable) => {
                self.journal.refused_readers = self.readers;
                self.refused(&attempt, Reason::Unreadable, entropy);
            }
            None => {}
        }
    }

    fn take_commit(&mut self, sent: &Sent, answer: &Answer, attempt: &Attempt) {
        let proposal = sent.commit.filter(|proposal| proposal.id == attempt.id);
        let Some(proposal) = proposal else { return };
        match answer.commit {
            Some(CommitAnswer::Acknowledged) => self.committed(&proposal, attempt),
            Some(CommitAnswer::Lacking) => {
                // Room is certain: the commit is one of the may-hold set, and so are the lacking
                // ids.
                let _ = self.talk.lacking.insert(proposal.id);
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

    fn committed_outcome(&self, attempt: &Attempt) -> Outcome {
        let (reason, at) = (attempt.cause.reason, self.clock.now());
        Outcome::new(EventKind::Committed, self.directory(), reason, at)
    }

    /// The rotation is done: the only place where the due date moves. Every cause ends that is not
    /// about this password.
    fn committed(&mut self, proposal: &Proposal, attempt: &Attempt) {
        let now = self.clock.now();
        let settled = Settled { last_made: Some(attempt.id), change_stamp: attempt.change_stamp };
        self.step = Step::Settled(settled);
        let journal = &mut self.journal;
        journal.held = HeldIds::exactly(attempt.id);
        journal.ruled_out = RuledOutIds::EMPTY;
        journal.ruled_out_on_word = RuledOutIds::EMPTY;
        journal.committed = attempt.version;
        journal.committed_at = Some(now);
        journal.due = Some(proposal.due);
        journal.reasons = Reasons::default();
        journal.demand = attempt.demand;
        journal.failures = 0;
        journal.not_before = None;
        journal.refused_readers = None;
        self.talk.lacking = IdSet::EMPTY;
        self.talk.crowded = false;
        self.talk.spins = 0;
        self.reader_lost = false;
        self.hurry = Hurry::No;
        self.remade = 0;
        self.count_commit(attempt.cause);
        self.changed(Unsaved::Step);
        self.say_of(attempt, EventKind::Committed, attempt.cause.reason);
        let outcome = self.committed_outcome(attempt);
        self.journal.last = Some(Outcome { at: proposal.at, ..outcome });
        self.follow_reset();
        self.take_account();
    }

    /// Orders and the number of candidates say whether another rotation is due.
    fn take_orders(&mut self, sent: &Sent, answer: &Answer) {
        let ordered = self.journal.held.may_hold().obeys(&answer.orders);
        if ordered != self.journal.reasons.ordered {
            self.journal.reasons.ordered = ordered;
            // An order does not wait for a back-off that began before it.
            if ordered {
                self.hurry = self.hurry.max(Hurry::SkipsBackOff);
            }
            self.changed(Unsaved::Detail);
        }
        self.talk.crowded = answer.candidates > 1;
        // What a check-in rules out, and the one record that it is certain of, count only with the
        // current token: ask once more before another rotation is made.
        if self.talk.crowded && sent.token.is_none() {
            self.talk.crowded = false;
            self.talk.ask_at = Some(self.clock.now());
        }
        if self.reason_due().is_none() {
            self.hurry = Hurry::No;
            self.say(EventKind::NotDue, Reason::None, 0);
            self.forget_failure();
        }
        let waits = self.unreported_waits();
        if let Some(waits) = waits.filter(|waits| self.reported.waits != Some(*waits)) {
            self.say(EventKind::Waiting, waits.why, waits.until.as_unix_seconds());
        }
        if self.reported.waits != waits {
            self.reported.waits = waits;
            self.changed(Unsaved::Detail);
        }
    }

    /// What failed is over when nothing is due any more, because a reader, a policy or an order is
    /// as it was: the vault hears it, too.
    fn forget_failure(&mut self) {
        let failed = self.journal.last.is_some_and(|last| last.is_failed_rotation());
        if failed && self.config.directory.is_some() && !self.journal.missing {
            self.note_outcome(EventKind::NotDue, Reason::None);
            self.talk.report = true;
        }
    }

    /// Check-ins that must follow at once do so a few times; then they wait.
    fn pace(&mut self, entropy: u64) {
        if !self.wants_check_in() {
            if self.talk.lacking.is_empty() {
                self.talk.spins = 0;
            }
            return;
        }
        self.talk.spins = self.talk.spins.saturating_add(1);
        if let Some(more) = self.talk.spins.checked_sub(AT_ONCE) {
            let wait = schedule::back_off(more, entropy);
            self.talk.check_in_not_before = self.clock.now().plus(wait);
        }
    }

    /// No answer came, or none that could be read. `entropy` is 64 random bits.
    pub fn handle_check_in_failed(&mut self, now: Timestamp, entropy: u64) {
        self.observe(now);
        let talk = &mut self.talk;
        let wait = schedule::back_off(talk.silent, entropy);
        talk.check_in_not_before = self.clock.now().plus(wait);
        talk.check_in_at = talk.check_in_at.max(talk.check_in_not_before);
        talk.looked = false;
        talk.silent = talk.silent.saturating_add(1);
        if talk.silent >= 2 {
            // Perhaps it is a record offered again that the vault does not take: say the rest
            // without it.
            talk.lacking = IdSet::EMPTY;
        }
        let silent = u64::from(talk.silent);
        self.say(EventKind::CheckInFailed, Reason::Unreachable, silent);
        if !matches!(self.step, Step::Settled(_)) || self.reason_due().is_some() {
            self.note_outcome(EventKind::CheckInFailed, Reason::Unreachable);
        }
    }
}
