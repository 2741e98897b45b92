//! Counts the active connections, so that any thread can read the number without the table.

use crate::protocol::Form;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::transport::Transport;

/// Counts the active connections.
#[derive(Debug, Default)]
pub(super) struct Counters {
    active: AtomicUsize,
    /// How many of the active connections negotiated compression.
    deflating: AtomicUsize,
}

impl Counters {
    pub(super) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    /// Returns whether any active connection negotiated compression.
    pub(super) fn has_deflating(&self) -> bool {
        self.deflating.load(Ordering::Relaxed) > 0
    }

    /// Marks a connection as active and counts it.
    pub(super) fn activate(&self, transport: &Transport) {
        transport.mark_counted();
        self.active.fetch_add(1, Ordering::Relaxed);
        if transport.form() == Form::Deflated {
            self.deflating.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Clears the active mark. Returns `true` only for the call that deactivated the connection.
    pub(super) fn deactivate(&self, transport: &Transport) -> bool {
        let was_active = transport.take_counted();
        if was_active {
            self.active.fetch_sub(1, Ordering::Relaxed);
            if transport.form() == Form::Deflated {
                self.deflating.fetch_sub(1, Ordering::Relaxed);
            }
        }
        was_active
    }
}
