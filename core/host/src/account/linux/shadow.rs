//! The two files: who there is, and the hash of the password.

use core::fmt;
use std::fs;
use std::io;
use std::path::Path;

use laps_core::secret::Password;
use yescrypt::PasswordVerifier as _;
use zeroize::Zeroizing;

use super::{StoreError, Verification};

/// One line of the passwd file.
#[derive(Debug)]
pub(super) struct PasswdEntry {
    pub(super) name: String,
    pub(super) uid: u32,
}

/// Every local account. Lines that cannot be read are passed over, as the C library does.
pub(super) fn accounts(etc: &Path) -> Result<Vec<PasswdEntry>, StoreError> {
    let text = read(&etc.join("passwd"))?;
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            Some(PasswdEntry { name: name.to_owned(), uid })
        })
        .collect())
}

/// The password field of an account in the shadow file.
pub(super) fn field(etc: &Path, name: &str) -> Result<Field, StoreError> {
    let path = etc.join("shadow");
    let text = read(&path)?;
    text.lines()
        .find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then(|| fields.next())?
        })
        .map(|field| Field(Zeroizing::new(field.to_owned())))
        .ok_or_else(|| {
            StoreError::NoSuchAccount(format!("{name} has no line in {}", path.display()))
        })
}

fn read(path: &Path) -> Result<Zeroizing<String>, StoreError> {
    fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        let denied = error.kind() == io::ErrorKind::PermissionDenied;
        let hint = if denied { "; the agent must run as root" } else { "" };
        StoreError::Failed(format!("cannot read {}: {error}{hint}", path.display()))
    })
}

/// A password field: a hash, perhaps locked.
pub(super) struct Field(Zeroizing<String>);

impl Field {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether somebody can log in with a password.
    pub(super) fn enabled(&self) -> bool {
        !self.0.starts_with(['!', '*'])
    }

    /// Whether passwords can be compared with it.
    pub(super) fn is_known(&self) -> bool {
        let hash = self.0.trim_start_matches('!');
        hash.is_empty()
            || hash.starts_with('*')
            || ["$y$", "$5$", "$6$"].iter().any(|method| hash.starts_with(method))
    }

    /// Whether the hash is that of this password. A lock (`!` in front, as `usermod -L` writes it)
    /// is looked through: the password is managed all the same, and unlocking brings it back.
    pub(super) fn verify(&self, password: &Password) -> Verification {
        let hash = self.0.trim_start_matches('!');
        let password = password.expose_secret().as_bytes();
        let answer = if hash.starts_with("$y$") {
            yescrypt::Yescrypt::default().verify_password(password, hash)
        } else if hash.starts_with("$5$") || hash.starts_with("$6$") {
            sha_crypt::ShaCrypt::default().verify_password(password, hash)
        } else if hash.is_empty() || hash.starts_with('*') {
            return Verification::DoesNotMatch;
        } else {
            let method: String =
                hash.chars().take_while(|c| *c == '$' || c.is_alphanumeric()).take(4).collect();
            return Verification::NoAnswer(format!(
                "the hash method {method} is not known here; known are $y$, $5$ and $6$"
            ));
        };
        match answer {
            Ok(()) => Verification::Matches,
            Err(yescrypt::password_hash::Error::PasswordInvalid) => Verification::DoesNotMatch,
            Err(error) => Verification::NoAnswer(format!("the hash cannot be read: {error}")),
        }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Field([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(hash: &str, password: &str) -> Verification {
        Field(Zeroizing::new(hash.to_owned())).verify(&Password::try_from_str(password).unwrap())
    }

    // Made by libxcrypt 4.4.33: `mkpasswd`-style calls of crypt(3) with the password "correct
    // horse".
    const HASHES: [&str; 4] = [
        "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/HAmA1BpMnBsYHMWB4NZN4\
         $h6LylQMybRluOW03ztLormYJ4ojOrl4IiTL9Svceyj9",
        "$6$k2XAnEHBqQ1Ct2aM$KDBGOLClapqzK43U1GDLsBvQ8UyKzV4Gil5wjmo4po8DDQYfilvtBtdIBewkrDZsDiH9k\
         MMRkq9YqOGSFdm16/",
        "$5$k2XAnEHBqQ1Ct2aM$GC1EfsiCksyq0SBhjt/RQhnnwK5wFNHaj/WQGO7Nu..",
        "$6$rounds=1000$saltsalt$4GMtaIz3E1AdDi2SmCokEW0ehi.HdxNDcL3fGE1XXuzvo6kbx7UOloZKONqEk5H3J\
         rQA4NOfU8BmqFPrpGqwA1",
    ];

    #[test]
    fn the_hashes_of_the_system_are_verified() {
        for hash in HASHES {
            assert_eq!(verify(hash, "correct horse"), Verification::Matches, "{hash}");
            assert_eq!(verify(hash, "correct horsf"), Verification::DoesNotMatch, "{hash}");
            assert_eq!(verify(&format!("!{hash}"), "correct horse"), Verification::Matches);
        }
    }

    #[test]
    fn an_unknown_or_damaged_hash_is_no_answer_and_never_a_no() {
        for hash in [
            "$2b$05$abcdefghijklmnopqrstuuWjSDRDbF7hSBhYOZ9mzeDeOmnW0fVZu",
            "$1$abcdefgh$G//4keteveJp0qb8z2DxG/",
            "abJnggxhB/yWI",
            "$y$j9T$",
            "$6$rounds=5$salt$abc",
            "$6$",
        ] {
            assert!(matches!(verify(hash, "x"), Verification::NoAnswer(_)), "{hash}");
        }
    }

    #[test]
    fn a_field_without_a_hash_matches_no_password() {
        for field in ["", "*", "!", "!*", "!!"] {
            assert_eq!(verify(field, "x"), Verification::DoesNotMatch, "{field}");
        }
    }

    #[test]
    fn debug_is_redacted() {
        assert_eq!(format!("{:?}", Field(Zeroizing::new("$6$".to_owned()))), "Field([redacted])");
    }
}
