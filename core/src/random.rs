//! Random bytes: a generator whose key is replaced at every block, seeded from a source that is
//! tested.
//!
//! [`Generator`] is a fast-key-erasure generator over ChaCha20: each block of 1 KiB begins with the
//! next key, which overwrites the old one at once, and bytes are wiped as they are handed out.
//! Whoever reads its memory learns what comes next, but nothing that came before. It mixes in 64
//! fresh bytes of its source at least once in every mebibyte, and whenever [`Generator::reseed`] is
//! called: before the password of every rotation, for every key, record id and sealing, and in the
//! child after a fork.
//!
//! Whatever draws in this library takes a [`Generator`]: so every source goes through the two
//! checks of its seeding, and one that repeats itself is refused everywhere.

mod erasure;
#[cfg(feature = "getrandom")]
mod system;
#[cfg(test)]
pub(crate) mod tests;

use core::fmt;

use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroize as _;

use crate::error::Code;
use crate::secret::{SecretBytes, declassify};
use erasure::ErasureState;
#[cfg(feature = "getrandom")]
pub use system::SystemSource;

/// A cryptographic generator with key erasure, seeded from `S`.
///
/// With feature `alloc` its state lies on the heap and is filled in place, so that a moved
/// generator leaves no key behind. Without it the state is inline: make the generator where it is
/// to stay.
///
/// It does not notice a fork. The child must call [`Generator::reseed`] before it draws.
pub struct Generator<S> {
    source: S,
    #[cfg(feature = "alloc")]
    state: alloc::boxed::Box<ErasureState>,
    #[cfg(not(feature = "alloc"))]
    state: ErasureState,
}

impl<S: TryCryptoRng> Generator<S> {
    /// A generator that is seeded with 64 bytes of `source`.
    ///
    /// # Errors
    /// [`RandomError::Failed`] when the source fails; [`RandomError::Stuck`] when its two blocks of
    /// 32 bytes are equal, or one of them repeats a single byte (protocol §7 rule 7).
    pub fn try_new(source: S) -> Result<Self, RandomError> {
        #[cfg(feature = "alloc")]
        let state = alloc::boxed::Box::new(ErasureState::unseeded());
        #[cfg(not(feature = "alloc"))]
        let state = ErasureState::unseeded();
        let mut generator = Self { source, state };
        generator.reseed()?;
        Ok(generator)
    }

    /// Mixes 64 fresh bytes of the source into the key and drops the buffered output.
    ///
    /// # Errors
    /// As [`Generator::try_new`]. Nothing is handed out after a failure until a reseeding succeeds.
    pub fn reseed(&mut self) -> Result<(), RandomError> {
        // Whatever happens below, nothing buffered is used again.
        self.state.forget();
        let mut seed = SecretBytes::<SEED_BYTES>::zeroed();
        self.source.try_fill_bytes(seed.expose_secret_mut()).map_err(|_| RandomError::Failed)?;
        if is_stuck(seed.expose_secret()) {
            return Err(RandomError::Stuck);
        }
        self.state.mix(seed.expose_secret());
        Ok(())
    }

    /// Mixes in fresh bytes of the source, then fills `out`: what a copy of this generator draws
    /// (after a fork, in a snapshot that was started twice) is something else.
    ///
    /// # Errors
    /// As [`Generator::reseed`]; `out` is then all zero.
    pub fn fill_fresh(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.reseed().inspect_err(|_| out.zeroize())?;
        self.fill(out)
    }

    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// As [`Generator::reseed`], when a reseeding was due and failed; `out` is then all zero.
    pub fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(8) {
            match self.word() {
                Ok(mut word) => {
                    for (byte, random) in chunk.iter_mut().zip(word.to_le_bytes()) {
                        *byte = random;
                    }
                    word.zeroize();
                }
                Err(error) => {
                    out.zeroize();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// The next 64 bits. The one way in which output leaves the state.
    #[inline]
    pub(crate) fn word(&mut self) -> Result<u64, RandomError> {
        match self.state.take() {
            Some(word) => Ok(word),
            None => self.refill(),
        }
    }

    #[cold]
    fn refill(&mut self) -> Result<u64, RandomError> {
        if self.state.is_due() {
            self.reseed()?;
        } else {
            self.state.refill();
        }
        self.state.take().ok_or(RandomError::Failed)
    }
}

#[cfg(feature = "getrandom")]
impl Generator<SystemSource> {
    /// A generator that is seeded from the operating system.
    ///
    /// # Errors
    /// As [`Generator::try_new`].
    pub fn from_system() -> Result<Self, RandomError> {
        Self::try_new(SystemSource)
    }
}

impl<S: TryCryptoRng> TryRng for Generator<S> {
    type Error = RandomError;

    fn try_next_u32(&mut self) -> Result<u32, RandomError> {
        let [a, b, c, d, ..] = self.word()?.to_le_bytes();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomError> {
        self.word()
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill(out)
    }
}

impl<S: TryCryptoRng> TryCryptoRng for Generator<S> {}

impl<S> fmt::Debug for Generator<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generator([redacted])")
    }
}

/// Why there are no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RandomError {
    /// The source reported a failure.
    Failed,
    /// The source repeats itself.
    Stuck,
}

impl RandomError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::RandomFailure
    }
}

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "the random source failed",
            Self::Stuck => "the random source repeats itself",
        })
    }
}

impl core::error::Error for RandomError {}

/// Bytes drawn at each seeding: two blocks of 32 (protocol §7 rule 7).
const SEED_BYTES: usize = 64;

/// Whether the two halves of a seed are equal, or one of them repeats a single byte.
fn is_stuck(seed: &[u8; SEED_BYTES]) -> bool {
    let (first, second) = seed.split_at(SEED_BYTES >> 1);
    // Every byte is looked at: where two bytes differ is nobody's business.
    let differ =
        |a: &[u8], b: &[u8]| a.iter().zip(b).fold(0_u64, |all, (a, b)| all | u64::from(a ^ b));
    let varies = |block: &[u8]| differ(block, block.get(1..).unwrap_or_default());
    declassify(varies(first)) || declassify(varies(second)) || declassify(differ(first, second))
}
