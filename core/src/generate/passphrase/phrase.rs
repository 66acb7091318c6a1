//! A text that grows at its front by pieces of secret length.

use core::hint::black_box;

use zeroize::Zeroize as _;

use super::eff::PackedWord;
use crate::secret::{Password, declassify_length};

/// At most 128 bytes; zero behind them.
#[derive(Default)]
pub(in crate::generate) struct Phrase([u64; LIMBS]);

impl Phrase {
    /// Moves the text behind the word: one conditional move for each binary digit of the length.
    pub(super) fn put_word(&mut self, word: PackedWord) {
        let length = word.iter().fold(0_u64, |count, limb| count.wrapping_add(bytes_in(*limb)));
        self.make_room(length, 5);
        for (limb, letters) in self.0.iter_mut().zip(word) {
            *limb |= letters;
        }
    }

    /// The same for up to 128 bytes, which end where the first zero stands.
    pub(super) fn put_before(&mut self, piece: &[u8]) {
        let mut limbs = [0_u64; LIMBS];
        for (limb, bytes) in limbs.iter_mut().zip(piece.chunks(8)) {
            *limb = bytes.iter().rev().fold(0, |limb, byte| (limb << 8) | u64::from(*byte));
        }
        let length = limbs.iter().fold(0_u64, |count, limb| count.wrapping_add(bytes_in(*limb)));
        self.make_room(length, 8);
        for (limb, letters) in self.0.iter_mut().zip(limbs) {
            *limb |= letters;
        }
        limbs.zeroize();
    }

    fn make_room(&mut self, length: u64, digits: u32) {
        for digit in 0..digits {
            let mask = black_box(0_u64.wrapping_sub((length >> digit) & 1));
            self.shift(1 << digit, mask);
        }
    }

    /// Moves the text by so many bytes where the mask is set.
    fn shift(&mut self, bytes: usize, mask: u64) {
        let (limbs, bits) = (bytes >> 3, u32::try_from((bytes & 7) << 3).unwrap_or(0));
        let mut before = self.0;
        let mut below = 0;
        for (position, limb) in self.0.iter_mut().enumerate() {
            let source =
                position.checked_sub(limbs).and_then(|place| before.get(place)).unwrap_or(&0);
            let carried = if bits == 0 { 0 } else { below >> (64 - bits) };
            let moved = source << bits | carried;
            below = *source;
            *limb ^= (*limb ^ moved) & mask;
        }
        before.zeroize();
    }

    pub(super) fn write(&self, out: &mut [u8]) {
        let (places, _) = out.as_chunks_mut::<8>();
        for (bytes, limb) in places.iter_mut().zip(self.0) {
            *bytes = limb.to_le_bytes();
        }
    }

    /// The length of the whole, which is public.
    pub(super) fn len(&self) -> usize {
        let length = self.0.iter().fold(0_u64, |count, limb| count.wrapping_add(bytes_in(*limb)));
        declassify_length(length)
    }

    /// The text, for the proof of uniformity.
    #[cfg(all(test, feature = "alloc"))]
    pub(in crate::generate) fn read(&self) -> alloc::string::String {
        let bytes = self.0.iter().flat_map(|limb| limb.to_le_bytes());
        bytes.filter(|byte| *byte != 0).map(char::from).collect()
    }
}

impl Drop for Phrase {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// How many bytes are not zero; letters are ASCII.
const fn bytes_in(limb: u64) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let present = (limb.wrapping_add(0x7f * LOW) >> 7) & LOW;
    present.wrapping_mul(LOW) >> 56
}

/// A passphrase in words of 64 bits.
const LIMBS: usize = Password::MAX_LEN >> 3;
