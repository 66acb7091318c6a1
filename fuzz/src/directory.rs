//! Passwords as Entra and Active Directory store them.

use laps_core::{
    directory::{
        ClearPassword, CredentialInfo, EncryptedPassword, Filetime, ProtectedBlob, credential_infos,
    },
    secret::Password,
};

/// Any bytes are one of the shapes or are refused; a refused one leaves no password behind.
///
/// # Panics
/// When one of these does not hold.
pub fn directory(data: &[u8]) {
    if let Ok(encrypted) = EncryptedPassword::read(data) {
        assert_eq!(encrypted.blob.len().checked_add(16), Some(data.len()));
        let _ = ProtectedBlob::read(encrypted.blob);
    }
    if let Ok(blob) = ProtectedBlob::read(data) {
        assert!(blob.content.len() < data.len());
    }
    let Ok(text) = core::str::from_utf8(data) else { return };
    let mut password = Password::empty();
    if ClearPassword::read(text, &mut password).is_err() {
        assert!(password.is_empty());
    }
    if let Ok(info) = CredentialInfo::read(text) {
        for credential in info.credentials().flatten() {
            assert_eq!(credential.password(&mut password).is_err(), password.is_empty());
        }
        let _ = info.newest();
    }
    if let Ok(list) = credential_infos(text) {
        assert!(list.count() <= data.len());
    }
    if let Some(time) = Filetime::from_rfc3339(text) {
        assert_eq!(Filetime::from_rfc3339(&time.to_string()), Some(time));
    }
}
