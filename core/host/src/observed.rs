//! What happened in a vault, kept until a program asks for it: for metrics where no function can be
//! called back.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use laps_core::error::Code;
use laps_core::vault::{Observed, StoreError};

/// How much is kept between two calls: beyond it the oldest is forgotten, and counted.
pub const MAX_OBSERVED: usize = 1024;

/// What happened, in its order. Nothing is kept before the first [`Observations::take`], so that a
/// vault which nobody watches holds nothing. A clone is another handle to the same; threads share
/// it.
///
/// It works in the process that made it alone: a child that was forked while a thread held the lock
/// would wait for ever.
#[derive(Clone, Debug)]
pub struct Observations(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    process: u32,
    wanted: AtomicBool,
    kept: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    observed: VecDeque<Observed>,
    missed: u64,
}

/// What [`Observations::take`] gives.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Taken {
    /// What happened since the last call, oldest first; at most [`MAX_OBSERVED`].
    pub observed: Vec<Observed>,
    /// How much more happened since then, before all of that, and was forgotten.
    pub missed: u64,
}

impl Default for Observations {
    fn default() -> Self {
        let (wanted, kept) = (AtomicBool::new(false), Mutex::default());
        Self(Arc::new(Shared { process: process::id(), wanted, kept }))
    }
}

impl Observations {
    /// Nothing observed, and nothing kept yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to give to `Vault::with_observer`.
    pub fn observer(&self) -> impl Fn(&Observed) + Send + Sync + use<> {
        let shared = Arc::clone(&self.0);
        move |observed| {
            // What happens after a first call that returned, sees what that call wrote.
            if shared.wanted.load(Ordering::Relaxed) && shared.is_here() {
                shared.lock().keep(observed);
            }
        }
    }

    /// What happened since the last call. The first one gives nothing: it says that somebody wants
    /// to know.
    ///
    /// # Errors
    /// `InvalidArgument` in a process that was forked from the one that made this.
    pub fn take(&self) -> Result<Taken, StoreError> {
        if !self.0.is_here() {
            let (owner, here) = (self.0.process, process::id());
            let message = format!(
                "the vault was opened in process {owner} and this is process {here}, forked from \
                 it: open it after the \
                 fork in each process"
            );
            return Err(StoreError::new(Code::InvalidArgument, message));
        }
        let kept = {
            let mut kept = self.0.lock();
            self.0.wanted.store(true, Ordering::Relaxed);
            mem::take(&mut *kept)
        };
        Ok(Taken { observed: kept.observed.into(), missed: kept.missed })
    }
}

impl Shared {
    fn is_here(&self) -> bool {
        process::id() == self.process
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn keep(&mut self, observed: &Observed) {
        if self.observed.len() == MAX_OBSERVED {
            self.observed.pop_front();
            self.missed = self.missed.saturating_add(1);
        }
        self.observed.push_back(observed.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn ordered(devices: u64) -> Observed {
        Observed::Ordered { devices }
    }

    #[test]
    fn nothing_is_kept_before_somebody_asks() {
        let observations = Observations::new();
        let tell = observations.observer();
        tell(&ordered(1));
        assert_eq!(observations.0.lock().observed.capacity(), 0);
        assert_eq!(observations.take().unwrap(), Taken::default());
        tell(&ordered(2));
        tell(&Observed::Refused { code: Code::NotFound });
        let taken = observations.clone().take().unwrap();
        assert_eq!(taken.observed, [ordered(2), Observed::Refused { code: Code::NotFound }]);
        assert_eq!(taken.missed, 0);
        assert_eq!(observations.take().unwrap(), Taken::default());
    }

    #[test]
    fn the_oldest_is_forgotten_and_counted() {
        let observations = Observations::new();
        let tell = observations.observer();
        let _ = observations.take().unwrap();
        let most = MAX_OBSERVED as u64;
        (0..most).for_each(|number| tell(&ordered(number)));
        assert_eq!(observations.take().unwrap().missed, 0);
        (0..most + 3).for_each(|number| tell(&ordered(number)));
        let taken = observations.take().unwrap();
        assert_eq!((taken.observed.len(), taken.missed), (MAX_OBSERVED, 3));
        assert_eq!(taken.observed.first(), Some(&ordered(3)));
        assert_eq!(taken.observed.last(), Some(&ordered(most + 2)));
        assert_eq!(observations.take().unwrap(), Taken::default());
    }

    #[test]
    fn a_forked_child_is_told_and_never_waits() {
        let (wanted, kept) = (AtomicBool::new(true), Mutex::default());
        let parent = process::id().wrapping_add(1);
        let observations = Observations(Arc::new(Shared { process: parent, wanted, kept }));
        let tell = observations.observer();
        // As a thread of the parent held it at the fork.
        let held = observations.0.lock();
        tell(&ordered(1));
        assert_eq!(observations.take().unwrap_err().code(), Code::InvalidArgument);
        assert!(held.observed.is_empty());
    }

    #[test]
    fn eight_threads_tell_while_one_takes_and_nothing_is_lost_or_told_twice() {
        const EACH: u64 = 5_000;
        let observations = Observations::new();
        let _ = observations.take().unwrap();
        let (mut seen, mut missed) = (Vec::new(), 0);
        let mut take = || {
            let taken = observations.take().unwrap();
            missed += taken.missed;
            seen.extend(taken.observed);
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|thread| {
                    let tell = observations.observer();
                    scope.spawn(move || {
                        (0..EACH).for_each(|number| tell(&ordered(thread * EACH + number)));
                    })
                })
                .collect();
            while threads.iter().any(|thread| !thread.is_finished()) {
                take();
            }
        });
        take();
        assert_eq!(seen.len() as u64 + missed, 8 * EACH);
        let number = |observed: &Observed| {
            let Observed::Ordered { devices } = observed else { return None };
            Some(*devices)
        };
        let told: Vec<u64> = seen.iter().filter_map(number).collect();
        let mut counted = 0;
        for thread in 0..8 {
            let all = thread * EACH..(thread + 1) * EACH;
            let own: Vec<u64> =
                told.iter().copied().filter(|number| all.contains(number)).collect();
            assert!(own.is_sorted_by(|earlier, later| earlier < later), "thread {thread}");
            counted += own.len();
        }
        assert_eq!(counted, seen.len());
    }
}
