//! The operating system's random source.

use rand_core::{TryCryptoRng, TryRng};

use super::RandomError;

/// The operating system's random source: one call of the system a draw.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemSource;

impl TryRng for SystemSource {
    type Error = RandomError;

    fn try_next_u32(&mut self) -> Result<u32, RandomError> {
        getrandom::u32().map_err(|_| RandomError::Failed)
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomError> {
        getrandom::u64().map_err(|_| RandomError::Failed)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError::Failed)
    }
}

impl TryCryptoRng for SystemSource {}
