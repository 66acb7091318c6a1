//! What is done at the vault.

use std::fs;

use laps_core::error::Code;
use laps_core::identity::{Scope, Timestamp};
use laps_core::random::Generator;
use laps_core::seal::{Reader, ReaderKey, Record};
use laps_core::vault::{
    Confirmation, DiscloseOptions, Request, ResealOptions, Resealing, Selection, Vault, VaultError,
};
use laps_host::sqlite::{SqliteStore, back_up, reseal_all, restore};

use super::Walk;
use super::script::{Act, READERS};

pub(super) const REQUEST: Request<'static> = Request::new("dice", "a walk");
const SCOPE: Scope = Scope::EMPTY;

impl Walk {
    pub(super) const fn open(&self) -> &Vault<SqliteStore> {
        let Some(vault) = &self.vault else { unreachable!() };
        vault
    }

    /// The vault's readers that are active, by number.
    pub(super) fn active(&self) -> Vec<usize> {
        let known = self.open().readers(&SCOPE).unwrap();
        let is_active = |reader: &Reader| {
            known.iter().any(|row| row.removed.is_none() && row.reader.id() == reader.id())
        };
        (0..READERS).filter(|number| is_active(self.keys[*number].reader())).collect()
    }

    /// The devices whose password may have to change for it.
    pub(super) fn act_at_the_vault(&mut self, act: Act) -> Vec<usize> {
        let now = self.now();
        let all: Vec<usize> = (0..self.devices.len()).collect();
        let Some(device) = act.device() else {
            return if self.act_on_all(act, now) { all } else { Vec::new() };
        };
        let vault = self.open();
        let name = self.devices[device].name.as_str();
        let done = match act {
            Act::Order(_) => {
                let these = Selection::Devices(&[name]);
                vault.order_rotation(&SCOPE, these, &REQUEST, now).map(|_| true)
            }
            Act::Disclose(_, delay) => {
                let options = DiscloseOptions::default();
                let options = delay.map_or(options, |delay| options.with_rotation_after(delay));
                let done = vault.disclose(&SCOPE, name, &REQUEST, options, now);
                if done.is_ok() && delay != Some(0) {
                    self.devices[device].cause_later();
                }
                done.map(|_| delay == Some(0))
            }
            Act::DiscloseQuietly(_) => {
                let options = DiscloseOptions::default().without_rotation();
                vault.disclose(&SCOPE, name, &REQUEST, options, now).map(|_| false)
            }
            Act::Retire(_) => vault.retire(&SCOPE, name, &REQUEST, now).map(|_| false),
            Act::ReEnrol(_) => vault.re_enrol(&SCOPE, name, &REQUEST, now).map(|_| false),
            Act::Purge(_) => {
                let done = vault.purge(&SCOPE, name, Confirmation::Given, &REQUEST, now);
                let device = &mut self.devices[device];
                if done.is_ok() {
                    device.is_forgotten();
                }
                done.map(|_| false)
            }
            Act::ImportResealed(_, spoilt) | Act::ImportFromDevice(_, spoilt) => {
                let from_devices = matches!(act, Act::ImportFromDevice(..));
                let done = self.import_resealed(device, from_devices, spoilt, now);
                if spoilt && done.is_ok() {
                    self.devices[device].is_spoilt();
                }
                done
            }
            _ => unreachable!(),
        };
        match self.expected(done, act) {
            Some(true) => vec![device],
            _ => Vec::new(),
        }
    }

    /// Whether passwords of all may have to change for it.
    fn act_on_all(&mut self, act: Act, now: Timestamp) -> bool {
        let vault = self.open();
        let done = match act {
            Act::OrderAll => {
                vault.order_rotation(&SCOPE, Selection::All, &REQUEST, now).map(|_| true)
            }
            Act::AddReader(reader) => {
                vault.add_reader(&SCOPE, self.keys[reader].reader(), &REQUEST, now).map(|_| false)
            }
            Act::RemoveReader(reader, orders) => {
                let id = self.keys[reader].reader().id();
                // What a removal without the word refuses, nobody insists on.
                let word = Confirmation::NotGiven;
                let window = orders.then_some(0);
                let done = vault.remove_reader(&SCOPE, &id, window, word, &REQUEST, now);
                done.map(|_| orders)
            }
            Act::ResealAll(reader) => {
                reseal_all(vault, &SCOPE, &self.keys[reader], &REQUEST, now).map(|_| false)
            }
            Act::BackUp => {
                let copy = self.path("copy");
                let _none = fs::remove_file(&copy);
                let done = back_up(vault, &copy, &REQUEST, now).map(|()| false);
                self.has_copy = done.is_ok();
                done
            }
            Act::Restore if self.has_copy => {
                self.vault = None;
                for name in ["vault", "vault-wal", "vault-shm"] {
                    let _none = fs::remove_file(self.path(name));
                }
                let vault =
                    restore(&self.path("copy"), &self.path("vault"), &REQUEST, now).unwrap();
                self.vault = Some(vault);
                for device in &mut self.devices {
                    device.is_forgotten();
                }
                Ok(true)
            }
            _ => Ok(false),
        };
        self.expected(done, act).unwrap_or_default()
    }

    /// What a vault may refuse is noted, and no fault.
    fn expected(&mut self, done: Result<bool, VaultError>, act: Act) -> Option<bool> {
        let error = match done {
            Ok(done) => return Some(done),
            Err(error) => error,
        };
        let known = [
            Code::NotFound,
            Code::AlreadyExists,
            Code::ConfirmationRequired,
            Code::InvalidArgument,
        ];
        self.note(act.device(), format!("… {error}"));
        if !known.contains(&error.code()) {
            self.fail(act.device().unwrap_or(0), &format!("{act:?}: {error}"));
        }
        None
    }

    /// Exports the device's records for re-sealing, and imports what was made of them.
    fn import_resealed(
        &self,
        device: usize,
        from_devices: bool,
        spoilt: bool,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let vault = self.open();
        let before = device.checked_sub(1).map(|before| self.devices[before].name.as_str());
        let options = ResealOptions::default();
        let options = if from_devices { options.from_devices() } else { options };
        let page = vault.export_for_resealing_with(&SCOPE, before, 1, options, &REQUEST, now)?;
        let active = self.active();
        let readers: Vec<Reader> =
            active.iter().map(|reader| self.keys[*reader].reader().clone()).collect();
        let own = |item: &&Resealing| item.device.as_str() == self.devices[device].name;
        let mut generator = Generator::from_system().unwrap();
        let mut made = Vec::new();
        for item in page.items.iter().filter(own) {
            let record = Record::parse(&item.sealed).unwrap();
            let seal = |key: &ReaderKey| {
                key.reseal_above(&record, item.above, &readers, &mut generator).ok()
            };
            let Some(sealed) = self.keys.iter().find_map(seal) else { continue };
            let mut sealed = sealed.as_bytes().to_vec();
            if let Some(last) = sealed.last_mut().filter(|_| spoilt) {
                *last ^= 1;
            }
            made.push(Resealing::new(item.device, item.record, sealed));
        }
        let count = made.len();
        let done = vault.import_resealed_each(&SCOPE, &made, &REQUEST, now)?;
        assert!(
            done.failed.is_empty() && done.replaced == u64::try_from(count).unwrap(),
            "what was exported is imported: {done:?}"
        );
        Ok(from_devices && !page.items.is_empty())
    }
}
