//! Where a store keeps sealed bytes, for stores that have numbers of their own for them.

use alloc::vec::Vec;

use crate::codec::{Input, Output};

use super::state::{Device, Digest};

/// The number that a store has for each sealing of a device, by its digest. Decisions know nothing
/// of it; a store writes it beside the state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Places(
    /// In the order of the digests: a device has a dozen, and they are read and written with each
    /// of its changes.
    Vec<(Digest, u64)>,
);

/// About what one place takes.
const PLACE_LEN: usize = 20;

impl Places {
    fn find(&self, digest: Digest) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(&digest))
    }

    /// Where a sealing is.
    #[must_use]
    pub fn get(&self, digest: Digest) -> Option<u64> {
        let at = self.find(digest).ok()?;
        self.0.get(at).map(|(_, place)| *place)
    }

    /// A sealing is there from now on.
    pub fn put(&mut self, digest: Digest, place: u64) {
        match self.find(digest) {
            Ok(at) => self.0.get_mut(at).into_iter().for_each(|known| known.1 = place),
            Err(at) => self.0.insert(at, (digest, place)),
        }
    }

    /// Takes a sealing's place out.
    pub fn take(&mut self, digest: Digest) -> Option<u64> {
        let at = self.find(digest).ok()?;
        Some(self.0.remove(at).1)
    }

    /// With those of another part of the same device, which win.
    pub fn extend(&mut self, other: &Self) {
        other.0.iter().for_each(|(digest, place)| self.put(*digest, *place));
    }

    /// Those of the sealings that a device has.
    #[must_use]
    pub fn of(mut self, device: &Device) -> Self {
        let mut digests = Vec::with_capacity(self.0.len());
        device.each_sealing(|_, sealing| digests.push(sealing.digest));
        digests.sort_unstable();
        self.0.retain(|(digest, _)| digests.binary_search(digest).is_ok());
        self
    }

    /// Those that do not stand in another part.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        self.0.retain(|(digest, place)| other.get(*digest) != Some(*place));
        self
    }

    /// Every place.
    pub fn all(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(|(_, place)| *place)
    }

    /// Canonical bytes, with a checksum; none of them where there is no place.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut out = Output::row(self.0.len().saturating_add(1).saturating_mul(PLACE_LEN));
        out.list(&self.0, |out, (digest, place)| {
            out.bytes(digest);
            out.u64(*place);
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
        (sorted && !places.is_empty()).then_some(Self(places))
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
