//! The library that writes down what happens to the files of a folder: compiled by the test, loaded
//! into its child, found by name.

use alloc::ffi::CString;
use core::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::disk::{self, Event};

/// Runs `case` of this program with the library loaded.
pub fn run(case: &str) {
    let folder = tempfile::tempdir().unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/power/power.c");
    let library = folder.path().join("power.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"]).arg(&library);
    assert!(compiler.arg(source).arg("-ldl").status().unwrap().success());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["case", case]).arg(folder.path()).env("LD_PRELOAD", library);
    assert!(child.status().unwrap().success());
}

fn symbol(name: &CStr) -> *mut c_void {
    // SAFETY: the name ends with a zero, and the answer is looked at before it is used.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    assert!(!found.is_null(), "the library is not loaded");
    found
}

type Record = unsafe extern "C" fn(*const c_char, *const c_char);
type Mark = unsafe extern "C" fn(u64);
type Stop = unsafe extern "C" fn();

/// What `work` does to the files of the folder.
pub fn record(folder: &Path, work: impl FnOnce()) -> Vec<Event> {
    let journal: PathBuf = folder.with_extension("events");
    let text = |path: &Path| CString::new(path.to_str().unwrap()).unwrap();
    let (from, to) = (text(&folder.canonicalize().unwrap()), text(&journal));
    // SAFETY: the function has this type in power.c, and keeps neither path.
    unsafe {
        let record = core::mem::transmute::<*mut c_void, Record>(symbol(c"laps_power_record"));
        record(from.as_ptr(), to.as_ptr());
    }
    work();
    // SAFETY: the function has this type in power.c.
    unsafe {
        let stop = core::mem::transmute::<*mut c_void, Stop>(symbol(c"laps_power_stop"));
        stop();
    }
    disk::read(&journal)
}

/// Puts a number among the events.
pub fn mark(number: u64) {
    // SAFETY: the function has this type in power.c.
    unsafe {
        let mark = core::mem::transmute::<*mut c_void, Mark>(symbol(c"laps_power_mark"));
        mark(number);
    }
}
