//! Orders to rotate (protocol §3.6): for some devices, all, the overdue ones, or those of which
//! somebody was shown something.

use alloc::{collections::BTreeSet, format, string::ToString as _, vec::Vec};

use crate::identity::{Scope, Timestamp};

use super::accessed::Accessed;
use super::audit::{Action, quoted};
use super::disclosure::MAX_ACTOR;
use super::names::{find, locate};
use super::rows::Ordered;
use super::store::append;
use super::store::{Store, StoredDevice, Transaction};
use super::{AuditHead, Observed, Request, Selection, Vault, VaultError, Who};

/// How many devices one transaction orders.
const PAGE: usize = 1_000;

impl<S: Store> Vault<S> {
    /// Orders devices to rotate: replaces every record that they may hold now.
    ///
    /// [`Selection::Devices`] is one transaction. The others order a thousand devices in each
    /// transaction, and each is in the audit log; when one fails, call again: nothing is ordered
    /// twice.
    ///
    /// # Errors
    /// `ReasonRequired`, `NotFound` for a named device that is unknown or has no record, and what
    /// the store says. The refused attempt is in the audit log.
    pub fn order_rotation(
        &self,
        scope: &Scope,
        selection: Selection<'_>,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let ordered = match selection {
            Selection::Devices(devices) => self.order_named(scope, devices, request, now),
            Selection::All => {
                self.order_pages(scope, "all devices", None, request, now, by_name(scope))
            }
            Selection::Overdue => {
                self.order_pages(scope, "overdue devices", None, request, now, |tx, last| {
                    let after = last.map(StoredDevice::due_place);
                    match after {
                        // Nothing says where the next page begins: better none than the first one
                        // again.
                        Some(None) => Ok(Vec::new()),
                        after => tx.due(scope, now, after.flatten(), PAGE),
                    }
                })
            }
            Selection::RevealedBy { who, since } => {
                self.order_revealed(scope, who, since, request, now)
            }
        }?;
        self.observe(&Observed::Ordered { devices: ordered.devices });
        Ok(ordered)
    }

    fn order_named(
        &self,
        scope: &Scope,
        devices: &[&str],
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let first = devices.first().copied().unwrap_or_default();
        let device = if devices.len() == 1 { first } else { "" };
        self.audited(scope, request, device, "order rotations", now, |tx| {
            if devices.is_empty() {
                return Err(VaultError::InvalidArgument("no device was named"));
            }
            let mut seen = BTreeSet::new();
            let devices: Vec<&str> =
                devices.iter().copied().filter(|device| seen.insert(*device)).collect();
            order(
                tx,
                scope,
                &devices,
                &Wanted { what: "", accessed: None, strict: true },
                request,
                now,
            )
        })
    }

    /// Orders page by page. `next` gives the page behind the last device of the page before.
    fn order_pages(
        &self,
        scope: &Scope,
        what: &str,
        accessed: Option<&Accessed>,
        request: &Request<'_>,
        now: Timestamp,
        next: impl Fn(
            &mut dyn Transaction,
            Option<&StoredDevice>,
        ) -> Result<Vec<StoredDevice>, VaultError>,
    ) -> Result<Ordered, VaultError> {
        let mut devices = 0_u64;
        let mut last: Option<StoredDevice> = None;
        loop {
            let (page, ordered) =
                self.audited(scope, request, "", "order rotations", now, |tx| {
                    let page = next(tx, last.as_ref())?;
                    let names: Vec<&str> = page.iter().map(|stored| stored.name.as_str()).collect();
                    let wanted = Wanted { what, accessed, strict: false };
                    let ordered = order(tx, scope, &names, &wanted, request, now)?;
                    Ok((page, ordered))
                })?;
            devices = devices.saturating_add(ordered.devices);
            let full = page.len() >= PAGE;
            last = page.into_iter().next_back();
            if !full {
                return Ok(Ordered { devices, ..ordered });
            }
        }
    }

    /// What somebody was shown. What he noted about a disclosure afterwards, ["not
    /// opened"](Vault::record_outcome), is his word and takes nothing away: he has the records.
    fn order_revealed(
        &self,
        scope: &Scope,
        who: Who<'_>,
        since: Timestamp,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let accessed = Accessed::by(self, scope, who, since, now)?;
        let name = quoted(who.name(), MAX_ACTOR);
        let what = format!("what {name} was shown since {since}");
        let Some(devices) = accessed.devices() else {
            return self.order_pages(scope, &what, Some(&accessed), request, now, by_name(scope));
        };
        let wanted = Wanted { what: &what, accessed: Some(&accessed), strict: false };
        let mut total = 0_u64;
        let mut pages = devices.chunks(PAGE);
        let mut page: &[&str] = pages.next().unwrap_or_default();
        loop {
            let ordered = self.audited(scope, request, "", "order rotations", now, |tx| {
                order(tx, scope, page, &wanted, request, now)
            })?;
            total = total.saturating_add(ordered.devices);
            match pages.next() {
                Some(next) => page = next,
                None => return Ok(Ordered { devices: total, ..ordered }),
            }
        }
    }

    /// Whether an order to rotate is open for a device, also one that waits for a retired device.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub fn is_ordered(&self, scope: &Scope, device: &str) -> Result<bool, VaultError> {
        self.store.read(|tx| {
            let (_, _, found) = locate(tx, scope, device)?;
            Ok(!found.managed.candidates.orders.is_empty())
        })
    }
}

/// The page of all devices behind one.
fn by_name(
    scope: &Scope,
) -> impl Fn(&mut dyn Transaction, Option<&StoredDevice>) -> Result<Vec<StoredDevice>, VaultError> {
    |tx, last| {
        let after = last.map(|last| last.name.to_string());
        tx.devices(scope, after.as_deref(), PAGE)
    }
}

/// What an order is about.
struct Wanted<'a> {
    /// As the entry says it; empty for devices that were named.
    what: &'a str,
    /// Only devices that may have one of these passwords.
    accessed: Option<&'a Accessed>,
    /// Whether a device that cannot be ordered makes all of it fail.
    strict: bool,
}

/// One transaction of orders, with its entry.
fn order(
    tx: &mut dyn Transaction,
    scope: &Scope,
    names: &[&str],
    wanted: &Wanted<'_>,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Ordered, VaultError> {
    let &Wanted { what, accessed, strict } = wanted;
    let mut devices = 0_u64;
    let mut named = Vec::new();
    for device in names {
        let known = find(tx, scope, device);
        let (name, key, mut known) = match known {
            Ok(Some(found)) if !found.2.managed.candidates.is_empty() => found,
            Ok(found) if strict => {
                let (device, known) = ((*device).to_string(), found.is_some());
                return Err(VaultError::NoSuchDevice { device, known });
            }
            // A damaged device does not keep the others from being ordered.
            Ok(_) | Err(VaultError::Damaged { .. }) if !strict => continue,
            Err(error) => return Err(error),
            Ok(_) => continue,
        };
        if accessed.is_some_and(|accessed| !accessed.has_one_of(&known, now)) {
            continue;
        }
        // The order names all that the device may hold, as soon as one of it was shown.
        if known.managed.candidates.order_all(now, 0) {
            tx.update_device(key, &known)?;
            devices = devices.saturating_add(1);
        }
        named.push(name.to_string());
    }
    let mut entry = request.entry(Action::RotationOrdered, "", now);
    match named.as_slice() {
        [one] if what.is_empty() => entry.device.clone_from(one),
        several if what.is_empty() => entry.detail = several.join(" "),
        several => entry.detail = format!("{what}: {} devices", several.len()),
    }
    let head: AuditHead = append(tx, scope, &entry)?;
    Ok(Ordered { devices, entry: head.length, head })
}

#[cfg(all(test, feature = "getrandom"))]
mod tests {
    use alloc::string::String;

    use super::super::MemoryStore;
    use super::super::store::Durability;
    use super::*;
    use crate::random::Generator;
    use crate::seal::{ReaderKey, Suite};
    use crate::vault::Retention;

    /// Earlier versions wrote the time of such an order in seconds since 1970, and what a caller
    /// said as it was: the chain covers the bytes, whatever they say.
    #[test]
    fn an_audit_log_in_which_times_stand_in_both_ways_is_whole() {
        const WHO: Request<'_> = Request::new("alice", "ticket");
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let mut rng = Generator::from_system().unwrap();
        let key = ReaderKey::generate(Suite::X25519, "ann", &mut rng).unwrap();
        let vault = Vault::from_system(MemoryStore::new());
        let readers = [key.reader().clone()];
        vault.initialise(&Scope::EMPTY, &readers, Retention::default(), &WHO, now).unwrap();
        let mut earlier = WHO.entry(Action::RotationOrdered, "", now);
        earlier.detail = "what bob\n was shown since 1799990000: 3 devices".into();
        let store = &vault.store;
        store.write(Durability::Durable, |tx| append(tx, &Scope::EMPTY, &earlier)).unwrap();
        let since = Timestamp::from_unix_seconds(1_799_990_000);
        let selection = Selection::RevealedBy { who: Who::Caller("bob"), since };
        let ordered = vault.order_rotation(&Scope::EMPTY, selection, &WHO, now).unwrap();
        let entries = vault.audit_entries(&Scope::EMPTY, 0, 10).unwrap();
        let details: Vec<String> =
            entries.into_iter().map(|stored| stored.entry.unwrap().detail).collect();
        assert_eq!(details[1], earlier.detail);
        assert_eq!(details[2], "what bob was shown since 2027-01-15T05:13:20Z: 0 devices");
        assert!(vault.audit_verify(&Scope::EMPTY, Some(ordered.head)).unwrap().ok);
    }
}
