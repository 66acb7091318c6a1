//! A store beside whose units of work something else happens, at a moment that a test chooses.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use laps_core::identity::Scope;
use laps_core::vault::VaultError;
use laps_core::vault::plan::{Plan, Want};
use laps_core::vault::store::{Durability, Store, Work};
use laps_core::vault::unit::{Appended, Rows, Writes};

/// When something else happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// Before the operation's nth turn to its store, counted from 1: what it read in earlier turns
    /// may be old by then.
    Before(usize),
    /// Inside its nth unit of work, between its reading and its writing. A store that locks lets
    /// the other one wait until the unit is over.
    Inside(usize),
}

/// How long a unit of work gives the other one to finish. A store that locks passes with any time;
/// one that does not lock is found out where the other one needs less.
const PATIENCE: Duration = Duration::from_millis(50);

type Other = Box<dyn FnOnce() + Send>;

/// A store beside which something else happens once.
pub struct Beside<S> {
    store: S,
    plot: Arc<Plot>,
}

struct Plot {
    moment: Moment,
    turns: AtomicUsize,
    units: AtomicUsize,
    other: Mutex<Option<Other>>,
}

impl Plot {
    fn take(&self) -> Option<Other> {
        self.other.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: Clone> Clone for Beside<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), plot: Arc::clone(&self.plot) }
    }
}

impl<S: Store> Beside<S> {
    pub fn new(store: S, moment: Moment, other: impl FnOnce() + Send + 'static) -> Self {
        let other: Other = Box::new(other);
        let (turns, units) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self {
            store,
            plot: Arc::new(Plot { moment, turns, units, other: Mutex::new(Some(other)) }),
        }
    }

    /// Whether the moment came.
    pub fn happened(&self) -> bool {
        self.plot.other.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn turn(&self) {
        let turn = self.plot.turns.fetch_add(1, Ordering::Relaxed) + 1;
        if self.plot.moment == Moment::Before(turn)
            && let Some(other) = self.plot.take()
        {
            other();
        }
    }
}

impl<S: Store> Store for Beside<S> {
    type Work<'s>
        = BesideWork<S::Work<'s>>
    where
        Self: 's;

    fn ahead(&self) -> usize {
        self.store.ahead()
    }

    fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        self.turn();
        self.store.scopes()
    }

    fn read(&self, plan: &Plan) -> Result<Rows, VaultError> {
        self.turn();
        self.store.read(plan)
    }

    fn begin(
        &self,
        plan: &Plan,
        durability: Durability,
    ) -> Result<(Self::Work<'_>, Rows), VaultError> {
        self.turn();
        let (work, rows) = self.store.begin(plan, durability)?;
        let unit = self.plot.units.fetch_add(1, Ordering::Relaxed) + 1;
        let inside = self.plot.moment == Moment::Inside(unit);
        let other = if inside { self.plot.take() } else { None };
        let other = Ended(other.map(|other| {
            let (done, is_done) = mpsc::channel();
            let thread = std::thread::spawn(move || {
                other();
                let _ = done.send(());
            });
            // Who is still waiting then is held back by the store.
            let _ = is_done.recv_timeout(PATIENCE);
            thread
        }));
        Ok((BesideWork { work, other }, rows))
    }
}

/// A unit of work of such a store.
pub struct BesideWork<W> {
    work: W,
    /// Dropped behind the work: then the other one has its turn.
    other: Ended,
}

/// A thread that is over when this is dropped.
struct Ended(Option<JoinHandle<()>>);

impl Drop for Ended {
    fn drop(&mut self) {
        let failed = self.0.take().is_some_and(|thread| thread.join().is_err());
        assert!(!failed || std::thread::panicking(), "what happened beside it failed");
    }
}

impl<W: Work> Work for BesideWork<W> {
    fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError> {
        self.work.fetch(wants, rows)
    }

    fn write(self, writes: Writes) -> Result<Appended, VaultError> {
        let Self { work, other } = self;
        let written = work.write(writes);
        drop(other);
        written
    }

    fn write_part(&mut self, writes: Writes, next: &Plan) -> Result<(Appended, Rows), VaultError> {
        self.work.write_part(writes, next)
    }
}

/// A control: a store that locks nothing. What a unit of work read may be long gone when it writes.
#[derive(Clone)]
pub struct Unlocked<S>(pub S);

impl<S: Store> Store for Unlocked<S> {
    type Work<'s>
        = UnlockedWork<'s, S>
    where
        Self: 's;

    fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        self.0.scopes()
    }

    fn read(&self, plan: &Plan) -> Result<Rows, VaultError> {
        self.0.read(plan)
    }

    fn begin(
        &self,
        plan: &Plan,
        durability: Durability,
    ) -> Result<(Self::Work<'_>, Rows), VaultError> {
        let rows = self.0.read(plan)?;
        Ok((UnlockedWork { store: &self.0, scope: plan.scope, durability }, rows))
    }
}

/// A unit of work of such a store.
pub struct UnlockedWork<'s, S> {
    store: &'s S,
    scope: Scope,
    durability: Durability,
}

impl<S: Store> Work for UnlockedWork<'_, S> {
    fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError> {
        let (mut work, _) = self.store.begin(&Plan::of(&self.scope), self.durability)?;
        work.fetch(wants, rows)
    }

    fn write(self, writes: Writes) -> Result<Appended, VaultError> {
        let (work, _) = self.store.begin(&Plan::of(&self.scope), self.durability)?;
        work.write(writes)
    }
}
