//! Reading fields in order, with the place of whatever is wrong.

use super::SealError;
use crate::codec::Input;

/// Fields that are read from front to back.
pub(super) struct Fields<'a>(pub(super) Input<'a>);

impl<'a> Fields<'a> {
    pub(super) const fn malformed(&self, what: &'static str) -> SealError {
        SealError::Malformed { at: self.0.at(), what }
    }

    /// Reads one, and says what is wrong where it cannot be read.
    pub(super) fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Input<'a>) -> Option<T>,
        what: &'static str,
    ) -> Result<T, SealError> {
        read(&mut self.0).ok_or_else(|| self.malformed(what))
    }
}
