//! What the driver makes durable: the journal and the records beside it.

use super::effect::RotationError;
use super::machine::{Rotation, Unsaved};
use super::schedule;
use super::set::IdSet;
use crate::identity::Timestamp;

impl Rotation {
    /// The journal changed.
    pub(super) fn changed(&mut self, what: Unsaved) {
        self.unsaved = self.unsaved.max(what);
        self.written = false;
    }

    /// The records that the driver must keep beside the journal, in the same file.
    #[must_use]
    pub fn retained(&self) -> IdSet {
        self.journal.retained(&self.step.phase())
    }

    /// Writes the journal for [`Effect::Save`](super::Effect::Save); its length. It may be called
    /// without that effect.
    ///
    /// # Errors
    /// `BufferTooSmall`; [`MAX_JOURNAL`](super::MAX_JOURNAL) is always enough.
    pub fn journal(&mut self, out: &mut [u8]) -> Result<usize, RotationError> {
        self.journal.seen = self.clock.now();
        let len = self.journal.encode(&self.step.phase(), out)?;
        self.written = true;
        Ok(len)
    }

    /// The journal that was written last, with the records of [`Rotation::retained`], is durable.
    ///
    /// # Errors
    /// `UnexpectedEvent` when the journal was not written, or the machine changed since.
    pub const fn handle_saved(&mut self) -> Result<(), RotationError> {
        if !self.written {
            return Err(RotationError::UnexpectedEvent);
        }
        self.written = false;
        self.unsaved = Unsaved::Nothing;
        Ok(())
    }

    /// The journal could not be made durable; it is asked for again after a while. `entropy` is 64
    /// random bits.
    pub fn handle_save_failed(&mut self, now: Timestamp, entropy: u64) {
        self.observe(now);
        self.written = false;
        self.save_at = self.clock.now().plus(schedule::back_off(0, entropy));
    }
}
