//! What happened in a vault, for metrics. Only in the full build.
#![cfg(feature = "vault")]

use laps_core::rotation::message::CommitAnswer;
use laps_core::vault::Observed;

use super::laps_vault;
use crate::pointer::{self, Out};
use crate::rows::{
    LAPS_FIELD_CHANGED, LAPS_FIELD_COMMIT, LAPS_FIELD_COUNT, LAPS_FIELD_DEVICE, LAPS_FIELD_KIND,
    LAPS_FIELD_REFUSED, LAPS_FIELD_STATUS, Row, laps_rows,
};
use crate::status::{answer, laps_status};

/// A check-in was answered. Fields: DEVICE, CHANGED, COUNT, REFUSED, COMMIT.
#[cfg(feature = "vault")]
pub const LAPS_OBSERVED_CHECK_IN: u32 = 1;
/// Sealed records were given out. Fields: DEVICE, COUNT.
#[cfg(feature = "vault")]
pub const LAPS_OBSERVED_DISCLOSED: u32 = 2;
/// Rotations were ordered. Field: COUNT.
#[cfg(feature = "vault")]
pub const LAPS_OBSERVED_ORDERED: u32 = 3;
/// Something was asked for and refused. Field: STATUS.
#[cfg(feature = "vault")]
pub const LAPS_OBSERVED_REFUSED: u32 = 4;

/// The commit was taken, or known already.
#[cfg(feature = "vault")]
pub const LAPS_COMMIT_ACKNOWLEDGED: u32 = 1;
/// The vault does not have the record that was committed; the device offers it again.
#[cfg(feature = "vault")]
pub const LAPS_COMMIT_LACKING: u32 = 2;
/// The check-in did not carry the token of now; the device commits again.
#[cfg(feature = "vault")]
pub const LAPS_COMMIT_STALE_TOKEN: u32 = 3;

/// What happened through this object, and what came from it, since the last such call, oldest
/// first: for metrics, without who and why, which are in the trail. The first call answers no rows,
/// and from then on at most 1024 are kept; out_missed receives how many older ones were forgotten.
/// Fields: KIND and those of LAPS_OBSERVED_*. Ignore kinds that you do not know.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_observed(
    vault: *const laps_vault,
    out_missed: *mut u64,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, out_missed, out_rows) = unsafe {
            (
                pointer::shared(vault)?,
                Out::new(out_missed, "out_missed")?,
                Out::new(out_rows, "out_rows")?,
            )
        };
        let taken = vault.observations.take()?;
        let rows = laps_rows::boxed(taken.observed.iter().map(row).collect(), None);
        out_missed.set(taken.missed);
        out_rows.give(rows);
        Ok(())
    })
}

fn row(observed: &Observed) -> Row {
    let row = Row::default();
    match observed {
        Observed::CheckIn { device, changed, added, refused, commit } => row
            .number(LAPS_FIELD_KIND, LAPS_OBSERVED_CHECK_IN.into())
            .text(LAPS_FIELD_DEVICE, device)
            .number(LAPS_FIELD_CHANGED, u64::from(*changed))
            .number(LAPS_FIELD_COUNT, count(*added))
            .number(LAPS_FIELD_REFUSED, count(*refused))
            .number_if(LAPS_FIELD_COMMIT, commit.map(|commit| u64::from(commit_number(commit)))),
        Observed::Disclosed { device, records } => row
            .number(LAPS_FIELD_KIND, LAPS_OBSERVED_DISCLOSED.into())
            .text(LAPS_FIELD_DEVICE, device)
            .number(LAPS_FIELD_COUNT, count(*records)),
        Observed::Ordered { devices } => row
            .number(LAPS_FIELD_KIND, LAPS_OBSERVED_ORDERED.into())
            .number(LAPS_FIELD_COUNT, *devices),
        Observed::Refused { code } => row
            .number(LAPS_FIELD_KIND, LAPS_OBSERVED_REFUSED.into())
            .number(LAPS_FIELD_STATUS, code.as_u16().into()),
        // Newer than this file: a row without a kind.
        _ => row,
    }
}

const fn commit_number(commit: CommitAnswer) -> u32 {
    match commit {
        CommitAnswer::Acknowledged => LAPS_COMMIT_ACKNOWLEDGED,
        CommitAnswer::Lacking => LAPS_COMMIT_LACKING,
        CommitAnswer::StaleToken => LAPS_COMMIT_STALE_TOKEN,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
