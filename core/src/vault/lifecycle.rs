//! Taking devices out of service, bringing them back, and removing what is kept about them.

use alloc::{format, string::ToString as _, vec, vec::Vec};

use crate::identity::{RecordId, Scope, Timestamp};

use super::audit::{Action, Entry};
use super::names::locate;
use super::plan::Plan;
use super::state::Device;
use super::store::Store;
use super::unit::Stop;
use super::{AuditHead, Confirmation, Request, Vault, VaultError};

impl<S: Store> Vault<S> {
    /// Takes a device out of service: it is never due. What is stored stays, and can be disclosed.
    /// A device that checks in again is back in service, which is noted. Orders to rotate wait
    /// until then, those that were open and those that are made meanwhile: somebody may know
    /// the password with which it comes back.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists` when it is retired already, `ReasonRequired`, and what the store
    /// says.
    pub fn retire(
        &self,
        scope: &Scope,
        device: &str,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        self.change(scope, device, "retire", Action::Retired, request, now, |known| {
            match known.about.retired {
                Some(since) => Err(VaultError::AlreadyExists(format!(
                    "device {device} (account {}) is retired already, since {since}; a device in \
                     service can be retired, and \
                     re-enrolling brings this one back",
                    known.managed.name
                ))),
                None => {
                    known.retire(now);
                    Ok(())
                }
            }
        })
    }

    /// Brings a retired device back into service, for a new start: a new installation under the old
    /// name may have another account and another SID. What is stored stays.
    ///
    /// # Errors
    /// `NotFound` for a device that is unknown or not retired, `ReasonRequired`, and what the store
    /// says.
    pub fn re_enrol(
        &self,
        scope: &Scope,
        device: &str,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        self.change(scope, device, "re-enrol", Action::Reenrolled, request, now, |known| {
            if known.re_enrol() { Ok(()) } else { Err(VaultError::NotFound("retired device")) }
        })
    }

    /// Removes a device and everything that is kept about it, the predecessors of its records too.
    /// The audit log stays.
    ///
    /// # Errors
    /// `ConfirmationRequired` without the explicit word, `NotFound`, `ReasonRequired`, and what the
    /// store says.
    pub fn purge(
        &self,
        scope: &Scope,
        device: &str,
        confirmation: Confirmation,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        let plan = Plan::named(scope, device);
        let ((), appended) = self.audited(plan, request, device, "purge", now, |rows| {
            let (name, known) = locate(rows, device)?;
            if confirmation == Confirmation::NotGiven {
                return Err(Stop::Refused(VaultError::ConfirmationRequired(
                    "this removes every password of the device, the last one too",
                )));
            }
            let records: usize =
                known.accounts().map(|account| account.candidates.all().count()).sum();
            rows.remove_device(&name);
            let mut entry = request.entry(Action::Purged, name.as_str(), now);
            entry.detail = format!("with {records} records");
            rows.append(entry);
            Ok(())
        })?;
        appended.head()
    }

    /// Removes one record, a candidate or one in history: for a password that must
    /// not be kept.
    ///
    /// # Errors
    /// `ConfirmationRequired` without the explicit word, `NotFound`, `ReasonRequired`, and what the
    /// store says.
    pub fn remove_record(
        &self,
        scope: &Scope,
        device: &str,
        record: RecordId,
        confirmation: Confirmation,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<AuditHead, VaultError> {
        let plan = Plan::named(scope, device);
        let ((), appended) =
            self.audited(plan, request, device, "remove a record", now, |rows| {
                let (name, known) = locate(rows, device)?;
                let mut known = known.clone();
                known.find(record).ok_or(VaultError::NotFound("record"))?;
                if confirmation == Confirmation::NotGiven {
                    return Err(Stop::Refused(VaultError::ConfirmationRequired(
                        "the device may still have this password, or need it after a restore",
                    )));
                }
                known.remove_record(record);
                rows.put_device(&name, known);
                let mut entry: Entry = request.entry(Action::Removed, name.as_str(), now);
                entry.records = vec![record];
                rows.append(entry);
                Ok(())
            })?;
        appended.head()
    }

    /// Changes what is kept about a device, in one transaction with its entry.
    #[expect(clippy::too_many_arguments, reason = "what every audited change of a device needs")]
    fn change(
        &self,
        scope: &Scope,
        device: &str,
        attempt: &'static str,
        action: Action,
        request: &Request<'_>,
        now: Timestamp,
        change: impl Fn(&mut Device) -> Result<(), VaultError>,
    ) -> Result<AuditHead, VaultError> {
        let plan = Plan::named(scope, device);
        let ((), appended) = self.audited(plan, request, device, attempt, now, |rows| {
            let (name, known) = locate(rows, device)?;
            let mut known = known.clone();
            let named: Vec<RecordId> =
                known.managed.candidates.iter().map(|held| held.id).collect();
            change(&mut known)?;
            let mut entry = request.entry(action, name.as_str(), now);
            entry.records = named;
            entry.detail = known.managed.name.to_string();
            rows.put_device(&name, known);
            rows.append(entry);
            Ok(())
        })?;
        appended.head()
    }
}
