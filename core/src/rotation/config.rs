//! What a rotation machine is told about its device and its policy.

use sha2::{Digest as _, Sha256};

use super::RotationError;
use super::event::Directory;
use super::message::MAX_ACCOUNT_CHARACTERS;
use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, Scope};
use crate::policy::{BackupDirectory, Policy};

/// One day, in seconds.
pub const DAY: u64 = 86_400;

/// The settings of one machine. Start from [`Config::new`], take over [`Config::with_policy`], and
/// change what differs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The tenant.
    pub scope: Scope,
    /// The device; not empty.
    pub device: DeviceId,
    /// The managed account, as [`account::choose`](crate::account::choose) found it; at most 64
    /// characters, not empty.
    pub account: AccountName,
    /// Its SID, where the platform has one. It tells an account that was made again under the same
    /// name.
    pub sid: Option<Sid>,
    /// Which directory the policy names; none (`BackupDirectory` 0): nothing is managed.
    pub directory: Option<Directory>,
    /// How long a password lives, in seconds: 1 day to 365 days. The default is 30 days.
    pub max_age_seconds: u64,
    /// The part of the age that a due date may lie earlier, in percent: 0 to 50. The default is
    /// 10: a password expires between 0.9 and 1.0 of its age.
    pub jitter_percent: u8,
    /// How long a password may lie in memory before it is applied, in seconds: 60 to 3600. The
    /// default is 15 minutes.
    pub plaintext_seconds: u64,
    /// From the use of the account to the reset, in seconds, at most 24 hours; 0: no
    /// post-authentication actions.
    pub post_authentication_delay_seconds: u64,
    /// What follows the reset.
    pub post_authentication_actions: FollowUp,
    /// SHA-256 of the whole policy; it stands in every record's header.
    pub policy_hash: [u8; 32],
    /// A digest of those settings alone whose change asks for a new password at once. Of two that
    /// [`Config::with_policy`] made, that of Active Directory in clear text is content with
    /// every other one of Active Directory.
    pub demand: [u8; 8],
    /// Whether an expiry later than the policy's age asks for a new password at once (Active
    /// Directory's expiration protection).
    pub expiry_protection: bool,
    /// Whether the platform can find out if the account holds a password.
    pub can_verify: bool,
    /// From one check-in to the next, in seconds: 60 to 86 400. The default is one hour.
    pub check_in_seconds: u64,
}

/// What follows a reset after use, as bits of `PostAuthenticationActions`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct FollowUp {
    /// Whether the password is reset at all. Without it nothing happens after a use.
    pub reset: bool,
    /// Sign the account's sessions out, after a warning of two minutes.
    pub sign_out: bool,
    /// Restart the device, after a warning of one minute.
    pub restart: bool,
    /// End the account's remaining processes.
    pub terminate: bool,
}

impl FollowUp {
    /// From the value of `PostAuthenticationActions`: 0, 1, 3, 5 or 11; nothing for every other
    /// value.
    #[must_use]
    pub const fn from_setting(value: u8) -> Option<Self> {
        let (sign_out, restart, terminate) = match value {
            0 | 1 => (false, false, false),
            3 => (true, false, false),
            5 => (false, true, false),
            11 => (true, false, true),
            _ => return None,
        };
        Some(Self { reset: value != 0, sign_out, restart, terminate })
    }
}

impl Config {
    /// The defaults for one account: backed up as to Microsoft Entra, 30 days, no
    /// post-authentication actions, a platform that can verify.
    #[must_use]
    pub const fn new(
        scope: Scope,
        device: DeviceId,
        account: AccountName,
        sid: Option<Sid>,
    ) -> Self {
        Self {
            scope,
            device,
            account,
            sid,
            directory: Some(Directory::Entra),
            max_age_seconds: 30 * DAY,
            jitter_percent: 10,
            plaintext_seconds: 15 * 60,
            post_authentication_delay_seconds: 0,
            post_authentication_actions: FollowUp {
                reset: false,
                sign_out: false,
                restart: false,
                terminate: false,
            },
            policy_hash: [0; 32],
            demand: [0; 8],
            expiry_protection: false,
            can_verify: true,
            check_in_seconds: 3600,
        }
    }

    /// Takes over what a policy says: the directory, the age, the post-authentication actions,
    /// expiration protection, its hash, and the demand: another directory, or in Active
    /// Directory encryption that is turned on or another principal asks for a new password.
    /// Encryption that is turned off, lengths, complexities and ages do not, as in Windows
    /// LAPS: [`policy::changes`](crate::policy::changes) says the same.
    #[must_use]
    pub fn with_policy(mut self, policy: &Policy) -> Self {
        let directory = policy.backup_directory();
        self.directory = match directory {
            BackupDirectory::Disabled => None,
            BackupDirectory::Entra => Some(Directory::Entra),
            BackupDirectory::ActiveDirectory => Some(Directory::ActiveDirectory),
        };
        self.max_age_seconds = DAY.saturating_mul(u64::from(policy.password_age_days()));
        let actions = policy.post_authentication_actions();
        self.post_authentication_actions = FollowUp {
            reset: actions.resets(),
            sign_out: actions.signs_out(),
            restart: actions.restarts(),
            terminate: actions.terminates(),
        };
        self.post_authentication_delay_seconds =
            60_u64.saturating_mul(u64::from(policy.post_authentication_reset_delay_minutes()));
        self.policy_hash = policy.hash();
        let in_ad = self.directory == Some(Directory::ActiveDirectory);
        self.expiry_protection = in_ad && policy.password_expiration_protection_enabled();
        let encrypted = in_ad && policy.ad_password_encryption_enabled();
        let principal = encrypted.then(|| policy.ad_password_encryption_principal());
        self.demand = demand(directory, principal);
        self
    }

    /// Whether what these settings demand asks for a new password, when the last commit was made
    /// under `committed`.
    pub(super) fn demands_over(&self, committed: [u8; 8]) -> bool {
        let clear = |directory| demand(directory, None);
        if self.demand == committed {
            false
        } else if self.demand == clear(BackupDirectory::ActiveDirectory) {
            // Encrypted or not, for whomever: it is in Active Directory, and a password that more
            // people might read is no reason to make one. Every other demand is that of
            // another directory, or of none.
            let elsewhere =
                [clear(BackupDirectory::Entra), clear(BackupDirectory::Disabled), [0; 8]];
            elsewhere.contains(&committed)
        } else {
            true
        }
    }

    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`RotationError::InvalidConfig`] with the name of the first field that is not.
    pub fn check(&self) -> Result<(), RotationError> {
        let characters = self.account.as_str().chars().count();
        let field = if self.device.is_empty() {
            "device"
        } else if !(1..=MAX_ACCOUNT_CHARACTERS).contains(&characters) {
            "account"
        } else if !(DAY..=365 * DAY).contains(&self.max_age_seconds) {
            "max_age_seconds"
        } else if self.jitter_percent > 50 {
            "jitter_percent"
        } else if !(60..=3600).contains(&self.plaintext_seconds) {
            "plaintext_seconds"
        } else if self.post_authentication_delay_seconds > DAY {
            "post_authentication_delay_seconds"
        } else if !(60..=DAY).contains(&self.check_in_seconds) {
            "check_in_seconds"
        } else {
            return Ok(());
        };
        Err(RotationError::InvalidConfig { field })
    }
}

/// The demand of a directory, and of the principal for whom passwords are encrypted there; none: in
/// clear text.
fn demand(directory: BackupDirectory, principal: Option<&str>) -> [u8; 8] {
    let mut demand = Sha256::new();
    demand.update(b"laps demand v1");
    demand.update([directory.as_u8(), u8::from(principal.is_some())]);
    demand.update(principal.unwrap_or_default());
    let digest: [u8; 32] = demand.finalize().into();
    digest.split_first_chunk().map_or([0; 8], |(first, _)| *first)
}
