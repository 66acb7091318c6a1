//! Importing external credentials: passwords that another directory holds for a
//! device, such as Microsoft Entra's copy.
//!
//! The directory says what it was given; no agent of ours has said what is on the account. The
//! newest password therefore becomes a *pending* record, the earlier ones go into history, and
//! nothing is current. A device that an agent of ours manages is refused: what the agent says is
//! better.
//!
//! The id of such a record follows from what it is about, so that a second run imports only what
//! is new.

use alloc::{format, vec::Vec};

use sha2::{Digest as _, Sha256};

use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::set::MAX_IDS;
use crate::seal::{Header, Record};

use super::audit::Action;
use super::check_ins::sealing;
use super::names::find;
use super::plan::Plan;
use super::rules::Context;
use super::state::{Candidates, Device, Held, Past};
use super::store::Store;
use super::unit::{Rows, Stop};
use super::{Request, Vault, VaultError, name};

const LABEL: &[u8] = b"laps imported v1";

/// One external credential: a password that another directory holds, without the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ExternalCredential {
    /// The account that it is for.
    pub account: AccountName,
    /// Its SID, when the directory knows it.
    pub sid: Option<Sid>,
    /// When the directory was given it.
    pub made_at: Timestamp,
}

impl ExternalCredential {
    /// A password for an account, given to the directory at a time.
    #[must_use]
    pub const fn new(account: AccountName, sid: Option<Sid>, made_at: Timestamp) -> Self {
        Self { account, sid, made_at }
    }
}

/// What another directory says about a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ExternalDevice {
    /// When the device last backed a password up there.
    pub last_seen: Timestamp,
    /// When its password expires.
    pub due: Option<Timestamp>,
}

impl ExternalDevice {
    /// From its parts.
    #[must_use]
    pub const fn new(last_seen: Timestamp, due: Option<Timestamp>) -> Self {
        Self { last_seen, due }
    }
}

impl<S: Store> Vault<S> {
    /// Which of these passwords are new, and under which headers they must be sealed: the position
    /// in `found`, and the header; the oldest first. Nothing when all are known. At most the
    /// newest sixteen are taken.
    ///
    /// # Errors
    /// `AlreadyExists` for a device that an agent manages, and what the store says.
    pub fn external_to_import(
        &self,
        scope: &Scope,
        device: &str,
        found: &[ExternalCredential],
    ) -> Result<Vec<(usize, Header)>, VaultError> {
        self.look(Plan::named(scope, device), |rows| {
            let (name, known) = known(rows, device)?;
            Ok(plan(scope, name, known.as_ref(), found)?)
        })
    }

    /// Imports what [`Vault::external_to_import`] asked for, sealed to exactly the readers of now,
    /// in that order. Answers how many were imported. Without records it only notes what the
    /// directory says about the device.
    ///
    /// # Errors
    /// `AlreadyExists` for a device that an agent manages, `InvalidArgument` for records that are
    /// not those that are wanted now, `NotFound` for a device that is not there and of which
    /// there are none, `ReasonRequired`, and what the store says.
    pub fn import_external(
        &self,
        scope: &Scope,
        device: &str,
        sealed: &[Vec<u8>],
        standing: ExternalDevice,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        let asked = Plan::named(scope, device);
        let attempt = "import external credentials";
        let (count, _) = self.audited(asked, request, device, attempt, now, |rows| {
            let records: Vec<Record> = sealed
                .iter()
                .map(|bytes| Record::parse(bytes).map_err(VaultError::Record))
                .collect::<Result<_, _>>()?;
            let (name, known) = known(rows, device)?;
            let found: Vec<ExternalCredential> = records
                .iter()
                .map(|record| {
                    let header = record.header();
                    ExternalCredential::new(header.account, header.sid, header.made_at)
                })
                .collect();
            let wanted = plan(scope, name, known.as_ref(), &found)?;
            let same = wanted.len() == records.len()
                && wanted.iter().zip(records.iter().enumerate()).all(
                    |((place, header), (at, record))| *place == at && header == record.header(),
                );
            if !same {
                return Err(Stop::Refused(CHANGED));
            }
            let before = known.clone();
            let mut device = match (known, found.last()) {
                (Some(known), _) => known,
                (None, Some(newest)) => Device::first_seen(newest.account, newest.sid, now),
                (None, None) => return Err(Stop::Refused(VaultError::NotFound("device"))),
            };
            if let Some(newest) = found.last() {
                device.managed.name = newest.account;
                device.managed.sid = newest.sid;
            }
            device.managed.report.due = standing.due;
            device.about.last_seen = standing.last_seen;
            let mut readers = rows.readers()?.clone();
            let listed = readers.sets.len();
            let (mut sealed, mut parents) = (Vec::new(), Vec::new());
            for record in &records {
                let header = record.header();
                let mut held = Held::new(header.id, header.version);
                held.stored_at = header.made_at;
                held.original = sealing(record, &mut readers);
                if readers.ids(&held.original.readers) != readers.active_ids() {
                    return Err(Stop::Refused(READERS));
                }
                let digest = held.original.digest;
                sealed.push(((header.id, digest), record.as_bytes().to_vec()));
                parents.extend(header.previous.map(|predecessor| (predecessor, header.id)));
                device.managed.candidates.displace_by(held);
            }
            device.managed.candidates.trim(&Context::new(&readers, now));
            if before.as_ref() != Some(&device) {
                rows.put_records(&name, device, sealed, parents);
            }
            if readers.sets.len() != listed {
                rows.put_readers(readers);
            }
            if !records.is_empty() {
                let mut entry = request.entry(Action::Imported, name.as_str(), now);
                entry.records = records.iter().map(|record| record.header().id).collect();
                entry.detail = format!("{} passwords of another directory", records.len());
                rows.append(entry);
            }
            Ok(records.len())
        })?;
        Ok(count)
    }
}

/// The device under the name that it has, compared without case: the directory may spell it
/// otherwise.
fn known(rows: &Rows, device: &str) -> Result<(DeviceId, Option<Device>), Stop> {
    Ok(match find(rows, device)? {
        Some((name, device)) => (name, Some(device.clone())),
        None => (name(device)?, None),
    })
}

const CHANGED: VaultError = VaultError::InvalidArgument(
    "these are not the passwords that the vault lacks; it may have changed, so ask again",
);
const READERS: VaultError = VaultError::InvalidArgument(
    "not sealed to exactly the readers of the vault; they may have changed, so seal again",
);

impl Candidates {
    /// A newer password of the other directory: what was pending goes to history, displaced when
    /// the newer one was made.
    fn displace_by(&mut self, held: Held) {
        self.highest_version = self.highest_version.max(held.version);
        let at = held.stored_at;
        for past in core::mem::replace(&mut self.pending, [held].into()) {
            self.history.insert(0, Past::new(past, at));
        }
    }
}

fn managed(name: &DeviceId, device: &Device) -> VaultError {
    VaultError::AlreadyExists(format!(
        "device {name} (account {}) is in this vault already, with an agent of its own; passwords \
         of another directory are \
         imported for devices without one",
        device.managed.name
    ))
}

/// The headers of what is new, the oldest first.
fn plan(
    scope: &Scope,
    name: DeviceId,
    known: Option<&Device>,
    found: &[ExternalCredential],
) -> Result<Vec<(usize, Header)>, VaultError> {
    let newest = known.map(|known| newest(scope, &name, known)).transpose()?.flatten();
    let mut order: Vec<(usize, &ExternalCredential)> = found.iter().enumerate().collect();
    order.sort_by_key(|(_, each)| (each.made_at, each.account));
    order.dedup_by_key(|(_, each)| (each.made_at, each.account));
    order.retain(|(_, each)| newest.as_ref().is_none_or(|newest| newest.stored_at < each.made_at));
    let surplus = order.len().saturating_sub(MAX_IDS);
    let mut version = known.map_or(0, |known| known.managed.candidates.highest_version);
    let mut previous = newest.map(|newest| newest.id);
    let mut wanted = Vec::new();
    for (at, each) in order.into_iter().skip(surplus) {
        version = version.checked_add(1).ok_or(VaultError::Internal("versions are used up"))?;
        let id = id(scope, &name, &each.account, each.made_at);
        let header = Header {
            scope: *scope,
            device: name,
            account: each.account,
            sid: each.sid,
            id,
            previous,
            version,
            made_at: each.made_at,
            policy_hash: [0; 32],
        };
        previous = Some(id);
        wanted.push((at, header));
    }
    Ok(wanted)
}

/// The newest record of a device that only ever had passwords of another directory; an error for
/// any other device.
fn newest(scope: &Scope, name: &DeviceId, device: &Device) -> Result<Option<Held>, VaultError> {
    let (candidates, account) = (&device.managed.candidates, &device.managed.name);
    let past = candidates.history.iter().map(|past| &past.held);
    let newest = candidates.pending.iter().chain(past).max_by_key(|held| held.version);
    let ours = |held: &Held| held.id == id(scope, name, account, held.stored_at);
    let spoke = candidates.token.is_some()
        || candidates.current.is_some()
        || device.managed.report.outcome.is_some()
        || candidates.pending.len() > 1
        || !device.former.is_empty()
        || !candidates.pending.iter().all(ours);
    if spoke { Err(managed(name, device)) } else { Ok(newest.cloned()) }
}

fn id(scope: &Scope, device: &DeviceId, account: &AccountName, made_at: Timestamp) -> RecordId {
    let mut hash = Sha256::new();
    hash.update(LABEL);
    for part in [scope.as_str(), device.as_str(), account.as_str()] {
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(made_at.as_unix_seconds().to_be_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    RecordId::from_bytes(id)
}

#[cfg(all(test, feature = "getrandom"))]
mod tests {
    use alloc::boxed::Box;
    use core::error::Error;

    use super::super::{DiscloseOptions, MemoryStore};
    use super::*;
    use crate::random::Generator;
    use crate::seal::{ReaderKey, Suite};
    use crate::secret::Password;
    use crate::vault::Retention;
    use crate::vault::{CandidateState, DeviceStatus};

    const WHO: Request<'_> = Request::new("alice", "the move from Entra");
    const DAY: u64 = 86_400;
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
    const SEEN: ExternalDevice = ExternalDevice::new(NOW, Some(NOW.plus(9 * DAY)));

    type Done<T = ()> = Result<T, Box<dyn Error>>;

    struct Fixture {
        vault: Vault<MemoryStore>,
        key: ReaderKey,
    }

    impl Fixture {
        fn new() -> Done<Self> {
            let mut rng = Generator::from_system()?;
            let key = ReaderKey::generate(Suite::X25519, "ann", &mut rng)?;
            let vault = Vault::from_system(MemoryStore::new());
            let readers = [key.reader().clone()];
            vault.initialise(&Scope::EMPTY, &readers, Retention::count(2), &WHO, NOW)?;
            Ok(Self { vault, key })
        }

        fn seal(&self, found: &[ExternalCredential]) -> Done<Vec<Vec<u8>>> {
            let mut rng = Generator::from_system()?;
            let mut sealed = Vec::new();
            for (at, header) in self.vault.external_to_import(&Scope::EMPTY, "pc-1", found)? {
                let made_at = found.get(at).ok_or("not offered")?.made_at;
                let day = made_at.as_unix_seconds().div_euclid(DAY);
                let password = Password::try_from_str(&format!("of day {day}"))?;
                let readers = [self.key.reader().clone()];
                let record = Record::seal(&header, &password, &readers, &mut rng)?;
                sealed.push(record.as_bytes().to_vec());
            }
            Ok(sealed)
        }

        fn import(&self, sealed: &[Vec<u8>]) -> Result<usize, VaultError> {
            self.vault.import_external(&Scope::EMPTY, "pc-1", sealed, SEEN, &WHO, NOW)
        }

        fn revealed(&self) -> Done<Vec<(u64, CandidateState, alloc::string::String)>> {
            let options = DiscloseOptions::default().with_history();
            let found = self.vault.disclose(&Scope::EMPTY, "pc-1", &WHO, options, NOW)?;
            let mut shown = Vec::new();
            for each in found.candidates {
                let password = self.key.open(&Record::parse(&each.sealed)?)?.password;
                shown.push((each.version, each.state, password.expose_secret().into()));
            }
            Ok(shown)
        }
    }

    fn found(days: &[u64]) -> Done<Vec<ExternalCredential>> {
        let account = AccountName::new("LapsAdmin")?;
        let at = |day: &u64| Timestamp::from_unix_seconds(day * DAY);
        Ok(days.iter().map(|day| ExternalCredential::new(account, None, at(day))).collect())
    }

    #[test]
    fn only_what_is_new_is_taken_in_and_the_newest_is_pending() -> Done {
        let fixture = Fixture::new()?;
        let first = found(&[20_000, 19_990, 19_980])?;
        assert_eq!(fixture.import(&fixture.seal(&first)?)?, 3);
        let (pending, history) = (CandidateState::Pending, CandidateState::History);
        let shown = |version, state, day: u64| (version, state, format!("of day {day}"));
        assert_eq!(
            fixture.revealed()?,
            [shown(3, pending, 20_000), shown(2, history, 19_990), shown(1, history, 19_980)]
        );
        let row = fixture.vault.show(&Scope::EMPTY, "pc-1")?;
        assert_eq!((row.state, row.expires), (DeviceStatus::Pending, SEEN.due));
        assert_eq!(row.updated, Some(first[0].made_at));
        // Again: nothing is new, and nothing is in the audit log.
        let head = fixture.vault.audit_head(&Scope::EMPTY)?;
        assert_eq!(fixture.seal(&first)?, Vec::<Vec<u8>>::new());
        assert_eq!(fixture.import(&[])?, 0);
        assert_eq!(fixture.vault.audit_head(&Scope::EMPTY)?, head);
        // One more there: one more here. History has its setting, and what falls out of it is gone.
        let more = found(&[20_030, 20_000, 19_990, 19_980])?;
        assert_eq!(fixture.import(&fixture.seal(&more)?)?, 1);
        assert_eq!(
            fixture.revealed()?,
            [shown(4, pending, 20_030), shown(3, history, 20_000), shown(2, history, 19_990)]
        );
        assert_eq!(fixture.seal(&more)?.len(), 0);
        assert!(fixture.vault.audit_verify(&Scope::EMPTY, None)?.ok);
        Ok(())
    }

    #[test]
    fn nothing_else_than_what_was_asked_for_is_taken_in() -> Done {
        let fixture = Fixture::new()?;
        let sealed = fixture.seal(&found(&[20_000, 19_990])?)?;
        let reversed: Vec<_> = sealed.iter().rev().cloned().collect();
        assert_eq!(fixture.import(&reversed), Err(CHANGED));
        assert_eq!(fixture.import(&[]), Err(VaultError::NotFound("device")));
        assert_eq!(fixture.import(&[sealed[0].clone(), sealed[0].clone()]), Err(CHANGED));
        // A record that some device made: its id is drawn, not derived.
        let mut header = *Record::parse(&sealed[0])?.header();
        header.id = RecordId::from_bytes([7; 16]);
        let mut rng = Generator::from_system()?;
        let password = Password::try_from_str("Secret")?;
        let readers = [fixture.key.reader().clone()];
        let drawn = Record::seal(&header, &password, &readers, &mut rng)?.as_bytes().to_vec();
        assert_eq!(fixture.import(&[drawn]), Err(CHANGED));
        // The readers changed in the meantime.
        let next = ReaderKey::generate(Suite::X25519, "bob", &mut rng)?;
        fixture.vault.add_reader(&Scope::EMPTY, next.reader(), &WHO, NOW)?;
        assert_eq!(fixture.import(&sealed), Err(READERS));
        assert_eq!(fixture.vault.show(&Scope::EMPTY, "pc-1"), Err(VaultError::NotFound("device")));
        Ok(())
    }

    #[test]
    fn a_device_with_an_agent_is_left_alone() -> Done {
        let fixture = Fixture::new()?;
        let name = DeviceId::new("pc-1")?;
        let account = AccountName::new("Admin")?;
        let agents = [
            Candidates { token: Some([1; 16]), ..Candidates::default() },
            Candidates {
                current: Some(Held::new(RecordId::from_bytes([2; 16]), 1)),
                ..Candidates::default()
            },
            Candidates {
                pending: [Held::new(RecordId::from_bytes([3; 16]), 1)].into(),
                ..Candidates::default()
            },
        ];
        for candidates in agents {
            let mut device = Device::first_seen(account, None, NOW);
            device.managed.candidates = candidates;
            let planned = plan(&Scope::EMPTY, name, Some(&device), &found(&[20_000])?);
            assert_eq!(planned, Err(managed(&name, &device)));
            let said = format!("{}", managed(&name, &device));
            assert!(said.contains("pc-1") && said.contains("Admin"), "{said}");
        }
        assert_eq!(fixture.seal(&found(&[20_000])?)?.len(), 1);
        Ok(())
    }

    #[test]
    fn two_accounts_and_repeated_answers_are_told_apart() -> Done {
        let fixture = Fixture::new()?;
        let mut all = found(&[20_000, 20_000, 19_990])?;
        all[2].account = AccountName::new("Administrator")?;
        assert_eq!(fixture.import(&fixture.seal(&all)?)?, 2);
        assert_eq!(fixture.vault.show(&Scope::EMPTY, "pc-1")?.account.as_str(), "LapsAdmin");
        let days: Vec<u64> = (20_001..20_040).collect();
        let many = found(&days)?;
        assert_eq!(fixture.seal(&many)?.len(), MAX_IDS);
        Ok(())
    }
}
