//! Orders to rotate (protocol §3.6): for some devices, all, the overdue ones, or those of which
//! somebody was shown something.

use alloc::{collections::BTreeSet, format, string::ToString as _, vec::Vec};

use crate::identity::{DeviceId, Scope, Timestamp};

use super::accessed::Accessed;
use super::audit::{Action, quoted};
use super::disclosure::MAX_ACTOR;
use super::names::{find, locate};
use super::plan::{DeviceRange, Plan, Want};
use super::rows::Ordered;
use super::store::Store;
use super::unit::{Appended, Rows, Stop};
use super::{Observed, Request, Selection, Vault, VaultError, Who, name};

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
                let range = DeviceRange::by_name(None, PAGE);
                self.order_pages(scope, "all devices", None, request, now, range)
            }
            Selection::Overdue => {
                let range = DeviceRange::ByDue { until: now, after: None, limit: PAGE };
                self.order_pages(scope, "overdue devices", None, request, now, range)
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
        let mut seen = BTreeSet::new();
        let devices: Vec<&str> =
            devices.iter().copied().filter(|device| seen.insert(*device)).collect();
        let wanted = OrderSubject { what: "", accessed: None, strict: true };
        let plan = plan_of(scope, &devices);
        let (ordered, appended) =
            self.audited(plan, request, device, "order rotations", now, |rows| {
                if devices.is_empty() {
                    return Err(Stop::Refused(VaultError::InvalidArgument("no device was named")));
                }
                order(rows, &devices, &wanted, request, now)
            })?;
        report(ordered, &appended)
    }

    /// Orders page by page, from this one on.
    fn order_pages(
        &self,
        scope: &Scope,
        what: &str,
        accessed: Option<&Accessed>,
        request: &Request<'_>,
        now: Timestamp,
        mut range: DeviceRange,
    ) -> Result<Ordered, VaultError> {
        let mut devices = 0_u64;
        let wanted = OrderSubject { what, accessed, strict: false };
        loop {
            let plan = Plan::page(scope, &range);
            let ((next, ordered), appended) =
                self.audited(plan, request, "", "order rotations", now, |rows| {
                    let page = rows.names(&range)?;
                    let last = page.last().filter(|_| page.len() >= PAGE);
                    let next = match (last, &range) {
                        (None, _) => None,
                        (Some(last), DeviceRange::ByName { .. }) => {
                            Some(DeviceRange::by_name(Some(last.as_str()), PAGE))
                        }
                        // Where nothing says at which place the next page begins, there is none:
                        // better than the first one again.
                        (Some(last), DeviceRange::ByDue { until, limit, .. }) => {
                            let place = rows.stored(last)?.due_place();
                            let (until, limit) = (*until, *limit);
                            place.map(|place| DeviceRange::ByDue {
                                until,
                                after: Some(place),
                                limit,
                            })
                        }
                    };
                    let names: Vec<&str> = page.iter().map(DeviceId::as_str).collect();
                    Ok((next, order(rows, &names, &wanted, request, now)?))
                })?;
            devices = devices.saturating_add(ordered);
            match next {
                Some(next) => range = next,
                None => return report(devices, &appended),
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
        // Others disclose beside this: the entry says how far the log was read.
        let what = format!("what {name} was shown since {since}, by entry {}", accessed.last);
        let Some(devices) = accessed.devices() else {
            let range = DeviceRange::by_name(None, PAGE);
            return self.order_pages(scope, &what, Some(&accessed), request, now, range);
        };
        let wanted = OrderSubject { what: &what, accessed: Some(&accessed), strict: false };
        let mut total = 0_u64;
        let mut pages = devices.chunks(PAGE);
        let mut page: &[&str] = pages.next().unwrap_or_default();
        loop {
            let plan = plan_of(scope, page);
            let (ordered, appended) =
                self.audited(plan, request, "", "order rotations", now, |rows| {
                    order(rows, page, &wanted, request, now)
                })?;
            total = total.saturating_add(ordered);
            match pages.next() {
                Some(next) => page = next,
                None => return report(total, &appended),
            }
        }
    }

    /// Whether an order to rotate is open for a device, also one that waits for a retired device.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub fn is_ordered(&self, scope: &Scope, device: &str) -> Result<bool, VaultError> {
        self.look(Plan::named(scope, device), |rows| {
            let (_, found) = locate(rows, device)?;
            Ok(!found.managed.candidates.orders.is_empty())
        })
    }
}

/// These devices.
fn plan_of(scope: &Scope, devices: &[&str]) -> Plan {
    let names = devices.iter().filter_map(|device| name(device).ok());
    Plan { scope: *scope, wants: names.map(Want::Device).collect() }
}

/// So many devices were ordered, with the last entry.
fn report(devices: u64, appended: &Appended) -> Result<Ordered, VaultError> {
    let head = appended.head()?;
    Ok(Ordered { devices, entry: head.length, head })
}

/// What an order is about.
struct OrderSubject<'a> {
    /// As the entry says it; empty for devices that were named.
    what: &'a str,
    /// Only devices that may have one of these passwords.
    accessed: Option<&'a Accessed>,
    /// Whether a device that cannot be ordered makes all of it fail.
    strict: bool,
}

/// One page of orders, with its entry; on how many devices.
fn order(
    rows: &mut Rows,
    names: &[&str],
    wanted: &OrderSubject<'_>,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<u64, Stop> {
    let &OrderSubject { what, accessed, strict } = wanted;
    let mut devices = 0_u64;
    let mut named = Vec::new();
    for device in names {
        let (name, known) = match find(rows, device) {
            Ok(Some(found)) if !found.1.managed.candidates.is_empty() => found,
            Ok(found) if strict => {
                let (device, known) = ((*device).to_string(), found.is_some());
                return Err(Stop::Refused(VaultError::NoSuchDevice { device, known }));
            }
            // A damaged device does not keep the others from being ordered.
            Ok(_) | Err(Stop::Refused(VaultError::Damaged { .. })) if !strict => continue,
            Err(stop) => return Err(stop),
            Ok(_) => continue,
        };
        if accessed.is_some_and(|accessed| !accessed.has_one_of(known, now)) {
            continue;
        }
        let mut known = known.clone();
        // The order names all that the device may hold, as soon as one of it was shown.
        if known.managed.candidates.order_all(now, 0) {
            rows.put_device(&name, known);
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
    rows.append(entry);
    Ok(devices)
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
        let append = |rows: &mut Rows| {
            rows.append(earlier.clone());
            Ok(())
        };
        vault.run(&Plan::of(&Scope::EMPTY), Durability::Durable, append).unwrap();
        let since = Timestamp::from_unix_seconds(1_799_990_000);
        let selection = Selection::RevealedBy { who: Who::Caller("bob"), since };
        let ordered = vault.order_rotation(&Scope::EMPTY, selection, &WHO, now).unwrap();
        let entries = vault.audit_entries(&Scope::EMPTY, 0, 10).unwrap();
        let details: Vec<String> =
            entries.into_iter().map(|stored| stored.entry.unwrap().detail).collect();
        assert_eq!(details[1], earlier.detail);
        assert_eq!(
            details[2],
            "what bob was shown since 2027-01-15T05:13:20Z, by entry 2: 0 devices"
        );
        assert!(vault.audit_verify(&Scope::EMPTY, Some(ordered.head)).unwrap().ok);
    }
}
