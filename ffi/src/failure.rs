//! Why a call failed, and the thread's last error.

use core::cell::RefCell;
use core::fmt::{self, Write as _};

use laps_core::error::Code;

/// Why a call failed. Its words are in the thread's last error already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure(pub(crate) Code);

impl Failure {
    /// Notes the words for `laps_last_error`.
    #[cold]
    pub(crate) fn new(code: Code, message: &dyn fmt::Display) -> Self {
        LAST_ERROR.with(|last| {
            if let Ok(mut last) = last.try_borrow_mut() {
                last.replace(code, message);
            }
        });
        Self(code)
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::new(code, &"")
    }
}

/// Every error of the core carries its number and its words.
macro_rules! failure_from {
    ($($(#[$attribute:meta])* $error:ty),* $(,)?) => {
        $($(#[$attribute])* impl From<$error> for $crate::failure::Failure {
            fn from(error: $error) -> Self {
                Self::new(error.code(), &error)
            }
        })*
    };
}

failure_from!(
    laps_core::account::AccountError,
    laps_core::account::NamingError,
    laps_core::account::SidError,
    laps_core::generate::RecipeDocumentError,
    laps_core::generate::RecipeError,
    laps_core::identity::InvalidText,
    laps_core::policy::DocumentError,
    laps_core::policy::WriteError,
    laps_core::random::RandomError,
    laps_core::rotation::RotationError,
    laps_core::rotation::message::MessageError,
    laps_core::seal::SealError,
    laps_core::secret::TooLong,
    laps_host::account::StoreError,
    laps_host::agent::AgentError,
    laps_host::agent::journal::MalformedJournal,
    #[cfg(feature = "vault")]
    laps_core::vault::StoreError,
    #[cfg(feature = "vault")]
    laps_core::vault::VaultError,
);

/// The size of the longest last error, with its NUL. Longer words are cut.
const LAST_ERROR_SIZE: usize = 512;

struct LastError {
    text: [u8; LAST_ERROR_SIZE],
    len: usize,
}

thread_local! {
    // Inline and without a destructor: nothing to free when a thread ends or the library is
    // unloaded.
    static LAST_ERROR: RefCell<LastError> =
        const { RefCell::new(LastError { text: [0; LAST_ERROR_SIZE], len: 0 }) };
}

/// Where the words of the thread's last error stand, ended by NUL.
pub(crate) fn last_error() -> *const u8 {
    LAST_ERROR.with(|last| last.as_ptr().cast_const().cast())
}

impl LastError {
    fn replace(&mut self, code: Code, message: &dyn fmt::Display) {
        self.text.fill(0);
        self.len = 0;
        // A writer that is full says so by an error; what is cut is cut.
        let _ = write!(self, "{message}");
        if self.len == 0 {
            let _ = self.write_str(code.message());
        }
    }
}

impl fmt::Write for LastError {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            // The words of a document may hold anything; for C the text ends at a NUL.
            let c = if c == '\0' { char::REPLACEMENT_CHARACTER } else { c };
            let end = self.len.saturating_add(c.len_utf8());
            // One byte stays for the NUL.
            if end >= LAST_ERROR_SIZE {
                return Err(fmt::Error);
            }
            let Some(place) = self.text.get_mut(self.len..end) else { return Err(fmt::Error) };
            c.encode_utf8(place);
            self.len = end;
        }
        Ok(())
    }
}
