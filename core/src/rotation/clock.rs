//! A clock that never runs backwards, over one that may.
//!
//! What the driver passes as `now` is the device's wall clock, and those jump. Three rules keep a
//! jump from postponing a rotation beyond the policy's age, and from starting a storm:
//!
//! - Forwards: time has passed. What is due is done, once; the next due date counts from there.
//! - Backwards by more than five minutes: every time that the machine remembers moves back by as
//!   much, so that what was three days away still is. By less: the machine's clock stands still
//!   until the other has caught up.
//! - Back to before 2025, when it was later before: the device has lost its time and waits for the
//!   network. The machine's clock goes on by what passes, and nothing is moved; so a device without
//!   a battery does not rotate at every start.

use super::schedule::{PLAUSIBLE, TOLERANCE};
use crate::identity::Timestamp;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Clock {
    now: Timestamp,
    /// The wall clock while it is not set.
    unset: Option<Timestamp>,
}

impl Clock {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { now, unset: None }
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// What the wall clock will say then.
    pub(super) const fn wall(&self, time: Timestamp) -> Timestamp {
        match self.unset {
            Some(wall) => wall.plus(time.seconds_since(self.now)),
            None => time,
        }
    }

    /// Takes the wall clock in. The seconds by which every remembered time must move back; none
    /// when the clock did not jump.
    pub(super) fn observe(&mut self, wall: Timestamp) -> Option<u64> {
        if wall < PLAUSIBLE && self.now >= PLAUSIBLE {
            let before = self.unset.replace(wall);
            let passed = before.map(|before| wall.seconds_since(before));
            self.now = self.now.plus(passed.unwrap_or(0));
            return if before.is_none() { Some(0) } else { None };
        }
        self.unset = None;
        let back = self.now.seconds_since(wall);
        if back > TOLERANCE {
            self.now = wall;
            return Some(back);
        }
        self.now = self.now.max(wall);
        None
    }
}
