//! Telling Python how far a long work is, and hearing from it that somebody pressed Ctrl-C.

use pyo3::prelude::*;

/// A callable that is told `(done, total)`, or none.
pub(crate) struct Progress {
    tell: Option<Py<PyAny>>,
    failed: Option<PyErr>,
}

impl Progress {
    pub(crate) const fn new(tell: Option<Py<PyAny>>) -> Self {
        Self { tell, failed: None }
    }

    /// Whether anybody listens.
    pub(crate) const fn heard(&self) -> bool {
        self.tell.is_some()
    }

    /// Whether it raised.
    pub(crate) const fn failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Tells it, from a thread without the interpreter. What it raises, and an interrupt, is kept for [`Progress::end`].
    pub(crate) fn at(&mut self, done: usize, total: usize) {
        if self.failed.is_some() {
            return;
        }
        let Some(tell) = &self.tell else { return };
        let told = Python::attach(|py| {
            py.check_signals()?;
            tell.call1(py, (done, total)).map(drop)
        });
        self.failed = told.err();
    }

    /// What was raised.
    pub(crate) fn end(&mut self) -> PyResult<()> {
        self.failed.take().map_or(Ok(()), Err)
    }
}
