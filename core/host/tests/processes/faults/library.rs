//! The library that makes calls fail: compiled by the test, loaded into its child, found by name.

use alloc::ffi::CString;
use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(i32)]
pub enum Kind {
    Write = 1,
    Sync = 2,
    Read = 4,
    Cut = 8,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(i32)]
pub enum How {
    /// Nothing is done: EIO.
    Nothing = 0,
    /// Nothing is done: ENOSPC.
    Full = 1,
    /// The first half is written, and the next call finds the disk full.
    Short = 2,
    /// The first half is written, and EIO is said.
    Torn = 3,
    /// Nothing is done: ESTALE. SQLite takes EIO on a read for damage, and this for an error.
    Stale = 4,
}

/// Which call fails.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    pub how: How,
    /// Its number among the calls of this kind, from 0.
    pub at: usize,
    /// Whether those behind it fail too.
    pub for_ever: bool,
}

impl Fault {
    /// Whether SQLite takes it for damage of a page.
    pub fn is_damage(self) -> bool {
        (self.kind, self.how) == (Kind::Read, How::Nothing)
    }
}

pub const FAULTS: [(Kind, How); 8] = [
    (Kind::Write, How::Nothing),
    (Kind::Write, How::Full),
    (Kind::Write, How::Short),
    (Kind::Write, How::Torn),
    (Kind::Sync, How::Nothing),
    (Kind::Read, How::Nothing),
    (Kind::Read, How::Stale),
    (Kind::Cut, How::Nothing),
];

/// Compiles it with the C compiler of the machine; where it is.
pub fn compile(folder: &Path) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/processes/faults/faults.c");
    let library = folder.join("faults.so");
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"]).arg(&library);
    assert!(command.arg(source).arg("-ldl").status().unwrap().success());
    library
}

fn symbol(name: &CStr) -> *mut c_void {
    // SAFETY: the name ends with a zero, and the answer is looked at before it is used.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    assert!(!found.is_null(), "the library is not loaded");
    found
}

type Arm = unsafe extern "C" fn(*const c_char, c_int, c_int, c_long, c_int);
type Pause = unsafe extern "C" fn(c_int);
type Disarm = unsafe extern "C" fn() -> c_long;

pub fn arm(folder: &Path, fault: Fault) {
    let path = CString::new(folder.canonicalize().unwrap().to_str().unwrap()).unwrap();
    let at = c_long::try_from(fault.at).unwrap();
    // SAFETY: the function has this type in faults.c, and copies the path.
    unsafe {
        let arm = core::mem::transmute::<*mut c_void, Arm>(symbol(c"laps_fault_arm"));
        arm(
            path.as_ptr(),
            fault.kind as c_int,
            fault.how as c_int,
            at,
            c_int::from(fault.for_ever),
        );
    }
}

/// Does something while nothing fails.
pub fn paused<T>(work: impl FnOnce() -> T) -> T {
    let pause = |on: bool| {
        // SAFETY: the function has this type in faults.c.
        unsafe {
            let pause = core::mem::transmute::<*mut c_void, Pause>(symbol(c"laps_fault_pause"));
            pause(c_int::from(on));
        }
    };
    pause(true);
    let done = work();
    pause(false);
    done
}

/// How many calls of the kind there were, and whether the fault was met.
pub fn disarm() -> (usize, bool) {
    // SAFETY: the function has this type in faults.c.
    let calls = unsafe {
        let disarm = core::mem::transmute::<*mut c_void, Disarm>(symbol(c"laps_fault_disarm"));
        disarm()
    };
    (usize::try_from(calls.unsigned_abs()).unwrap(), calls > 0)
}
