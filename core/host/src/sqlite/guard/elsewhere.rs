//! No locks but SQLite's.

use std::path::Path;

use laps_core::vault::{StoreError, VaultError};

/// There is none.
#[derive(Clone)]
pub(in crate::sqlite) struct Guard;
pub(in crate::sqlite) struct WriteTurn;

impl Guard {
    pub(in crate::sqlite) const fn none() -> Self {
        Self
    }

    pub(in crate::sqlite) fn of(_: &Path) -> Result<Self, StoreError> {
        Ok(Self)
    }

    pub(in crate::sqlite) fn opened(&self, _: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    pub(in crate::sqlite) fn turn(&self, _: &Path) -> Result<WriteTurn, StoreError> {
        Ok(WriteTurn)
    }

    pub(in crate::sqlite) fn index_is_whole(&self) -> bool {
        true
    }

    #[cfg(unix)]
    pub(in crate::sqlite) fn log_is_whole(&self, _: u64) -> std::io::Result<bool> {
        Ok(true)
    }

    pub(in crate::sqlite) fn named(&self, _: &Path, error: VaultError) -> VaultError {
        error
    }

    pub(in crate::sqlite) fn leave(self, close: impl FnOnce(bool)) {
        close(true);
    }
}
