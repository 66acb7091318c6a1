//! The vault behind a server. Only in the full build.
#![cfg(feature = "vault")]

mod apart;
pub mod audit;
pub mod check_ins;
pub mod copies;
pub mod devices;
pub mod disclosure;
pub mod external;
pub mod lifecycle;
pub mod observed;
pub mod orders;
pub mod readers;
pub mod receipt;
pub mod resealing;
pub mod watched;

use core::ffi::c_char;
use core::sync::atomic::{AtomicU64, Ordering};

use laps_core::error::Code;
use laps_core::identity::{Scope, Timestamp};
use laps_core::rotation::message::AuditHead;
use laps_core::seal::Reader;
use laps_core::vault::Retention;
use laps_core::vault::{Confirmation, DiscloseOptions, Request, Selection, Vault};
use laps_host::observed::Observations;
use laps_host::sqlite::{self, SqliteStore};

use self::disclosure::laps_disclosure;
use crate::bytes::laps_bytes;
use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::reader::laps_reader;
use crate::status::{answer, laps_status, value};

/// A vault file: sealed records, their history, orders to rotate, the audit trail. It holds no key
/// that opens a password. Threads may share it.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_vault {
    poison: Poison,
    /// No other vault of this process has it, also none that comes to lie where this one was.
    number: u64,
    pub(crate) scope: Scope,
    pub(crate) vault: Vault<SqliteStore>,
    context: String,
    observations: Observations,
}
object!(laps_vault);

impl laps_vault {
    /// Who asks and why, with what the program said about itself.
    fn request<'a>(&'a self, actor: &'a str, reason: &'a str) -> Request<'a> {
        Request::new(actor, reason).with_context(&self.context)
    }
}

/// How many vaults were opened.
static MADE: AtomicU64 = AtomicU64::new(0);

fn boxed(scope: Scope, vault: Vault<SqliteStore>) -> Box<laps_vault> {
    let observations = Observations::new();
    let vault = vault.with_observer(observations.observer());
    let (poison, context) = (Poison::default(), String::new());
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    Box::new(laps_vault { poison, number, scope, vault, context, observations })
}

/// Makes a vault file with its first readers, 1 to 16 of one suite. actor goes into its audit
/// trail. The scope is empty where there is one tenant; laps_vault_initialise() sets up another.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_init(
    path: *const c_char,
    path_len: usize,
    scope: *const c_char,
    scope_len: usize,
    readers: *const *const laps_reader,
    reader_count: usize,
    actor: *const c_char,
    actor_len: usize,
    now: u64,
    out_vault: *mut *mut laps_vault,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (path, scope, readers, actor, out) = unsafe {
            (
                pointer::text(path, path_len, "path")?,
                pointer::text(scope, scope_len, "scope")?,
                pointer::objects(readers, reader_count, "readers")?,
                pointer::text(actor, actor_len, "actor")?,
                Out::new(out_vault, "out_vault")?,
            )
        };
        if readers.is_empty() {
            let message = "a vault needs at least one reader";
            return Err(Failure::new(Code::InvalidArgument, &message));
        }
        let (scope, now) = (Scope::new(scope)?, Timestamp::from_unix_seconds(now));
        let readers: Vec<Reader> = readers.iter().map(|reader| reader.reader.clone()).collect();
        let request = Request::new(actor, "set up");
        let history = Retention::default();
        let vault = sqlite::init_vault(path.as_ref(), &scope, &readers, history, &request, now)?;
        out.give(boxed(scope, vault));
        Ok(())
    })
}

/// Opens a vault file. An older schema is refused, never changed; so is a file that others can
/// read, one with two names, and one on a network file system. Once the file or its log was removed
/// or replaced, every call on it is LAPS_STATUS_UNREACHABLE for good: free it and open it again.
/// One on read-only media, and a published snapshot, can be read only.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_open(
    path: *const c_char,
    path_len: usize,
    scope: *const c_char,
    scope_len: usize,
    out_vault: *mut *mut laps_vault,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (path, scope, out) = unsafe {
            (
                pointer::text(path, path_len, "path")?,
                pointer::text(scope, scope_len, "scope")?,
                Out::new(out_vault, "out_vault")?,
            )
        };
        let scope = Scope::new(scope)?;
        out.give(boxed(scope, Vault::from_system(SqliteStore::open(path)?)));
        Ok(())
    })
}

/// Says what the program knows about where its requests come from (user, host, process): at most
/// 1024 bytes. It goes into the audit trail beside actor and reason, from now on. Empty at first.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_set_context(
    vault: *mut laps_vault,
    context: *const c_char,
    context_len: usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut vault, context) = unsafe {
            (pointer::exclusive(vault)?, pointer::text(context, context_len, "context")?)
        };
        Request::new("a", "b").with_context(context).check()?;
        context.clone_into(&mut vault.context);
        Ok(())
    })
}

/// Takes a check-in and makes its answer. device is the one that you authenticated; a message that
/// names another is refused. laps_vault_check_in_many() takes many at once.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_check_in(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    bytes: *const u8,
    bytes_len: usize,
    now: u64,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, bytes, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::bytes(bytes, bytes_len, "bytes")?,
                Out::new(out_bytes, "out_bytes")?,
            )
        };
        let now = Timestamp::from_unix_seconds(now);
        out.give(laps_bytes::boxed(vault.vault.check_in(&vault.scope, device, bytes, now)?));
        Ok(())
    })
}

/// Orders a new password for a device; it obeys at its next check-in. actor and reason go into the
/// audit trail. laps_vault_order_devices() is for several.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_order_rotation(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let ordered = vault.vault.order_rotation(
            &vault.scope,
            Selection::Devices(&[device]),
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, ordered);
        Ok(())
    })
}

/// Gives out the sealed records of a device. The audit entry with actor and reason is durable
/// before it answers. rotate_after is the seconds after which the device gets a new password, 0 for
/// the setting of the vault.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_disclose(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    history: bool,
    rotate_after: u64,
    now: u64,
    out_disclosure: *mut *mut laps_disclosure,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_disclosure, "out_disclosure")?,
            )
        };
        let mut options = DiscloseOptions::default();
        if history {
            options = options.with_history();
        }
        if rotate_after > 0 {
            options = options.with_rotation_after(rotate_after);
        }
        let disclosure = vault.vault.disclose(
            &vault.scope,
            device,
            &vault.request(actor, reason),
            options,
            Timestamp::from_unix_seconds(now),
        )?;
        out.give(laps_disclosure::boxed(receipt::keep(&vault, disclosure)));
        Ok(())
    })
}

/// Verifies the audit trail. expect is a head from before, such as laps_disclosure_head() gave, or
/// empty. LAPS_STATUS_AUDIT_BROKEN when an entry was changed, removed, moved or cut off; the last
/// error says which, and laps_vault_audit_report() as a number.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_audit_verify(
    vault: *const laps_vault,
    expect: *const c_char,
    expect_len: usize,
    out_entries: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, expect, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(expect, expect_len, "expect")?,
                Out::new(out_entries, "out_entries")?,
            )
        };
        let expect = if expect.is_empty() { None } else { Some(head(expect)?) };
        let report = vault.vault.audit_verify(&vault.scope, expect)?;
        if !report.ok {
            let message = report.first_bad.map_or_else(
                || "that head is not in the audit log".to_owned(),
                |entry| format!("the audit log does not verify at entry {entry}"),
            );
            return Err(Failure::new(Code::AuditBroken, &message));
        }
        out.set(report.entries);
        Ok(())
    })
}

/// Closes a vault.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_free(vault: *mut laps_vault) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(vault) };
        Ok(())
    });
}

/// Whether the explicit word was said.
const fn confirmation(given: bool) -> Confirmation {
    if given { Confirmation::Given } else { Confirmation::NotGiven }
}

fn head(text: &str) -> Result<AuditHead, Failure> {
    text.parse().map_err(|error| Failure::new(Code::InvalidArgument, &error))
}
