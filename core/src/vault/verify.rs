//! Verifying the audit log: every entry recomputed, page by page, in constant memory.

use alloc::vec::Vec;

use crate::identity::Scope;

use super::plan::{Entries, Plan, Want};
use super::rows::AuditReport;
use super::store::{Store, StoredEntry};
use super::{AuditHead, Vault, VaultError};

const PAGE: usize = 1_000;

impl<S: Store> Vault<S> {
    /// Verifies the audit log of a scope from its first entry to the end that it has when that is
    /// reached, page by page, in constant memory.
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
        let mut chain = AuditHead::EMPTY;
        let mut first_bad = None;
        let mut entries = 0_u64;
        let mut expected_hash = expect.filter(|head| head.length == 0).map(|_| chain.hash);
        let mut from = 0_u64;
        // The head is read with each page: with the last one stands the end of what was verified,
        // also when others append meanwhile.
        let recorded = loop {
            let (page, recorded) = self.entries_from(scope, from, PAGE)?;
            let Some(last) = page.last() else { break recorded };
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
                break recorded;
            }
        };
        let next = chain.length.saturating_add(1);
        // The end was cut, or entries were put behind it, without touching what the vault itself
        // remembers of the end.
        let end_differs = chain != recorded || self.stray_entries(scope)? > 0;
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

    fn stray_entries(&self, scope: &Scope) -> Result<u64, VaultError> {
        self.look(Plan::of(scope).with(Want::StrayEntries), |rows| rows.stray_entries())
    }

    /// A page of entries, and the head at that moment.
    fn entries_from(
        &self,
        scope: &Scope,
        number: u64,
        limit: usize,
    ) -> Result<(Vec<StoredEntry>, AuditHead), VaultError> {
        let which = Entries::From { number, limit };
        let plan = Plan::of(scope).with(Want::Entries(which.clone()));
        self.look(plan, |rows| Ok((rows.take_entries(&which)?, rows.head()?)))
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
        let which = Entries::From { number: after.saturating_add(1), limit };
        let mut plan = Plan::of(scope).with(Want::Entries(which.clone()));
        if after > 0 {
            plan = plan.with(Want::Times(after, 1));
        }
        self.look(plan, |rows| {
            let front = if after > 0 { rows.times(after, 1)? } else { &[] };
            let mut front = front.first().filter(|(number, _)| *number == after).map(|(_, at)| *at);
            let mut page = rows.take_entries(&which)?;
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
        self.look(Plan::of(scope), |rows| Ok(rows.head()?))
    }
}
