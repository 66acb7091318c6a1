//! Without the feature `refusal-texts` no text is understood: a refusal asks for nothing, and the
//! next password is made by the same recipe.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use super::Stricter;

/// Nothing.
#[must_use]
pub fn parse_demands(_: &str, _: u8) -> Stricter {
    Stricter::default()
}

/// That the reason is not known.
#[must_use]
pub fn worded(_: &str) -> String {
    super::UNKNOWN.to_owned()
}

/// None.
#[must_use]
pub const fn known_troubles(_: &str) -> Vec<&'static str> {
    Vec::new()
}
