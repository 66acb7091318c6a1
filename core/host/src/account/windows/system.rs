//! What Windows is asked through C functions: accounts, logons, sessions, processes, the registry.
//!
//! This is the one file of the workspace's host with `unsafe`. Every call stands in a small safe
//! function; what it returns is copied and freed here.

#![expect(
    unsafe_code,
    reason = "the operating system's accounts are only to be had through C functions"
)]

use core::ffi::c_void;
use core::ptr;

use laps_core::account::{Sid, same_name};
use laps_core::secret::Password;
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_MORE_DATA, ERROR_SUCCESS, GetLastError, HANDLE,
};
use windows_sys::Win32::NetworkManagement::NetManagement::{
    FILTER_NORMAL_ACCOUNT, MAX_PREFERRED_LENGTH, NERR_UserNotFound as NERR_USER_NOT_FOUND,
    NetApiBufferFree, NetUserEnum, NetUserGetInfo, NetUserModalsGet, NetUserSetInfo,
    UF_ACCOUNTDISABLE, USER_INFO_0, USER_INFO_4, USER_INFO_1003, USER_MODALS_INFO_0,
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

use crate::account::StoreError;

pub(super) fn failed(what: &str, status: u32) -> StoreError {
    let text = std::io::Error::from_raw_os_error(i32::from_ne_bytes(status.to_ne_bytes()));
    StoreError::Failed(format!("{what}: {text} (0x{status:X})"))
}

/// The password as UTF-16 with a zero behind it, in one place that is wiped when dropped. UTF-16
/// never has more units than UTF-8 has bytes.
pub(super) fn wide_secret(password: &Password) -> Box<Zeroizing<[u16; Password::MAX_LEN + 1]>> {
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
pub(super) struct Info {
    pub(super) sid: Option<Sid>,
    pub(super) enabled: bool,
    /// Seconds.
    pub(super) password_age: u32,
    /// Seconds since 1970; 0 for never.
    pub(super) last_logon: u32,
}

/// The names of the local accounts.
pub(super) fn names() -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut resume = 0;
    loop {
        let mut buffer: *mut u8 = ptr::null_mut();
        let (mut read, mut total) = (0, 0);
        // SAFETY: every out parameter points to a variable of the right type that outlives the
        // call; a null server is this machine.
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
                // SAFETY: the call wrote `read` elements of level 0 into its buffer, which lives
                // until `buffer` is dropped and is aligned for them.
                let name = unsafe { (*first.add(index)).usri0_name };
                found.push(from_wide(name));
            }
        }
        if status == ERROR_SUCCESS {
            return Ok(found);
        }
    }
}

pub(super) fn info(name: &str) -> Result<Info, StoreError> {
    let wide_name = wide(name);
    let mut buffer: *mut u8 = ptr::null_mut();
    // SAFETY: the name ends with a zero and lives across the call; the out parameter is a variable
    // of ours.
    let status = unsafe { NetUserGetInfo(ptr::null(), wide_name.as_ptr(), 4, &raw mut buffer) };
    let buffer = NetBuffer(buffer);
    match status {
        ERROR_SUCCESS if !buffer.0.is_null() => {
            // SAFETY: the call succeeded, so its buffer holds one aligned element of level 4 until
            // `buffer` is dropped.
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
pub(super) fn least_length() -> Option<u32> {
    let mut buffer: *mut u8 = ptr::null_mut();
    // SAFETY: the out parameter is a variable of ours; a null server is this machine.
    let status = unsafe { NetUserModalsGet(ptr::null(), 0, &raw mut buffer) };
    let buffer = NetBuffer(buffer);
    if status != ERROR_SUCCESS || buffer.0.is_null() {
        return None;
    }
    // SAFETY: the call succeeded, so its buffer holds one aligned element of level 0 until `buffer`
    // is dropped.
    Some(unsafe { &*buffer.0.cast::<USER_MODALS_INFO_0>() }.usrmod0_min_passwd_len)
}

pub(super) fn set_password(name: &str, password: &[u16]) -> u32 {
    let name = wide(name);
    let info = USER_INFO_1003 { usri1003_password: password.as_ptr().cast_mut() };
    // SAFETY: level 1003 takes one USER_INFO_1003; name and password end with a zero and live
    // across the call, which does not write to them; the last parameter may be null.
    unsafe {
        NetUserSetInfo(ptr::null(), name.as_ptr(), 1003, (&raw const info).cast(), ptr::null_mut())
    }
}

/// Tries a network logon on this machine; 0 or the error.
pub(super) fn logon(name: &str, password: &[u16]) -> u32 {
    let (name, domain) = (wide(name), wide("."));
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the three texts end with a zero and live across the call; the out parameter is a
    // variable of ours.
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
pub(super) fn sign_out(account: &str) -> Result<(), StoreError> {
    let mut first: *mut WTS_SESSION_INFOW = ptr::null_mut();
    let mut count = 0;
    // SAFETY: the out parameters are variables of ours; 0 and 1 are the only values for the
    // reserved parameter and the version.
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
pub(super) fn terminate(account: Sid) -> Result<(), StoreError> {
    let mut first: *mut WTS_PROCESS_INFOW = ptr::null_mut();
    let mut count = 0;
    // SAFETY: the out parameters are variables of ours; 0 and 1 are the only values for the
    // reserved parameter and the version.
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

pub(super) fn is_there(root: &str, name: &str) -> bool {
    registry(root, name, RRF_RT_ANY, &mut []) != ERROR_FILE_NOT_FOUND
}

pub(super) fn number(root: &str, name: &str) -> Option<u32> {
    let mut bytes = [0; 4];
    (registry(root, name, RRF_RT_REG_DWORD, &mut bytes) == ERROR_SUCCESS)
        .then(|| u32::from_ne_bytes(bytes))
}

pub(super) fn text(root: &str, name: &str) -> Option<String> {
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
    // SAFETY: both texts end with a zero; `data` is null or points to `length` bytes that are ours,
    // and the call writes no more than that.
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

/// As `winerror.h` has it.
const ERROR_FILE_NOT_FOUND: u32 = 2;
