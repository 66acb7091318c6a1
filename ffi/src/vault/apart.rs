//! Sealing anew in a thread of ours, while the thread that called answers what it is asked. Only in
//! the full build.
#![cfg(feature = "vault")]

use alloc::sync::Arc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::{panic, thread};

use laps_core::error::Code;
use laps_core::identity::Timestamp;
use laps_core::seal::ReaderKey;
use laps_core::vault::{Request, Resealed};
use laps_host::sqlite;

use super::laps_vault;
use crate::failure::Failure;

/// Seals anew in a thread of ours, which waits for its helpers: a thread of C would keep a few
/// bytes for it until it ends. `step` is asked in the thread that called.
pub(super) fn reseal(
    vault: &laps_vault,
    key: Arc<ReaderKey>,
    actor: &str,
    reason: &str,
    now: Timestamp,
    step: Option<&mut dyn FnMut(usize) -> bool>,
) -> Result<Resealed, Failure> {
    let (inner, scope) = (vault.vault.clone(), vault.scope);
    let (actor, reason) = (actor.to_owned(), reason.to_owned());
    let context = vault.context.clone();
    let turns = Arc::new(Turns::default());
    let ends = Ends(Arc::clone(&turns));
    let asks = step.is_some();
    let work = move || {
        let request = Request::new(&actor, &reason).with_context(&context);
        // A step without records ends nothing, whatever the answer.
        let mut next = |records| !asks || records == 0 || ends.0.ask(records);
        sqlite::reseal_all_watched(&inner, &scope, &key, &request, now, &mut next)
    };
    let thread = thread::Builder::new().spawn(work).map_err(|error| {
        Failure::new(Code::OutOfMemory, &format_args!("no thread could be made: {error}"))
    })?;
    if let Some(step) = step {
        turns.answer(step);
    }
    Ok(thread.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))?)
}

/// Two threads that take turns: the one that seals asks, the one that called answers. A channel
/// would leave something of its own in the thread of C.
#[derive(Debug, Default)]
struct Turns {
    turn: Mutex<Turn>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
enum Turn {
    #[default]
    Working,
    Asked(usize),
    Answered(bool),
    Ended,
}

impl Turns {
    fn to(&self, turn: Turn) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn;
        self.changed.notify_all();
    }

    fn wait(&self, not_yet: impl Fn(Turn) -> bool) -> Turn {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let turn: MutexGuard<'_, Turn> = self
            .changed
            .wait_while(turn, |turn| not_yet(*turn))
            .unwrap_or_else(PoisonError::into_inner);
        *turn
    }

    /// Asks whether to take a step, and waits for the answer.
    fn ask(&self, records: usize) -> bool {
        self.to(Turn::Asked(records));
        matches!(self.wait(|turn| matches!(turn, Turn::Asked(_))), Turn::Answered(true))
    }

    /// Answers until the other thread has ended.
    fn answer(&self, step: &mut dyn FnMut(usize) -> bool) {
        while let Turn::Asked(records) =
            self.wait(|turn| matches!(turn, Turn::Working | Turn::Answered(_)))
        {
            self.to(Turn::Answered(step(records)));
        }
    }
}

/// Says that the thread has ended, however it did.
struct Ends(Arc<Turns>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.to(Turn::Ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_answered_until_the_other_thread_ends_even_by_a_panic() {
        for panics in [false, true] {
            let turns = Arc::new(Turns::default());
            let ends = Ends(Arc::clone(&turns));
            let thread = thread::spawn(move || {
                let taken: Vec<bool> = (0..1_000).map(|step| ends.0.ask(step)).collect();
                assert!(!panics, "forced");
                taken
            });
            let mut asked = Vec::new();
            turns.answer(&mut |step| {
                asked.push(step);
                step.is_multiple_of(3)
            });
            assert!(asked.into_iter().eq(0..1_000));
            match thread.join() {
                Ok(taken) => assert!(
                    taken.into_iter().eq((0..1_000_usize).map(|step| step.is_multiple_of(3)))
                ),
                Err(_) => assert!(panics),
            }
        }
    }
}
