//! The driver: rows are fetched, a decision reads them, and what it writes is written in one go.

use alloc::{format, vec::Vec};
use core::ops::Range as Span;

use crate::identity::{DeviceId, Scope, Timestamp};

use super::audit::{Action, MAX_DETAIL, quoted};
use super::plan::{DeviceRange, Plan};
use super::readers::Readers;
use super::store::{Durability, Store, StoredDevice, Work};
use super::unit::{Appended, Rows, Stop};
use super::{Observed, Request, Vault, VaultError};

/// What a decision says that writes nothing. Each time it needs more, all is read again, so that it
/// sees one state and nothing is kept open.
///
/// # Errors
/// Why it is refused, and what the store says.
pub fn look<S: Store, T>(
    store: &S,
    plan: Plan,
    mut decide: impl FnMut(&mut Rows) -> Result<T, Stop>,
) -> Result<T, VaultError> {
    let mut plan = plan;
    loop {
        match decide(&mut store.read(&plan)?) {
            Ok(said) => return Ok(said),
            Err(Stop::Refused(error)) => return Err(error),
            Err(Stop::Missing(wants)) => plan.wants.extend(wants),
        }
    }
}

/// Decides under the store's lock, and writes. A decision that is refused writes nothing.
///
/// # Errors
/// Why it is refused, and what the store says.
pub fn run<S: Store, T>(
    store: &S,
    plan: &Plan,
    durability: Durability,
    mut decide: impl FnMut(&mut Rows) -> Result<T, Stop>,
) -> Result<(T, Appended), VaultError> {
    let (mut work, mut rows) = store.begin(plan, durability)?;
    let decided = decide_on(&mut work, &mut rows, &mut decide)?;
    Ok((decided, work.write(rows.into_writes())?))
}

/// Asks a decision until nothing is missing. What it changes is accepted, or nothing of it is left.
fn decide_on<T>(
    work: &mut impl Work,
    rows: &mut Rows,
    decide: &mut dyn FnMut(&mut Rows) -> Result<T, Stop>,
) -> Result<T, VaultError> {
    loop {
        let stop = match decide(rows) {
            Ok(decided) => {
                rows.accept();
                return Ok(decided);
            }
            Err(stop) => stop,
        };
        rows.discard();
        match stop {
            Stop::Refused(error) => return Err(error),
            Stop::Missing(wants) => work.fetch(&wants, rows)?,
        }
    }
}

impl<S: Store> Vault<S> {
    /// See [`look`].
    pub(super) fn look<T>(
        &self,
        plan: Plan,
        decide: impl FnMut(&mut Rows) -> Result<T, Stop>,
    ) -> Result<T, VaultError> {
        look(&self.store, plan, decide)
    }

    /// See [`run`].
    pub(super) fn run<T>(
        &self,
        plan: &Plan,
        durability: Durability,
        decide: impl FnMut(&mut Rows) -> Result<T, Stop>,
    ) -> Result<(T, Appended), VaultError> {
        run(&self.store, plan, durability, decide)
    }

    /// Every scope that was ever written to, in order.
    pub(super) fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        self.store.scopes()
    }

    /// Looks at every device of a scope, page by page: each page is one state, with the readers of
    /// that state, and nothing is kept open in between.
    pub(super) fn each_page(
        &self,
        scope: &Scope,
        limit: usize,
        mut look: impl FnMut(&[StoredDevice], &Readers),
    ) -> Result<(), VaultError> {
        let mut after: Option<DeviceId> = None;
        loop {
            let range = DeviceRange::by_name(after.as_ref().map(DeviceId::as_str), limit);
            let rows = self.store.read(&Plan::page(scope, &range))?;
            let readers = rows.readers()?;
            let Ok(page) = rows.page(&range) else {
                return Err(VaultError::Internal("a page that was not read"));
            };
            look(page, readers);
            after = page.last().map(|last| last.name).filter(|_| page.len() >= limit);
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// So many decisions in one transaction, durably, each on what the ones before it changed. One
    /// that is refused writes nothing, and the others stand; an error is one of the store's or of
    /// the random source. `plan` names what some of them read; `answer` is asked when the entries
    /// of a decision have their heads.
    pub(super) fn run_each<T, A>(
        &self,
        count: usize,
        plan: impl Fn(Span<usize>) -> Plan,
        mut decide: impl FnMut(usize, &mut Rows) -> Result<T, Stop>,
        answer: impl Fn(usize, T, &Appended) -> Result<A, VaultError>,
    ) -> Result<Vec<Result<A, VaultError>>, VaultError> {
        let ahead = self.store.ahead().max(1);
        let from = |first: usize| first..first.saturating_add(ahead).min(count);
        let mut part = from(0);
        let (mut work, mut rows) = self.store.begin(&plan(part.clone()), Durability::Durable)?;
        let mut answers = Vec::with_capacity(count);
        loop {
            let mut decided = Vec::with_capacity(part.len());
            for at in part.clone() {
                match decide_on(&mut work, &mut rows, &mut |rows| decide(at, rows)) {
                    Err(
                        error @ (VaultError::Store(_)
                        | VaultError::Internal(_)
                        | VaultError::Random),
                    ) => return Err(error),
                    said => decided.push((at, said)),
                }
            }
            let mut answered = |appended: &Appended| {
                let said = decided.drain(..);
                answers.extend(said.map(|(at, said)| answer(at, said?, appended)));
            };
            part = from(part.end);
            if part.is_empty() {
                answered(&work.write(rows.into_writes())?);
                return Ok(answers);
            }
            let (appended, next) = work.write_part(rows.into_writes(), &plan(part.clone()))?;
            answered(&appended);
            rows = next;
        }
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
