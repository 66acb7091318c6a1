//! Account stores in memory, and ones that are watched.

use alloc::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use laps_core::account::LocalAccount;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::secret::Password;
use laps_host::account::setter::SetterLock;
use laps_host::account::{Abilities, AccountStore, Action, StoreError, Verification};

/// An account in memory, shared by its clones.
#[derive(Clone)]
pub struct InMemory {
    /// What the account has had, the latest last.
    passwords: Arc<Mutex<Vec<String>>>,
    /// Whether it has change stamps, and passwords can be verified.
    pub helpful: bool,
    /// Is told twice the number of passwords so far before one is set, and one more afterwards.
    pub mark: Option<fn(u64)>,
}

impl InMemory {
    /// One that has had these passwords.
    pub fn new(helpful: bool, passwords: &[String]) -> Self {
        Self { passwords: Arc::new(Mutex::new(passwords.to_vec())), helpful, mark: None }
    }

    pub fn passwords(&self) -> MutexGuard<'_, Vec<String>> {
        self.passwords.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn has(&self, password: &str) -> bool {
        self.passwords().last().is_some_and(|last| last == password)
    }
}

impl AccountStore for InMemory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn abilities(&self) -> Abilities {
        let mut abilities = Abilities::default();
        (abilities.change_stamp, abilities.verify) = (self.helpful, self.helpful);
        abilities
    }

    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
        Ok(LocalAccount { name: *configured, sid: None, enabled: true })
    }

    fn change_stamp(&mut self, _: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
        let mut change_stamp = [0; 32];
        let length = self.passwords().len().to_be_bytes();
        change_stamp.iter_mut().zip(length).for_each(|(out, byte)| *out = byte);
        Ok(self.helpful.then_some(change_stamp))
    }

    fn set(
        &mut self,
        _: &LocalAccount,
        password: &Password,
        _: &mut SetterLock,
    ) -> Result<(), StoreError> {
        let before = u64::try_from(2 * self.passwords().len()).unwrap();
        let mark = self.mark.unwrap_or(|_| {});
        mark(before);
        self.passwords().push(password.expose_secret().to_owned());
        mark(before + 1);
        Ok(())
    }

    fn verify(&mut self, _: &LocalAccount, password: &Password) -> Verification {
        match (self.helpful, self.has(password.expose_secret())) {
            (false, _) => Verification::Cannot,
            (true, true) => Verification::Matches,
            (true, false) => Verification::DoesNotMatch,
        }
    }

    fn used_since(
        &mut self,
        _: &LocalAccount,
        _: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        Err(StoreError::Cannot("it has no log".to_owned()))
    }

    fn act(&mut self, _: &LocalAccount, _: Action) -> Result<(), StoreError> {
        Err(StoreError::Cannot("it has no sessions".to_owned()))
    }
}

/// A moment in which a store is watched.
pub enum Call<'a> {
    /// The account was found, and may be told otherwise.
    Found(&'a mut LocalAccount),
    /// A password was made; the agent asks whether it can be verified.
    Made,
    /// A password is to be set.
    Setting,
    /// The setter has ended.
    Set,
}

/// A store, and who is told when it is called.
pub struct Watched<W> {
    pub inner: Box<dyn AccountStore + Send>,
    pub watch: W,
}

impl<W: FnMut(Call<'_>)> AccountStore for Watched<W> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }

    fn findings(&self) -> Vec<&'static str> {
        self.inner.findings()
    }

    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
        let mut found = self.inner.find(configured)?;
        (self.watch)(Call::Found(&mut found));
        Ok(found)
    }

    fn change_stamp(&mut self, account: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
        self.inner.change_stamp(account)
    }

    fn set(
        &mut self,
        account: &LocalAccount,
        password: &Password,
        setter: &mut SetterLock,
    ) -> Result<(), StoreError> {
        (self.watch)(Call::Setting);
        let set = self.inner.set(account, password, setter);
        (self.watch)(Call::Set);
        set
    }

    fn can_verify(&mut self, account: &LocalAccount, not_its_password: &Password) -> bool {
        (self.watch)(Call::Made);
        self.inner.can_verify(account, not_its_password)
    }

    fn verify(&mut self, account: &LocalAccount, password: &Password) -> Verification {
        self.inner.verify(account, password)
    }

    fn used_since(
        &mut self,
        account: &LocalAccount,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.inner.used_since(account, since)
    }

    fn act(&mut self, account: &LocalAccount, action: Action) -> Result<(), StoreError> {
        self.inner.act(account, action)
    }
}
