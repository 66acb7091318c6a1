//! Records, readers, reader sets and key files.

use laps_core::{
    identity::Scope,
    seal::{MAX_READERS, Reader, ReaderKey, ReaderSet, Record, Signer},
};

/// Each has one form, and is refused in any other.
///
/// # Panics
/// When something was read that is not written back unchanged.
pub fn sealed(data: &[u8]) {
    if let Ok(record) = Record::parse(data) {
        assert_eq!(record.as_bytes(), data);
        assert!((1..=MAX_READERS).contains(&record.reader_ids().count()));
    }
    let _ = Reader::from_key_file(data);
    // Without a passphrase: with one, every try costs half a second.
    if let Ok(key) = ReaderKey::from_key_file(data, None) {
        assert!(Reader::from_key_file(data).is_ok_and(|(reader, _)| reader == *key.reader()));
    }
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(reader) = text.parse::<Reader>() {
        assert_eq!(reader.to_string(), text.strip_suffix('\n').unwrap_or(text));
    }
    if let Ok(authority) = AUTHORITY.parse::<Signer>() {
        let _ = ReaderSet::verify(data, &authority, &Scope::EMPTY, None);
    }
}

/// Who signed the sets of the corpus.
const AUTHORITY: &str = "laps-signer-1 ed25519 \
                         d6ae442d0b4dff096714330c9aa39e404a5b102e2f3fda941d58604fe1c55b9f \
                         rUp6VvYS6xiejMeUNNpMiDucQb2kiusR+tklQqyiEPM= Authority";
