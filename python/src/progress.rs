//! Telling Python how far a long work is.

use pyo3::prelude::*;

use crate::ending;

/// A callable that is told `(done, total)`, or none. What it raises ends the call.
pub(crate) struct Progress {
    tell: Option<Py<PyAny>>,
    failed: bool,
}

impl Progress {
    pub(crate) const fn new(tell: Option<Py<PyAny>>) -> Self {
        Self { tell, failed: false }
    }

    /// Whether anybody listens.
    pub(crate) const fn heard(&self) -> bool {
        self.tell.is_some()
    }

    /// Whether it raised.
    pub(crate) const fn failed(&self) -> bool {
        self.failed
    }

    /// Tells it, from a thread without the interpreter.
    pub(crate) fn at(&mut self, done: usize, total: usize) {
        if self.failed {
            return;
        }
        let Some(tell) = &self.tell else { return };
        if let Err(raised) = Python::attach(|py| tell.call1(py, (done, total)).map(drop)) {
            self.failed = true;
            ending::end_with(raised);
        }
    }
}
