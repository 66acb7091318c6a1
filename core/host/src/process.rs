//! What a process of ours does for the secrets in its memory: no core dump, no look from outside,
//! no copy in swap.
//!
//! It is for programs, not for libraries: it changes the whole process. Our own call it first; an
//! embedder may.

/// Turns core dumps off, keeps other processes of the same user from looking into this one (Linux),
/// and locks its memory where the system lets this user. What could not be had is the answer, a
/// sentence each; where nothing is swapped, memory that is not locked is none of it.
///
/// On Windows, where error reports are the system's own, it does nothing.
#[must_use]
pub fn protect() -> Vec<String> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "nothing is done here"))]
    let mut lacking = Vec::new();
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        if setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).is_err() {
            lacking.push(
                "core dumps cannot be turned off: a crash may write secrets to disk".to_owned(),
            );
        }
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // A dump that goes to a program is not bound by the limit; this one is for both.
        if set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() {
            lacking.push("other processes of this user can look into this one".to_owned());
        }
        if !lock_memory() && swaps() {
            lacking.push(
                "memory with secrets may be swapped to disk: this user may not lock as much (raise \
                 `ulimit -l`, or encrypt the swap)"
                    .to_owned(),
            );
        }
    }
    lacking
}

/// Locks every page of this process as it is used, present and future. Not below a limit: an
/// allocation beyond it would fail.
#[cfg(target_os = "linux")]
fn lock_memory() -> bool {
    use rustix::mm::{MlockAllFlags, mlockall};
    use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Memlock).maximum;
    if maximum.is_some() && !geteuid().is_root() {
        return false;
    }
    // Without the privilege root has a limit, too, and then this fails at once: the process is
    // larger than any usual one.
    let _raised = setrlimit(Resource::Memlock, Rlimit { current: maximum, maximum });
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).is_ok()
}

/// Whether anything is swapped here. The first line is a heading.
#[cfg(target_os = "linux")]
fn swaps() -> bool {
    std::fs::read_to_string("/proc/swaps").map_or(true, |text| text.lines().nth(1).is_some())
}
