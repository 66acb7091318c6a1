//! How often this process came out of a fork: a generator draws a new seed when the number has
//! changed.

use core::sync::atomic::{AtomicU64, Ordering};

static FORKS: AtomicU64 = AtomicU64::new(0);

/// The number of forks between the first process that made a generator and this one.
pub(crate) fn count() -> u64 {
    FORKS.load(Ordering::Relaxed)
}

/// Makes the child of every later fork count itself. Once is enough.
#[cfg(unix)]
pub(crate) fn watch() -> Result<(), crate::failure::Failure> {
    use std::sync::OnceLock;

    use laps_core::error::Code;

    unsafe extern "C" fn in_the_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }

    static WATCHED: OnceLock<bool> = OnceLock::new();
    // SAFETY: the handler is a function of this library that only touches an atomic; the C library
    // forgets it when this library is unloaded.
    let watched = WATCHED
        .get_or_init(|| unsafe { libc::pthread_atfork(None, None, Some(in_the_child)) == 0 });
    if *watched { Ok(()) } else { Err(Code::OutOfMemory.into()) }
}

/// There is no fork.
#[cfg(not(unix))]
pub(crate) const fn watch() -> Result<(), crate::failure::Failure> {
    Ok(())
}
