//! The driver: rows are fetched, a decision reads them, and what it writes is written in one go.

use alloc::{format, vec::Vec};

use crate::identity::{DeviceId, Scope, Timestamp};

use super::adapter;
use super::audit::{Action, MAX_DETAIL, quoted};
use super::plan::{Plan, Range, Want};
use super::readers::Readers;
use super::store::{Durability, Store, StoredDevice};
use super::unit::{Appended, Rows, Stop};
use super::{Observed, Request, Vault, VaultError};

impl<S: Store> Vault<S> {
    /// What a decision says that writes nothing. Each time it needs more, all is read again, so
    /// that it sees one state and nothing is kept open.
    pub(super) fn look<T>(
        &self,
        plan: Plan,
        mut decide: impl FnMut(&mut Rows) -> Result<T, Stop>,
    ) -> Result<T, VaultError> {
        let mut plan = plan;
        loop {
            let mut rows = self.store.read(|tx| adapter::read(tx, &plan))?;
            match decide(&mut rows) {
                Ok(said) => return Ok(said),
                Err(Stop::Refused(error)) => return Err(error),
                Err(Stop::Missing(wants)) => plan.wants.extend(wants),
            }
        }
    }

    /// Every scope that was ever written to, in order.
    pub(super) fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        self.store.read(|tx| tx.scopes())
    }

    /// Looks at every device of a scope, page by page: each page is one state, and nothing is kept
    /// open in between.
    pub(super) fn each_page(
        &self,
        scope: &Scope,
        limit: usize,
        mut look: impl FnMut(&StoredDevice, &Readers),
    ) -> Result<(), VaultError> {
        let mut after: Option<DeviceId> = None;
        loop {
            let range = Range::by_name(after.as_ref().map(DeviceId::as_str), limit);
            let rows = self.store.read(|tx| adapter::read(tx, &Plan::page(scope, &range)))?;
            let readers = rows.readers()?;
            let names = match rows.page(&range) {
                Ok(names) => names,
                Err(_) => return Err(VaultError::Internal("a page that was not read")),
            };
            names
                .iter()
                .try_for_each(|name| rows.stored(name).map(|stored| look(stored, readers)))?;
            after = names.last().copied().filter(|_| names.len() >= limit);
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Decides under the store's lock, and writes. A decision that is refused writes nothing.
    pub(super) fn run<T>(
        &self,
        plan: &Plan,
        durability: Durability,
        mut decide: impl FnMut(&mut Rows) -> Result<T, Stop>,
    ) -> Result<(T, Appended), VaultError> {
        self.store.write(durability, |tx| {
            let mut rows = adapter::read(tx, plan)?;
            let decided =
                decide_on(&mut rows, &mut decide, |wants, rows| adapter::fetch(tx, wants, rows))?;
            Ok((decided, adapter::apply(tx, &plan.scope, rows.into_writes())?))
        })
    }

    /// So many decisions in one transaction, durably, each on what the ones before it changed. One
    /// that is refused writes nothing, and the others stand; an error is one of the store's or of
    /// the random source.
    #[expect(clippy::type_complexity, reason = "what each said, and what was appended")]
    pub(super) fn run_each<T>(
        &self,
        plan: &Plan,
        count: usize,
        mut decide: impl FnMut(usize, &mut Rows) -> Result<T, Stop>,
    ) -> Result<(Vec<Result<T, VaultError>>, Appended), VaultError> {
        self.store.write(Durability::Durable, |tx| {
            let mut rows = adapter::read(tx, plan)?;
            let mut said = Vec::with_capacity(count);
            for at in 0..count {
                let decided = decide_on(
                    &mut rows,
                    |rows| decide(at, rows),
                    |wants, rows| adapter::fetch(tx, wants, rows),
                );
                match decided {
                    Err(
                        error @ (VaultError::Store(_)
                        | VaultError::Internal(_)
                        | VaultError::Random),
                    ) => return Err(error),
                    decided => said.push(decided),
                }
            }
            Ok((said, adapter::apply(tx, &plan.scope, rows.into_writes())?))
        })
    }

    /// As [`run`](Self::run), durably. When the request itself is refused, that attempt is put into
    /// the audit log: it is a decision as well.
    pub(super) fn audited<T>(
        &self,
        plan: Plan,
        request: &Request<'_>,
        device: &str,
        attempt: &'static str,
        now: Timestamp,
        mut decide: impl FnMut(&mut Rows) -> Result<T, Stop>,
    ) -> Result<(T, Appended), VaultError> {
        let checked = request.check();
        let plan = if checked.is_ok() { plan } else { Plan::of(&plan.scope) };
        let (decided, appended) = self.run(&plan, Durability::Durable, |rows| {
            match checked.clone().map_err(Stop::from).and_then(|()| decide(rows)) {
                Err(Stop::Refused(error))
                    if !matches!(error, VaultError::Store(_) | VaultError::Internal(_)) =>
                {
                    rows.discard();
                    let mut entry = request.entry(Action::Refused, device, now);
                    entry.detail = quoted(&format!("{attempt}: {error}"), MAX_DETAIL);
                    rows.append(entry);
                    Ok(Err(error))
                }
                decided => decided.map(Ok),
            }
        })?;
        if let Err(error) = &decided {
            self.observe(&Observed::Refused { code: error.code() });
        }
        Ok((decided?, appended))
    }
}

/// Asks a decision until nothing is missing. What it changes is accepted, or nothing of it is left.
pub(super) fn decide_on<T>(
    rows: &mut Rows,
    mut decide: impl FnMut(&mut Rows) -> Result<T, Stop>,
    mut fetch: impl FnMut(&[Want], &mut Rows) -> Result<(), VaultError>,
) -> Result<T, VaultError> {
    loop {
        match decide(rows) {
            Ok(decided) => {
                rows.accept();
                return Ok(decided);
            }
            Err(Stop::Refused(error)) => {
                rows.discard();
                return Err(error);
            }
            Err(Stop::Missing(wants)) => {
                rows.discard();
                fetch(&wants, rows)?;
            }
        }
    }
}
