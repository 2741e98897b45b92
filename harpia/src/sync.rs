//! The locks and atomics that several threads share: std's, or loom's in loom tests.
//!
//! With `--cfg harpia_loom`, tests use loom's types. The tests in the `loom_tests` modules then
//! explore systematically in which order the threads use these types. A stress test leaves the
//! order to chance.

#[cfg(not(all(test, harpia_loom)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

#[cfg(all(test, harpia_loom))]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic};

/// Runs `body` in every order of its threads with at most three preemptions.
///
/// A preemption stops a thread that could go on. Without this bound the tests would take days.
#[cfg(all(test, harpia_loom))]
pub(crate) fn explore(body: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(body);
}
