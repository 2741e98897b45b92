//! How many connections are active, as anyone may ask.

use crate::protocol::Form;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::transport::Transport;

/// Counts the active connections.
#[derive(Debug, Default)]
pub(super) struct Counters {
    active: AtomicUsize,
    /// How many of them take broadcasts compressed.
    deflating: AtomicUsize,
}

impl Counters {
    pub(super) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    /// Says whether somebody takes broadcasts compressed.
    pub(super) fn deflates(&self) -> bool {
        self.deflating.load(Ordering::Relaxed) > 0
    }

    pub(super) fn join(&self, transport: &Transport) {
        transport.set_active();
        self.active.fetch_add(1, Ordering::Relaxed);
        if transport.form() == Form::Deflated {
            self.deflating.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a connection out, and says whether it was in.
    pub(super) fn leave(&self, transport: &Transport) -> bool {
        let was_active = transport.take_active();
        if was_active {
            self.active.fetch_sub(1, Ordering::Relaxed);
            if transport.form() == Form::Deflated {
                self.deflating.fetch_sub(1, Ordering::Relaxed);
            }
        }
        was_active
    }
}
