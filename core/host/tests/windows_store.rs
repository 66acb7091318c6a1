//! The Windows store against the four accounts of `windows/netapi32.c`, which Wine loads in place
//! of its own (`tests/windows.sh`).
//!
//! How far Wine carries: the registry is whole, so standing aside is real. Accounts are the shim's:
//! structures and return values come from mingw's headers. Wine's `LogonUserW` says yes to
//! everybody, so verification is only called, not judged; sessions, processes of others and
//! restarts are not exercised at all.
#![cfg(windows)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use laps_core::account::LocalAccount;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::refusal::parse_demands;
use laps_core::secret::Password;
use laps_host::account::setter::SetterLock;
use laps_host::account::windows::WindowsStore;
use laps_host::account::{AccountStore as _, StoreError, Verification};

const ROOT: &str = r"HKLM\Software\Microsoft\Policies\LAPS";
const LEGACY: &str = r"HKLM\Software\Policies\Microsoft Services\AdmPwd";
const PASSWORD: &str = "Aa1!\u{e4}\u{20ac}\u{1f511}bcdefg";

/// The registry is everybody's: one test at a time, from an empty one.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    clear();
    turn
}

fn name(text: &str) -> AccountName {
    AccountName::new(text).unwrap()
}

fn find(text: &str) -> Result<LocalAccount, StoreError> {
    WindowsStore::new().find(&name(text))
}

fn set(account: &LocalAccount) -> Result<(), StoreError> {
    let password = Password::try_from_str(PASSWORD).unwrap();
    WindowsStore::new().set(account, &password, &mut SetterLock::unlocked())
}

fn stands_aside(text: &str) -> bool {
    let found = matches!(find(text), Err(StoreError::ManagedElsewhere(_)));
    // A policy that comes between finding and setting is seen too.
    let sid = if text.is_empty() { "S-1-5-21-1-2-3-500" } else { "S-1-5-21-1-2-3-1001" };
    let account = LocalAccount {
        name: name(if text.is_empty() { "Verwalter" } else { text }),
        sid: Some(sid.parse().unwrap()),
        enabled: true,
    };
    assert_eq!(matches!(set(&account), Err(StoreError::ManagedElsewhere(_))), found);
    found
}

fn add(root: &str, name: &str, kind: &str, value: &str) {
    let arguments = ["add", root, "/v", name, "/t", kind, "/d", value, "/f", "/reg:64"];
    let output = Command::new("reg").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn clear() {
    for root in [ROOT, LEGACY] {
        let _gone = Command::new("reg").args(["delete", root, "/f", "/reg:64"]).output();
    }
}

#[test]
fn accounts_are_found_by_name_and_by_rid_500() {
    let _turn = alone();
    let builtin = find("").unwrap();
    assert_eq!((builtin.name.as_str(), builtin.enabled), ("Verwalter", false));
    assert_eq!(builtin.sid.unwrap().to_string(), "S-1-5-21-1-2-3-500");
    // A disabled account gives no answer that could be waited for.
    let unused = Password::try_from_str(PASSWORD).unwrap();
    assert!(!WindowsStore::new().can_verify(&builtin, &unused));
    assert!(WindowsStore::new().can_verify(&find("LAPS-Admin").unwrap(), &unused));
    // The third and fourth come with the second answer of the enumeration.
    for (text, rid) in [("LAPS-Admin", 1001), ("laps-guarded", 1003)] {
        let account = find(text).unwrap();
        assert_eq!((account.sid.unwrap().rid(), account.enabled), (rid, true));
    }
    assert!(matches!(find("laps-nobody"), Err(StoreError::NoSuchAccount(_))));
}

#[test]
fn a_password_is_set_as_utf_16_and_has_no_change_stamp_while_it_is_young() {
    let _turn = alone();
    let account = find("laps-admin").unwrap();
    let mut store = WindowsStore::new();
    assert!(store.change_stamp(&account).unwrap().is_some());
    assert_eq!(set(&account), Ok(()));
    let bytes = std::fs::read("netapi32.set").unwrap();
    let units: Vec<u16> =
        bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    assert_eq!(String::from_utf16(&units).unwrap(), PASSWORD);
    // A second one within the same second could not be told from it.
    assert_eq!(store.change_stamp(&account).unwrap(), None);
}

#[test]
fn refusals_are_told_apart() {
    let _turn = alone();
    let refused = set(&find("laps-strict").unwrap()).unwrap_err();
    assert!(matches!(refused, StoreError::Refused(_)));
    // The policy of this machine has a minimum length of 24, and the refusal says so.
    assert_eq!(parse_demands(refused.reason(), 12).length, 24);
    assert!(matches!(set(&find("laps-guarded").unwrap()), Err(StoreError::ManagedElsewhere(_))));
    let gone = LocalAccount { name: name("laps-nobody"), sid: None, enabled: true };
    assert!(matches!(set(&gone), Err(StoreError::NoSuchAccount(_))));
    assert!(matches!(WindowsStore::new().change_stamp(&gone), Err(StoreError::NoSuchAccount(_))));
}

#[test]
fn our_own_verification_is_no_use() {
    let _turn = alone();
    let account = find("laps-admin").unwrap();
    let since = Timestamp::from_unix_seconds(1_794_999_999);
    let mut store = WindowsStore::new();
    assert_eq!(store.used_since(&account, since), Ok(Some(since.plus(1))));
    assert_eq!(store.used_since(&account, since.plus(2)), Ok(None));
    let answer = store.verify(&account, &Password::try_from_str(PASSWORD).unwrap());
    assert_ne!(answer, Verification::Cannot);
    // The last logon is now the one of the verification.
    assert_eq!(store.used_since(&account, since), Ok(None));
}

#[test]
fn it_stands_aside_where_a_windows_laps_policy_manages_the_account() {
    let _turn = alone();
    assert!(!stands_aside("") && !stands_aside("laps-admin"));
    add(ROOT, "BackupDirectory", "REG_DWORD", "1");
    assert!(stands_aside("") && !stands_aside("laps-admin"));
    add(ROOT, "AdministratorAccountName", "REG_SZ", "LAPS-ADMIN");
    assert!(!stands_aside("") && stands_aside("laps-admin"));
    add(ROOT, "AutomaticAccountManagementEnabled", "REG_DWORD", "1");
    add(ROOT, "AutomaticAccountManagementNameOrPrefix", "REG_SZ", "laps-a");
    assert!(!stands_aside("") && stands_aside("laps-admin"));
    add(ROOT, "AutomaticAccountManagementTarget", "REG_DWORD", "0");
    assert!(stands_aside("") && !stands_aside("laps-admin"));
    // The first root with any setting is the whole policy: this one hides the older product's.
    add(LEGACY, "AdmPwdEnabled", "REG_DWORD", "1");
    add(ROOT, "BackupDirectory", "REG_DWORD", "0");
    assert!(!stands_aside("") && !stands_aside("laps-admin"));
    clear();
    add(LEGACY, "AdmPwdEnabled", "REG_DWORD", "1");
    assert!(stands_aside("") && !stands_aside("laps-admin"));
    clear();
}
