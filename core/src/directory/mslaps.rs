//! `msLAPS-Password`, and what stands inside `msLAPS-EncryptedPassword` (`[MS-ADA2]` 2.64,
//! windows-laps §5.2).

use zeroize::{Zeroize as _, Zeroizing};

use super::{DirectoryError, Filetime, json::JsonValue};
use crate::{identity::AccountName, secret::Password};

/// An account, when its password was set, and the password.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClearPassword {
    /// `n`: the account.
    pub account: AccountName,
    /// `t`: when the password was set; none where it is missing, or no time that anybody could
    /// have meant.
    pub updated: Option<Filetime>,
}

impl ClearPassword {
    /// Reads `{"n":"Administrator","t":"1d8161b41c41cde","p":"A6a3#7%eb!5"}`, in any order, and
    /// writes `p` into `password`. A zero at the end, which the encrypted form has, is dropped;
    /// other members are passed over.
    ///
    /// The time is read as others write it, too: in upper-case, with leading zeros or `0x`, or in
    /// decimal. Whoever reads this needs the password: a time that cannot be told does not
    /// stand in the way.
    ///
    /// # Errors
    /// [`DirectoryError`] for anything else, such as a bare password; `password` is then empty.
    pub fn read(text: &str, password: &mut Password) -> Result<Self, DirectoryError> {
        const MISSING: DirectoryError = DirectoryError::new(
            "not msLAPS-Password; accepted is \
             {\"n\":account,\"t\":time in hexadecimal,\"p\":password}",
        );
        password.zeroize();
        let text = text.strip_suffix('\0').unwrap_or(text);
        let (mut account, mut updated, mut secret) = (None, None, None);
        for member in JsonValue::document(text).and_then(JsonValue::members).map_err(|_| MISSING)? {
            let (name, value) = member.map_err(|_| MISSING)?;
            let place = match () {
                () if name.is("n") => &mut account,
                () if name.is("t") => &mut updated,
                () if name.is("p") => &mut secret,
                () => continue,
            };
            if place.replace(value).is_some() {
                return Err(DirectoryError::new("a member of msLAPS-Password stands twice"));
            }
        }
        let (Some(account), Some(secret)) = (account, secret) else {
            return Err(MISSING);
        };
        let account = account.text()?.ok_or(MISSING)?;
        let secret = secret.text()?.ok_or(MISSING)?;
        let mut buffer = [0; 256];
        let account = AccountName::new(account.decode(&mut buffer)?).map_err(|_| MISSING)?;
        let updated = updated.and_then(|updated| {
            let mut buffer = [0; 32];
            match updated.text() {
                Ok(text) => Filetime::from_any_digits(text?.decode(&mut buffer).ok()?),
                Err(_) => Filetime::from_any_digits(updated.bare()),
            }
        });
        let mut buffer = Zeroizing::new([0; Password::MAX_LEN]);
        let secret = secret.decode(buffer.as_mut_slice())?;
        if secret.is_empty() {
            return Err(DirectoryError::new("p is empty"));
        }
        password.set(secret).map_err(|_| DirectoryError::new("p is longer than 128 bytes"))?;
        Ok(Self { account, updated })
    }
}
