//! Re-sealing a vault's records on every core of the machine that holds a reader's key.

use core::num::NonZero;
use std::panic;
use std::thread;

use laps_core::identity::{Scope, Timestamp};
use laps_core::random::Generator;
use laps_core::seal::{Reader, ReaderKey, Record, SealError};
use laps_core::vault::{Request, Resealed, Resealing, Vault, VaultError};

use super::SqliteStore;

/// Re-seals every record of a scope that is not sealed to exactly its readers of now, with the
/// key of one of those who can open it. See [`Vault::reseal_all`]: a record that cannot be is
/// reported and left as it was, and a run that was killed is gone on with by the next one.
///
/// # Errors
/// As there.
pub fn reseal_all(
    vault: &Vault<SqliteStore>,
    scope: &Scope,
    key: &ReaderKey,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Resealed, VaultError> {
    reseal_all_watched(vault, scope, key, request, now, &mut |_| true)
}

/// The same; `progress` is told of how many records the next step is, and answers whether to take
/// it.
///
/// # Errors
/// As there.
pub fn reseal_all_watched(
    vault: &Vault<SqliteStore>,
    scope: &Scope,
    key: &ReaderKey,
    request: &Request<'_>,
    now: Timestamp,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Resealed, VaultError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    vault.reseal_all(scope, request, now, |items, readers| {
        if !progress(items.len()) {
            return Vec::new();
        }
        let share = items.len().div_ceil(cores).max(1);
        thread::scope(|threads| {
            let mut shares = items.chunks(share);
            // The calling thread works too.
            let own = shares.next().unwrap_or_default();
            let others: Vec<_> =
                shares.map(|share| threads.spawn(move || resealed(key, share, readers))).collect();
            let mut sealed = resealed(key, own, readers);
            for other in others {
                sealed
                    .extend(other.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked)));
            }
            sealed
        })
    })
}

fn resealed(
    key: &ReaderKey,
    items: &[Resealing],
    readers: &[Reader],
) -> Vec<Result<Vec<u8>, SealError>> {
    let mut generator = match Generator::from_system() {
        Ok(generator) => generator,
        Err(error) => return items.iter().map(|_| Err(error.into())).collect(),
    };
    items
        .iter()
        .map(|item| {
            let record = Record::parse(&item.sealed)?;
            let sealed = key.reseal_above(&record, item.above, readers, &mut generator)?;
            Ok(sealed.as_bytes().to_vec())
        })
        .collect()
}
