//! X-Wing with its private key expanded once.
//!
//! The crates expand the 32-byte seed again at every decapsulation, which costs an ML-KEM key
//! generation. An administrator who opens ten thousand records would pay for ten thousand of them,
//! so the expanded key is kept here, and wiped when it is dropped. Key schedule and cipher stay
//! those of hpke, whose version is pinned: `Kem::decap` is not part of what it documents.

use alloc::boxed::Box;

use hpke::hybrid_array::Array;
use hpke::hybrid_array::sizes::{U32, U1216};
use hpke::kem::{SharedSecret, XWing};
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable, HpkeError, Kem, Serializable};
use ml_kem::{Decapsulate as _, FromSeed as _, KeyExport as _, MlKem768, Seed, ml_kem_768};
use sha3::{Digest as _, Sha3_256};
use shake::{ExtendableOutput as _, Shake256, Update as _, XofReader as _};
use subtle::{Choice, ConstantTimeEq};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize as _, Zeroizing};

use super::burn_stack;

/// The private key of X-Wing, expanded.
#[derive(Clone)]
pub(super) struct ExpandedKey {
    seed: Zeroizing<[u8; 32]>,
    ml_kem: ml_kem_768::DecapsulationKey,
    x25519: StaticSecret,
    // pk = pk_M ‖ pk_X
    public_key: Array<u8, U1216>,
}

impl ExpandedKey {
    pub(super) fn new(seed: &[u8; 32]) -> Box<Self> {
        let key = Self::expand(seed);
        burn_stack();
        key
    }

    // draft-connolly-cfrg-xwing-kem §5.2:
    //   expanded = SHAKE256(sk, 96)
    //   (pk_M, sk_M) = ML-KEM-768.KeyGen_internal(expanded[0:32], expanded[32:64])
    //   sk_X = expanded[64:96]
    //   pk_X = X25519(sk_X, X25519_BASE)
    #[inline(never)]
    fn expand(seed: &[u8; 32]) -> Box<Self> {
        let mut expanded = Shake256::default().chain(seed).finalize_xof();
        let mut ml_kem_seed = Seed::default();
        expanded.read(&mut ml_kem_seed);
        let mut scalar = Zeroizing::new([0; 32]);
        expanded.read(scalar.as_mut_slice());

        let (ml_kem, ml_kem_public) = MlKem768::from_seed(&ml_kem_seed);
        ml_kem_seed.zeroize();
        let x25519 = StaticSecret::from(*scalar);
        let mut public_key = Array::default();
        let halves = ml_kem_public.to_bytes().into_iter();
        let halves = halves.chain(*PublicKey::from(&x25519).as_bytes());
        public_key.iter_mut().zip(halves).for_each(|(to, from)| *to = from);
        Box::new(Self { seed: Zeroizing::new(*seed), ml_kem, x25519, public_key })
    }

    pub(super) const fn public_key(&self) -> &[u8] {
        self.public_key.as_slice()
    }

    // draft-connolly-cfrg-xwing-kem §5.3 and §5.5:
    //   ss_M = ML-KEM-768.Decapsulate(ct_M, sk_M)
    //   ss_X = X25519(sk_X, ct_X)
    //   return SHA3-256(ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ "\.//^\")
    // An ss_X of zero is refused (RFC 7748 §6.1), as suite 2 does.
    fn decapsulate(&self, encapsulated: &[u8]) -> Option<Array<u8, U32>> {
        let (ct_m, ct_x) = encapsulated.split_last_chunk::<32>()?;
        let (_, pk_x) = self.public_key.split_last_chunk::<32>()?;
        let mut ss_m = self.ml_kem.decapsulate_slice(ct_m).ok()?;
        let ss_x = self.x25519.diffie_hellman(&PublicKey::from(*ct_x));
        let shared = Sha3_256::new()
            .chain_update(ss_m.as_slice())
            .chain_update(ss_x.as_bytes())
            .chain_update(ct_x)
            .chain_update(pk_x)
            .chain_update(br"\.//^\")
            .finalize();
        ss_m.zeroize();
        ss_x.was_contributory().then_some(shared)
    }
}

impl ConstantTimeEq for ExpandedKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.seed.ct_eq(other.seed.as_slice())
    }
}

impl Serializable for ExpandedKey {
    type OutputSize = U32;

    fn write_exact(&self, out: &mut [u8]) {
        out.iter_mut().zip(self.seed.iter()).for_each(|(to, from)| *to = *from);
    }
}

impl Deserializable for ExpandedKey {
    fn from_bytes(seed: &[u8]) -> Result<Self, HpkeError> {
        let seed = seed.try_into().map_err(|_| HpkeError::IncorrectInputLength(32, seed.len()))?;
        Ok(Self::new(seed).as_ref().clone())
    }
}

/// X-Wing (KEM 0x647A) whose private key is an [`ExpandedKey`]. It only opens; sealing is
/// [`XWing`]'s.
pub(super) struct XWingExpanded;

impl Kem for XWingExpanded {
    type PublicKey = <XWing as Kem>::PublicKey;
    type PrivateKey = ExpandedKey;
    type EncappedKey = <XWing as Kem>::EncappedKey;
    type NSecret = U32;
    const KEM_ID: u16 = XWing::KEM_ID;

    fn sk_to_pk(key: &ExpandedKey) -> Self::PublicKey {
        let mut seed = key.seed.clone();
        let public = <XWing as Kem>::PrivateKey::from_bytes(seed.as_slice());
        seed.zeroize();
        public.map_or_else(|_| XWing::derive_keypair(&[]).1, |key| XWing::sk_to_pk(&key))
    }

    fn derive_keypair(material: &[u8]) -> (ExpandedKey, Self::PublicKey) {
        let (private, public) = XWing::derive_keypair(material);
        let mut seed = Zeroizing::new([0; 32]);
        private.write_exact(seed.as_mut_slice());
        (*ExpandedKey::new(&seed), public)
    }

    fn decap(
        key: &ExpandedKey,
        sender: Option<&Self::PublicKey>,
        encapsulated: &Self::EncappedKey,
    ) -> Result<SharedSecret<Self>, HpkeError> {
        if sender.is_some() {
            return Err(HpkeError::DecapError);
        }
        key.decapsulate(&encapsulated.to_bytes()).map(SharedSecret).ok_or(HpkeError::DecapError)
    }

    fn encap_with_rng(
        _: &Self::PublicKey,
        _: Option<(&ExpandedKey, &Self::PublicKey)>,
        _: &mut impl CryptoRng,
    ) -> Result<(SharedSecret<Self>, Self::EncappedKey), HpkeError> {
        Err(HpkeError::EncapError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// The bytes under a name in the draft's vector.
    fn vector(name: &str) -> Vec<u8> {
        let lines = include_str!("xwing.txt").lines();
        let value = lines.skip_while(|line| *line != name).skip(1);
        let value = value.take_while(|line| line.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let digits: Vec<u8> = value.flat_map(str::bytes).collect();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16);
        digits.as_chunks::<2>().0.iter().map(|pair| byte(pair).unwrap()).collect()
    }

    #[test]
    fn the_vector_of_the_draft_holds() {
        let key = ExpandedKey::new(vector("seed").as_slice().try_into().unwrap());
        assert_eq!(key.public_key(), vector("public"));
        let shared = key.decapsulate(&vector("ciphertext")).unwrap();
        assert_eq!(shared.as_slice(), vector("shared"));
    }

    #[test]
    fn a_point_of_small_order_is_refused() {
        let key = ExpandedKey::new(vector("seed").as_slice().try_into().unwrap());
        let mut ciphertext = vector("ciphertext");
        ciphertext[1088..].fill(0);
        assert!(key.decapsulate(&ciphertext).is_none());
        assert!(key.decapsulate(&ciphertext[1..]).is_none());
    }

    #[test]
    fn hpke_sees_the_same_key_as_its_own() {
        let seed = vector("seed");
        let theirs = <XWing as Kem>::PrivateKey::from_bytes(&seed).unwrap();
        let ours = ExpandedKey::from_bytes(&seed).unwrap();
        assert_eq!(ours.to_bytes(), theirs.to_bytes());
        assert_eq!(XWingExpanded::sk_to_pk(&ours), XWing::sk_to_pk(&theirs));
        assert_eq!(XWingExpanded::derive_keypair(b"x").1, XWing::derive_keypair(b"x").1);
        assert!(bool::from(ours.ct_eq(&ours.clone())));
    }
}
