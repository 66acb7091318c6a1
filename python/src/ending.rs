//! Calls that may take long: without the interpreter's lock, and ended by a signal whose handler
//! raises, as Ctrl-C does.
//!
//! The thread that calls also works, so that Python's signal handlers and callables run where
//! Python expects them. What they raise is kept until the call ends, at its next step, and is then
//! raised.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use laps_host::stop;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

thread_local! {
    /// What was raised within the call that this thread is in.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
    /// The process in which it was asked, and whether this is the thread in which Python handles
    /// signals.
    static IS_MAIN: Cell<Option<(u32, bool)>> = const { Cell::new(None) };
}

/// Runs `work`; what it refuses becomes an exception by `refused`.
pub(crate) fn long<T: Send, E: Send>(
    py: Python<'_>,
    refused: impl FnOnce(E) -> PyErr,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<T> {
    long_until(py, refused, || false, work)
}

/// The same; it also ends when `ended` says so.
pub(crate) fn long_until<T: Send, E: Send>(
    py: Python<'_>,
    refused: impl FnOnce(E) -> PyErr,
    ended: impl Fn() -> bool + Send + 'static,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<T> {
    // A call within a callable of another call has its own.
    let before = RAISED.take();
    let done = py.detach(|| stop::until(Rc::new(move || signalled() || ended()), work));
    match RAISED.replace(before) {
        Some(raised) => Err(raised),
        None => done.map_err(refused),
    }
}

/// Ends the call that this thread is in, which then raises this.
pub(crate) fn end_with(raised: PyErr) {
    RAISED.set(Some(raised));
    stop::end();
}

/// What a callable raised is given back, unless it asks to leave, as Ctrl-C does: that ends the
/// call that this thread is in.
pub(crate) fn unless_it_leaves(py: Python<'_>, raised: PyErr) -> Option<PyErr> {
    if raised.is_instance_of::<PyException>(py) {
        return Some(raised);
    }
    end_with(raised);
    None
}

/// Whether a callable or a signal's handler raised.
fn signalled() -> bool {
    RAISED.with_borrow(Option::is_some)
        || Python::attach(|py| {
            if !is_main(py) {
                return false;
            }
            match py.check_signals() {
                Ok(()) => false,
                Err(raised) => {
                    end_with(raised);
                    true
                }
            }
        })
}

/// Whether Python handles signals in this thread. In the child of a fork it may be another one.
fn is_main(py: Python<'_>) -> bool {
    let process = std::process::id();
    if let Some((asked_in, is_main)) = IS_MAIN.get()
        && asked_in == process
    {
        return is_main;
    }
    let threading = || {
        let threading = py.import("threading")?;
        let main = threading.call_method0("main_thread")?.getattr("ident")?;
        threading.call_method0("get_ident")?.eq(main)
    };
    // Where Python does not say, it is asked each time.
    let is_main = threading().unwrap_or(true);
    IS_MAIN.set(Some((process, is_main)));
    is_main
}
