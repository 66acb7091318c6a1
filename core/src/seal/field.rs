//! Numbers modulo p = 2^255 − 19, as public keys write them (RFC 7748 §5, RFC 8032 §5.1.3).

/// Whether the low 255 bits are below p. Those that are not mean the same as a smaller number, and
/// a key that can be written in two ways has two identities. Public keys are no secrets: time may
/// tell.
pub(super) fn is_reduced(number: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = number;
    // p = 7f ff … ff ed, the last byte first.
    let high = last | 0x80 == 0xff && middle.iter().all(|byte| *byte == 0xff);
    !(high && *first >= 0xed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_around_p_is_told_apart() {
        let near = |first: u8, last: u8| {
            let mut number = [0xff; 32];
            number[0] = first;
            number[31] = last;
            number
        };
        for first in 0..=0xff {
            for high_bit in [0, 0x80] {
                assert_eq!(is_reduced(&near(first, 0x7f | high_bit)), first < 0xed);
                assert!(is_reduced(&near(first, 0x7e | high_bit)));
            }
        }
        for place in 1..31 {
            let mut number = near(0xff, 0x7f);
            number[place] = 0xfe;
            assert!(is_reduced(&number), "{place}");
        }
        assert!(is_reduced(&[0; 32]));
    }
}
