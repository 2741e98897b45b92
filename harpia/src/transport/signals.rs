//! Flags for a connection's task, in one byte, so that one atomic load shows whether any is set.

use crate::sync::atomic::{AtomicU8, Ordering};

/// The flags of one connection. Another thread that sets a flag also wakes the task.
#[derive(Debug)]
pub(super) struct Signals(AtomicU8);

/// One flag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Signal {
    /// The outbox was written, so the `drain` handler is due.
    Drained = 1,
    /// A close was requested.
    Closing = 2,
    /// There is an outbox that the task has to write.
    Blocked = 4,
    /// A shutdown cancels handlers that wait, except `close`.
    Cancel = 8,
    /// A shutdown cancels a waiting `close` handler, too.
    CancelClose = 16,
    /// The hub has stopped, and with it the sweep that checks deadlines.
    Detached = 32,
    /// Messages are dropped because the backlog is full. The task logs this.
    Skipping = 64,
}

impl Signals {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    pub(super) fn set(&self, signal: Signal) {
        self.0.fetch_or(signal as u8, Ordering::AcqRel);
    }

    pub(super) fn clear(&self, signal: Signal) {
        self.0.fetch_and(!(signal as u8), Ordering::AcqRel);
    }

    #[inline]
    pub(super) fn has(&self, signal: Signal) -> bool {
        self.0.load(Ordering::Acquire) & signal as u8 != 0
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}
