//! Local accounts of Windows: `NetUserSetInfo` level 1003 sets, a network logon verifies.
//!
//! This is the one file of the workspace's host with `unsafe`: the operating system is only to be had through C functions.
//! Every call stands in a small safe function at the end; what it returns is copied and freed there.
//!
//! * *Stands aside* when an active Windows LAPS policy manages the account (registry roots of domain §1.1), and when the system answers
//!   0x21CE or 0xC000A08B to a change.
//! * *Change stamp*: SHA-256 of the time at which the password was set. Windows gives its age in whole seconds, so the stamp of an
//!   unchanged password may differ by a second; that keeps a candidate too many, never one too few. A password that is only a
//!   few seconds old has no stamp: one that was set right after it could not be told from it.
//! * *Verification* is a logon of type network, which starts no session. A logon that is refused only because of the logon type, an expired
//!   password or one that must be changed has checked the password before: it matches. A disabled, locked or restricted account gives no answer.
//! * *Uses* are the account's last logon. The logon of our own verification is remembered and left out.

#![expect(
    unsafe_code,
    reason = "the operating system's accounts are only to be had through C functions"
)]

mod policy;
mod program;

use core::ffi::c_void;
use core::ptr;

use laps_core::account::{LocalAccount, Sid, same_name};
use laps_core::identity::{AccountName, Timestamp};
use laps_core::secret::Password;
use sha2::{Digest as _, Sha256};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ACCESS_DENIED, ERROR_LOGON_FAILURE, ERROR_LOGON_TYPE_NOT_GRANTED,
    ERROR_MORE_DATA, ERROR_PASSWORD_EXPIRED, ERROR_PASSWORD_MUST_CHANGE, ERROR_SUCCESS,
    GetLastError, HANDLE,
};
use windows_sys::Win32::NetworkManagement::NetManagement::{
    FILTER_NORMAL_ACCOUNT, MAX_PREFERRED_LENGTH, NERR_PasswordTooShort as NERR_PASSWORD_TOO_SHORT,
    NERR_UserNotFound as NERR_USER_NOT_FOUND, NetApiBufferFree, NetUserEnum, NetUserGetInfo,
    NetUserModalsGet, NetUserSetInfo, UF_ACCOUNTDISABLE, USER_INFO_0, USER_INFO_4, USER_INFO_1003,
    USER_MODALS_INFO_0,
};
use windows_sys::Win32::Security::{
    GetLengthSid, IsValidSid, LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_DEFAULT, LogonUserW, PSID,
};
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, REG_ROUTINE_FLAGS, RRF_RT_ANY, RRF_RT_REG_DWORD, RRF_RT_REG_SZ,
    RRF_SUBKEY_WOW6464KEY, RegGetValueW,
};
use windows_sys::Win32::System::RemoteDesktop::{
    WTS_CURRENT_SERVER_HANDLE, WTS_PROCESS_INFOW, WTS_SESSION_INFOW, WTSEnumerateProcessesW,
    WTSEnumerateSessionsW, WTSFreeMemory, WTSLogoffSession, WTSQuerySessionInformationW,
    WTSUserName,
};
use windows_sys::Win32::System::Threading::{OpenProcess, PROCESS_TERMINATE, TerminateProcess};
use zeroize::Zeroizing;

use super::setter::SetterLock;
use super::{Abilities, AccountStore, Action, StoreError, Verification, pick};
use crate::time::now;
use policy::managed_by_windows;
use program::{restart, warn};

/// The local accounts of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowsStore {
    /// The last logon that our own verification made.
    ours: Option<u32>,
}

impl WindowsStore {
    /// The local accounts of this machine.
    #[must_use]
    pub const fn new() -> Self {
        Self { ours: None }
    }
}

impl AccountStore for WindowsStore {
    fn name(&self) -> &'static str {
        "windows"
    }

    fn abilities(&self) -> Abilities {
        Abilities::all()
    }

    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
        let mut accounts = Vec::new();
        for name in names()? {
            let Ok(name) = AccountName::new(&name) else { continue };
            let info = info(name.as_str())?;
            accounts.push(LocalAccount { name, sid: info.sid, enabled: info.enabled });
        }
        let account = pick(configured, &accounts)?;
        match managed_by_windows(&account) {
            Some(root) => Err(StoreError::ManagedElsewhere(format!(
                "the Windows LAPS policy under HKLM\\{root} manages {}; set its BackupDirectory to 0, or give us another account",
                account.name
            ))),
            None => Ok(account),
        }
    }

    fn change_stamp(&mut self, account: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
        let age = info(account.name.as_str())?.password_age;
        if age < LEAST_AGE {
            return Ok(None);
        }
        let set_at = now().minus(u64::from(age));
        Ok(Some(Sha256::digest(set_at.as_unix_seconds().to_be_bytes()).into()))
    }

    fn set(
        &mut self,
        account: &LocalAccount,
        password: &Password,
        _setter: &mut SetterLock,
    ) -> Result<(), StoreError> {
        if let Some(root) = managed_by_windows(account) {
            return Err(StoreError::ManagedElsewhere(format!(
                "the Windows LAPS policy under HKLM\\{root} manages it"
            )));
        }
        let status = set_password(account.name.as_str(), wide_secret(password).as_slice());
        match status {
            ERROR_SUCCESS => Ok(()),
            POLICY_CONTROLLED_ACCOUNT | POLICY_CONTROLLED_STATUS => {
                Err(StoreError::ManagedElsewhere(format!(
                    "Windows protects the account (0x{status:X}): Windows LAPS manages it"
                )))
            }
            NERR_PASSWORD_TOO_SHORT => Err(StoreError::Refused(refusal(
                u32::try_from(password.expose_secret().encode_utf16().count()).unwrap_or(u32::MAX),
                least_length(),
            ))),
            NERR_USER_NOT_FOUND => Err(StoreError::NoSuchAccount(account.name.to_string())),
            ERROR_ACCESS_DENIED => Err(StoreError::Failed(
                "access denied; the agent must run as LocalSystem or an administrator".to_owned(),
            )),
            _ => Err(failed("NetUserSetInfo", status)),
        }
    }

    /// Not while the account is disabled, as the built-in administrator is on a new client: Windows then answers
    /// `ERROR_ACCOUNT_DISABLED`, and whether it looks at the password before is not documented.
    fn can_verify(&mut self, account: &LocalAccount, _not_its_password: &Password) -> bool {
        info(account.name.as_str()).map_or(true, |info| info.enabled)
    }

    fn verify(&mut self, account: &LocalAccount, password: &Password) -> Verification {
        let error = logon(account.name.as_str(), wide_secret(password).as_slice());
        // A failed logon leaves `last_logon` as it is.
        self.ours = info(account.name.as_str()).ok().map(|info| info.last_logon);
        match error {
            ERROR_SUCCESS
            | ERROR_LOGON_TYPE_NOT_GRANTED
            | ERROR_PASSWORD_EXPIRED
            | ERROR_PASSWORD_MUST_CHANGE => Verification::Matches,
            ERROR_LOGON_FAILURE => Verification::DoesNotMatch,
            _ => Verification::NoAnswer(failed("LogonUser", error).reason().to_owned()),
        }
    }

    fn used_since(
        &mut self,
        account: &LocalAccount,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let last = info(account.name.as_str())?.last_logon;
        let at = Timestamp::from_unix_seconds(u64::from(last));
        Ok((last != 0 && Some(last) != self.ours && at >= since).then_some(at))
    }

    fn act(&mut self, account: &LocalAccount, action: Action) -> Result<(), StoreError> {
        match action {
            Action::Restart => restart(),
            Action::WarnRestart => warn("*", "This computer restarts in one minute."),
            Action::WarnSignOut => {
                warn(account.name.as_str(), "This session is signed out in two minutes.")
            }
            Action::SignOut => sign_out(account.name.as_str()),
            Action::Terminate => match account.sid {
                Some(sid) => terminate(sid),
                None => Err(StoreError::Failed("the account has no SID".to_owned())),
            },
        }
    }
}

/// Windows has one status for every refusal; the minimum length of its policy says whether it was that.
fn refusal(length: u32, least: Option<u32>) -> String {
    match least {
        Some(least) if length < least => {
            format!("Windows' password policy refused the password: too short, minimum {least}")
        }
        Some(_) => "Windows' password policy refused the password: not complex enough, or used before"
            .to_owned(),
        None => "Windows' password policy refused the password: its length, its complexity, or one used before"
            .to_owned(),
    }
}

fn failed(what: &str, status: u32) -> StoreError {
    let text = std::io::Error::from_raw_os_error(i32::from_ne_bytes(status.to_ne_bytes()));
    StoreError::Failed(format!("{what}: {text} (0x{status:X})"))
}

/// The password as UTF-16 with a zero behind it, in one place that is wiped when dropped. UTF-16 never has more units than UTF-8 has bytes.
fn wide_secret(password: &Password) -> Box<Zeroizing<[u16; Password::MAX_LEN + 1]>> {
    let mut wide = Box::new(Zeroizing::new([0; Password::MAX_LEN + 1]));
    for (to, unit) in wide.iter_mut().zip(password.expose_secret().encode_utf16()) {
        *to = unit;
    }
    wide
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// What `NetUserGetInfo` level 4 says and we use.
struct Info {
    sid: Option<Sid>,
    enabled: bool,
    /// Seconds.
    password_age: u32,
    /// Seconds since 1970; 0 for never.
    last_logon: u32,
}

// From here on: one small safe function for each C function.

/// The names of the local accounts.
fn names() -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut resume = 0;
    loop {
        let mut buffer: *mut u8 = ptr::null_mut();
        let (mut read, mut total) = (0, 0);
        // SAFETY: every out parameter points to a variable of the right type that outlives the call; a null server is this machine.
        let status = unsafe {
            NetUserEnum(
                ptr::null(),
                0,
                FILTER_NORMAL_ACCOUNT,
                &raw mut buffer,
                MAX_PREFERRED_LENGTH,
                &raw mut read,
                &raw mut total,
                &raw mut resume,
            )
        };
        let buffer = NetBuffer(buffer);
        if status != ERROR_SUCCESS && status != ERROR_MORE_DATA {
            return Err(failed("NetUserEnum", status));
        }
        if !buffer.0.is_null() {
            let first = buffer.0.cast::<USER_INFO_0>();
            for index in 0..usize::try_from(read).unwrap_or(0) {
                // SAFETY: the call wrote `read` elements of level 0 into its buffer, which lives until `buffer` is dropped and is aligned for them.
                let name = unsafe { (*first.add(index)).usri0_name };
                found.push(from_wide(name));
            }
        }
        if status == ERROR_SUCCESS {
            return Ok(found);
        }
    }
}

fn info(name: &str) -> Result<Info, StoreError> {
    let wide_name = wide(name);
    let mut buffer: *mut u8 = ptr::null_mut();
    // SAFETY: the name ends with a zero and lives across the call; the out parameter is a variable of ours.
    let status = unsafe { NetUserGetInfo(ptr::null(), wide_name.as_ptr(), 4, &raw mut buffer) };
    let buffer = NetBuffer(buffer);
    match status {
        ERROR_SUCCESS if !buffer.0.is_null() => {
            // SAFETY: the call succeeded, so its buffer holds one aligned element of level 4 until `buffer` is dropped.
            let info = unsafe { &*buffer.0.cast::<USER_INFO_4>() };
            Ok(Info {
                sid: sid(info.usri4_user_sid),
                enabled: info.usri4_flags & UF_ACCOUNTDISABLE == 0,
                password_age: info.usri4_password_age,
                last_logon: info.usri4_last_logon,
            })
        }
        NERR_USER_NOT_FOUND => Err(StoreError::NoSuchAccount(name.to_owned())),
        _ => Err(failed("NetUserGetInfo", status)),
    }
}

/// The shortest password that the policy of this machine takes; nothing when it does not say.
fn least_length() -> Option<u32> {
    let mut buffer: *mut u8 = ptr::null_mut();
    // SAFETY: the out parameter is a variable of ours; a null server is this machine.
    let status = unsafe { NetUserModalsGet(ptr::null(), 0, &raw mut buffer) };
    let buffer = NetBuffer(buffer);
    if status != ERROR_SUCCESS || buffer.0.is_null() {
        return None;
    }
    // SAFETY: the call succeeded, so its buffer holds one aligned element of level 0 until `buffer` is dropped.
    Some(unsafe { &*buffer.0.cast::<USER_MODALS_INFO_0>() }.usrmod0_min_passwd_len)
}

fn set_password(name: &str, password: &[u16]) -> u32 {
    let name = wide(name);
    let info = USER_INFO_1003 { usri1003_password: password.as_ptr().cast_mut() };
    // SAFETY: level 1003 takes one USER_INFO_1003; name and password end with a zero and live across the call, which does not write to them;
    // the last parameter may be null.
    unsafe {
        NetUserSetInfo(ptr::null(), name.as_ptr(), 1003, (&raw const info).cast(), ptr::null_mut())
    }
}

/// Tries a network logon on this machine; 0 or the error.
fn logon(name: &str, password: &[u16]) -> u32 {
    let (name, domain) = (wide(name), wide("."));
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the three texts end with a zero and live across the call; the out parameter is a variable of ours.
    let ok = unsafe {
        LogonUserW(
            name.as_ptr(),
            domain.as_ptr(),
            password.as_ptr(),
            LOGON32_LOGON_NETWORK,
            LOGON32_PROVIDER_DEFAULT,
            &raw mut token,
        )
    };
    if ok == 0 {
        // SAFETY: has no conditions.
        return unsafe { GetLastError() }.max(1);
    }
    // SAFETY: the token is open, ours, and closed once.
    let _closed = unsafe { CloseHandle(token) };
    ERROR_SUCCESS
}

/// Logs off every session of the account.
fn sign_out(account: &str) -> Result<(), StoreError> {
    let mut first: *mut WTS_SESSION_INFOW = ptr::null_mut();
    let mut count = 0;
    // SAFETY: the out parameters are variables of ours; 0 and 1 are the only values for the reserved parameter and the version.
    let ok = unsafe {
        WTSEnumerateSessionsW(WTS_CURRENT_SERVER_HANDLE, 0, 1, &raw mut first, &raw mut count)
    };
    if ok == 0 {
        return Err(last_error("WTSEnumerateSessions"));
    }
    let _freed = WtsBuffer(first.cast());
    let mut result = Ok(());
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the call wrote `count` elements, which live until `_freed` is dropped.
        let session = unsafe { (*first.add(index)).SessionId };
        if !session_user(session).is_some_and(|user| same_name(&user, account)) {
            continue;
        }
        // SAFETY: takes numbers only.
        if unsafe { WTSLogoffSession(WTS_CURRENT_SERVER_HANDLE, session, 0) } == 0 {
            result = Err(last_error("WTSLogoffSession"));
        }
    }
    result
}

fn session_user(session: u32) -> Option<String> {
    let mut buffer: *mut u16 = ptr::null_mut();
    let mut bytes = 0;
    // SAFETY: the out parameters are variables of ours.
    let ok = unsafe {
        WTSQuerySessionInformationW(
            WTS_CURRENT_SERVER_HANDLE,
            session,
            WTSUserName,
            &raw mut buffer,
            &raw mut bytes,
        )
    };
    if ok == 0 {
        return None;
    }
    let _freed = WtsBuffer(buffer.cast());
    Some(from_wide(buffer))
}

/// Ends every process of the account but this one.
fn terminate(account: Sid) -> Result<(), StoreError> {
    let mut first: *mut WTS_PROCESS_INFOW = ptr::null_mut();
    let mut count = 0;
    // SAFETY: the out parameters are variables of ours; 0 and 1 are the only values for the reserved parameter and the version.
    let ok = unsafe {
        WTSEnumerateProcessesW(WTS_CURRENT_SERVER_HANDLE, 0, 1, &raw mut first, &raw mut count)
    };
    if ok == 0 {
        return Err(last_error("WTSEnumerateProcesses"));
    }
    let _freed = WtsBuffer(first.cast());
    let mut result = Ok(());
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the call wrote `count` elements, which live until `_freed` is dropped.
        let process = unsafe { *first.add(index) };
        if process.ProcessId == std::process::id() || sid(process.pUserSid) != Some(account) {
            continue;
        }
        // SAFETY: takes numbers only.
        let handle = unsafe { OpenProcess(PROCESS_TERMINATE, 0, process.ProcessId) };
        if handle.is_null() {
            result = Err(last_error("OpenProcess"));
            continue;
        }
        // SAFETY: the handle is open and has the right to terminate; it is closed once.
        unsafe {
            if TerminateProcess(handle, 1) == 0 {
                result = Err(last_error("TerminateProcess"));
            }
            let _closed = CloseHandle(handle);
        }
    }
    result
}

fn last_error(what: &str) -> StoreError {
    // SAFETY: has no conditions.
    failed(what, unsafe { GetLastError() })
}

/// A copy of a SID that the system lent.
fn sid(lent: PSID) -> Option<Sid> {
    if lent.is_null() {
        return None;
    }
    // SAFETY: the system gave this pointer to a SID inside a buffer that is still alive.
    let bytes = unsafe {
        if IsValidSid(lent) == 0 {
            return None;
        }
        let length = usize::try_from(GetLengthSid(lent)).ok()?;
        core::slice::from_raw_parts(lent.cast::<u8>(), length)
    };
    Sid::from_bytes(bytes).ok()
}

/// A copy of a text that the system lent.
fn from_wide(lent: *const u16) -> String {
    if lent.is_null() {
        return String::new();
    }
    let mut length = 0;
    // SAFETY: the system's texts end with a zero, and nothing is read behind it.
    let units = unsafe {
        while *lent.add(length) != 0 {
            length += 1;
        }
        core::slice::from_raw_parts(lent, length)
    };
    String::from_utf16_lossy(units)
}

fn is_there(root: &str, name: &str) -> bool {
    registry(root, name, RRF_RT_ANY, &mut []) != ERROR_FILE_NOT_FOUND
}

fn number(root: &str, name: &str) -> Option<u32> {
    let mut bytes = [0; 4];
    (registry(root, name, RRF_RT_REG_DWORD, &mut bytes) == ERROR_SUCCESS)
        .then(|| u32::from_ne_bytes(bytes))
}

fn text(root: &str, name: &str) -> Option<String> {
    let mut bytes = [0; 1024];
    if registry(root, name, RRF_RT_REG_SZ, &mut bytes) != ERROR_SUCCESS {
        return None;
    }
    let units = bytes.chunks_exact(2).map_while(|pair| match pair {
        [0, 0] => None,
        [low, high] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    });
    Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// Reads a value under HKLM in the 64-bit view. With an empty buffer it only looks.
fn registry(root: &str, name: &str, kind: REG_ROUTINE_FLAGS, out: &mut [u8]) -> u32 {
    let (root, name) = (wide(root), wide(name));
    let mut length = u32::try_from(out.len()).unwrap_or(0);
    let data: *mut c_void = if out.is_empty() { ptr::null_mut() } else { out.as_mut_ptr().cast() };
    // SAFETY: both texts end with a zero; `data` is null or points to `length` bytes that are ours, and the call writes no more than that.
    unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            root.as_ptr(),
            name.as_ptr(),
            kind | RRF_SUBKEY_WOW6464KEY,
            ptr::null_mut(),
            data,
            &raw mut length,
        )
    }
}

/// Memory of the network management functions.
struct NetBuffer(*mut u8);

impl Drop for NetBuffer {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the pointer came from such a function and is freed once.
            let _freed = unsafe { NetApiBufferFree(self.0.cast_const().cast()) };
        }
    }
}

/// Memory of the terminal services functions.
struct WtsBuffer(*mut c_void);

impl Drop for WtsBuffer {
    fn drop(&mut self) {
        // SAFETY: the pointer came from such a function and is freed once; null is accepted.
        unsafe { WTSFreeMemory(self.0) };
    }
}

/// `ERROR_POLICY_CONTROLLED_ACCOUNT` (domain §4.8).
const POLICY_CONTROLLED_ACCOUNT: u32 = 0x21CE;
/// `STATUS_POLICY_CONTROLLED_ACCOUNT` (domain §4.8), should a status come through.
const POLICY_CONTROLLED_STATUS: u32 = 0xC000_A08B;
const ERROR_FILE_NOT_FOUND: u32 = 2;
/// How old a password must be, in seconds, to have a change stamp. Windows tells whole seconds, and the two clocks that the
/// stamp is made of are each up to a second off: two passwords set within two seconds may have one stamp, and the second
/// would be ruled out after a crash although the account has it.
const LEAST_AGE: u32 = 3;
