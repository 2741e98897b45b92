//! The locks and atomics of what runs at once: std's.
//!
//! With `--cfg harpia_loom` they are loom's in tests, and the tests called `harpia_loom` run
//! each order in which threads may meet in them, which a stress test only hopes for.

#[cfg(not(all(test, harpia_loom)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

#[cfg(all(test, harpia_loom))]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic};

/// Runs the orders in which the threads of `body` may meet: those in which a thread that could go
/// on is stopped at most three times, since all of them would take days.
#[cfg(all(test, harpia_loom))]
pub(crate) fn explore(body: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(body);
}
