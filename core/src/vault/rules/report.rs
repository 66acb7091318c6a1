//! What of a report is believed.

use crate::account::Sid;
use crate::identity::AccountName;
use crate::rotation::message::{CheckIn, CommitAnswer};
use crate::rotation::set::{IdSet, MayHold};

use super::super::readers::Readers;
use super::super::state::{Account, Report};
use super::{Offer, Verdict};

impl Account {
    /// Takes over what the device says about the account. A message without the current token may
    /// be an old one: it is believed only when its last outcome is no older than the one that
    /// is known; of an account that the device has turned from, only when it is newer. The
    /// answer gives it the token with which the next one is believed.
    pub(super) fn take_report(
        &mut self,
        message: &CheckIn,
        offers: &[&Offer],
        is_former: bool,
        readers: &Readers,
        verdict: &mut Verdict,
    ) {
        let report = &self.report;
        let (said, known) = (message.last.map(|last| last.at), report.outcome.map(|last| last.at));
        let newer = said > known || (said == known && (!is_former || *report == Report::NONE));
        verdict.believed = verdict.live || newer;
        if !verdict.believed {
            return;
        }
        self.learn(&message.account, message.sid);
        if let Some(last) = offers.iter().max_by_key(|offer| (offer.held.version, offer.held.id)) {
            self.report.offered = Some(last.held.original.readers.clone());
            let late = readers.names_removed(&last.held.original.readers);
            verdict.newly_stale = late && !self.report.late;
            self.report.late = late;
        }
        self.report.missing = message.account_missing;
        self.report.waits_until = message.waits_until;
        // With a commit, a check-in says what holds once that is acknowledged. Until then its dates
        // and outcome are not true.
        match message.commit {
            Some(commit) if verdict.commit == Some(CommitAnswer::Acknowledged) => {
                self.take_may_hold(MayHold::exactly(commit.id), verdict.live);
            }
            Some(_) => {
                self.take_may_hold(message.may_hold, verdict.live);
                return;
            }
            None => self.take_may_hold(message.may_hold, verdict.live),
        }
        let report = &mut self.report;
        report.due = message.due;
        report.reset_at = message.reset_at;
        report.outcome = message.last.or(report.outcome);
    }

    /// Name and SID as the device has them now; what it does not know it does not take away.
    pub(super) fn learn(&mut self, name: &AccountName, sid: Option<Sid>) {
        self.name = *name;
        self.sid = sid.or(self.sid);
    }

    /// Without the current token a report may be an old one that was delayed. After a restore it is
    /// the first one that is true: then it names a later record than any that were likely.
    fn take_may_hold(&mut self, may_hold: MayHold, live: bool) {
        let highest = |ids: &IdSet| {
            let known = self.candidates.all().filter(|held| ids.contains(held.id));
            known.map(|held| held.version).max()
        };
        let later = highest(&may_hold.ids) > highest(&self.report.likely);
        if !may_hold.ids.is_empty() && (live || later || self.report.likely.is_empty()) {
            self.report.likely = may_hold.ids;
        }
        self.report.may_hold = may_hold;
    }
}
