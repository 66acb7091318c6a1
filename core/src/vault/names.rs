//! Finding a device by what people and imports call it: case does not count, and who mistypes a
//! name is told the nearest.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::account::capital;
use crate::identity::{DeviceId, Scope};

use super::plan::{Plan, Want};
use super::state::Device;
use super::store::Store;
use super::unit::{Rows, Stop};
use super::{Vault, VaultError, name};

/// A name as names are compared: in capitals, letter by letter, as Windows does. A store finds
/// names that differ in case only by it.
#[must_use]
pub fn folded(name: &str) -> String {
    name.chars().map(capital).collect()
}

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
    pub(super) fn known(
        &self,
        rows: &Rows,
        name: &DeviceId,
    ) -> Result<Option<(DeviceId, Device)>, Stop> {
        match rows.device(name)? {
            Some((other, _)) if other != *name && !self.ignores_case => {
                Err(Stop::Refused(VaultError::AlreadyExists(format!(
                    "device {name} checks in, and device {other} is known, whose name differs in \
                     case only; check in under that name, or purge it first"
                ))))
            }
            found => Ok(found.map(|(name, device)| (name, device.clone()))),
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
pub(super) fn find(rows: &Rows, device: &str) -> Result<Option<(DeviceId, Device)>, Stop> {
    let found = rows.device(&name(device)?)?;
    Ok(found.map(|(name, device)| (name, device.clone())))
}

/// The same, and an error that names the nearest for one that is not there.
pub(super) fn locate(rows: &Rows, device: &str) -> Result<(DeviceId, Device), Stop> {
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

/// Which of many names is nearest to a mistyped one. A store shows it every name of a scope, in
/// order.
#[derive(Clone, Debug)]
pub struct Nearest {
    wanted: Vec<char>,
    least: usize,
    found: Option<String>,
}

impl Nearest {
    /// To this one.
    #[must_use]
    pub fn to(device: &str) -> Self {
        let wanted: Vec<char> = folded(device).chars().collect();
        // One letter in four may be wrong.
        let least = wanted.len().div_ceil(4).min(4);
        Self { wanted, least, found: None }
    }

    /// One name.
    pub fn look(&mut self, name: &str) {
        let distance = distance(&self.wanted, &folded(name));
        if distance < self.least || (distance == self.least && self.found.is_none()) {
            self.least = distance;
            self.found = Some(name.to_string());
        }
    }

    /// The nearest, where one is near.
    #[must_use]
    pub fn found(self) -> Option<String> {
        self.found
    }
}

/// How many letters have to be put in, taken out or changed (Levenshtein, 1965).
fn distance(one: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for letter in other.chars() {
        let mut diagonal = row.first().copied().unwrap_or_default();
        let mut left = diagonal.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (place, with) in row.iter_mut().skip(1).zip(one) {
            let above = *place;
            let replaced = diagonal.saturating_add(usize::from(*with != letter));
            left = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            *place = left;
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        let count = |one: &str, other: &str| distance(&one.chars().collect::<Vec<_>>(), other);
        assert_eq!(count("PC-0001", "PC-0001"), 0);
        assert_eq!(count("PC-0001", "PC-0010"), 2);
        assert_eq!(count("PC-001", "PC-0001"), 1);
        assert_eq!(count("", "ABC"), 3);
        assert_eq!(folded("pc-ü\u{df}"), "PC-Ü\u{df}");
    }
}
