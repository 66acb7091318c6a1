//! Shapes in which others store local administrator passwords (windows-laps §5): we read them, we
//! do not write them.
//!
//! | shape | reader |
//! |---|---|
//! | Microsoft Entra through Graph, `deviceLocalCredentialInfo` | [`CredentialInfo`] |
//! | Active Directory, `msLAPS-Password` in clear | [`ClearPassword`] |
//! | Active Directory, `msLAPS-EncryptedPassword` and its history | [`EncryptedPassword`] |
//! | what is encrypted in it, DPAPI-NG | [`ProtectedBlob`] |
//! | expiry of either LAPS in Active Directory, a FILETIME | [`Filetime`] |
//!
//! ```
//! use laps_core::directory::ClearPassword;
//! use laps_core::secret::Password;
//!
//! let mut password = Password::empty();
//! let attribute = r#"{"n":"Administrator","t":"1d8161b41c41cde","p":"A6a3#7%eb!57be4a4B95Z43"}"#;
//! let read = ClearPassword::read(attribute, &mut password)?;
//! assert_eq!(read.account.as_str(), "Administrator");
//! assert_eq!(password.expose_secret(), "A6a3#7%eb!57be4a4B95Z43");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The legacy `ms-Mcs-AdmPwd` is the bare password and needs no reader. Nothing here needs a heap,
//! and no copy of a password is made but the one in the caller's
//! [`Password`](crate::secret::Password).

mod blob;
mod encrypted;
mod filetime;
mod graph;
mod json;
mod mslaps;

use core::fmt;

pub use self::{
    blob::{ProtectedBlob, RootKeyId},
    encrypted::EncryptedPassword,
    filetime::Filetime,
    graph::{Credential, CredentialInfo, credential_infos},
    mslaps::ClearPassword,
};
use crate::error::Code;

/// Not in the shape that was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DirectoryError {
    /// What is wrong.
    what: &'static str,
}

impl DirectoryError {
    const fn new(what: &'static str) -> Self {
        Self { what }
    }

    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::RecordMalformed
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl core::error::Error for DirectoryError {}
