//! From policy documents to the policy in force, and what is wrong with them.

use alloc::ffi::CString;
use core::ffi::c_char;
use core::ptr;

use laps_core::error::Code;
use laps_core::policy::{
    Document, Evaluation, FindingLevel, Form, SyncmlCommand, diff, diff_json, evaluate, read,
    write, write_syncml,
};

use crate::bytes::laps_bytes;
use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::policy::laps_policy;
use crate::status::{answer, laps_status, value};

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
                    FindingLevel::Error => LAPS_LEVEL_ERROR,
                    FindingLevel::Warning => LAPS_LEVEL_WARNING,
                    FindingLevel::Note => LAPS_LEVEL_INFORMATION,
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
        let errors = || self.evaluation.findings.iter().filter(|f| f.level == FindingLevel::Error);
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

/// What is configured, in another form: "csp" (SyncML), "reg", "intune" or "json", as the bytes of
/// a file. LAPS_STATUS_POLICY_REFUSED when a finding is an error, and when the form cannot carry a
/// setting; the error's message names each.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_export(
    evaluation: *const laps_evaluation,
    form: *const c_char,
    form_len: usize,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (evaluation, form, out) = unsafe {
            (
                pointer::shared(evaluation)?,
                pointer::text(form, form_len, "form")?,
                Out::new(out_bytes, "out_bytes")?,
            )
        };
        let known = Form::from_name(form).ok_or_else(|| {
            let message =
                format_args!("form {form:?} is not known; csp, intune, json and reg are accepted");
            Failure::new(Code::InvalidArgument, &message)
        })?;
        if evaluation.evaluation.policy.is_none() {
            let message = format_args!("a policy with errors is not exported");
            return Err(Failure::new(Code::PolicyRefused, &message));
        }
        out.give(laps_bytes::boxed(write(&evaluation.evaluation.configured, known)?));
        Ok(())
    })
}

/// What is configured, as SyncML that an MDM sends to the Windows LAPS CSP: one Atomic that for
/// every configured setting has an "add" (refused by a device that has the setting), a "replace" or
/// a "delete" (the values are left out). LAPS_STATUS_POLICY_REFUSED as for
/// laps_evaluation_export().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_export_csp(
    evaluation: *const laps_evaluation,
    command: *const c_char,
    command_len: usize,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (evaluation, command, out) = unsafe {
            (
                pointer::shared(evaluation)?,
                pointer::text(command, command_len, "command")?,
                Out::new(out_bytes, "out_bytes")?,
            )
        };
        let known = match command {
            "add" => SyncmlCommand::Add,
            "replace" => SyncmlCommand::Replace,
            "delete" => SyncmlCommand::Delete,
            _ => {
                let message = format_args!(
                    "command {command:?} is not known; add, delete and replace are accepted"
                );
                return Err(Failure::new(Code::InvalidArgument, &message));
            }
        };
        if evaluation.evaluation.policy.is_none() {
            let message = format_args!("a policy with errors is not exported");
            return Err(Failure::new(Code::PolicyRefused, &message));
        }
        let text = write_syncml(&evaluation.evaluation.configured, known)?;
        out.give(laps_bytes::boxed(text.into_bytes()));
        Ok(())
    })
}

/// What changes on a device that has the old policy and gets the new one, as one line of JSON in
/// UTF-8: {"changes":[{"setting","old","new","effect","because"}]}. LAPS_STATUS_POLICY_REFUSED when
/// either has errors.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_evaluation_diff(
    old_evaluation: *const laps_evaluation,
    new_evaluation: *const laps_evaluation,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (old, new, out) = unsafe {
            (
                pointer::shared(old_evaluation)?,
                pointer::shared(new_evaluation)?,
                Out::new(out_bytes, "out_bytes")?,
            )
        };
        let changes = diff(&old.evaluation, &new.evaluation).ok_or_else(|| {
            let message = format_args!("a policy with errors is not compared");
            Failure::new(Code::PolicyRefused, &message)
        })?;
        out.give(laps_bytes::boxed(diff_json(&changes).into_bytes()));
        Ok(())
    })
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
