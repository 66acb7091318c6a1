//! Whom a device seals to: readers that it was given, or a reader set signed by an authority that
//! was pinned at enrolment (protocol §4.1).
//!
//! The last accepted set is kept in the state folder, file `readers`: a line with the authority's
//! public key, then the set as it was signed. It is durable before the first password is sealed to
//! it. From then on
//!
//! * an older set, another one with the same version, one of another authority or scope, and a
//!   damaged one are refused: the kept one stays, and an event says why;
//! * an agent that is started with another authority, or with readers instead of a set, refuses to
//!   run: whoever may change the agent's command line need not be who may say who reads passwords.
//!   To pin another authority, remove the file `readers`.
//!
//! A state folder that is rolled back takes the memory of newer sets with it, as it does with the
//! journal.

use std::path::{Path, PathBuf};

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::rotation::set::ReaderIds;
use laps_core::seal::{
    MAX_READER_SET_LEN, Reader, ReaderId, ReaderSet, ReaderSetHead, Record, Signer,
};
use sha2::{Digest as _, Sha256};

use super::error::AgentError;
use super::state::StateFolder;
use crate::trust::{self, Content, TrustError};

/// Where the reader set is, and who signs it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReaderSetSource {
    /// The file with the set; it is read again at every run.
    pub file: PathBuf,
    /// The authority's public key. The first one is pinned in the state folder.
    pub authority: Signer,
}

impl ReaderSetSource {
    /// From its parts.
    #[must_use]
    pub const fn new(file: PathBuf, authority: Signer) -> Self {
        Self { file, authority }
    }
}

/// The set in force.
#[derive(Debug)]
pub(super) struct InForce {
    head: ReaderSetHead,
    readers: Vec<Reader>,
}

/// What came of a look at the set.
#[derive(Debug)]
pub(super) enum Looked {
    /// It is the one in force.
    Same,
    /// A newer one is in force from now on; its version.
    Newer(u64),
    /// It is refused, and the one before stays.
    Refused(String),
}

/// The set that was kept in the state folder, when there is one.
///
/// # Errors
/// [`AgentError::ReaderSet`] when it is damaged, or pinned to something else than what this agent
/// is given.
pub(super) fn kept(
    folder: &StateFolder,
    source: Option<&ReaderSetSource>,
    scope: &Scope,
) -> Result<Option<InForce>, AgentError> {
    let Some(bytes) = folder.readers()? else { return Ok(None) };
    let path = folder.path().join("readers");
    let path = path.display();
    let damaged = || AgentError::ReaderSet {
        code: Code::ReaderSetMalformed,
        text: format!(
            "{path} is damaged, so it is not known which reader set is in force; to pin the \
             authority again: rm {path}"
        ),
    };
    let split = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
    let (line, set) = bytes.split_at(split);
    let set = set.get(1..).unwrap_or_default();
    let line = str::from_utf8(line).map_err(|_| damaged())?;
    let authority: Signer = line.parse().map_err(|_| damaged())?;
    let pinned = |what: &str| AgentError::ReaderSet {
        code: Code::ReaderSetRefused,
        text: format!(
            "this state folder takes its readers from a set signed by the authority {:?} \
             ({}){what}; to pin it again: rm {path}",
            authority.name(),
            authority.id()
        ),
    };
    match source {
        None => return Err(pinned(", and none was given")),
        Some(source) if source.authority.id() != authority.id() => {
            return Err(pinned(", and another authority was given"));
        }
        Some(_) => {}
    }
    let (set, head) = ReaderSet::verify(set, &authority, scope, None).map_err(|_| damaged())?;
    Ok(Some(InForce { head, readers: set.readers().to_vec() }))
}

/// Reads the set again. A newer one is kept before it is in force.
///
/// # Errors
/// [`AgentError::ReaderSet`] when it is refused and none is in force; [`AgentError::State`] when
/// the first one cannot be kept.
pub(super) fn look(
    folder: &StateFolder,
    source: &ReaderSetSource,
    scope: &Scope,
    in_force: &mut Option<InForce>,
) -> Result<Looked, AgentError> {
    let known = in_force.as_ref().map(|known| &known.head);
    let read =
        read(&source.file).map_err(|error| (error.code(), format!("the reader set: {error}")));
    let verified = read.and_then(|text| {
        let verified = ReaderSet::verify(&text, &source.authority, scope, known);
        let refused = |error: laps_core::seal::SealError| {
            (error.code(), format!("the reader set {}: {error}", source.file.display()))
        };
        Ok((verified.map_err(refused)?, text))
    });
    let ((set, head), text) = match verified {
        Ok(verified) => verified,
        Err((code, text)) if in_force.is_none() => {
            return Err(AgentError::ReaderSet { code, text });
        }
        Err((_, text)) => return Ok(Looked::Refused(text)),
    };
    if known == Some(&head) {
        return Ok(Looked::Same);
    }
    let mut bytes = source.authority.to_string().into_bytes();
    bytes.push(b'\n');
    bytes.extend(text);
    match folder.keep_readers(&bytes) {
        Ok(()) => {}
        Err(error) if in_force.is_none() => return Err(error.into()),
        Err(error) => {
            return Ok(Looked::Refused(format!("the newer reader set cannot be kept: {error}")));
        }
    }
    *in_force = Some(InForce { head, readers: set.readers().to_vec() });
    Ok(Looked::Newer(head.version()))
}

/// Reads a set, and of a file that is none no more than shows it.
fn read(path: &Path) -> Result<Vec<u8>, TrustError> {
    let most = u64::try_from(MAX_READER_SET_LEN).unwrap_or(u64::MAX).saturating_add(1);
    trust::read(path, Content::Public, most)
}

/// A short digest of the readers, whatever their order.
#[must_use]
pub fn digest(readers: &[Reader]) -> [u8; 8] {
    let mut ids: Vec<_> = readers.iter().map(|reader| *reader.id().as_bytes()).collect();
    ids.sort_unstable();
    ids.dedup();
    let digest: [u8; 32] = Sha256::digest(ids.concat()).into();
    digest.split_first_chunk().map_or([0; 8], |(first, _)| *first)
}

/// Whether this sealed record names a reader who is not among these.
#[must_use]
pub fn is_sealed_to_others(record: &[u8], readers: &[Reader]) -> bool {
    let names = |id| readers.iter().any(|reader| reader.id() == id);
    Record::parse(record).is_ok_and(|record| record.reader_ids().any(|id| !names(id)))
}

/// The vault says that it removed these readers: what that means for a person.
pub(super) fn advice(removed: &ReaderIds, set: Option<&InForce>) -> String {
    let ids: Vec<_> = removed.as_slice().iter().map(|id| ReaderId::from_bytes(*id)).collect();
    let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let listed = |set: &InForce| {
        ids.iter().filter(|id| set.readers().iter().any(|reader| reader.id() == **id)).count()
    };
    let what = match set {
        None => "take them out of this agent's readers, if that is so".to_owned(),
        Some(set) => match listed(set) {
            0 => "the signed reader set in force agrees: the next password is not sealed to them"
                .to_owned(),
            _ => format!(
                "the signed reader set in force (version {}) still names them, and counts; have a \
                 newer one signed, if that is so",
                set.head.version()
            ),
        },
    };
    format!(
        "the vault says that it removed readers to whom this device sealed its last record ({}): \
         {what}",
        names.join(", ")
    )
}

impl InForce {
    pub(super) fn readers(&self) -> &[Reader] {
        &self.readers
    }
}
