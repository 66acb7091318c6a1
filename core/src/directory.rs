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
