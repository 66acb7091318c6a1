//! Finding a device by what people and imports call it: case does not count, and who mistypes a
//! name is told the nearest.

use alloc::{format, string::ToString as _};

use crate::identity::{DeviceId, Scope};

use super::plan::{Plan, Want};
use super::state::Device;
use super::store::Store;
use super::unit::{Rows, Stop};
use super::{Vault, VaultError, name};

impl<S: Store> Vault<S> {
    /// Names of devices that differ in case only are one device's: for an embedder whose names are
    /// those of computers. Without it a check-in under such a name is refused; identifiers in
    /// Base64, say, differ by case.
    #[must_use]
    pub fn with_names_ignoring_case(mut self) -> Self {
        self.ignores_case = true;
        self
    }

    /// The device that checks in, if it is known.
    pub(super) fn known<'r>(
        &self,
        rows: &'r Rows,
        name: &DeviceId,
    ) -> Result<Option<(DeviceId, &'r Device)>, Stop> {
        match rows.device(name)? {
            Some((other, _)) if other != *name && !self.ignores_case => {
                Err(Stop::Refused(VaultError::AlreadyExists(format!(
                    "device {name} checks in, and device {other} is known, whose name differs in \
                     case only; check in under that name, or purge it first"
                ))))
            }
            found => Ok(found),
        }
    }
}

impl Plan {
    /// The device of this name, if it is a name.
    pub(super) fn named(scope: &Scope, device: &str) -> Self {
        let wants = name(device).map(Want::Device).into_iter().collect();
        Self { scope: *scope, wants }
    }
}

/// The device of that name; of one that differs in case only when there is no other.
pub(super) fn find<'r>(
    rows: &'r Rows,
    device: &str,
) -> Result<Option<(DeviceId, &'r Device)>, Stop> {
    rows.device(&name(device)?)
}

/// The same, and an error that names the nearest for one that is not there.
pub(super) fn locate<'r>(rows: &'r Rows, device: &str) -> Result<(DeviceId, &'r Device), Stop> {
    if let Some(found) = find(rows, device)? {
        return Ok(found);
    }
    Err(Stop::Refused(match rows.nearest(name(device)?)? {
        None => VaultError::NotFound("device"),
        Some(nearest) => {
            VaultError::Mistyped { device: device.to_string(), nearest: nearest.to_string() }
        }
    }))
}
