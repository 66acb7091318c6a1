//! An account store that is your program.
//!
//! `command:CMD` is split into words like a shell does, without a shell, and called as
//! `CMD exists|set|verify|used-since|sign-out|terminate|restart ACCOUNT`; `used-since` gets the
//! time (RFC 3339, UTC) as a further argument. `exists` is asked before every check-in: 12 says
//! that there is no such account, everything else that there is one. The password stands on
//! standard input, without a newline.
//!
//! | exit status | meaning |
//! |---|---|
//! | 0 | done; for `verify`: it matches |
//! | 13 | `verify`: it does not match |
//! | 10 | refused by the password policy; what it asks for is read from standard error |
//! | 11 | cannot: a warning, the agent goes on |
//! | 12 | no such account |
//! | other, a signal, 30 s | a failed set, an unknown verification; never a "no" |
//!
//! `used-since` prints the last use at or after the time (RFC 3339), or nothing. There is no SID
//! and no change stamp, and a blank account name is refused. The child has a process group of its
//! own, which is ended when its time is over.
//!
//! What the program says on standard error is passed on when it got no password. When it got one,
//! it may quote it in any spelling: its words are looked through for what they ask of a password
//! and for known troubles, and an event has ours. The environment is `HOME`, `LOGNAME`, `PATH`,
//! `SHELL`, `TMPDIR`, `TZ`, `USER` as the agent has them, and `LC_ALL=C`; a program that needs more
//! is given as `command:env NAME=VALUE PROGRAM`.

use laps_core::account::LocalAccount;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::secret::Password;

use super::child::{self, ChildInput, Ending, Finished, run};
use super::setter::SetterLock;
use super::{Abilities, AccountStore, Action, StoreError, Verification};
use crate::time::{parse_rfc3339, rfc3339};

/// A program that knows the accounts.
#[derive(Clone, Debug)]
pub struct CommandStore {
    program: String,
    arguments: Vec<String>,
}

impl CommandStore {
    /// Splits the command into words: quotes and backslashes as in a shell, nothing else.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is no word, or a quote is not closed.
    pub fn new(command: &str) -> Result<Self, StoreError> {
        let mut words = shlex::split(command)
            .ok_or_else(|| StoreError::Refused("a quote in the command is not closed".to_owned()))?
            .into_iter();
        let program = words
            .next()
            .ok_or_else(|| StoreError::Refused("the command has no words".to_owned()))?;
        Ok(Self { program, arguments: words.collect() })
    }

    fn call(
        &self,
        account: &LocalAccount,
        verb: &str,
        more: Option<&str>,
        password: Option<&Password>,
        setter: Option<&mut SetterLock>,
    ) -> Result<Finished, StoreError> {
        let mut command = child::command(&self.program);
        command.args(&self.arguments).arg(verb).arg(account.name.as_str()).args(more);
        let timeout = setter.as_ref().map_or(SetterLock::TIMEOUT, |lock| lock.timeout());
        let password = password.map(|password| [password.expose_secret().as_bytes()]);
        let input =
            password.as_ref().map_or(ChildInput::Public(&[]), |parts| ChildInput::Secret(parts));
        run(&mut command, input, timeout, setter)
            .map_err(|error| StoreError::Failed(format!("cannot run {}: {error}", self.program)))
    }

    /// What the exit status says, for everything but "does not match".
    fn outcome(&self, finished: &Finished) -> Result<(), StoreError> {
        if finished.left_behind {
            return Err(StoreError::Failed(format!("{} left a process behind", self.program)));
        }
        let text = || finished.describe();
        match finished.ending {
            Ending::Exited(0) => Ok(()),
            Ending::Exited(10) => Err(StoreError::Refused(finished.refusal())),
            Ending::Exited(11) => Err(StoreError::Cannot(text())),
            Ending::Exited(12) => Err(StoreError::NoSuchAccount(text())),
            Ending::TimedOut => Err(StoreError::TimedOut(format!("{}: {}", self.program, text()))),
            Ending::Exited(_) | Ending::Signalled(_) | Ending::Stopped => {
                Err(StoreError::Failed(format!("{}: {}", self.program, text())))
            }
        }
    }
}

impl AccountStore for CommandStore {
    fn name(&self) -> &'static str {
        "command"
    }

    /// Everything but change stamps, until the program says 11.
    fn abilities(&self) -> Abilities {
        Abilities { change_stamp: false, ..Abilities::all() }
    }

    fn findings(&self) -> Vec<&'static str> {
        let warnings = "has no warnings: the account is signed out, or the machine restarted, \
                        after the time of a warning but without one";
        self.abilities().missing().chain([warnings]).collect()
    }

    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
        if configured.is_empty() {
            return Err(StoreError::Refused(
                "the command store has no built-in administrator; name the account in the policy"
                    .to_owned(),
            ));
        }
        let account = LocalAccount { name: *configured, sid: None, enabled: true };
        // Only a clear word is one: a program that has no such verb, or fails, may still know the
        // account.
        let finished = self.call(&account, "exists", None, None, None)?;
        match self.outcome(&finished) {
            Err(error @ StoreError::NoSuchAccount(_)) => Err(error),
            Ok(()) | Err(_) => Ok(account),
        }
    }

    fn change_stamp(&mut self, _account: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(None)
    }

    fn set(
        &mut self,
        account: &LocalAccount,
        password: &Password,
        setter: &mut SetterLock,
    ) -> Result<(), StoreError> {
        let finished = self.call(account, "set", None, Some(password), Some(setter))?;
        self.outcome(&finished)
    }

    fn can_verify(&mut self, account: &LocalAccount, not_its_password: &Password) -> bool {
        self.verify(account, not_its_password) != Verification::Cannot
    }

    fn verify(&mut self, account: &LocalAccount, password: &Password) -> Verification {
        let finished = match self.call(account, "verify", None, Some(password), None) {
            Ok(finished) if finished.ending == Ending::Exited(13) => {
                return Verification::DoesNotMatch;
            }
            Ok(finished) => finished,
            Err(error) => return Verification::NoAnswer(error.to_string()),
        };
        match self.outcome(&finished) {
            Ok(()) => Verification::Matches,
            Err(StoreError::Cannot(_)) => Verification::Cannot,
            Err(error) => Verification::NoAnswer(error.to_string()),
        }
    }

    fn used_since(
        &mut self,
        account: &LocalAccount,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let finished = self.call(account, "used-since", Some(&rfc3339(since)), None, None)?;
        self.outcome(&finished)?;
        let text = String::from_utf8_lossy(&finished.stdout);
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let at = parse_rfc3339(text).ok_or_else(|| {
            StoreError::Failed(format!("{}: used-since printed no RFC 3339 time", self.program))
        })?;
        Ok((at >= since).then_some(at))
    }

    fn act(&mut self, account: &LocalAccount, action: Action) -> Result<(), StoreError> {
        if matches!(action, Action::WarnRestart | Action::WarnSignOut) {
            return Err(StoreError::Cannot("the command store has no warnings".to_owned()));
        }
        let finished = self.call(account, action.as_str(), None, None, None)?;
        self.outcome(&finished)
    }
}
