//! Which rules a password breaks.

use alloc::ffi::CString;
use core::ffi::c_char;
use core::ptr;

use laps_core::error::Code;
use laps_core::generate::WindowsPolicy;

use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::recipe::laps_recipe;
use crate::status::{answer, laps_status, value};

/// The rules that a password breaks. They say what is asked for, and nothing about the password.
#[derive(Debug)]
pub struct laps_violations {
    poison: Poison,
    rules: Vec<(CString, CString)>,
}
object!(laps_violations);

impl laps_violations {
    pub(crate) fn boxed(rules: impl Iterator<Item = (String, String)>) -> Box<Self> {
        let text = |text: String| CString::new(text).unwrap_or_default();
        let rules = rules.map(|(rule, message)| (text(rule), text(message))).collect();
        Box::new(Self { poison: Poison::default(), rules })
    }

    fn at(&self, index: usize) -> Result<&(CString, CString), Failure> {
        self.rules.get(index).ok_or_else(|| {
            let count = self.rules.len();
            Failure::new(Code::InvalidArgument, &format_args!("index is {index} of {count}"))
        })
    }
}

/// Checks a text against a recipe. It satisfies the recipe when there are no violations.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_check(
    recipe: *const laps_recipe,
    text: *const c_char,
    text_len: usize,
    out_violations: *mut *mut laps_violations,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (recipe, text, out) = unsafe {
            (
                pointer::shared(recipe)?,
                pointer::text(text, text_len, "text")?,
                Out::new(out_violations, "out_violations")?,
            )
        };
        let rules = recipe.recipe.check(text);
        out.give(laps_violations::boxed(
            rules.map(|violation| (violation.rule().to_owned(), violation.to_string())),
        ));
        Ok(())
    })
}

/// What the password policy of a Windows device would say to a text, before the device is asked;
/// nothing is asked of the machine. min_length is MinimumPasswordLength, 0 to 128, counted in
/// UTF-16 units; complexity is "Password must meet complexity requirements". The names are those of
/// the account; an empty one is not looked for. The device would take the text when there are no
/// violations, as far as this policy goes: history and password filters are not looked at. Rules:
/// "min_length", "categories", "user_name", "full_name".
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_windows_check(
    min_length: u8,
    complexity: bool,
    user_name: *const c_char,
    user_name_len: usize,
    full_name: *const c_char,
    full_name_len: usize,
    text: *const c_char,
    text_len: usize,
    out_violations: *mut *mut laps_violations,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (user_name, full_name, text, out) = unsafe {
            (
                pointer::text(user_name, user_name_len, "user_name")?,
                pointer::text(full_name, full_name_len, "full_name")?,
                pointer::text(text, text_len, "text")?,
                Out::new(out_violations, "out_violations")?,
            )
        };
        if min_length > MAX_WINDOWS_LENGTH {
            let message = format_args!("min_length is {min_length}, at most {MAX_WINDOWS_LENGTH}");
            return Err(Failure::new(Code::InvalidArgument, &message));
        }
        let policy = WindowsPolicy::new(min_length, complexity, user_name, full_name);
        let refusals = policy.check(text);
        out.give(laps_violations::boxed(
            refusals.map(|refusal| (refusal.rule().to_owned(), refusal.to_string())),
        ));
        Ok(())
    })
}

/// The highest MinimumPasswordLength of Windows, where the limit of 14 is relaxed.
const MAX_WINDOWS_LENGTH: u8 = 128;

/// How many rules are broken; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_violations_count(violations: *const laps_violations) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(violations) }?.rules.len()))
}

/// The name of a broken rule; index counts from 0. Borrowed. NULL when there is no such index.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_violations_rule(
    violations: *const laps_violations,
    index: usize,
) -> *const c_char {
    // SAFETY: contract, Objects.
    value(ptr::null(), || Ok(unsafe { pointer::shared(violations) }?.at(index)?.0.as_ptr()))
}

/// What a broken rule asks for, in one line; index counts from 0. Borrowed. NULL when there is no
/// such index.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_violations_message(
    violations: *const laps_violations,
    index: usize,
) -> *const c_char {
    // SAFETY: contract, Objects.
    value(ptr::null(), || Ok(unsafe { pointer::shared(violations) }?.at(index)?.1.as_ptr()))
}

/// Frees violations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_violations_free(violations: *mut laps_violations) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(violations) };
        Ok(())
    });
}
