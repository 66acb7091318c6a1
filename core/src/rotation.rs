//! Rotation: replacing a password in journalled steps, so that no crash, refusal or lost message
//! can lose it.
//!
//! [`Rotation`] decides; a *driver* touches the machine. The machine has no clock, no randomness,
//! no heap, and holds neither password nor record.
//!
//! # The one invariant
//!
//! *The account is changed only to the password of a record that the vault has acknowledged, after
//! a journal is durable that names every record whose password the account may hold from then on;
//! and a record leaves that may-hold set only when the account was seen not to hold it, or the
//! vault has acknowledged the commit of another that the account was seen (or, where the platform
//! cannot verify, reported) to hold.*
//!
//! # The driver's loop
//!
//! 1. Take the agent lock, then the setter lock (protocol §2.9). Read the account's change stamp.
//!    Read the journal file.
//! 2. [`Rotation::resume`] with the journal, or [`Rotation::new`] where there is none or it is
//!    damaged.
//! 3. Tell the uses of the account since [`Rotation::used_since`] with `handle_used`, where the
//!    platform knows them.
//! 4. Drain [`Rotation::poll_event`] into the log. Tell [`Rotation::handle_readers`] whom the next
//!    password is sealed to: at the start, when [`Rotation::holds`] or the readers are others than
//!    before.
//! 5. Perform the effect of [`Rotation::poll`], then report the input event that belongs to it:
//!
//! - `Wipe`: overwrite the password in memory. Then `handle_wiped`.
//! - `Save`: `journal(&mut buffer)`; write it and the records of `retained()` as one file:
//!   temporary file, fsync, rename, fsync of the folder. Then `handle_saved`,
//!   `handle_save_failed`.
//! - `LookUp`: look the account up, read its change stamp; when its name or SID is news,
//!   `handle_config` first. Then `handle_account`.
//! - `CheckIn`: draw a nonce; `check_in(nonce, &mut buffer)`; append the records of `offers()`;
//!   send; wait. Then `handle_answer`; `handle_check_in_failed` when none came or it was
//!   refused.
//! - `Prepare`: mix fresh bytes of the operating system into the generator (two machines
//!   started from one snapshot must not repeat each other); draw an id; make a password; read
//!   the change stamp; seal with `account()`, `sid()`, this version and predecessor. Then
//!   `handle_prepared`, `handle_prepare_failed`.
//! - `ReadChangeStamp`: read the change stamp: before the account is changed, after it was, and
//!   when it does not say what a try did. Then `handle_change_stamp`.
//! - `Apply`: run the setter for `account()`. Then `handle_applied`.
//! - `Verify`: ask the account. Then `handle_verified`.
//! - `Act`: warn, sign out, terminate, restart. Then `handle_acted`.
//! - `WaitUntil`: sleep until then, or until a use, an order to stop, a new policy, a forced
//!   run. Then `handle_timeout` (`handle_used`, `handle_config`, `force`).
//!
//! 6. Go to 4. A single run ends at the first `WaitUntil`.
//!
//! An input event that was not asked for is refused with [`RotationError::UnexpectedEvent`] and
//! changes nothing: poll again. These may come at any time: `handle_timeout`, `handle_used`,
//! `handle_config`, `handle_account`, `handle_readers`, `acknowledge_log`,
//! `handle_check_in_failed`, `handle_save_failed`, `force`, `skip_back_off`, and `check_in` without
//! that effect where no journal is to be saved and no account is being changed.
//!
//! # The loop as code
//!
//! A device whose account and journal are variables. A real driver makes each step durable, and has
//! an account, a clock and a channel in their place; `laps_host::agent` is one.
//!
//! ```
//! # #[cfg(all(feature = "vault", feature = "getrandom"))] {
//! use std::collections::BTreeMap;
//!
//! use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
//! use laps_core::policy::Policy;
//! use laps_core::random::Generator;
//! use laps_core::rotation::message::{MAX_HEAD, record_prefix};
//! use laps_core::rotation::{
//!     AccountSeen, Acted, Applied, Config, Effect, MAX_JOURNAL, Rotation, Verified,
//! };
//! use laps_core::seal::{Header, ReaderKey, Record, Suite};
//! use laps_core::vault::{MemoryStore, Vault};
//!
//! let now = Timestamp::from_unix_seconds(1_800_000_000);
//! let (scope, device) = (Scope::EMPTY, DeviceId::new("PC-0042")?);
//! let mut generator = Generator::from_system()?;
//! let key = ReaderKey::generate(Suite::X25519, "Helpdesk", &mut generator)?;
//! let vault = Vault::from_system(MemoryStore::new());
//! let recipe = Policy::default().recipe()?;
//!
//! let mut account = String::from("what the account had before");
//! let (mut password, mut records) = (None, BTreeMap::new());
//! let mut file = [0; MAX_JOURNAL];
//! let config = Config::new(scope, device, AccountName::new("Admin")?, None);
//! let mut rotation = Rotation::new(config, now)?;
//! loop {
//!     while let Some(event) = rotation.poll_event() {
//!         println!("{}", event.kind.name());
//!     }
//!     match rotation.poll() {
//!         Effect::Save => {
//!             rotation.journal(&mut file)?; // with the records of `retained()`, and synced
//!             rotation.handle_saved()?;
//!         }
//!         Effect::LookUp => {
//!             rotation.handle_account(AccountSeen::Present { change_stamp: None }, now);
//!         }
//!         Effect::CheckIn => {
//!             let (mut nonce, mut head) = ([0; 16], [0; MAX_HEAD]);
//!             generator.fill(&mut nonce)?;
//!             let length = rotation.check_in(nonce, &mut head)?;
//!             let mut message = head[..length].to_vec();
//!             for id in rotation.offers().iter() {
//!                 let record: &Vec<u8> = &records[&id];
//!                 message.extend(record_prefix(record)?);
//!                 message.extend(record);
//!             }
//!             let answer = vault.check_in(&scope, device.as_str(), &message, now)?;
//!             rotation.handle_answer(&answer, now, 0)?;
//!         }
//!         Effect::Prepare { previous, version } => {
//!             let id = RecordId::generate(&mut generator)?;
//!             let header = Header {
//!                 scope,
//!                 device,
//!                 account: *rotation.account(),
//!                 sid: rotation.sid(),
//!                 id,
//!                 previous,
//!                 version,
//!                 made_at: now,
//!                 policy_hash: Policy::default().hash(),
//!             };
//!             let made = recipe.generate(&mut generator)?;
//!             let readers = [key.reader().clone()];
//!             let record = Record::seal(&header, &made, &readers, &mut generator)?;
//!             records.insert(id, record.as_bytes().to_vec());
//!             password = Some(made);
//!             rotation.handle_prepared(id, version, None, now)?;
//!         }
//!         Effect::ReadChangeStamp => rotation.handle_change_stamp(None, now, 0)?,
//!         Effect::Apply { .. } => {
//!             account = password.as_ref().map_or("", |made| made.expose_secret()).to_owned();
//!             rotation.handle_applied(Applied::Success, now)?;
//!         }
//!         Effect::Verify { .. } => {
//!             let same = password.as_ref().is_some_and(|made| made.expose_secret() == account);
//!             let verified = if same { Verified::Match } else { Verified::Mismatch };
//!             rotation.handle_verified(verified, now, 0)?;
//!         }
//!         Effect::Wipe => {
//!             password = None; // a dropped password is wiped
//!             rotation.handle_wiped()?;
//!         }
//!         Effect::Act(_) => rotation.handle_acted(Acted::NotSupported, now)?,
//!         Effect::WaitUntil(_) => break,
//!     }
//! }
//!
//! // The account has a password that the vault cannot read, and the reader can.
//! assert_eq!(rotation.status().version, 1);
//! let record = Record::parse(&records[&rotation.holds().ok_or("nothing is held")?])?;
//! assert_eq!(key.open(&record)?.password.expose_secret(), account);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The states
//!
//! - Starting, an answer → Settled, or Committing when the journal says so
//! - Settled, the account is missing → Settled: nothing is made until it is there; then a
//!   rotation is due
//! - Settled, another change stamp than the one left → Settled: a rotation is due
//! - Settled, a rotation is due, prepared → `BackingUp`: save, then check in; of sixteen
//!   records that may be held the oldest leaves the journal
//! - `BackingUp`, answer: stored → read the change stamp
//! - `BackingUp`, answer: stale → Settled: wipe, ruled out on word, prepare again above the
//!   vault's version
//! - `BackingUp`, answer: full, unreadable → Settled: wipe, ruled out on word, report, back
//!   off; other readers end the back-off
//! - `BackingUp`, fifteen minutes passed → Starting: wipe, ruled out
//! - `BackingUp`, started again, change stamp as recorded → Starting: ruled out
//! - `BackingUp`, started again, change stamp changed or none → Starting: joins the may-hold
//!   set
//! - `BackingUp`, the change stamp → Applying: joins the may-hold set, then apply; the journal
//!   of `BackingUp` says enough
//! - Applying, applied, whatever the outcome → Verifying: ask the account; where it cannot be
//!   asked, or does not answer, read the change stamp
//! - Applying, started again, change stamp unchanged → Starting: ruled out
//! - Applying, started again, change stamp changed or none → Starting: both ids stay
//! - Verifying, match → Committing: wipe, read the change stamp, save, check in
//! - Verifying, mismatch, or change stamp unchanged: after a refusal, or the third try →
//!   Settled: ruled out; a refusal by the password policy prepares another
//! - Verifying, mismatch, or change stamp unchanged: otherwise → apply again
//! - Verifying, change stamp changed or none, cannot verify, success → Committing, unverified
//! - Verifying, no change stamp, the store says that it set nothing → Settled: ruled out on
//!   word
//! - Verifying, change stamp changed or none, otherwise → apply again, three times in all; then
//!   Settled, both ids stay
//! - Committing, answer: acknowledged → Settled: the due date moves, every cause ends, save
//! - Committing, answer: lacking → check in with the record, commit again
//! - Committing, answer: stale token → check in with the new token, commit again
//! - Committing, started again → Committing
//!
//! A rotation that ends without a commit is reported to the vault in the same run.
//!
//! `core/tests/rotation/table.rs` reports every input event in every state;
//! `core/exploration` visits every reachable state of this machine and the vault's rules under
//! faults.
//!
//! # Decisions
//!
//! - *A journal in `BackingUp` and no change stamp*: the id joins the may-hold set. An older
//!   journal may have been put back, and then the account may hold it.
//! - *A forced run* while a new password is being set is served by that password. A policy that
//!   changed meanwhile is served by another.
//! - *Causes, waits and runs*: see `causes.rs`. *The account, the readers and the vault's log*: see
//!   `look.rs`.
//! - *More than sixteen records may be held*: the oldest that the vault has leaves the journal, and
//!   a new one is tried once a day. No hand repairs it.
//! - *Another account is to be managed*: not before the vault has every record that the former one
//!   may hold. Then all that is about it is forgotten.
//! - *A change stamp that did not change after a success* that nobody could verify: nothing was
//!   set.
//! - *A store that says "no such account" when it is to set*: believed as a refusal is. Only a look
//!   makes an account missing.
//! - *Readers whom the vault says that it removed*: an event, for people. A device never changes
//!   its readers on a vault's word.
//! - *Clock*: see `clock.rs`. *Uses of the account*: see `after_use.rs`.
//! - *A fleet enrolled within an hour*: due dates are spread over the jitter's window. `FLEET.md`
//!   beside this file has the load, hour by hour.
//!
//! # The modules
//!
//! | module | what it holds |
//! |---|---|
//! | [`message`] | the check-in and its answer: bytes that device and vault exchange |
//! | [`event`] | what a step reports: names, Windows' ids, reasons |
//! | [`set`] | small sorted sets of record ids |

#[cfg(all(test, feature = "vault", feature = "getrandom"))]
#[path = "../exploration/administration/administration.rs"]
mod administration;
mod after_use;
mod causes;
mod clock;
mod config;
mod effect;
pub mod event;
mod exchange;
#[cfg(all(test, feature = "vault", feature = "getrandom"))]
#[path = "../exploration/faults/exploration.rs"]
mod exploration;
mod journal;
mod log;
mod look;
mod machine;
pub mod message;
mod orders;
mod passage;
mod saving;
mod schedule;
#[cfg(all(test, feature = "vault", feature = "getrandom"))]
#[path = "../exploration/search.rs"]
mod search;
pub mod set;
mod steps;
mod talk;
#[cfg(test)]
mod vectors;
mod wait;
mod wire;

pub use config::{Config, DAY, FollowUp};
pub use effect::{AccountSeen, Acted, Action, Applied, Effect, RotationError, Verified};
pub use journal::{AuditFinding, MAX_JOURNAL};
pub use machine::{Rotation, State, Status};
pub use wait::Waits;
