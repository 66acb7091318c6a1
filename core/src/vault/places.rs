//! Where a store keeps sealed bytes, for stores that have numbers of their own for them.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::codec::{Input, Output};

use super::state::{Device, Digest};

/// The number that a store has for each sealing of a device, by its digest. Decisions know nothing
/// of it; a store writes it beside the state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Places(BTreeMap<Digest, u64>);

/// About what one place takes.
const PLACE_LEN: usize = 20;

impl Places {
    /// Where a sealing is.
    #[must_use]
    pub fn get(&self, digest: Digest) -> Option<u64> {
        self.0.get(&digest).copied()
    }

    /// A sealing is there from now on.
    pub fn put(&mut self, digest: Digest, place: u64) {
        self.0.insert(digest, place);
    }

    /// Takes a sealing's place out.
    pub fn take(&mut self, digest: Digest) -> Option<u64> {
        self.0.remove(&digest)
    }

    /// With those of another part of the same device, which win.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Those of the sealings that a device has.
    #[must_use]
    pub fn of(&self, device: &Device) -> Self {
        let mut places = BTreeMap::new();
        device.each_sealing(|_, sealing| {
            places.extend(self.get(sealing.digest).map(|place| (sealing.digest, place)));
        });
        Self(places)
    }

    /// Those that do not stand in another part.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        self.0.retain(|digest, place| other.get(*digest) != Some(*place));
        self
    }

    /// Every place.
    pub fn all(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.values().copied()
    }

    /// Canonical bytes, with a checksum; none of them where there is no place.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut out = Output::row(self.0.len().saturating_add(1).saturating_mul(PLACE_LEN));
        let places: Vec<_> = self.0.iter().collect();
        out.list(&places, |out, (digest, place)| {
            out.bytes(*digest);
            out.u64(**place);
        });
        out.summed()
    }

    /// From canonical bytes; none when they are not, or damaged.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let mut input = Input::row(bytes)?;
        let places = input.list(|input| Some((input.array()?, input.u64()?)))?;
        input.end()?;
        let sorted = places.is_sorted_by(|(one, _), (other, _)| one < other);
        (sorted && !places.is_empty()).then(|| Self(places.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_bit_and_every_cut_is_found() {
        let mut places = Places::default();
        assert_eq!(Places::from_bytes(&places.to_bytes()), Some(places.clone()));
        for n in [1, 9, 200] {
            places.put([n; 16], 1 << n.min(63));
        }
        let bytes = places.to_bytes();
        assert_eq!(Places::from_bytes(&bytes), Some(places));
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                assert_eq!(Places::from_bytes(&changed), None, "bit {bit} of byte {place}");
            }
        }
        for len in 1..bytes.len() {
            assert_eq!(Places::from_bytes(&bytes[..len]), None, "{len} bytes");
        }
    }
}
