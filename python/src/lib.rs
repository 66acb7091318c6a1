//! The private module `laps._laps`: the core and the host for Python. The package in `pysrc/laps`
//! is its face.
//!
//! Classes are frozen, options are keyword-only, slow work releases the GIL, and every error
//! carries the same number as in Rust and C.

#![expect(
    clippy::std_instead_of_alloc,
    reason = "this crate is for std, which Python itself needs"
)]

mod agent;
mod directory;
mod ending;
mod error;
mod evaluation;
mod files;
mod generator;
mod password;
mod passwords;
mod policy;
mod progress;
mod random;
mod reader;
mod reader_key;
mod reader_set;
mod recipe;
mod record;
mod rotation;
mod strength;
mod time;
mod vault;
mod violation;

use pyo3::prelude::*;

#[pymodule]
mod _laps {
    #[pymodule_export]
    use super::agent::{
        Agent, AgentStatus, Event, agent_status, journal_candidates, journal_records,
    };
    #[pymodule_export]
    use super::directory::{DirectoryPassword, read_directory_password};
    #[pymodule_export]
    use super::error::codes;
    #[pymodule_export]
    use super::evaluation::{Difference, Evaluation, Finding, RefusedSetting, Setting, evaluate};
    #[pymodule_export]
    use super::files::{decode_line, decode_text, judge_file, protect_process, read_trusted};
    #[pymodule_export]
    use super::generator::{Generator, generate};
    #[pymodule_export]
    use super::password::Password;
    #[pymodule_export]
    use super::passwords::{Passwords, generate_many};
    #[pymodule_export]
    use super::policy::{
        Policy, ResetStatus, choose_account, policy_schema, reset_password_status,
        reset_password_syncml,
    };
    #[pymodule_export]
    use super::random::forked;
    #[pymodule_export]
    use super::reader::Reader;
    #[pymodule_export]
    use super::reader_key::{Opened, ReaderKey};
    #[pymodule_export]
    use super::reader_set::{ReaderSet, Signer, SignerKey};
    #[pymodule_export]
    use super::recipe::Recipe;
    #[pymodule_export]
    use super::record::Record;
    #[pymodule_export]
    use super::rotation::{Effect, Rotation};
    #[pymodule_export]
    use super::strength::Strength;
    #[pymodule_export]
    use super::vault::Vault;
    #[pymodule_export]
    use super::vault::audit_rows::{AuditEntry, AuditReport, Observed};
    #[pymodule_export]
    use super::vault::copies::{
        allow_network_file_systems, back_up_vault, export_devices, import_devices, migrate_vault,
        publish_vault, restore_preview, restore_vault,
    };
    #[pymodule_export]
    use super::vault::external::{import_external_passwords, lacks_external_password};
    #[pymodule_export]
    use super::vault::metadata::Metadata;
    #[pymodule_export]
    use super::vault::resealing::{ResealPage, Resealing};
    #[pymodule_export]
    use super::vault::rows::{
        Candidate, Device, Disclosure, Due, FormerAccount, KnownReader, Ordered, Outcome, Resealed,
        Restorable, Stats, StoredRecord,
    };
    #[pymodule_export]
    use super::violation::{Violation, windows_check};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
