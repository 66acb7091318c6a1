//! What a run starts from: the policy in force, the managed account, and the machine's settings
//! that follow from both.

use core::fmt::Write as _;

use laps_core::account::LocalAccount;
use laps_core::identity::{DeviceId, Scope};
use laps_core::policy::{Clash, FindingLevel, MAX_DOCUMENT_BYTES, Policy, evaluate_with, read};
use laps_core::rotation::Config;

use super::PolicySource;
use crate::trust::{self, Content};

/// The documents of a policy: for each, its name and its bytes.
pub(super) type Texts = Vec<(String, Vec<u8>)>;

impl PolicySource {
    /// Reads the files.
    pub(super) fn texts(&self) -> Result<Texts, String> {
        match self {
            Self::Texts(texts) => Ok(texts.clone()),
            Self::Files(paths) => paths
                .iter()
                .map(|path| {
                    // One byte more than a document may have, so that a larger one is refused as
                    // such.
                    let most = MAX_DOCUMENT_BYTES as u64 + 1;
                    let bytes = trust::read(path, Content::Public, most)
                        .map_err(|error| error.to_string())?;
                    let name = path.file_name().unwrap_or(path.as_os_str());
                    Ok((name.to_string_lossy().into_owned(), bytes))
                })
                .collect(),
        }
    }
}

/// The policy in force, and what was joined to it where it was; or every error in one text.
pub(super) fn policy(
    texts: &[(String, Vec<u8>)],
    clash: Clash,
) -> Result<(Policy, Option<String>), String> {
    let documents = texts
        .iter()
        .map(|(source, bytes)| read(bytes, source).map_err(|error| error.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    let evaluation = evaluate_with(&documents, clash);
    if let Some(policy) = evaluation.policy.filter(|_| !evaluation.has_errors()) {
        policy.recipe().map_err(|error| error.to_string())?;
        let joined = evaluation.findings.into_iter().find(|finding| finding.rule == "joined");
        return Ok((policy, joined.map(|finding| finding.message)));
    }
    let mut text = String::new();
    for finding in evaluation.findings.iter().filter(|finding| finding.level == FindingLevel::Error)
    {
        let separator = if text.is_empty() { "" } else { "; " };
        let of = if finding.setting.is_empty() { "" } else { ": " };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}{}{of}{}", finding.setting, finding.message);
    }
    Err(text)
}

/// The settings of the machine.
pub(super) fn config(
    scope: Scope,
    device: DeviceId,
    policy: &Policy,
    account: &LocalAccount,
) -> Config {
    Config::new(scope, device, account.name, account.sid).with_policy(policy)
}

/// Documents as one file: for each, the length and the bytes of its name and of itself.
pub(super) fn pack(texts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in texts.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]) {
        out.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        out.extend(part);
    }
    out
}

/// The documents of such a file; none when it is damaged.
pub(super) fn unpack(mut rest: &[u8]) -> Option<Texts> {
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let mut part = || {
            let (length, after) = rest.split_first_chunk()?;
            let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
            let (part, after) = after.split_at_checked(length)?;
            rest = after;
            Some(part.to_vec())
        };
        let name = String::from_utf8(part()?).ok()?;
        texts.push((name, part()?));
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_documents_survive_packing() {
        let texts = vec![("a.json".to_owned(), b"{}".to_vec()), (String::new(), vec![0xff; 300])];
        let packed = pack(&texts);
        assert_eq!(unpack(&packed), Some(texts));
        assert_eq!(unpack(&[]), Some(Vec::new()));
        for end in [1, 8, 9, packed.len() - 1] {
            assert_eq!(unpack(&packed[..end]), None, "{end}");
        }
    }

    #[test]
    fn a_refused_policy_says_every_error() {
        let texts = |text: &str| vec![("p.json".to_owned(), text.as_bytes().to_vec())];
        let policy = |texts: &Texts| policy(texts, Clash::Refuse);
        assert!(policy(&texts(r#"{"BackupDirectory":1}"#)).is_ok());
        let error = policy(&texts(r#"{"PasswordLength":7,"PasswordComplexity":9}"#)).unwrap_err();
        assert!(
            error.contains("PasswordLength") && error.contains("PasswordComplexity"),
            "{error}"
        );
        assert!(policy(&texts("not a policy")).is_err());
    }

    #[test]
    fn documents_of_one_root_are_joined_and_what_clashes_is_refused() {
        let both = |one: &str, other: &str| {
            vec![
                ("one.json".to_owned(), one.as_bytes().to_vec()),
                ("other.json".to_owned(), other.as_bytes().to_vec()),
            ]
        };
        let split = both(r#"{"BackupDirectory":1}"#, r#"{"PasswordLength":24}"#);
        let (joined, said) = policy(&split, Clash::Refuse).unwrap();
        assert_eq!((joined.backup_directory().as_u8(), joined.password_length()), (1, 24));
        assert!(said.is_some_and(|said| said.contains("one.json, other.json")));
        let clash = both(r#"{"PasswordLength":20}"#, r#"{"PasswordLength":24}"#);
        let error = policy(&clash, Clash::Refuse).unwrap_err();
        assert!(
            error.contains("one.json, line 1") && error.contains("other.json, line 1"),
            "{error}"
        );
        let (last, _) = policy(&clash, Clash::LastWins).unwrap();
        assert_eq!(last.password_length(), 24);
        // One document alone says nothing of a join.
        assert_eq!(policy(&split[..1], Clash::Refuse).unwrap().1, None);
    }
}
