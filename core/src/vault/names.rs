//! Finding a device by what people and imports call it: case does not count, and who mistypes a
//! name is told the nearest.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::account::capital;
use crate::identity::{DeviceId, Scope};

use super::state::Device;
use super::store::{DeviceKey, Store, Transaction};
use super::{Vault, VaultError, name};

/// How many devices are looked at in one go.
const PAGE: usize = 1_000;

/// A name as names are compared: in capitals, letter by letter, as Windows does. A store finds
/// [similar](Transaction::similar) names by it.
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
        tx: &mut dyn Transaction,
        scope: &Scope,
        name: &DeviceId,
    ) -> Result<Option<(DeviceKey, Device)>, VaultError> {
        if let Some(found) = tx.device(scope, name)? {
            return Ok(Some(found));
        }
        match tx.similar(scope, name)? {
            None => Ok(None),
            Some(other) if self.ignores_case => tx.device(scope, &other),
            Some(other) => Err(VaultError::AlreadyExists(format!(
                "device {name} checks in, and device {other} is known, whose name differs in case \
                 only; check in under that name, or purge \
                 it first"
            ))),
        }
    }
}

/// The device of that name; of one that differs in case only when there is no other.
pub(super) fn find(
    tx: &mut dyn Transaction,
    scope: &Scope,
    device: &str,
) -> Result<Option<(DeviceId, DeviceKey, Device)>, VaultError> {
    let name = name(device)?;
    if let Some((key, device)) = tx.device(scope, &name)? {
        return Ok(Some((name, key, device)));
    }
    let Some(other) = tx.similar(scope, &name)? else { return Ok(None) };
    Ok(tx.device(scope, &other)?.map(|(key, device)| (other, key, device)))
}

/// The same, and an error that names the nearest for one that is not there.
pub(super) fn locate(
    tx: &mut dyn Transaction,
    scope: &Scope,
    device: &str,
) -> Result<(DeviceId, DeviceKey, Device), VaultError> {
    match find(tx, scope, device)? {
        Some(found) => Ok(found),
        None => Err(match nearest(tx, scope, device)? {
            None => VaultError::NotFound("device"),
            Some(nearest) => VaultError::Mistyped { device: device.to_string(), nearest },
        }),
    }
}

/// The nearest name, where one is near. Costs grow with the scope.
fn nearest(
    tx: &mut dyn Transaction,
    scope: &Scope,
    device: &str,
) -> Result<Option<String>, VaultError> {
    let wanted: Vec<char> = folded(device).chars().collect();
    // One letter in four may be wrong.
    let mut least = wanted.len().div_ceil(4).min(4);
    let mut found = None;
    let mut after: Option<String> = None;
    loop {
        let page = tx.devices(scope, after.as_deref(), PAGE)?;
        for stored in &page {
            let distance = distance(&wanted, &folded(stored.name.as_str()));
            if distance < least || (distance == least && found.is_none()) {
                least = distance;
                found = Some(stored.name.to_string());
            }
        }
        after = page.last().filter(|_| page.len() >= PAGE).map(|last| last.name.to_string());
        if after.is_none() {
            return Ok(found);
        }
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
