//! What a connection's task has to look at: one byte of flags, so that one atomic load per message
//! shows that there is nothing.

use crate::sync::atomic::{AtomicU8, Ordering};

/// Set by whoever changes something that concerns the task; whoever sets one also wakes the task.
#[derive(Debug)]
pub(super) struct Signals(AtomicU8);

/// One flag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Signal {
    /// The outbox has emptied, so `drain` is due.
    Drained = 1,
    /// A close was requested.
    Closing = 2,
    /// The outbox holds something, which the task has to write.
    Blocked = 4,
    /// A shutdown cancels handlers that wait.
    Cancel = 8,
    /// A shutdown cancels the `close` handler, too.
    CancelClose = 16,
    /// The hub is gone, and with it the sweep that watches deadlines.
    Detached = 32,
    /// Messages are being left out, which the task logs.
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
