//! Orders to rotate (protocol §3.6): for some devices, all, the overdue ones, or those of which somebody was shown something.

use alloc::{collections::BTreeMap, format, string::String, string::ToString as _, vec::Vec};

use crate::identity::{RecordId, Scope, Timestamp};

use super::checkin::append;
use super::state::Device;
use super::store::{Store, StoredDevice, Transaction};
use super::trail::Action;
use super::view::Ordered;
use super::{AuditHead, Observed, Request, Selection, Vault, VaultError, name};

/// How many devices one transaction orders.
const PAGE: usize = 1_000;

/// A device, and which of its records are to be replaced; none: all that it may hold.
type Wanted = (String, Option<Vec<RecordId>>);

impl<S: Store> Vault<S> {
    /// Orders devices to rotate: replaces every record that they may hold now.
    ///
    /// [`Selection::Devices`] is one transaction. The others order a thousand devices in each transaction, and each is in the
    /// trail; when one fails, call again: nothing is ordered twice.
    ///
    /// # Errors
    /// `ReasonRequired`, `NotFound` for a named device that is unknown or has no record, and what the store says. The refused
    /// attempt is in the trail.
    pub fn order_rotation(
        &self,
        scope: &Scope,
        selection: Selection<'_>,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let ordered = match selection {
            Selection::Devices(devices) => self.order_named(scope, devices, request, now),
            Selection::All => self.order_pages(scope, "all devices", request, now, |tx, last| {
                let after = last.map(|last| last.name.to_string());
                tx.devices(scope, after.as_deref(), PAGE)
            }),
            Selection::Overdue => {
                self.order_pages(scope, "overdue devices", request, now, |tx, last| {
                    let after = last.map(StoredDevice::due_place);
                    match after {
                        // Nothing says where the next page begins: better none than the first one again.
                        Some(None) => Ok(Vec::new()),
                        after => tx.due(scope, now, after.flatten(), PAGE),
                    }
                })
            }
            Selection::RevealedBy { actor, since } => {
                self.order_revealed(scope, actor, since, request, now)
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
            let wanted: Vec<Wanted> =
                devices.iter().map(|device| ((*device).to_string(), None)).collect();
            order(tx, scope, &wanted, "", request, now, true)
        })
    }

    /// Orders page by page. `next` gives the page behind the last device of the page before.
    fn order_pages(
        &self,
        scope: &Scope,
        what: &'static str,
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
                    let wanted: Vec<Wanted> =
                        page.iter().map(|stored| (stored.name.to_string(), None)).collect();
                    let ordered = order(tx, scope, &wanted, what, request, now, false)?;
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

    /// What was disclosed to somebody. What he noted about it afterwards, ["not opened"](Vault::record_outcome), is his word and
    /// takes nothing away: he has the records.
    fn order_revealed(
        &self,
        scope: &Scope,
        actor: &str,
        since: Timestamp,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let mut devices: BTreeMap<String, Vec<RecordId>> = BTreeMap::new();
        let mut after = 0;
        loop {
            let page = self.store.read(|tx| tx.entries_of(scope, actor, since, after, PAGE))?;
            let Some(last) = page.last() else { break };
            after = last.number;
            for stored in page {
                let Ok(entry) = stored.entry else { continue };
                if entry.action == Action::Disclosed {
                    devices.entry(entry.device).or_default().extend(entry.records);
                }
            }
        }
        let wanted: Vec<Wanted> =
            devices.into_iter().map(|(device, records)| (device, Some(records))).collect();
        let what = format!("what {actor} was shown since {since}");
        let mut total = 0_u64;
        let mut pages = wanted.chunks(PAGE);
        let mut page: &[Wanted] = pages.next().unwrap_or_default();
        loop {
            let ordered = self.audited(scope, request, "", "order rotations", now, |tx| {
                order(tx, scope, page, &what, request, now, false)
            })?;
            total = total.saturating_add(ordered.devices);
            match pages.next() {
                Some(next) => page = next,
                None => return Ok(Ordered { devices: total, ..ordered }),
            }
        }
    }

    /// Whether an order to rotate is open for a device.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub fn is_ordered(&self, scope: &Scope, device: &str) -> Result<bool, VaultError> {
        let name = name(device)?;
        self.store.read(|tx| {
            let found = tx.device(scope, &name)?.ok_or(VaultError::NotFound("device"))?;
            Ok(!found.1.candidates.orders.is_empty())
        })
    }
}

/// One transaction of orders, with its entry.
fn order(
    tx: &mut dyn Transaction,
    scope: &Scope,
    wanted: &[Wanted],
    what: &str,
    request: &Request<'_>,
    now: Timestamp,
    strict: bool,
) -> Result<Ordered, VaultError> {
    let before = tx.trail(scope)?;
    let number = before.length.saturating_add(1);
    let mut devices = 0_u64;
    let mut named = Vec::new();
    for (device, records) in wanted {
        let id = name(device)?;
        let known = tx.device(scope, &id);
        let (key, mut known) = match known {
            Ok(Some(found)) if can_be_ordered(&found.1, strict) => found,
            Ok(found) if strict => {
                let (device, known) = (device.clone(), found.is_some());
                return Err(VaultError::NoSuchDevice { device, known });
            }
            // A damaged device does not keep the others from being ordered.
            Ok(_) | Err(VaultError::Damaged { .. }) if !strict => continue,
            Err(error) => return Err(error),
            Ok(_) => continue,
        };
        let all: Vec<RecordId> = known.candidates.iter().map(|held| held.id).collect();
        let ids = match records {
            // The order names all that the device may hold, as soon as one of it was shown.
            Some(records) if !records.iter().any(|id| all.contains(id)) => continue,
            _ => all,
        };
        if known.candidates.order(&ids, number, now) {
            tx.update_device(key, &known)?;
            devices = devices.saturating_add(1);
        }
        named.push(device.as_str());
    }
    let mut entry = request.entry(Action::RotationOrdered, "", now);
    match named.as_slice() {
        [one] if what.is_empty() => entry.device = (*one).to_string(),
        several if what.is_empty() => entry.detail = several.join(" "),
        several => entry.detail = format!("{what}: {} devices", several.len()),
    }
    let head: AuditHead = append(tx, scope, &entry)?;
    Ok(Ordered { devices, entry: head.length, head })
}

fn can_be_ordered(device: &Device, strict: bool) -> bool {
    !device.candidates.is_empty() && (strict || device.about.retired.is_none())
}

#[cfg(all(test, feature = "getrandom"))]
mod tests {
    use super::super::MemoryStore;
    use super::super::store::Durability;
    use super::*;
    use crate::random::Generator;
    use crate::seal::{ReaderKey, Suite};
    use crate::vault::state::HistorySetting;

    /// Earlier versions wrote the time of such an order in seconds since 1970: the chain covers the bytes, whatever they say.
    #[test]
    fn a_trail_in_which_times_stand_in_both_ways_is_whole() {
        const WHO: Request<'_> = Request::new("alice", "ticket");
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let mut rng = Generator::from_system().unwrap();
        let key = ReaderKey::generate(Suite::X25519, "ann", &mut rng).unwrap();
        let vault = Vault::from_system(MemoryStore::new());
        let readers = [key.reader().clone()];
        vault.initialise(&Scope::EMPTY, &readers, HistorySetting::default(), &WHO, now).unwrap();
        let mut earlier = WHO.entry(Action::RotationOrdered, "", now);
        earlier.detail = "what bob was shown since 1799990000: 3 devices".into();
        let store = &vault.store;
        store.write(Durability::Durable, |tx| append(tx, &Scope::EMPTY, &earlier)).unwrap();
        let since = Timestamp::from_unix_seconds(1_799_990_000);
        let selection = Selection::RevealedBy { actor: "bob", since };
        let ordered = vault.order_rotation(&Scope::EMPTY, selection, &WHO, now).unwrap();
        let entries = vault.audit_entries(&Scope::EMPTY, 0, 10).unwrap();
        let details: Vec<String> =
            entries.into_iter().map(|stored| stored.entry.unwrap().detail).collect();
        assert_eq!(details[1], earlier.detail);
        assert_eq!(details[2], "what bob was shown since 2027-01-15T05:13:20Z: 0 devices");
        assert!(vault.audit_verify(&Scope::EMPTY, Some(ordered.head)).unwrap().ok);
    }
}
