//! What device and vault tell each other, and what a device remembers.
#![expect(clippy::expect_used, reason = "a broken promise is what a search looks for")]

use laps_core::{
    identity::{AccountName, DeviceId, Scope, Timestamp},
    rotation::{
        Config, MAX_JOURNAL, Rotation,
        message::{Answer, CheckIn},
    },
    vault::{MemoryStore, Vault},
};

/// A message has one encoding; a vault answers any check-in or refuses it, and its audit log stays
/// whole.
///
/// # Panics
/// When one of these does not hold.
pub fn message(data: &[u8]) {
    let mut out = vec![0; data.len().max(4096)];
    if let Ok(answer) = Answer::decode(data) {
        let len = answer.encode(&mut out).expect("what was decoded can be encoded");
        assert_eq!(out.get(..len), Some(data));
    }
    if let Ok((check_in, rest)) = CheckIn::decode_head(data) {
        let len = check_in.encode(&mut out).expect("what was decoded can be encoded");
        assert_eq!(len.checked_add(rest.len()), Some(data.len()));
        assert_eq!(out.get(..len), data.get(..len));
        to_a_vault(&check_in, data);
    }
}

fn to_a_vault(check_in: &CheckIn, data: &[u8]) {
    let vault = Vault::new(MemoryStore::new(), |out| {
        out.fill(7);
        true
    });
    let (scope, device) = (check_in.scope, check_in.device);
    for second in 0..3 {
        let now = Timestamp::from_unix_seconds(1_800_000_000).plus(second);
        if let Ok(answer) = vault.check_in(&scope, device.as_str(), data, now) {
            let answer = Answer::decode(&answer).expect("the vault's own answer can be read");
            assert_eq!(answer.nonce, check_in.nonce);
        }
    }
    let report = vault.audit_verify(&scope, None).expect("memory can be read");
    assert!(report.ok);
}

/// A journal is refused, or gives a machine that can write its journal again.
///
/// # Panics
/// When a machine that was resumed cannot.
pub fn journal(data: &[u8]) {
    let texts = (Scope::new(""), DeviceId::new("pc-7"), AccountName::new("Admin"));
    let (Ok(scope), Ok(device), Ok(account)) = texts else { return };
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    for change_stamp in [None, Some([7; 32])] {
        let config = Config::new(scope, device, account, None);
        let Ok(mut rotation) = Rotation::resume(data, config, change_stamp, now) else { continue };
        let mut out = [0; MAX_JOURNAL];
        let len = rotation.journal(&mut out).expect("a journal has at most 1280 bytes");
        let written = out.get(..len).unwrap_or_default();
        assert!(Rotation::resume(written, config, change_stamp, now).is_ok());
        let _ = rotation.poll();
    }
}
