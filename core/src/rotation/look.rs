//! What the device sees by itself: its account, its readers; and what a person says about the
//! vault's log.

use super::effect::AccountSeen;
use super::event::{EventKind, Reason};
use super::journal::AuditFinding;
use super::machine::{Rotation, Step, Unsaved};
use super::message::Answer;
use super::talk::Sent;
use crate::identity::Timestamp;

impl Rotation {
    /// Whether the account is to be looked up before the check-in that is wanted: before every one
    /// that does not belong to a password in memory or on the account, and of the account that
    /// is managed.
    pub(super) fn wants_look(&self) -> bool {
        matches!(self.step, Step::Settled(_)) && !self.talk.looked && self.same_account()
    }

    /// The account was looked up. It may be told at any time; while a rotation is under way it says
    /// nothing, and the look is asked for again.
    ///
    /// An account that is missing makes everything unknown that comes after it: nothing is made,
    /// and when it is there again a rotation is due. So does a change stamp other than the one
    /// that this machine left.
    pub fn handle_account(&mut self, seen: AccountSeen, now: Timestamp) {
        self.observe(now);
        if !matches!(self.step, Step::Settled(_)) || !self.same_account() {
            return;
        }
        (self.talk.looked, self.talk.seen) = (true, true);
        match seen {
            AccountSeen::Missing => self.see_missing(),
            AccountSeen::Present { change_stamp } => self.see_present(change_stamp),
            AccountSeen::Unknown => {}
        }
    }

    fn see_missing(&mut self) {
        if !self.reported.missing {
            self.reported.missing = true;
            self.say(EventKind::AccountNotFound, Reason::AccountNotFound, 0);
        }
        if self.journal.missing {
            return;
        }
        self.journal.missing = true;
        self.distrust(None);
        self.note_outcome(EventKind::AccountNotFound, Reason::AccountNotFound);
        // The vault hears it in this run, whenever it was seen.
        self.talk.report = true;
        self.changed(Unsaved::Step);
    }

    fn see_present(&mut self, change_stamp: Option<[u8; 32]>) {
        if self.journal.missing {
            self.journal.missing = false;
            self.reported.missing = false;
            self.distrust(change_stamp);
            // What failed before failed on another account, perhaps.
            self.journal.failures = 0;
            self.journal.not_before = None;
            self.say(EventKind::AccountReturned, Reason::AccountChanged, 0);
            self.changed(Unsaved::Step);
        } else {
            self.compare_change_stamp(change_stamp);
        }
    }

    /// Another change stamp than the one that is known: somebody else changed the account.
    pub(super) fn compare_change_stamp(&mut self, change_stamp: Option<[u8; 32]>) {
        let Step::Settled(settled) = &mut self.step else { return };
        match (settled.change_stamp, change_stamp) {
            (Some(known), Some(change_stamp)) if known != change_stamp => {
                self.distrust(Some(change_stamp));
                self.say(EventKind::AccountChanged, Reason::AccountChanged, 0);
                self.changed(Unsaved::Step);
            }
            (None, Some(change_stamp)) => {
                settled.change_stamp = Some(change_stamp);
                self.changed(Unsaved::Detail);
            }
            _ => {}
        }
    }

    /// The account may hold a password that nobody knows, from now on.
    fn distrust(&mut self, change_stamp: Option<[u8; 32]>) {
        if let Step::Settled(settled) = &mut self.step {
            settled.change_stamp = change_stamp;
        }
        self.journal.held.unknown = true;
        // An account that never had a password of ours is enrolled when it appears.
        self.journal.reasons.account_changed |= self.step.last_made().is_some();
    }

    /// Whom the next password is sealed to: a digest of them, whatever their order, and whether the
    /// record of [`Rotation::holds`] is sealed to one who is not among them any more. Tell it
    /// at the start, after every commit, and whenever the readers change.
    ///
    /// A password whose readers lost one is replaced, once. A record that the vault refused because
    /// none of its active readers could open it is made again at once for other readers.
    pub fn handle_readers(&mut self, readers: [u8; 8], lost: bool, now: Timestamp) {
        self.observe(now);
        // While a rotation is under way there is no record to compare: what was lost stays lost
        // until it commits, or other readers come.
        if matches!(self.step, Step::Settled(_)) || self.readers != Some(readers) {
            self.reader_lost = lost;
        }
        self.readers = Some(readers);
        if self.journal.refused_readers.is_some_and(|refused| refused != readers) {
            self.journal.refused_readers = None;
            self.journal.failures = 0;
            self.journal.not_before = None;
            self.changed(Unsaved::Detail);
        }
    }

    /// The device asks for the hash at the length that it remembers; another one, or none, is
    /// another log (protocol §6.2). Then it keeps what it remembers, until a person says that
    /// this is in order.
    pub(super) fn compare_audit(&mut self, sent: &Sent, answer: &Answer) {
        self.talk.log = Some(answer.audit);
        let remembered = sent.audit.filter(|_| !self.talk.acknowledges);
        let finding = match remembered {
            None => AuditFinding::None,
            Some(head)
                if answer.audit_at == Some(head.hash) && answer.audit.length >= head.length =>
            {
                AuditFinding::None
            }
            Some(head) if answer.restored.is_some_and(|length| head.length > length) => {
                AuditFinding::Restored
            }
            Some(_) => AuditFinding::Mismatch,
        };
        if finding == AuditFinding::None {
            self.take_log();
            return;
        }
        if self.reported.audit != finding {
            self.reported.audit = finding;
            let reason = match finding {
                AuditFinding::Restored => Reason::Restored,
                AuditFinding::None | AuditFinding::Mismatch => Reason::AuditMismatch,
            };
            self.say(EventKind::AuditMismatch, reason, answer.audit.length);
        }
        if self.journal.audit_finding != finding {
            self.journal.audit_finding = finding;
            self.changed(Unsaved::Detail);
        }
    }

    /// From now on the vault's log at its last answer is what this device remembers.
    fn take_log(&mut self) {
        self.talk.acknowledges = false;
        self.reported.audit = AuditFinding::None;
        let log = self.talk.log.or(self.journal.audit);
        if self.journal.audit != log || self.journal.audit_finding != AuditFinding::None {
            self.journal.audit = log;
            self.journal.audit_finding = AuditFinding::None;
            self.changed(Unsaved::Detail);
        }
    }

    /// A person has looked into it and says that the vault's log is in order as it is: what this
    /// run heard last, or hears next, is remembered from then on.
    pub fn acknowledge_log(&mut self, now: Timestamp) {
        self.observe(now);
        if self.talk.log.is_some() {
            self.take_log();
        } else {
            self.talk.acknowledges = true;
        }
    }
}
