//! Verifying the audit log: every entry recomputed, page by page, in constant memory.

use alloc::vec::Vec;

use crate::identity::Scope;

use super::rows::AuditReport;
use super::store::{Store, StoredEntry, Transaction};
use super::{AuditHead, Vault, VaultError};

const PAGE: usize = 1_000;

impl<S: Store> Vault<S> {
    /// Verifies the audit log of a scope from its first entry, in one state of the store and in
    /// constant memory.
    ///
    /// An audit log can be recomputed by whoever writes the file: only a head that somebody holds
    /// from before (a receipt, a device) shows that. Give it as `expect`.
    ///
    /// # Errors
    /// What the store says; a broken audit log is a report, not an error.
    pub fn audit_verify(
        &self,
        scope: &Scope,
        expect: Option<AuditHead>,
    ) -> Result<AuditReport, VaultError> {
        self.audit_verify_watched(scope, expect, &mut |_, _| {})
    }

    /// The same, and `progress` is told how many entries were looked at, and of how many, about
    /// once a thousand.
    ///
    /// # Errors
    /// As there.
    pub fn audit_verify_watched(
        &self,
        scope: &Scope,
        expect: Option<AuditHead>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<AuditReport, VaultError> {
        self.store.read(|tx| verify(tx, scope, expect, progress))
    }

    /// Entries of the audit log by number, those behind `after` (0: from the first). They are as
    /// stored: whether they were edited, only [`Vault::audit_verify`] tells. One that is
    /// earlier than the entry in front of it is marked.
    ///
    /// # Errors
    /// What the store says.
    pub fn audit_entries(
        &self,
        scope: &Scope,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, VaultError> {
        self.store.read(|tx| {
            let front = if after > 0 { tx.times(scope, after, 1)? } else { Vec::new() };
            let mut front = front.first().filter(|(number, _)| *number == after).map(|(_, at)| *at);
            let mut page = tx.entries(scope, after.saturating_add(1), limit)?;
            for stored in &mut page {
                let at = stored.entry.as_ref().ok().map(|entry| entry.at);
                stored.earlier = at.is_some() && at < front;
                front = at.or(front);
            }
            Ok(page)
        })
    }

    /// Length and head of the audit log now.
    ///
    /// # Errors
    /// What the store says.
    pub fn audit_head(&self, scope: &Scope) -> Result<AuditHead, VaultError> {
        self.store.read(|tx| tx.audit_head(scope))
    }
}

fn verify(
    tx: &mut dyn Transaction,
    scope: &Scope,
    expect: Option<AuditHead>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AuditReport, VaultError> {
    let recorded = tx.audit_head(scope)?;
    let mut chain = AuditHead::EMPTY;
    let mut first_bad = None;
    let mut entries = 0_u64;
    let mut expected_hash = expect.filter(|head| head.length == 0).map(|_| chain.hash);
    let mut from = 0_u64;
    loop {
        let page = tx.entries(scope, from, PAGE)?;
        let Some(last) = page.last() else { break };
        from = last.number.saturating_add(1);
        for stored in &page {
            entries = entries.saturating_add(1);
            if first_bad.is_some() {
                continue;
            }
            let number = chain.length.saturating_add(1);
            let hash =
                stored.entry.as_ref().ok().map(|entry| entry.hash(scope, number, &chain.hash));
            if stored.number == number && hash == Some(stored.hash) {
                chain = AuditHead::new(number, stored.hash);
            } else {
                first_bad = Some(number);
            }
            if expect.is_some_and(|head| head.length == chain.length) {
                expected_hash = Some(chain.hash);
            }
        }
        progress(entries, recorded.length);
        if page.len() < PAGE {
            break;
        }
    }
    let next = chain.length.saturating_add(1);
    // The end was cut, or entries were put behind it, without touching what the vault itself
    // remembers of the end.
    let end_differs = chain != recorded || tx.stray_entries()? > 0;
    first_bad =
        first_bad.or_else(|| end_differs.then(|| next.min(recorded.length.saturating_add(1))));
    if first_bad.is_none()
        && let Some(head) = expect
        && expected_hash != Some(head.hash)
    {
        first_bad = Some(head.length.min(next).max(1));
    }
    Ok(AuditReport { ok: first_bad.is_none(), entries, head: chain, first_bad })
}
