//! From policy documents to the policy in force, and what is wrong with them.

use alloc::ffi::CString;
use core::ffi::c_char;
use core::ptr;

use laps_core::error::Code;
use laps_core::policy::{Document, Evaluation, Level, evaluate, read};

use crate::pointer::{self, Out, Poison, object};
use crate::policy::laps_policy;
use crate::status::{Failure, answer, laps_status, value};

/// Policy documents, what is in force because of them, and what is wrong with them.
#[derive(Debug)]
pub struct laps_evaluation {
    poison: Poison,
    documents: Vec<Document>,
    pub(crate) evaluation: Evaluation,
    findings: Vec<Finding>,
}
object!(laps_evaluation);

/// Something went as it should.
pub const LAPS_LEVEL_INFORMATION: u32 = 1;
/// Somebody should look.
pub const LAPS_LEVEL_WARNING: u32 = 2;
/// Something failed.
pub const LAPS_LEVEL_ERROR: u32 = 3;

#[derive(Debug)]
struct Finding {
    level: u32,
    setting: CString,
    message: CString,
}

impl laps_evaluation {
    /// Of documents that were read.
    fn of(documents: Vec<Document>) -> Self {
        let evaluation = evaluate(&documents);
        // Text that came from a document may hold anything; for C it ends at a NUL.
        let text = |text: &str| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default();
        let findings = evaluation
            .findings
            .iter()
            .map(|finding| Finding {
                level: match finding.level {
                    Level::Error => LAPS_LEVEL_ERROR,
                    Level::Warning => LAPS_LEVEL_WARNING,
                    Level::Note => LAPS_LEVEL_INFORMATION,
                },
                setting: text(&finding.setting),
                message: text(&finding.message),
            })
            .collect();
        Self { poison: Poison::default(), documents, evaluation, findings }
    }

    fn policy(&self) -> Result<Box<laps_policy>, Failure> {
        if let Some(policy) = self.evaluation.policy {
            return Ok(laps_policy::boxed(policy));
        }
        let errors = || self.evaluation.findings.iter().filter(|f| f.level == Level::Error);
        let Some(first) = errors().next() else { return Err(Code::PolicyRefused.into()) };
        let others = match errors().count().saturating_sub(1) {
            0 => String::new(),
            others => format!(" (and {others} more)"),
        };
        let of = if first.setting.is_empty() { "" } else { ": " };
        let message = format_args!("{}{of}{}{others}", first.setting, first.message);
        Err(Failure::new(Code::PolicyRefused, &message))
    }

    fn at(&self, index: usize) -> Result<&Finding, Failure> {
        self.findings.get(index).ok_or_else(|| {
            let count = self.findings.len();
            Failure::new(Code::InvalidArgument, &format_args!("index is {index} of {count}"))
        })
    }
}

/// The policy of one document: our JSON, Intune's exported JSON, SyncML of the CSP, or a .reg
/// export. LAPS_STATUS_POLICY_REFUSED when a setting is unknown or out of range; laps_evaluation_*
/// gives every finding.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_read(
    document: *const u8,
    document_len: usize,
    out_policy: *mut *mut laps_policy,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (document, out) = unsafe {
            (
                pointer::bytes(document, document_len, "document")?,
                Out::new(out_policy, "out_policy")?,
            )
        };
        out.give(laps_evaluation::of(vec![read(document, "policy")?]).policy()?);
        Ok(())
    })
}

/// An evaluation without documents: the defaults of Windows LAPS.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_new(
    out_evaluation: *mut *mut laps_evaluation,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_evaluation, "out_evaluation") }?;
        out.give(Box::new(laps_evaluation::of(Vec::new())));
        Ok(())
    })
}

/// Adds a document of any known form. The source is its name, for findings. Documents of one root
/// (the CSP, Group Policy) are joined setting by setting, and a setting that two of them set
/// differently is an error that names both; between roots, what Windows would let win, wins. The
/// order in which documents are added does not matter. The findings change, and borrowed ones end.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_add(
    evaluation: *mut laps_evaluation,
    document: *const u8,
    document_len: usize,
    source: *const c_char,
    source_len: usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut evaluation, document, source) = unsafe {
            (
                pointer::exclusive(evaluation)?,
                pointer::bytes(document, document_len, "document")?,
                pointer::text(source, source_len, "source")?,
            )
        };
        let mut documents = evaluation.documents.clone();
        documents.push(read(document, source)?);
        *evaluation = laps_evaluation::of(documents);
        Ok(())
    })
}

/// The policy in force. LAPS_STATUS_POLICY_REFUSED when a finding is an error: keep the policy that
/// you had.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_policy(
    evaluation: *const laps_evaluation,
    out_policy: *mut *mut laps_policy,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (evaluation, out) =
            unsafe { (pointer::shared(evaluation)?, Out::new(out_policy, "out_policy")?) };
        out.give(evaluation.policy()?);
        Ok(())
    })
}

/// Whether a document that was added asks for a new password now: SyncML with an Exec of
/// Actions/ResetPassword. Obey with laps_rotation_force(). false for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_resets_password(
    evaluation: *const laps_evaluation,
) -> bool {
    value(false, || {
        // SAFETY: contract, Objects.
        let evaluation = unsafe { pointer::shared(evaluation) }?;
        Ok(evaluation.documents.iter().any(Document::resets_password))
    })
}

/// How many findings there are; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_finding_count(
    evaluation: *const laps_evaluation,
) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(evaluation) }?.findings.len()))
}

/// LAPS_LEVEL_ERROR, LAPS_LEVEL_WARNING or LAPS_LEVEL_INFORMATION; index counts from 0. 0 when
/// there is no such finding.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_finding_level(
    evaluation: *const laps_evaluation,
    index: usize,
) -> u32 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(evaluation) }?.at(index)?.level))
}

/// The setting that a finding is about, empty when it is about several or about the whole; index
/// counts from 0. Borrowed. NULL when there is no such finding.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_finding_setting(
    evaluation: *const laps_evaluation,
    index: usize,
) -> *const c_char {
    // SAFETY: contract, Objects.
    value(ptr::null(), || Ok(unsafe { pointer::shared(evaluation) }?.at(index)?.setting.as_ptr()))
}

/// What a finding says, in one line; index counts from 0. Borrowed. NULL when there is no such
/// finding.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_finding_message(
    evaluation: *const laps_evaluation,
    index: usize,
) -> *const c_char {
    // SAFETY: contract, Objects.
    value(ptr::null(), || Ok(unsafe { pointer::shared(evaluation) }?.at(index)?.message.as_ptr()))
}

/// Frees an evaluation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_free(evaluation: *mut laps_evaluation) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(evaluation) };
        Ok(())
    });
}
