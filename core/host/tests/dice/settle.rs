//! The end of a walk: the causes end, time passes, and everything is as it should be.

use laps_core::identity::Scope;
use laps_core::vault::{DeviceRow, DeviceStatus, DiscloseOptions, Findings};
use laps_host::agent::state::status;

use super::Walk;
use super::agent::{ACKNOWLEDGE, Ended, Running};
use super::script::{End, Seals, Setter};

/// Agents at the same time.
const TOGETHER: usize = 4;
/// Between two looks every wait is over.
const BETWEEN: u64 = 2 * 86_400;
/// More looks than any device needs: it is an error when one is not quiet by then.
const LOOKS: usize = 12;

impl Walk {
    /// All causes end; then each device is looked at. What it was, in words.
    pub(super) fn end(&mut self) -> String {
        let active = self.those(Seals::Active);
        for number in 0..self.devices.len() {
            let device = &mut self.devices[number];
            device.set_setter(Setter::Honest);
            device.manage(false);
            device.seal_to(active.clone());
            // What nobody could have seen, a password that a hand has set, is seen when the account
            // is missing for once.
            let unseen = !device.is_ours(device.named) || device.journal_lost;
            if unseen {
                device.goes();
            }
            self.write_readers(number);
        }
        self.look_at_all();
        for device in &mut self.devices {
            device.returns(false);
        }
        let mut quiet = 0;
        for _ in 0..LOOKS {
            self.ahead += BETWEEN;
            quiet = if self.look_at_all() { quiet + 1 } else { 0 };
            if quiet == 2 {
                break;
            }
        }
        for number in 0..self.devices.len() {
            if let Err(text) = self.is_settled(number) {
                self.fail(number, &text);
            }
        }
        if let Err(text) = self.adds_up() {
            self.fail(0, &text);
        }
        self.sum()
    }

    /// Whether nothing was left to do, and nothing was done.
    fn look_at_all(&mut self) -> bool {
        let mut quiet = true;
        let all: Vec<usize> = (0..self.devices.len()).collect();
        for some in all.chunks(TOGETHER) {
            let start = |number: &usize| {
                let name = &self.devices[*number].name;
                let root = self.folder.path();
                Running::start(root, name, ACKNOWLEDGE, End::ByItself, self.ahead)
            };
            let running: Vec<Running> = some.iter().map(start).collect();
            for (number, running) in some.iter().zip(running) {
                let before = self.devices[*number].changes();
                let ended = running.wait();
                self.look(*number, ended, 0, true);
                quiet &= ended == Ended::Status(0) && before == self.devices[*number].changes();
            }
        }
        quiet
    }

    fn is_settled(&self, number: usize) -> Result<(), String> {
        let device = &self.devices[number];
        let row =
            self.open().show(&Scope::EMPTY, &device.name).map_err(|error| error.to_string())?;
        let own = status(&device.folder.join("state")).unwrap();
        let records = self.open().history(&Scope::EMPTY, &device.name).unwrap();
        let current = records.first().map(|record| record.record.to_string());
        let (changes, causes) = device.sum();
        let quietly = DiscloseOptions::default().without_rotation();
        let wrong = if row.state != DeviceStatus::Settled || own.state != "settled" {
            format!("ends {} at the vault, {} on the device", row.state.as_str(), own.state)
        } else if self.best(number, quietly) != device.password(device.named) {
            "no active reader opens the password in use".to_owned()
        } else if row.candidates != 1 || row.ordered || row.waits_until.is_some() {
            "is not quiet".to_owned()
        } else if row.findings != Findings::default() {
            format!("has findings: {:?}", row.findings.names().collect::<Vec<_>>())
        } else if Some(own.version) != row.version || own.may_hold != Vec::from_iter(current) {
            format!("the device says {own:?}")
        } else if u64::try_from(changes).unwrap() > causes {
            format!("changed {changes} times, and had {causes} causes")
        } else {
            return Ok(());
        };
        Err(format!("{wrong}; {row:?}"))
    }

    /// What lists, figures and the log say, beside what each device is.
    fn adds_up(&self) -> Result<(), String> {
        let (vault, now) = (self.open(), self.now());
        let mut rows: Vec<DeviceRow> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = vault.list(&Scope::EMPTY, after.as_deref(), 7).unwrap();
            rows.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let shown = |row: &DeviceRow| vault.show(&Scope::EMPTY, row.device.as_str()).ok();
        if rows.len() != self.devices.len()
            || rows.iter().any(|row| shown(row).as_ref() != Some(row))
        {
            return Err("list and show differ".to_owned());
        }
        let stats = vault.stats(&Scope::EMPTY, now).unwrap();
        let count = u64::try_from(self.devices.len()).unwrap();
        let former =
            |row: &DeviceRow| row.accounts.iter().map(|former| former.candidates).sum::<usize>();
        let kept: usize = rows.iter().map(|row| row.candidates + former(row)).sum();
        let all = [stats.devices, stats.settled];
        let overdue = rows.iter().filter(|row| row.expires.is_some_and(|at| at <= now)).count();
        if all != [count; 2]
            || stats.candidates != u64::try_from(kept).unwrap()
            || stats.ordered > 0
            || stats.overdue != u64::try_from(overdue).unwrap()
        {
            return Err(format!("stats: {stats:?}"));
        }
        let report = vault.audit_verify(&Scope::EMPTY, None).unwrap();
        if !report.ok || report.entries != stats.entries {
            return Err(format!("audit: {report:?}"));
        }
        Ok(())
    }

    fn sum(&self) -> String {
        let sums = self.devices.iter().map(super::device::Device::sum);
        let (changes, causes) = sums.fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
        let entries = self.open().stats(&Scope::EMPTY, self.now()).unwrap().entries;
        format!(
            "{:?}; {changes} changes of passwords for {causes} causes, {entries} audit entries, {} \
             days",
            self.counts,
            self.ahead / 86_400
        )
    }
}
