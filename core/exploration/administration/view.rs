//! Whether what a person is shown is what holds: the list, one device, the figures, what is due,
//! the records with their flags, and the order in which a disclosure says to try them.

use alloc::{format, string::String};

use super::acts::{Fault, any};
use super::device::Place;
use super::records::names;
use super::state::{ACCOUNTS, DEVICE, SCOPE, START, Setting, World, bits, ids, mask, number};
use super::vault::{Stored, WHO, open};
use crate::identity::Timestamp;
use crate::rotation::AuditFinding;
use crate::rotation::event::Reason;
use crate::vault::rows::{CandidateState, DeviceRow, Findings, Stats};
use crate::vault::state::UNPROVEN_SECONDS;
use crate::vault::{DeviceStatus, DiscloseOptions, MemoryStore, Vault};

type Wrong = Option<String>;

impl World {
    pub(super) fn wrong_view(&self, kept: &Stored, setting: &Setting) -> Wrong {
        if self.excuse.restored
            && !self.excuse.lie
            && self.machine.journal.audit_finding == AuditFinding::Mismatch
        {
            return Some("a RESTORED log is called another one".into());
        }
        kept.device.as_ref()?;
        let vault = open(&self.vault.store().snapshot());
        let row = vault.show(&SCOPE, DEVICE).ok()?;
        let page = vault.list(&SCOPE, None, 10).ok()?;
        if page.items.len() > 1 {
            return Some(format!("one machine is listed as {} devices", page.items.len()));
        }
        if page.items.first() != Some(&row) || !page.damaged.is_empty() {
            return Some("list and show differ".into());
        }
        self.wrong_row(kept, &row)
            .or_else(|| self.wrong_findings(kept, &row))
            .or_else(|| self.wrong_stats(kept, &row, &vault))
            .or_else(|| self.wrong_records(kept, &vault))
            .or_else(
                || if self.is_reported(setting) { self.wrong_report(kept, &row) } else { None },
            )
            .or_else(|| self.wrong_disclosure(kept, setting, &vault))
    }

    /// Whether the vault was told everything that the device knows.
    fn is_reported(&self, setting: &Setting) -> bool {
        let unheard = any![Fault::Crash, Fault::Lose, Fault::Repeat, Fault::Clone];
        let idle = matches!(self.place(), Place::Idle(_)) && setting.faults & unheard == 0;
        // What was not said because no answer came to the last check-in.
        let idle = idle && self.machine.talk.silent == 0;
        // Or because many check-ins followed each other, and the next one waits a little.
        let idle = idle && !self.machine.wants_check_in();
        idle && !self.excuse.lie && !self.excuse.torn && !self.off && self.is_heard()
    }

    fn wrong_row(&self, kept: &Stored, row: &DeviceRow) -> Wrong {
        let device = kept.device.as_ref()?;
        let settled = row.state == DeviceStatus::Settled;
        let one = kept.candidates() == 1 << kept.current && kept.current != 0;
        let report = &device.managed.report;
        let said = mask(report.may_hold.ids.iter());
        if settled && (!one || said != kept.candidates() || report.may_hold.unknown) {
            return Some(format!("SETTLED with candidates {}", ids(kept.candidates())));
        }
        if settled && kept.names(kept.current) & kept.active == 0 && kept.active != 0 {
            return Some(format!("SETTLED, and nobody can open {}", kept.current));
        }
        let managed = bits(kept.candidates()).find(|record| {
            let made = self.made[usize::from(*record)];
            (made.name == 1) != (device.managed.name.as_str() == ACCOUNTS[1])
        });
        if let Some(other) = managed {
            return Some(format!("{other} is shown as a password of {}", device.managed.name));
        }
        if row.ordered != (!kept.orders.is_empty() && device.about.retired.is_none()) {
            return Some(format!("ordered is {}, orders are {:?}", row.ordered, kept.orders));
        }
        let candidates = kept.candidates().count_ones() as usize;
        (row.candidates != candidates).then(|| format!("{} candidates shown", row.candidates))
    }

    /// Findings beside the sealings that are kept, the log, and the age of the vault.
    fn wrong_findings(&self, kept: &Stored, row: &DeviceRow) -> Wrong {
        let device = kept.device.as_ref()?;
        let found = row.findings;
        let said = &device.managed.report.may_hold;
        let named = mask(said.ids.iter());
        let held = kept.candidates() & if said.unknown { u64::MAX } else { named };
        let readable = bits(held).any(|record| kept.names(record) & kept.active != 0);
        if found.unreadable != (held != 0 && !readable) {
            return Some(format!("unreadable is {}, held are {}", found.unreadable, ids(held)));
        }
        let holds = self.managed().holds;
        let exact = kept.has(holds) && !said.unknown && named == 1 << holds;
        if exact && found.unreadable != (kept.names(holds) & kept.active == 0) {
            return Some(format!(
                "unreadable is {}, the account holds {holds}, sealed to {}",
                found.unreadable,
                names(kept.names(holds))
            ));
        }
        if found.log_differs && found.log_restored {
            return Some("a log is restored and another one".into());
        }
        if found.log_differs && !self.excuse.lie && !self.excuse.torn {
            return Some("the LOG DIFFERS, and nobody touched it".into());
        }
        let now = self.vault_now();
        let skewed = self.vault_skew != 0 || self.excuse.torn;
        let old = now.seconds_since(START) > UNPROVEN_SECONDS + 86_400;
        // Of an account that came later nobody had to prove anything yet.
        let first = device.managed.name.as_str() != ACCOUNTS[1] && self.accounts[0].sid <= 1;
        let unproven = row.findings_at(now).unproven;
        (old && !skewed && first && row.candidates > 0 && !unproven)
            .then(|| "nobody proved that a record opens, and it counts as PROVEN".into())
    }

    /// The figures of one device are what its row says, and the records are counted.
    fn wrong_stats(&self, kept: &Stored, row: &DeviceRow, vault: &Vault<MemoryStore>) -> Wrong {
        let device = kept.device.as_ref()?;
        let now = self.vault_now();
        let stats = vault.stats(&SCOPE, now).ok()?;
        let retired = row.state == DeviceStatus::Retired;
        let due = device.due().filter(|_| !retired);
        let mut expected = Stats { devices: 1, entries: stats.entries, ..Stats::default() };
        *match row.state {
            DeviceStatus::Settled => &mut expected.settled,
            DeviceStatus::Pending => &mut expected.pending,
            DeviceStatus::Uncertain => &mut expected.uncertain,
            DeviceStatus::Unreadable => &mut expected.unreadable,
            DeviceStatus::Failed => &mut expected.failed,
            DeviceStatus::Retired => &mut expected.retired,
        } = 1;
        expected.ordered = u64::from(row.ordered);
        expected.overdue = u64::from(due.is_some_and(|due| due <= now));
        expected.candidates = u64::from(kept.all_candidates.count_ones());
        expected.history = kept.history.len() as u64;
        let found = if retired { Findings::default() } else { row.findings_at(now) };
        for (count, holds) in [
            (&mut expected.findings.unreadable, found.unreadable),
            (&mut expected.findings.stale_readers, found.stale_readers),
            (&mut expected.findings.account_missing, found.account_missing),
            (&mut expected.findings.log_differs, found.log_differs),
            (&mut expected.findings.log_restored, found.log_restored),
            (&mut expected.findings.unproven, found.unproven),
        ] {
            *count = u64::from(holds);
        }
        if stats != expected {
            return Some(format!("STATS say {stats:?}, and it is {expected:?}"));
        }
        let listed = |until: Timestamp| {
            let page = vault.due(&SCOPE, until, None, 10).ok()?;
            page.items.first().map(|row| (row.due, row.ordered))
        };
        let wanted = due.map(|due| (due, row.ordered));
        if listed(Timestamp::MAX) != wanted || listed(now).is_some() != (expected.overdue == 1) {
            return Some(format!("what is DUE says {:?}, not {wanted:?}", listed(Timestamp::MAX)));
        }
        None
    }

    /// Each record with its flags, beside the sealings that are kept of it.
    fn wrong_records(&self, kept: &Stored, vault: &Vault<MemoryStore>) -> Wrong {
        let rows = vault.history(&SCOPE, DEVICE).ok()?;
        let mut seen = 0;
        for row in &rows {
            let record = number(row.record);
            seen |= 1_u64 << record;
            let made = self.made[usize::from(record)];
            let named = kept.names(record);
            let newest = kept.sealings(record).next().map_or(0, |seen| seen.sealing.readers);
            let current = row.state == CandidateState::Current;
            let wrong = row.unreadable != (named & kept.active == 0)
                || row.stale_readers != (named & kept.removed != 0)
                || row.version != made.version
                || row.account.map(|name| name.as_str() == ACCOUNTS[usize::from(made.name)])
                    != Some(true)
                || super::records::mask_of(&row.readers) != newest
                || current && self.committed >> record & 1 == 0;
            if wrong {
                return Some(format!("record {record} is shown as {row:?}"));
            }
        }
        (seen != kept.known()).then(|| format!("of {} are shown {}", ids(kept.known()), ids(seen)))
    }

    /// What the vault repeats of the device, where it was told everything, beside the device.
    fn wrong_report(&self, kept: &Stored, row: &DeviceRow) -> Wrong {
        let report = &kept.device.as_ref()?.managed.report;
        let status = self.machine.status();
        let (known, last) =
            (report.outcome.map(|last| last.kind), status.last.map(|last| last.kind));
        // Of an account that is managed again the vault remembers more than the device.
        if known != last && last.is_some() {
            return Some(format!("the vault knows of {known:?}, and the outcome is {last:?}"));
        }
        if row.reset_at != status.reset_at {
            return Some(format!(
                "a RESET at {:?} is shown as {:?}",
                status.reset_at, row.reset_at
            ));
        }
        if row.expires != status.due {
            return Some(format!("due {:?} is shown as {:?}", status.due, row.expires));
        }
        // What the vault itself has just said is repeated at the next check-in; so is a run's end.
        let news = [Reason::Order, Reason::ImageRolledBack, Reason::TwoChanges];
        // So is its count of candidates: a device that starts again between its commit and the
        // answer names two records once more, and hears of two when that commit is acknowledged.
        let counted = self.machine.talk.crowded && self.machine.holds().is_some();
        let is_news = |why| news.contains(&why) || counted && why == Reason::OutcomeUncertain;
        let waits = status.waits.filter(|waits| !is_news(waits.why));
        let until = waits.map(|waits| waits.until);
        if until.is_some() && row.waits_until != until {
            return Some(format!("a WAIT until {until:?} is shown as {:?}", row.waits_until));
        }
        let missing = (status.account_missing, row.findings.account_missing);
        if missing.0 != missing.1 {
            return Some(format!("account missing is {}, shown as {}", missing.0, missing.1));
        }
        let may = self.machine.journal.held.may_hold();
        if report.may_hold != may {
            return Some(format!("may-hold is {may:?}, shown as {:?}", report.may_hold));
        }
        let newest = self.machine.step.last_made().map_or(0, number);
        let stale = self.made[usize::from(newest)].readers & kept.removed != 0;
        (newest != 0 && newest == kept.current && row.findings.stale_readers != stale)
            .then(|| format!("stale readers is {stale}, and the current record is {newest}"))
    }

    /// The first record that a person is told to try is the right one, where the device holds one
    /// for certain and the vault was told so: by this run's last check-in, or by the one whose
    /// answer is on its way, if that carried the token with which it is believed.
    fn wrong_disclosure(
        &self,
        kept: &Stored,
        setting: &Setting,
        vault: &Vault<MemoryStore>,
    ) -> Wrong {
        let unheard = any![Fault::Crash, Fault::Lose, Fault::Repeat, Fault::Clone];
        let told = match self.place() {
            // A device that is an older one again is believed when it comes with the token.
            Place::Idle(_) => !self.excuse.torn,
            Place::InFlight => self.machine.talk.sent.is_some_and(|sent| sent.token.is_some()),
            Place::Save | Place::CheckIn | Place::Apply | Place::Verify | Place::Pause(_) => false,
        };
        let told = told && setting.faults & unheard == 0 && !self.excuse.lie && !self.off;
        let holds = self.managed().holds;
        let only = self.machine.journal.held.only().map(number);
        if !told || only != Some(holds) || !kept.has(holds) {
            return None;
        }
        let options = DiscloseOptions::default();
        let shown = vault.disclose(&SCOPE, DEVICE, &WHO, options, self.vault_now()).ok()?;
        let first = number(shown.candidates.first()?.record);
        (first != holds).then(|| format!("the account holds {holds}; TRY {first} first is shown"))
    }
}
