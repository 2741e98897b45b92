//! Locks and atomics for code that loom tests.
//!
//! They are the standard library's, except in tests with `--cfg harpia_loom`: then they are loom's,
//! and the `loom_tests` modules run the orders in which threads can meet. A stress test would only
//! reach some of them by chance.

#[cfg(not(all(test, harpia_loom)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

#[cfg(all(test, harpia_loom))]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic};

/// Runs the orders in which the threads of `body` can meet, with at most three preemptions each.
///
/// All orders would take days.
#[cfg(all(test, harpia_loom))]
pub(crate) fn explore(body: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(body);
}
