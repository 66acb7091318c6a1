//! Why a rotation is due, and when it may begin.
//!
//! A *cause* is a kind and its subject: the age or the use of a password, an order for it, a reader
//! whom it lost, a changed account, the policy, a lost journal, a person who forces. A commit ends
//! every cause that is not about the password that it commits, so no cause changes a password
//! twice.
//!
//! Three kinds rest on the vault's word alone: an order, a count of candidates, a higher version.
//! Whoever lies could ask for ever. So a rotation for such a cause, of a password that was itself
//! made on the vault's word, waits: 1, 2, 4 … 60 minutes after the last commit of that kind,
//! forgotten after a quiet day. An order for any other password never waits, and the wait of one
//! kind delays no other. Beside that, conflicts (a higher version, candidates, an account that
//! somebody else changed, an uncertain outcome) are answered at once three times within two days,
//! then ever more slowly up to once a day: two clones, or two managers of one account, would
//! otherwise replace each other's password at every look.
//!
//! A *run* changes the password at most twice. It begins when the machine starts, at each scheduled
//! check-in, and when a person forces. Only the person who forces skips waits; `skip_back_off`
//! skips nothing but the back-off after failures, and not that either once sixteen records may be
//! held.

use super::event::Reason;
use super::machine::{Hurry, Rotation, Step};
use super::schedule;
use super::wait::{Cause, Wait, WaitKind, Waits};
use crate::identity::Timestamp;

/// Passwords that one run sets at most.
pub(super) const MOST_CHANGES: u8 = 2;

impl Rotation {
    /// Every cause, the first to be named first; those that do not hold have no reason.
    fn causes(&self) -> [Cause; 13] {
        let (journal, now) = (&self.journal, self.clock.now());
        let reasons = &journal.reasons;
        let changed = reasons.account_changed;
        let unknown = journal.held.unknown && !changed;
        let enrols = unknown && !reasons.journal_lost && journal.committed == 0;
        let uncertain = journal.held.ids.len() > 1
            || (unknown && !reasons.journal_lost && journal.committed > 0);
        let crowded = self.talk.crowded && !uncertain && !journal.held.unknown;
        let used = journal.used.is_some_and(|used| used.deadline <= now);
        let demanded = journal.committed_at.is_some() && self.config.demands_over(journal.demand);
        let latest = now.plus(self.config.max_age_seconds);
        let beyond = self.config.expiry_protection && journal.due.is_some_and(|due| due > latest);
        let lost = self.reader_lost && journal.held.only().is_some();
        let of = |reason, holds| Cause::if_it(holds, reason, None);
        let kind = |kind, reason, holds| Cause::if_it(holds, reason, Some(kind));
        [
            of(Reason::Forced, reasons.forced),
            kind(WaitKind::Order, Reason::Order, reasons.ordered),
            of(Reason::PostAuthentication, used),
            kind(WaitKind::Own, Reason::AccountChanged, changed),
            of(Reason::JournalLost, unknown && reasons.journal_lost),
            of(Reason::Enrolment, enrols),
            kind(WaitKind::Version, Reason::ImageRolledBack, reasons.rolled_back),
            kind(WaitKind::Own, Reason::OutcomeUncertain, uncertain),
            kind(WaitKind::Candidates, Reason::OutcomeUncertain, crowded),
            of(Reason::ReaderLost, lost),
            of(Reason::PolicyChanged, demanded),
            of(Reason::ExpiryBeyondPolicy, beyond),
            of(Reason::Age, journal.due.is_some_and(|due| due <= now)),
        ]
    }

    fn holding(&self) -> impl Iterator<Item = Cause> {
        let managed = self.config.directory.is_some();
        self.causes().into_iter().filter(move |cause| managed && cause.reason != Reason::None)
    }

    /// Why a rotation is due, whether or not it may begin now.
    pub(super) fn reason_due(&self) -> Option<Reason> {
        self.holding().next().map(|cause| cause.reason)
    }

    /// What may begin now.
    pub(super) fn startable(&self) -> Option<Cause> {
        let free = matches!(self.step, Step::Settled(_))
            && self.talk.heard
            && !self.journal.missing
            && self.same_account()
            && self.next_version().is_some()
            && self.has_room()
            // What the vault lacks is offered first; a vault that never takes it must not stop us.
            && (self.talk.lacking.is_empty() || self.talk.spins > 2);
        if !free {
            return None;
        }
        self.holding().find(|cause| self.is_past(self.begins(*cause)))
    }

    /// The version of the next record.
    pub(super) const fn next_version(&self) -> Option<u64> {
        self.journal.highest.checked_add(1)
    }

    /// Whether sixteen records may be held: before a seventeenth is made the oldest has to leave
    /// the journal.
    pub(super) const fn is_full(&self) -> bool {
        self.journal.held.ids.is_full()
    }

    /// The oldest record that the vault has: the one that may leave the journal.
    pub(super) fn oldest_at_the_vault(&self) -> Option<crate::identity::RecordId> {
        let ids = self.journal.held.ids.as_slice().iter().copied();
        ids.into_iter().find(|id| !self.talk.unheld.contains(*id))
    }

    fn has_room(&self) -> bool {
        !self.is_full() || self.oldest_at_the_vault().is_some()
    }

    /// When a rotation for this cause may begin.
    fn begins(&self, cause: Cause) -> Timestamp {
        let start = Timestamp::default();
        let needed = if self.is_full() { Hurry::Forces } else { Hurry::SkipsBackOff };
        let back_off = self.journal.not_before.filter(|_| self.hurry < needed).unwrap_or(start);
        back_off.max(self.run_at()).max(cause.kind.map_or(start, |kind| self.wait_end(kind)))
    }

    /// When the run begins that has a change of the password left.
    fn run_at(&self) -> Timestamp {
        if self.changes < MOST_CHANGES { Timestamp::default() } else { self.talk.check_in_at }
    }

    /// How long a rotation of this kind waits.
    fn wait_end(&self, kind: WaitKind) -> Timestamp {
        let wait = self.wait(kind);
        let word = kind.rests_on_word() && self.journal.on_word;
        let word = if word { schedule::word(wait.count) } else { 0 };
        let calm = if kind.is_conflict() { schedule::calm(wait.count) } else { 0 };
        wait.since.plus(word.max(calm))
    }

    fn wait(&self, kind: WaitKind) -> Wait {
        let mut waits = WaitKind::ALL.into_iter().zip(self.journal.waits);
        waits.find(|(of, _)| *of == kind).map(|(_, wait)| wait).unwrap_or_default()
    }

    /// Until when everything waits that is due, and why; none when nothing is due, something may
    /// begin, or nobody can say.
    pub(super) fn waits(&self) -> Option<Waits> {
        let idle = matches!(self.step, Step::Settled(_)) && !self.journal.missing;
        if !idle || self.startable().is_some() {
            return None;
        }
        let first = self.holding().min_by_key(|cause| self.begins(*cause))?;
        let until = self.begins(first);
        let why = match (first.kind, self.journal.last) {
            _ if until == self.run_at() => Reason::TwoChanges,
            (Some(kind), _) if until == self.wait_end(kind) => first.reason,
            (_, Some(failed)) if self.journal.not_before == Some(until) => failed.reason,
            _ => first.reason,
        };
        (!self.is_past(until)).then_some(Waits { until, why })
    }

    /// The same where it is no back-off: a failure was told when it happened, and this is told now.
    pub(super) fn unreported_waits(&self) -> Option<Waits> {
        self.waits().filter(|waits| self.journal.not_before != Some(waits.until))
    }

    /// The end of every wait that lies ahead.
    pub(super) fn next_wait_end(&self) -> Option<Timestamp> {
        let ends = self.holding().map(|cause| self.begins(cause));
        ends.filter(|at| !self.is_past(*at)).min()
    }

    /// A password is committed that was made for this cause.
    pub(super) fn count_commit(&mut self, cause: Cause) {
        let now = self.clock.now();
        self.journal.on_word = cause.kind.is_some_and(WaitKind::rests_on_word);
        for (kind, wait) in WaitKind::ALL.into_iter().zip(&mut self.journal.waits) {
            if cause.kind == Some(kind) {
                let quiet = now.seconds_since(wait.since) >= kind.memory();
                wait.count = if quiet { 1 } else { wait.count.saturating_add(1) };
                wait.since = now;
            }
        }
    }
}
