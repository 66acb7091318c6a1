//! The state of the generator: one buffer, whose first 32 bytes at each refill become the next key.

use rand_chacha::ChaCha20Core;
use rand_core::SeedableRng as _;
use rand_core::block::Generator as _;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, zeroize_stack};

/// `ChaCha20Core` makes four blocks of 64 bytes at a time.
const CHUNK_WORDS: usize = 64;
/// Chunks between two changes of the key.
const CHUNKS: usize = 4;
/// What one refill makes, key included.
const BLOCK_WORDS: usize = CHUNK_WORDS * CHUNKS;
/// The key at the front of a block.
const KEY_WORDS: usize = 8;
/// Refills between two reseedings: 1 MiB of keystream.
const REFILLS: u32 = 1024;
/// What the keystream and the hash leave on the stack, with room to spare (seen in the memory
/// search).
const STACK_BYTES: usize = 2048;

/// Everything that the generator remembers, as plain words.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct ErasureState {
    key: [u8; 32],
    /// Words before `next` are zero: they were handed out, or were the key.
    block: [u32; BLOCK_WORDS],
    next: usize,
    /// Refills left until fresh bytes are due; 0 means that nothing may be handed out.
    left: u32,
}

impl ErasureState {
    /// No key yet: [`ErasureState::mix`] comes first.
    pub(super) const fn unseeded() -> Self {
        Self { key: [0; 32], block: [0; BLOCK_WORDS], next: BLOCK_WORDS, left: 0 }
    }

    /// Wipes what is buffered. The key stays, to be mixed with what comes.
    pub(super) fn forget(&mut self) {
        self.block.zeroize();
        self.next = BLOCK_WORDS;
        self.left = 0;
    }

    /// Whether fresh bytes are due before the next refill.
    pub(super) const fn is_due(&self) -> bool {
        self.left == 0
    }

    /// Replaces the key by a hash of it and the seed, and fills the buffer.
    pub(super) fn mix(&mut self, seed: &[u8]) {
        hash_into(&mut self.key, seed);
        self.left = REFILLS;
        self.refill();
    }

    /// A new block, and with it a new key.
    pub(super) fn refill(&mut self) {
        self.left = self.left.saturating_sub(1);
        expand(&mut self.key, &mut self.block);
        zeroize_stack::<STACK_BYTES>();
        self.next = KEY_WORDS;
    }

    /// The next 64 bits, wiped from the buffer; none when it is used up.
    #[inline]
    pub(super) fn take(&mut self) -> Option<u64> {
        let [low, high] = self.block.get_mut(self.next..)?.first_chunk_mut::<2>()?;
        let word = u64::from(*low) | u64::from(*high) << 32;
        *low = 0;
        *high = 0;
        self.next += 2;
        Some(word)
    }

    /// Every byte of the state, for the test of forward secrecy.
    #[cfg(test)]
    pub(super) fn memory(&self) -> ([u8; 32], [u32; BLOCK_WORDS]) {
        (self.key, self.block)
    }
}

/// Fast key erasure: the first 32 bytes of the new block are the next key and leave the block at
/// once.
#[inline(never)]
fn expand(key: &mut [u8; 32], block: &mut [u32; BLOCK_WORDS]) {
    let mut core = ChaCha20Core::from_seed(*key);
    let (chunks, _) = block.as_chunks_mut::<CHUNK_WORDS>();
    for chunk in chunks {
        core.generate(chunk);
    }
    let (next_key, _) = key.as_chunks_mut::<4>();
    for (bytes, word) in next_key.iter_mut().zip(block.iter_mut()) {
        *bytes = word.to_le_bytes();
        *word = 0;
    }
    core = ChaCha20Core::from_seed([0; 32]);
    zeroize::optimization_barrier(&core);
}

#[inline(never)]
fn hash_into(key: &mut [u8; 32], seed: &[u8]) {
    let mut hash = Sha256::new();
    hash.update(b"laps generator 1");
    hash.update(*key);
    hash.update(seed);
    hash.finalize_into(key.into());
}
