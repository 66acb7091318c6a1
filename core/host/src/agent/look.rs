//! The look with which every run begins: the policy in force, the account that it names, and the
//! reader set.

use laps_core::account::LocalAccount;
use laps_core::identity::AccountName;
use laps_core::policy::{BackupDirectory, Clash, Policy};
use laps_core::rotation::event::Level;

use super::readers::{self, Looked};
use super::{Agent, AgentError, inputs};
use crate::account::StoreError;

/// What a look at the account found.
#[derive(Clone, Debug)]
pub(super) enum AccountLook {
    /// It is there.
    There(LocalAccount),
    /// It is not; under the name that the policy has for it, or that it had.
    Missing(LocalAccount),
}

impl AccountLook {
    pub(super) const fn account(&self) -> &LocalAccount {
        match self {
            Self::There(account) | Self::Missing(account) => account,
        }
    }
}

impl Agent {
    /// The policy and the account that it names, and a look at the reader set.
    pub(super) fn look(&mut self) -> Result<(Policy, AccountLook), AgentError> {
        self.look_at_readers()?;
        let policy = self.policy_in_force()?;
        let known = self.drive.as_ref().map(|drive| *drive.machine.account());
        let look = self.find(&policy, known)?;
        Ok((policy, look))
    }

    /// Looks the managed account up. One that is missing goes by the name that the policy has for
    /// it; where that is blank, by the one that it had, or else by the usual one, so that the
    /// vault hears of the device.
    pub(super) fn find(
        &mut self,
        policy: &Policy,
        known: Option<AccountName>,
    ) -> Result<AccountLook, AgentError> {
        let name = policy.administrator_account_name();
        // A policy that is off says so whatever the store has.
        let off = policy.backup_directory() == BackupDirectory::Disabled;
        let found = self.store.find(name);
        match found {
            Ok(account) => Ok(AccountLook::There(account)),
            Err(error) if off || matches!(error, StoreError::NoSuchAccount(_)) => {
                let known = match known {
                    Some(known) => Some(known),
                    None => self.folder.account()?,
                };
                let usual = || AccountName::new(USUAL_NAME).unwrap_or_default();
                let known = || known.unwrap_or_else(usual);
                let name = if name.is_empty() { known() } else { *name };
                Ok(AccountLook::Missing(LocalAccount { name, sid: None, enabled: false }))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn look_at_readers(&mut self) -> Result<(), AgentError> {
        let Some(source) = &self.options.reader_set else { return Ok(()) };
        let looked =
            readers::look(&self.folder, source, &self.options.scope, &mut self.reader_set)?;
        match looked {
            Looked::Same => {}
            Looked::Newer(version) => {
                let text = format!(
                    "passwords are sealed to the reader set of version {version} from now on"
                );
                self.tell("reader-set-accepted", Level::Information, text);
            }
            Looked::Refused(why) => {
                let text = format!("the last accepted reader set stays: {why}");
                self.tell_once("reader-set-refused", Level::Error, text);
            }
        }
        Ok(())
    }

    /// The policy that was given, when it is accepted; else the last accepted one, and an event
    /// that says so.
    fn policy_in_force(&mut self) -> Result<Policy, AgentError> {
        let given = self.options.policy.texts();
        let clash = self.options.clash;
        let refusal = match given.and_then(|texts| Ok((inputs::policy(&texts, clash)?, texts))) {
            Ok(((accepted, joined), texts)) => {
                if let Some(joined) = joined {
                    self.tell_once("policy-joined", Level::Information, joined);
                }
                let packed = inputs::pack(&texts);
                if self.folder.policy()?.as_ref() != Some(&packed)
                    && let Err(error) = self.folder.keep_policy(&packed)
                {
                    self.tell_once("policy-not-kept", Level::Warning, error.to_string());
                }
                return Ok(accepted);
            }
            Err(refusal) => refusal,
        };
        let kept = self.folder.policy()?.and_then(|bytes| inputs::unpack(&bytes));
        // What was accepted once stays accepted, however its clashes were settled.
        let accepted = |texts: inputs::Texts| {
            inputs::policy(&texts, clash).or_else(|_| inputs::policy(&texts, Clash::LastWins)).ok()
        };
        match kept.and_then(accepted) {
            Some((kept, _)) => {
                let text = format!("the policy is refused, the last accepted one stays: {refusal}");
                self.tell_once("policy-refused", Level::Error, text);
                Ok(kept)
            }
            None => Err(AgentError::Policy(refusal)),
        }
    }

    /// What the store cannot, and what of the policy this agent does not do.
    pub(super) fn tell_findings(&mut self, policy: &Policy) {
        for missing in self.store.findings() {
            let text = format!("the {} account store {missing}", self.store.name());
            self.tell_once("store-cannot", Level::Warning, text);
        }
        if policy.automatic_account_management_enabled() {
            let text = "AutomaticAccountManagementEnabled has no effect here: the account is the \
                        one that AdministratorAccountName names";
            self.tell_once("setting-without-effect", Level::Warning, text.to_owned());
        }
    }
}

/// What the built-in administrator is usually called.
const USUAL_NAME: &str = "Administrator";
