use super::*;
use alloc::vec::Vec;

/// Counts up from a start; fails at the draw `fail_at`, counted from 0.
pub(crate) struct Counting {
    next: u8,
    draws: u64,
    fail_at: Option<u64>,
}

impl Counting {
    pub(crate) fn new() -> Self {
        Self { next: 1, draws: 0, fail_at: None }
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn starting_at(next: u8) -> Self {
        Self { next, ..Self::new() }
    }

    pub(crate) fn failing_at(draw: u64) -> Self {
        Self { fail_at: Some(draw), ..Self::new() }
    }
}

impl TryRng for Counting {
    type Error = RandomError;

    fn try_next_u32(&mut self) -> Result<u32, RandomError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        if Some(self.draws) == self.fail_at {
            return Err(RandomError::Failed);
        }
        self.draws += 1;
        for byte in out {
            *byte = self.next;
            self.next = self.next.wrapping_add(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

/// Repeats the same 32 bytes.
struct Repeating([u8; 32]);

impl TryRng for Repeating {
    type Error = RandomError;

    fn try_next_u32(&mut self) -> Result<u32, RandomError> {
        Err(RandomError::Failed)
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomError> {
        Err(RandomError::Failed)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for (byte, value) in out.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *value;
        }
        Ok(())
    }
}

impl TryCryptoRng for Repeating {}

fn ascending<const N: usize>() -> [u8; N] {
    let mut next = 0;
    [(); N].map(|()| {
        next += 1;
        next
    })
}

#[test]
fn a_source_that_repeats_itself_is_refused() {
    for constant in [0, 1, 0x5a, 0xff] {
        let refused = Generator::try_new(Repeating([constant; 32]));
        assert_eq!(refused.map(|_| ()), Err(RandomError::Stuck));
    }
    let block = ascending();
    assert_eq!(Generator::try_new(Repeating(block)).map(|_| ()), Err(RandomError::Stuck));
}

#[test]
fn one_constant_half_of_a_seed_is_refused() {
    let mut seed: [u8; 64] = ascending();
    assert!(!is_stuck(&seed));
    seed[32..].fill(9);
    assert!(is_stuck(&seed));
    seed = ascending();
    seed[..32].fill(9);
    assert!(is_stuck(&seed));
}

#[test]
fn a_failing_source_is_an_error_and_stays_one() {
    assert_eq!(Generator::try_new(Counting::failing_at(0)).map(|_| ()), Err(RandomError::Failed));
    let mut generator = Generator::try_new(Counting::failing_at(1)).unwrap();
    let mut out = [7; 16];
    generator.fill(&mut out).unwrap();
    assert_ne!(out, [7; 16]);
    assert_eq!(generator.reseed(), Err(RandomError::Failed));
    assert_eq!(generator.fill(&mut out), Err(RandomError::Failed));
    assert_eq!(out, [0; 16], "nothing is handed out after a failure");
}

#[test]
fn fresh_bytes_are_due_within_a_mebibyte() {
    let mut generator = Generator::try_new(Counting::failing_at(1)).unwrap();
    let mut drawn = 0_u32;
    let mut out = [0; 1024];
    while generator.fill(&mut out).is_ok() {
        drawn += 1024;
        assert!(drawn <= 1 << 20, "no reseeding after a mebibyte");
    }
    assert!(drawn > 1 << 19, "a reseeding after only {drawn} bytes");
}

#[test]
fn output_follows_chacha20_and_the_key_is_replaced() {
    use rand_core::SeedableRng as _;
    let mut generator = Generator::try_new(Counting::new()).unwrap();
    let (key_before, _) = generator.state.memory();
    // The buffer holds one block; what follows is keyed by the next key, which is the start of the
    // stream.
    let mut out = [0; 992 + 8];
    generator.fill(&mut out).unwrap();
    let (key_after, _) = generator.state.memory();
    assert_ne!(key_before, key_after);
    let mut stream = [0; 1024];
    let mut reference = rand_chacha::ChaCha20Rng::from_seed(key_before);
    reference.try_fill_bytes(&mut stream).unwrap();
    assert_eq!(key_after, stream[..32]);
    assert_eq!(out[992..], stream[32..40]);
}

#[test]
fn the_memory_of_the_generator_holds_nothing_that_it_gave() {
    let mut generator = Generator::try_new(Counting::new()).unwrap();
    let mut out = Vec::new();
    for step in 0..40 {
        let mut some = alloc::vec![0; 1 + ((step * 7) & 63)];
        generator.fill(&mut some).unwrap();
        out.extend_from_slice(&some);
        let (key, block) = generator.state.memory();
        let buffered: Vec<u8> = block.iter().flat_map(|word| word.to_le_bytes()).collect();
        let seen = |memory: &[u8]| {
            memory.windows(8).any(|window| {
                window.iter().any(|byte| *byte != 0)
                    && out.windows(8).rev().take(1100).any(|past| past == window)
            })
        };
        assert!(!seen(&key) && !seen(&buffered), "step {step}");
        // Nor what the key and the buffer lead to: the next blocks from this key.
        let mut reference = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed(key);
        let mut stream = [0; 1024];
        reference.try_fill_bytes(&mut stream).unwrap();
        assert!(!seen(&stream), "step {step}");
    }
}

#[test]
fn reseeding_separates_two_copies_of_one_state() {
    // What a fork or a restored snapshot is: the same state twice. Fresh bytes make them differ.
    let mut one = Generator::try_new(Counting::new()).unwrap();
    let mut two = Generator::try_new(Counting::new()).unwrap();
    assert_eq!(one.word(), two.word());
    two.source.next = 200;
    one.reseed().unwrap();
    two.reseed().unwrap();
    assert_ne!(one.word(), two.word());
}

#[cfg(feature = "getrandom")]
#[test]
fn the_system_source_seeds_different_generators() {
    let mut one = Generator::from_system().unwrap();
    let mut two = Generator::from_system().unwrap();
    assert_ne!(one.word(), two.word());
}
