//! What must hold after every run: the password of the account is one that somebody can get, and
//! what the vault shows is so.

use std::fs;

use laps_core::identity::Scope;
use laps_core::seal::{ReaderKey, Record};
use laps_core::secret::Password;
use laps_core::vault::{DeviceRow, DeviceStatus, DiscloseOptions, VaultError};
use laps_host::agent::journal;

use super::Walk;
use super::agent::Ended;
use super::device::NAMES;
use super::vault::REQUEST;

/// How a line ends that says that nothing is left to do.
pub(super) const QUIET: &str = "is quiet";

impl Walk {
    pub(super) fn judge(&mut self, number: usize, ended: Ended) {
        self.counts.looks += 1;
        let device = &mut self.devices[number];
        if !device.off && device.journal_of != Some(device.named) {
            device.journal_of = (ended == Ended::Status(0)).then_some(device.named);
        }
        for (name, called) in NAMES.iter().enumerate() {
            let device = &self.devices[number];
            let journalled = !device.journal_lost && device.journal_of == Some(name);
            let at_risk = device.lost[name] && !journalled;
            if device.is_ours(name) && !at_risk && !self.is_known(number, name) {
                self.fail(number, &format!("nobody can get the password of {called}"));
            }
        }
        if let Ended::Status(status) = ended
            && !self.devices[number].off
        {
            match self.open().show(&Scope::EMPTY, &self.devices[number].name) {
                Ok(row) => self.compare(number, status, &row),
                // It was not heard of: the vault was locked, or the machine has not got that far.
                Err(VaultError::NoSuchDevice { .. }) if status > 4 => {}
                Err(error) => self.fail(number, &format!("vault show: {error}")),
            }
            if status == 0 {
                self.devices[number].is_quiet();
                self.note(Some(number), QUIET.to_owned());
            }
        }
    }

    /// What the vault shows, beside what is so.
    fn compare(&mut self, number: usize, status: i32, row: &DeviceRow) {
        let device = &self.devices[number];
        let wrong = if row.account.as_str() != NAMES[device.named] && status == 0 {
            format!("the account is shown as {}", row.account)
        } else if status == 4 && device.is_present() {
            "the account is there, and the agent calls it missing".to_owned()
        } else if status == 0 && !device.is_present() {
            "the account is missing, and the agent does not say so".to_owned()
        } else if [0, 4].contains(&status) && row.findings.account_missing == device.is_present() {
            format!("account-missing is {}", row.findings.account_missing)
        } else if row.state == DeviceStatus::Retired {
            "a device that has checked in is shown as retired".to_owned()
        } else if status == 0
            && row.state == DeviceStatus::Settled
            && device.is_ours(device.named)
            && !self.is_best(number)
        {
            "settled, and the first candidate is not the password".to_owned()
        } else {
            return;
        };
        self.fail(number, &format!("{wrong} (status {status}); {row:?}"));
    }

    /// Whether an active reader gets the password of the account from the first candidate.
    fn is_best(&mut self, number: usize) -> bool {
        let device = &self.devices[number];
        let password = device.password(device.named);
        if self.best(number, DiscloseOptions::default().without_rotation()) == password {
            return true;
        }
        // Where a spoilt sealing hides the device's, which names a reader that was removed, that
        // one is there on request.
        let named = device.named;
        self.devices[number].cause();
        self.is_disclosed(number, named, DiscloseOptions::default().from_device())
    }

    /// What the first candidate has for a reader that is active.
    pub(super) fn best(&self, number: usize, options: DiscloseOptions<'_>) -> Option<String> {
        let name = &self.devices[number].name;
        let found = self.open().disclose(&Scope::EMPTY, name, &REQUEST, options, self.now());
        let found = found.ok()?;
        let first = found.candidates.first()?;
        let active = self.active();
        let sealings = [Some(&first.sealed), first.before.as_ref()].into_iter().flatten();
        sealings
            .into_iter()
            .find_map(|sealed| active.iter().find_map(|reader| open(&self.keys[*reader], sealed)))
    }

    /// Whether the vault or the journal has the password, for any key.
    fn is_known(&mut self, number: usize, name: usize) -> bool {
        if self.is_journalled(number, name) {
            return true;
        }
        // Without a SID an account that was renamed is another one: the password is kept under the
        // name that it was made for.
        let options = NAMES.map(|name| DiscloseOptions::default().of_account(name).with_history());
        let quietly = |options: DiscloseOptions<'static>| options.without_rotation();
        if options.map(quietly).iter().any(|options| self.is_disclosed(number, name, *options)) {
            return true;
        }
        // Where what was re-sealed opens for nobody, what the device sealed is there on request,
        // which orders a rotation.
        self.devices[number].cause();
        options.iter().any(|options| self.is_disclosed(number, name, options.from_device()))
    }

    fn is_journalled(&self, number: usize, name: usize) -> bool {
        let device = &self.devices[number];
        let Some(password) = device.password(name) else { return true };
        let opens = |sealed: &Vec<u8>| {
            self.keys.iter().any(|key| open(key, sealed).as_ref() == Some(&password))
        };
        let journal = fs::read(device.folder.join("state/journal")).ok();
        let journal = journal.and_then(|bytes| journal::read(&bytes).ok());
        journal.is_some_and(|file| file.records.iter().any(opens))
    }

    fn is_disclosed(&self, number: usize, name: usize, options: DiscloseOptions<'_>) -> bool {
        let device = &self.devices[number];
        let password = device.password(name);
        let opens = |sealed: &Vec<u8>| self.keys.iter().any(|key| open(key, sealed) == password);
        let found =
            self.open().disclose(&Scope::EMPTY, &device.name, &REQUEST, options, self.now());
        let Ok(found) = found else { return false };
        let mut sealings =
            found.candidates.iter().flat_map(|each| [Some(&each.sealed), each.before.as_ref()]);
        sealings.any(|sealed| sealed.is_some_and(opens))
    }
}

fn open(key: &ReaderKey, sealed: &[u8]) -> Option<String> {
    let password: Box<Password> = key.open(&Record::parse(sealed).ok()?).ok()?.password;
    Some(password.expose_secret().to_owned())
}
