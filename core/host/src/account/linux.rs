//! Local accounts of Linux: `chpasswd` sets, the shadow hash verifies.
//!
//! * The password goes to `chpasswd` on standard input, never in arguments or the environment.
//! * It is verified against the hash in the shadow file by the crates `yescrypt` and `sha-crypt`:
//!   pure Rust, kept by the people who keep the rest of our cryptography, so that this file needs
//!   no `unsafe` and no C library. A hash of another method (`$2b$`, `$gy$`, `$1$`, DES) gives no
//!   answer, never a "no".
//! * The change stamp is the SHA-256 of the password field; the SID is S-1-22-1-uid, as Samba
//!   writes it.
//! * Root, and a blank account name, are refused unless the store was opened for that name.
//! * What counts as a use is said in [`LinuxStore::used_since`](AccountStore::used_since) of this
//!   store.

mod session;
mod shadow;
mod usage;

use core::time::Duration;
use std::path::{Path, PathBuf};

use laps_core::account::{LocalAccount, Sid};
use laps_core::identity::{AccountName, Timestamp};
use laps_core::secret::Password;
use sha2::{Digest as _, Sha256};

use super::child::{self, ChildInput, Ending, run};
use super::setter::SetterLock;
use super::{Abilities, AccountStore, Action, StoreError, Verification, pick};

/// The accounts of `/etc/passwd` and `/etc/shadow`.
#[derive(Clone, Debug)]
pub struct LinuxStore {
    etc: PathBuf,
    chpasswd: PathBuf,
    allowed: Option<AccountName>,
    programs: session::Programs,
}

impl LinuxStore {
    /// The accounts of this machine, without root.
    #[must_use]
    pub fn new() -> Self {
        Self {
            etc: PathBuf::from("/etc"),
            chpasswd: PathBuf::from(CHPASSWD),
            allowed: None,
            programs: session::Programs::find(),
        }
    }

    /// Also allows this account, root or not; a blank configured name then means it.
    #[must_use]
    pub fn allow(mut self, name: AccountName) -> Self {
        self.allowed = Some(name);
        self
    }

    /// Takes another program for `chpasswd`: it gets `NAME:PASSWORD` and a newline on standard
    /// input.
    #[must_use]
    pub fn with_setter(mut self, program: &Path) -> Self {
        program.clone_into(&mut self.chpasswd);
        self
    }

    /// Takes another program to restart the machine; it gets no arguments.
    #[must_use]
    pub fn with_restart(mut self, program: &Path) -> Self {
        self.programs.restart = Some((program.to_owned(), &[]));
        self
    }

    fn field(&self, account: &LocalAccount) -> Result<shadow::Field, StoreError> {
        shadow::field(&self.etc, account.name.as_str())
    }

    fn uid(account: &LocalAccount) -> Result<u32, StoreError> {
        account
            .sid
            .filter(|sid| sid.authority() == 22)
            .and_then(|sid| match sid.parts() {
                [1, uid] => Some(*uid),
                _ => None,
            })
            .ok_or_else(|| StoreError::Failed("the account has no S-1-22-1 SID".to_owned()))
    }
}

impl Default for LinuxStore {
    fn default() -> Self {
        Self::new()
    }
}

impl AccountStore for LinuxStore {
    fn name(&self) -> &'static str {
        "linux"
    }

    fn abilities(&self) -> Abilities {
        let restart = self.programs.restart.as_ref().is_some_and(|(program, _)| program.is_file());
        Abilities { restart, ..Abilities::all() }
    }

    fn findings(&self) -> Vec<&'static str> {
        self.abilities().missing().chain(self.programs.missing()).collect()
    }

    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
        let configured = match (&self.allowed, configured.is_empty()) {
            (Some(allowed), true) => allowed,
            (None, true) => {
                return Err(StoreError::Refused(
                    "a blank account name would mean root; name the account in the policy, or open \
                     the store as linux:root"
                        .to_owned(),
                ));
            }
            (_, false) => configured,
        };
        let mut accounts = Vec::new();
        for entry in shadow::accounts(&self.etc)? {
            let Ok(name) = AccountName::new(&entry.name) else { continue };
            if name != *configured {
                continue;
            }
            if entry.uid == 0 && self.allowed.as_ref() != Some(&name) {
                return Err(StoreError::Refused(format!(
                    "{name} is root; to manage it, open the store as linux:{name}"
                )));
            }
            let enabled = shadow::field(&self.etc, &entry.name)?.enabled();
            accounts.push(LocalAccount { name, sid: Some(Sid::unix_user(entry.uid)), enabled });
        }
        pick(configured, &accounts)
    }

    fn change_stamp(&mut self, account: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(Some(Sha256::digest(self.field(account)?.as_bytes()).into()))
    }

    fn set(
        &mut self,
        account: &LocalAccount,
        password: &Password,
        setter: &mut SetterLock,
    ) -> Result<(), StoreError> {
        let secret = password.expose_secret();
        if secret.is_empty() || secret.contains(['\n', '\0']) {
            return Err(StoreError::Refused(
                "chpasswd takes no empty password and none with a newline or a zero byte"
                    .to_owned(),
            ));
        }
        let name = account.name.as_str();
        if name.contains([':', '\n']) {
            return Err(StoreError::NoSuchAccount(format!("{name:?} cannot be an account name")));
        }
        let timeout = setter.timeout();
        let mut command = child::command(&self.chpasswd);
        command.env("PATH", PATH).current_dir("/");
        let input = [name.as_bytes(), b":", secret.as_bytes(), b"\n"];
        let finished = run(&mut command, ChildInput::Secret(&input), timeout, Some(setter))
            .map_err(|error| {
                StoreError::Failed(format!("cannot run {}: {error}", self.chpasswd.display()))
            })?;
        if finished.left_behind {
            return Err(StoreError::Failed("chpasswd left a process behind".to_owned()));
        }
        if finished.ending == Ending::Exited(0) {
            return Ok(());
        }
        let said = finished.describe();
        if finished.ending == Ending::TimedOut {
            return Err(StoreError::TimedOut(format!("chpasswd: {said}")));
        }
        // What pam_pwquality, pam_cracklib and pam_unix say when they refuse a password for what it
        // is.
        if finished.has(&REFUSALS) {
            return Err(StoreError::Refused(finished.refusal()));
        }
        Err(StoreError::Failed(format!("chpasswd: {said}")))
    }

    /// Not while the hash is of a method that is not known here, as bcrypt's `$2b$`: the next one
    /// is likely to be of the same.
    fn can_verify(&mut self, account: &LocalAccount, _not_its_password: &Password) -> bool {
        self.field(account).map_or(true, |field| field.is_known())
    }

    fn verify(&mut self, account: &LocalAccount, password: &Password) -> Verification {
        match self.field(account) {
            Ok(field) => field.verify(password),
            Err(error) => Verification::NoAnswer(error.to_string()),
        }
    }

    /// The latest of: the log-ins in `lastlog` and `wtmp` (console, display manager, ssh), and the
    /// start of a process that runs as the account now (which is how `su` and `sudo -u` are
    /// seen, while they last). What it does not see: a `su` or `sudo` that began and ended
    /// between two looks, a password checked by a service that starts no process as the
    /// account, and log-ins that only a `lastlog2` or `wtmpdb` database holds. Processes of root
    /// are not looked at. Our own verification reads the shadow file and leaves no trace in any of
    /// these.
    fn used_since(
        &mut self,
        account: &LocalAccount,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        usage::last_use(account.name.as_str(), Self::uid(account)?, since)
    }

    fn act(&mut self, account: &LocalAccount, action: Action) -> Result<(), StoreError> {
        match action {
            Action::Restart => session::restart(&self.programs),
            Action::SignOut => {
                session::sign_out(&self.programs, account.name.as_str(), Self::uid(account)?)
            }
            Action::Terminate => session::terminate(Self::uid(account)?),
            Action::WarnRestart => {
                let text = "this machine restarts in one minute";
                session::warn(&self.programs, Self::uid(account)?, text)
            }
            Action::WarnSignOut => {
                let text = format!("{} is signed out in two minutes", account.name);
                session::warn(&self.programs, Self::uid(account)?, &text)
            }
        }
    }
}

/// Runs a program of the system for an action.
fn call(program: &Path, arguments: &[&str]) -> Result<(), StoreError> {
    let name = program.display();
    let mut command = child::command(program);
    command.args(arguments).env("PATH", PATH).current_dir("/");
    match run(&mut command, ChildInput::Public(&[]), CALL_TIMEOUT, None) {
        Ok(finished) if finished.ending == Ending::Exited(0) => Ok(()),
        Ok(finished) => Err(StoreError::Failed(format!("{name}: {}", finished.describe()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(StoreError::Cannot(format!("there is no {name} here")))
        }
        Err(error) => Err(StoreError::Failed(format!("{name}: {error}"))),
    }
}

/// Where `chpasswd` is on every distribution that has shadow-utils.
const CHPASSWD: &str = "/usr/sbin/chpasswd";
/// The path that children search.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// How long a program of the system may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Texts of PAM modules that refuse a password for what it is: `pam_pwquality` and `pam_cracklib`,
/// `pam_unix`, `pam_passwdqc`.
const REFUSALS: [&str; 5] = [
    "BAD PASSWORD",
    "Password has been already used",
    "password fails the policy",
    "You must choose a longer password",
    "Weak password",
];
