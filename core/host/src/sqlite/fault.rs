//! SQLite's errors in our words.

use std::path::Path;

use laps_core::error::Code;
use laps_core::vault::{StoreError, VaultError};
use rusqlite::{Connection, ErrorCode, ffi};

use crate::stop;

/// Runs one statement without parameters or rows.
pub(super) fn run(connection: &Connection, path: &Path, sql: &str) -> Result<(), VaultError> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| explain(path, &error))?;
    statement.raw_execute().map_err(|error| explain(path, &error))?;
    Ok(())
}

/// What an error means to the caller. Damage is the vault's business, everything else the store's.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> VaultError {
    match store_error(path, error) {
        error if error.code == Code::VaultDamaged => {
            VaultError::Damaged { what: "a page of the file", device: String::new() }
        }
        error => VaultError::Store(error),
    }
}

/// The call was to end before it was done. Nothing of it is kept.
pub(super) fn ended(path: &Path) -> StoreError {
    let at = path.display();
    StoreError::new(Code::Busy, format!("the vault {at}: the call was ended before it was done"))
}

/// A write within a write of the same thread.
pub(super) fn call_in_flight(path: &Path) -> StoreError {
    let at = path.display();
    let text = format!(
        "the vault {at}: this thread is in the middle of another write of it; ask again when that \
         has ended"
    );
    StoreError::new(Code::Busy, text)
}

/// What an error means, as the store's.
pub(super) fn store_error(path: &Path, error: &rusqlite::Error) -> StoreError {
    let interrupted = error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted);
    if interrupted || stop::is_ended() && is_busy(error) {
        return ended(path);
    }
    let at = path.display();
    let Some(number) = error.sqlite_error_code() else {
        return StoreError::new(Code::Internal, format!("the vault {at}: {error}"));
    };
    let detail = error.sqlite_error().map_or(0, |error| error.extended_code);
    let (code, what) = match number {
        // A changed byte in the header of a row is another type, and the row cannot be written as
        // it is.
        ErrorCode::ConstraintViolation if detail == ffi::SQLITE_CONSTRAINT_DATATYPE => {
            (Code::VaultDamaged, "is damaged")
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            (Code::Busy, "is in use by somebody else; try again")
        }
        ErrorCode::DiskFull => (Code::StorageFull, "cannot be written: the disk is full"),
        ErrorCode::ReadOnly => {
            (Code::PermissionDenied, "cannot be written: the file or its folder is read-only")
        }
        ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied
        | ErrorCode::CannotOpen => {
            (Code::PermissionDenied, "cannot be opened: the file or its folder does not allow it")
        }
        ErrorCode::DatabaseCorrupt => (Code::VaultDamaged, "is damaged"),
        ErrorCode::NotADatabase => {
            (Code::VaultDamaged, "is not a vault, or its beginning is damaged")
        }
        ErrorCode::OutOfMemory => (Code::OutOfMemory, "needs more memory than there is"),
        ErrorCode::SystemIoFailure => io_failure(error),
        ErrorCode::FileLockingProtocolFailed => (Code::Io, "cannot be read or written"),
        ErrorCode::InternalMalfunction
        | ErrorCode::OperationAborted
        | ErrorCode::OperationInterrupted
        | ErrorCode::NotFound
        | ErrorCode::SchemaChanged
        | ErrorCode::TooBig
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::ApiMisuse
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::ParameterOutOfRange
        | ErrorCode::Unknown
        | _ => (Code::Internal, "met an error of its database"),
    };
    StoreError::new(code, format!("the vault {at} {what} ({error})"))
}

/// Somebody else has the file.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// What was being done when the operating system refused.
fn io_failure(error: &rusqlite::Error) -> (Code, &'static str) {
    let detail = error.sqlite_error().map_or(0, |error| error.extended_code);
    match detail {
        ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS => {
            (Code::Io, "cannot be read")
        }
        ffi::SQLITE_IOERR_WRITE => (Code::Io, "cannot be written"),
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => {
            (Code::Io, "cannot be synced to the disk")
        }
        // The one step that takes new room without being told why there is none.
        ffi::SQLITE_IOERR_SHMSIZE => {
            (Code::StorageFull, "has no room for its index beside it: the disk is full, or fails")
        }
        _ => (Code::Io, "cannot be read or written"),
    }
}

/// What an error of the operating system means.
pub(super) fn io_error(path: &Path, doing: &str, error: &std::io::Error) -> StoreError {
    use std::io::ErrorKind;
    let known = [
        (ErrorKind::NotFound, Code::NotFound),
        (ErrorKind::AlreadyExists, Code::AlreadyExists),
        (ErrorKind::PermissionDenied, Code::PermissionDenied),
        (ErrorKind::ReadOnlyFilesystem, Code::PermissionDenied),
        (ErrorKind::StorageFull, Code::StorageFull),
        (ErrorKind::QuotaExceeded, Code::StorageFull),
    ];
    let code =
        known.iter().find(|(kind, _)| *kind == error.kind()).map_or(Code::Io, |(_, code)| *code);
    StoreError::new(code, format!("{}: {doing}: {error}", path.display()))
}
