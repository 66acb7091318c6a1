//! Account stores: where the password of a local account really is.
//!
//! A store says what it can ([`Abilities`]); what it cannot is a finding when the agent starts,
//! never silence.
//!
//! | store | text for [`open`] | sets by | verifies by |
//! |---|---|---|---|
//! | `linux::LinuxStore` | `linux` | `chpasswd`, standard input | the shadow hash |
//! | `command::CommandStore` | `command:CMD` | your program | your program |
//! | `windows::WindowsStore` | `windows` | `NetUserSetInfo` level 1003 | a network logon |
//!
//! `linux:NAME` allows root, or a blank name.

use core::fmt;

use laps_core::account::{LocalAccount, choose};
use laps_core::error::Code;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::secret::Password;

pub use laps_core::rotation::Action;

#[cfg(unix)]
pub(crate) mod child;
#[cfg(unix)]
pub mod command;
#[cfg(target_os = "linux")]
pub mod linux;
pub mod setter;
#[cfg(windows)]
pub mod windows;

use setter::SetterLock;

/// A place that holds the passwords of local accounts.
///
/// Every method may block, at most for the time that the store states.
///
/// The least that a store does, here for an appliance with one account: it finds, sets and
/// verifies.
///
/// ```
/// use laps_core::account::LocalAccount;
/// use laps_core::identity::{AccountName, Timestamp};
/// use laps_core::secret::Password;
/// use laps_host::account::setter::SetterLock;
/// use laps_host::account::{Abilities, AccountStore, Action, StoreError, Verification};
///
/// struct Appliance(String);
///
/// impl AccountStore for Appliance {
///     fn name(&self) -> &'static str {
///         "appliance"
///     }
///
///     fn abilities(&self) -> Abilities {
///         let mut abilities = Abilities::default();
///         abilities.verify = true;
///         abilities
///     }
///
///     fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
///         Ok(LocalAccount { name: *configured, sid: None, enabled: true })
///     }
///
///     fn change_stamp(&mut self, _: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
///         Ok(None)
///     }
///
///     fn set(
///         &mut self,
///         _: &LocalAccount,
///         password: &Password,
///         _: &mut SetterLock,
///     ) -> Result<(), StoreError> {
///         self.0 = password.expose_secret().to_owned();
///         Ok(())
///     }
///
///     fn verify(&mut self, _: &LocalAccount, password: &Password) -> Verification {
///         match self.0 == password.expose_secret() {
///             true => Verification::Matches,
///             false => Verification::DoesNotMatch,
///         }
///     }
///
///     fn used_since(
///         &mut self,
///         _: &LocalAccount,
///         _: Timestamp,
///     ) -> Result<Option<Timestamp>, StoreError> {
///         Err(StoreError::Cannot("it keeps no log".to_owned()))
///     }
///
///     fn act(&mut self, _: &LocalAccount, action: Action) -> Result<(), StoreError> {
///         Err(StoreError::Cannot(format!("it has no {}", action.as_str())))
///     }
/// }
///
/// let mut store = Appliance("as delivered".to_owned());
/// let account = store.find(&AccountName::new("admin")?)?;
/// let password = Password::try_from_str("Blue-Canal-42")?;
/// store.set(&account, &password, &mut SetterLock::unlocked())?;
/// assert_eq!(store.verify(&account, &password), Verification::Matches);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait AccountStore {
    /// What this store is called in findings and events.
    fn name(&self) -> &'static str;

    /// What this store can do on this machine, as far as it can be known without trying.
    fn abilities(&self) -> Abilities;

    /// What this store lacks on this machine, each with what follows from it: told when the agent
    /// starts.
    fn findings(&self) -> Vec<&'static str> {
        self.abilities().missing().collect()
    }

    /// Finds the managed account: the configured name, or the built-in administrator for a blank
    /// one.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`] when there is none, [`StoreError::Refused`] when it must not
    /// be managed, [`StoreError::ManagedElsewhere`] when another policy manages it.
    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError>;

    /// A value that changes whenever the password is set (protocol §2 rule 5), or `None` where the
    /// platform has none.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be read.
    fn change_stamp(&mut self, account: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError>;

    /// Sets the password. A child that does it inherits `setter` (protocol §2 rule 9).
    ///
    /// # Errors
    /// [`StoreError::Refused`] means that the password was not set because the device's password
    /// policy refused it. Every other error says nothing about which password the account has
    /// now.
    fn set(
        &mut self,
        account: &LocalAccount,
        password: &Password,
        setter: &mut SetterLock,
    ) -> Result<(), StoreError>;

    /// Whether passwords can be verified. `not_its_password` is one that the account does not have;
    /// a store that cannot know otherwise may try it.
    fn can_verify(&mut self, account: &LocalAccount, not_its_password: &Password) -> bool {
        let _ = (account, not_its_password);
        self.abilities().verify
    }

    /// Whether the account has this password. Never counts as a use of the account.
    fn verify(&mut self, account: &LocalAccount, password: &Password) -> Verification;

    /// The last use of the account at or after `since`, or `None`.
    ///
    /// # Errors
    /// [`StoreError::Cannot`] where the platform does not tell, others when it could not be read.
    fn used_since(
        &mut self,
        account: &LocalAccount,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Does one of the post-authentication actions.
    ///
    /// # Errors
    /// [`StoreError::Cannot`] where the platform has no such thing, others when it failed.
    fn act(&mut self, account: &LocalAccount, action: Action) -> Result<(), StoreError>;
}

/// What a store can do. Setting is not among them: a store that cannot set is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "six independent yes or no answers")]
pub struct Abilities {
    /// Has change stamps.
    pub change_stamp: bool,
    /// Can verify a password.
    pub verify: bool,
    /// Can say when the account was last used.
    pub used_since: bool,
    /// Can sign the account out.
    pub sign_out: bool,
    /// Can end the account's processes.
    pub terminate: bool,
    /// Can restart the machine.
    pub restart: bool,
}

impl Abilities {
    /// Everything.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            change_stamp: true,
            verify: true,
            used_since: true,
            sign_out: true,
            terminate: true,
            restart: true,
        }
    }

    /// What is missing, as text for a finding: what cannot be done, and what follows from it.
    pub fn missing(self) -> impl Iterator<Item = &'static str> {
        [
            (
                self.change_stamp,
                "has no change stamps: after a crash while a password is set, both \
                 passwords stay candidates",
            ),
            (self.verify, "cannot verify a password: a success of the setter is believed"),
            (
                self.used_since,
                "cannot say when the account was used: post-authentication actions \
                 never start by themselves",
            ),
            (self.sign_out, "cannot sign the account out"),
            (self.terminate, "cannot end the processes of the account"),
            (self.restart, "cannot restart the machine"),
        ]
        .into_iter()
        .filter_map(|(can, text)| (!can).then_some(text))
    }
}

/// The answer to "has the account this password?".
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verification {
    /// This store cannot verify at all.
    Cannot,
    /// No.
    DoesNotMatch,
    /// Yes.
    Matches,
    /// It could not be found out this time; the text says why.
    NoAnswer(String),
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// This store has no such ability.
    Cannot(String),
    /// Anything else: what happened is unknown.
    Failed(String),
    /// Another policy manages this account; the agent stands aside.
    ManagedElsewhere(String),
    /// No such account.
    NoSuchAccount(String),
    /// The device's password policy refused the password, or the account must not be managed.
    Refused(String),
    /// It did not end in time; what it did is unknown.
    TimedOut(String),
}

impl StoreError {
    /// The number of this error.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Cannot(_) | Self::Failed(_) | Self::TimedOut(_) => Code::AccountFailed,
            Self::ManagedElsewhere(_) => Code::AccountManagedElsewhere,
            Self::NoSuchAccount(_) => Code::AccountNotFound,
            Self::Refused(_) => Code::PasswordRefused,
        }
    }

    /// The text without the kind.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Cannot(text)
            | Self::Failed(text)
            | Self::ManagedElsewhere(text)
            | Self::NoSuchAccount(text)
            | Self::Refused(text)
            | Self::TimedOut(text) => text,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cannot(text) => write!(f, "the account store cannot do this: {text}"),
            Self::Failed(text) => write!(f, "the account store failed: {text}"),
            Self::ManagedElsewhere(text) => write!(f, "another policy manages the account: {text}"),
            Self::NoSuchAccount(text) => write!(f, "no such local account: {text}"),
            Self::Refused(text) => write!(f, "refused: {text}"),
            Self::TimedOut(text) => write!(f, "the account store took too long: {text}"),
        }
    }
}

impl core::error::Error for StoreError {}

/// Opens the store that a text names: `linux`, `linux:NAME`, `command:CMD` or `windows`.
///
/// # Errors
/// [`StoreError::Refused`] when the text names no store of this platform.
pub fn open(text: &str) -> Result<Box<dyn AccountStore + Send>, StoreError> {
    #[cfg(target_os = "linux")]
    if text == "linux" {
        return Ok(Box::new(linux::LinuxStore::new()));
    } else if let Some(name) = text.strip_prefix("linux:") {
        let name = AccountName::new(name)
            .map_err(|error| StoreError::Refused(format!("the account name is {error}")))?;
        return Ok(Box::new(linux::LinuxStore::new().allow(name)));
    }
    #[cfg(unix)]
    if let Some(command) = text.strip_prefix("command:") {
        return Ok(Box::new(command::CommandStore::new(command)?));
    }
    #[cfg(windows)]
    if text == "windows" {
        return Ok(Box::new(windows::WindowsStore::new()));
    }
    let known = if cfg!(target_os = "linux") {
        "linux, linux:NAME or command:CMD"
    } else if cfg!(windows) {
        "windows"
    } else {
        "command:CMD"
    };
    Err(StoreError::Refused(format!("no account store is called {text:?}; accepted here: {known}")))
}

/// Chooses the account and turns the core's error into ours.
#[cfg(any(target_os = "linux", windows))]
pub(crate) fn pick(
    configured: &AccountName,
    accounts: &[LocalAccount],
) -> Result<LocalAccount, StoreError> {
    choose(configured, accounts).copied().map_err(|error| {
        if error.code() == Code::AccountNotFound {
            StoreError::NoSuchAccount(error.to_string())
        } else {
            StoreError::Refused(error.to_string())
        }
    })
}
