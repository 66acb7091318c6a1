//! Alphabets for people: easy to read, or easy to type on a foreign keyboard.

use super::chars::CharSet;

/// A ready choice of groups.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Preset {
    /// No characters that are easily confused in print or by ear over a bad line: the sets of
    /// Windows LAPS complexity 5, without those that still resemble another (`2 Z`, `5 S`, `6
    /// G`, `8 B`, `9 g q`, `U V`, `u v`, `1 l !`, `:`, `+`). Four groups: upper-case and lower-case
    /// letters, digits, special characters.
    Readable,
    /// Characters that one key gives, with the same shift state, on the US, UK, German, French and
    /// Spanish keyboards, and no dead keys: 20 upper-case and 20 lower-case letters. French moves
    /// A, M, Q, W and Z, German Y and Z; French digits need Shift, and no special character is
    /// common to all five. The layouts are `us`, `gb`, `de`, `fr` and `es` (each "basic") of
    /// xkeyboard-config 2.35.1.
    Typable,
}

impl Preset {
    /// The groups, each of which a password uses.
    #[must_use]
    pub(crate) const fn sets(self) -> &'static [CharSet] {
        match self {
            Self::Readable => &READABLE,
            Self::Typable => &TYPABLE,
        }
    }
}

const READABLE: [CharSet; 4] = [
    CharSet::of("ACDEFHJKLMNPRTUWXY"),
    CharSet::of("abcdefhijkmnprtuwxy"),
    CharSet::of("347"),
    CharSet::of("#%@=?*"),
];
const TYPABLE: [CharSet; 2] =
    [CharSet::of("BCDEFGHIJKLNOPRSTUVX"), CharSet::of("bcdefghijklnoprstuvx")];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Rows E, D, C and B of xkeyboard-config 2.35.1, without and with Shift; a space where a key
    /// gives a dead accent or something that is not ASCII.
    const LAYOUTS: [(&str, &str); 5] = [
        (
            "1234567890-= qwertyuiop[] asdfghjkl;' zxcvbnm,./",
            "!@#$%^&*()_+ QWERTYUIOP{} ASDFGHJKL:\" ZXCVBNM<>?",
        ),
        (
            "1234567890-= qwertyuiop[] asdfghjkl;' zxcvbnm,./",
            "!\" $%^&*()_+ QWERTYUIOP{} ASDFGHJKL:@ ZXCVBNM<>?",
        ),
        (
            "1234567890   qwertzuiop + asdfghjkl   yxcvbnm,.-",
            "!\" $%&/()=?  QWERTZUIOP * ASDFGHJKL   YXCVBNM;:_",
        ),
        (
            "& \"'(- _  )= azertyuiop $ qsdfghjklm  wxcvbn,;:!",
            "1234567890 + AZERTYUIOP   QSDFGHJKLM% WXCVBN?./ ",
        ),
        (
            "1234567890'  qwertyuiop + asdfghjkl   zxcvbnm,.-",
            "!\" $%&/()=?  QWERTYUIOP * ASDFGHJKL   ZXCVBNM;:_",
        ),
    ];

    #[test]
    fn typable_is_what_the_five_layouts_have_in_common() {
        let keys = |(plain, shifted): (&str, &str)| -> Vec<u8> {
            assert_eq!((plain.len(), shifted.len()), (48, 48));
            plain.bytes().chain(shifted.bytes()).collect()
        };
        let all = LAYOUTS.map(keys);
        let mut common = CharSet::EMPTY;
        for (position, byte) in all[0].iter().enumerate() {
            if *byte != b' ' && all.iter().all(|layout| layout[position] == *byte) {
                common = common.with(*byte);
            }
        }
        let typable =
            Preset::Typable.sets().iter().fold(CharSet::EMPTY, |all, set| all.union(*set));
        assert_eq!(typable, common);
    }

    #[test]
    fn readable_has_no_two_characters_that_look_alike() {
        let readable =
            Preset::Readable.sets().iter().fold(CharSet::EMPTY, |all, set| all.union(*set));
        for excluded in "0OoQ1Il!|2Zz5Ss$6G8B9gqVv+:;.,".bytes() {
            assert!(!readable.contains(excluded), "{}", char::from(excluded));
        }
    }
}
