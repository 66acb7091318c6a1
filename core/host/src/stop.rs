//! The one place that ends long calls: a signal, a stop, a deadline.
//!
//! [`until`] runs a call together with a question. Whatever in this crate can take over a second
//! asks it between two steps: the wait for a vault's file that somebody else has locked, every row
//! of a vault (so verification, export, import, lists), copying a vault,
//! the wait for another agent, every sleep of an agent, and every program that gets no password.
//! Such a call ends with the code `Busy`; what was not committed by then is as if nobody had asked
//! for it.
//!
//! A program that changes a password is never cut short: its own limit ends it. A single step is
//! not either: one `fsync`, one key derivation.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::time::Duration;
use std::time::Instant;

/// Runs `work`. It ends early once `ended` answers yes, which is asked on this thread, at most
/// every twentieth of a second, and not again after a yes. What `work` starts on other threads does
/// not ask.
pub fn until<T>(ended: Rc<dyn Fn() -> bool>, work: impl FnOnce() -> T) -> T {
    let asked = Instant::now().checked_add(EVERY);
    let before = QUESTION.replace(Some(Question { ended, asked, over: false, asking: false }));
    // Also when `work` panics.
    let _restored = Restored(before);
    work()
}

/// Runs `work`, which ends early at this time.
pub fn by<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    until(Rc::new(move || Instant::now() >= deadline), work)
}

/// Ends the call that this thread is in at its next step, whatever its question says. Outside a
/// call it does nothing.
pub fn end() {
    QUESTION.with_borrow_mut(|question| {
        if let Some(question) = question {
            question.over = true;
        }
    });
}

/// Whether the call that this thread is in is to end. Code of an embedder that takes long, a
/// channel for example, may ask, too.
#[must_use]
pub fn is_ended() -> bool {
    // The question is asked without the cell: it may run anything, another call with a question of
    // its own included.
    let due = QUESTION.with_borrow_mut(|question| {
        let Some(question) = question else { return EndCheck::No };
        if question.over {
            return EndCheck::Over;
        }
        let now = Instant::now();
        if question.asking || question.asked.is_some_and(|next| now < next) {
            return EndCheck::No;
        }
        question.asking = true;
        EndCheck::Ask(Rc::clone(&question.ended))
    });
    let ended = match due {
        EndCheck::No => return false,
        EndCheck::Over => return true,
        EndCheck::Ask(ended) => ended(),
    };
    QUESTION.with_borrow_mut(|question| {
        if let Some(question) = question {
            question.over |= ended;
            question.asking = false;
            question.asked = Instant::now().checked_add(EVERY);
        }
    });
    ended
}

struct Question {
    ended: Rc<dyn Fn() -> bool>,
    /// When to ask next; at each step where the clock has no such time.
    asked: Option<Instant>,
    over: bool,
    /// It is being asked: what it does to find out may take long, and does not ask it again.
    asking: bool,
}

enum EndCheck {
    No,
    Over,
    Ask(Rc<dyn Fn() -> bool>),
}

struct Restored(Option<Question>);

impl Drop for Restored {
    fn drop(&mut self) {
        QUESTION.set(self.0.take());
    }
}

std::thread_local! {
    static QUESTION: RefCell<Option<Question>> = const { RefCell::new(None) };
}

/// How often the question is asked: seldom enough to cost nothing, often enough that nobody waits
/// for it.
const EVERY: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    fn wait_until_ended() -> Duration {
        let begun = Instant::now();
        while !is_ended() {
            std::thread::sleep(Duration::from_millis(5));
        }
        begun.elapsed()
    }

    #[test]
    fn a_call_ends_when_its_question_says_so_and_stays_ended() {
        assert!(!is_ended());
        let asked = Rc::new(Cell::new(0_u32));
        let counted = Rc::clone(&asked);
        let ended = Rc::new(move || {
            counted.set(counted.get() + 1);
            counted.get() == 3
        });
        until(ended, || {
            let took = wait_until_ended();
            assert!(took >= EVERY * 3);
            assert!(is_ended() && is_ended());
        });
        // Not asked again after a yes, and of no concern to the next call.
        assert_eq!(asked.get(), 3);
        assert!(!is_ended());
        by(Instant::now(), || {
            wait_until_ended();
        });
        until(Rc::new(|| false), || {
            end();
            assert!(is_ended());
        });
        end();
        assert!(!is_ended());
    }

    #[test]
    fn a_call_within_a_call_has_its_own_question() {
        let inner = || by(Instant::now(), wait_until_ended) < Duration::from_secs(60);
        let nested = Rc::new(move || inner() && !is_ended());
        until(Rc::new(|| false), || {
            until(nested, || {
                wait_until_ended();
            });
            std::thread::sleep(EVERY * 2);
            assert!(!is_ended());
        });
        let panicked = std::panic::catch_unwind(|| {
            by(Instant::now(), || {
                wait_until_ended();
                panic!("on purpose")
            })
        });
        assert!(panicked.is_err() && !is_ended());
    }
}
