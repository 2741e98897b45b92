//! Since when nothing came from the peer, and until when the present step may take.
//!
//! The hub's sweep reads both a few times a second, so a connection needs no timer of its own.

use std::time::Duration;

use crate::clock::ticks;
use crate::sync::atomic::{AtomicU32, Ordering};

/// What the sweep looks at: written by the connection's task, read by the hub's thread.
#[derive(Debug)]
pub(crate) struct Liveness {
    /// The tick in which the last byte came, or `PAUSED`.
    heard: AtomicU32,
    /// The tick in which the task is woken; 0 is never.
    deadline: AtomicU32,
}

/// While a handler waits, its connection is not read, so silence means nothing.
const PAUSED: u32 = u32::MAX;

impl Liveness {
    pub(crate) fn new(now: u32) -> Self {
        Self {
            heard: AtomicU32::new(now),
            deadline: AtomicU32::new(0),
        }
    }

    /// Any byte from the peer counts as life.
    pub(crate) fn heard(&self, now: u32) {
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Stops the idle and ping clocks until something is heard.
    pub(crate) fn pause(&self) {
        self.heard.store(PAUSED, Ordering::Relaxed);
    }

    /// Returns the tick in which the peer was last heard, unless the clocks are paused.
    pub(crate) fn last_heard(&self) -> Option<u32> {
        let heard = self.heard.load(Ordering::Relaxed);
        (heard != PAUSED).then_some(heard)
    }

    /// Has the sweep wake the task when this long has passed; see `is_overdue`.
    pub(crate) fn set_deadline(&self, now: u32, after: Duration) {
        let deadline = now.saturating_add(ticks(after)).max(1);
        self.deadline.store(deadline, Ordering::Release);
    }

    pub(crate) fn clear_deadline(&self) {
        self.deadline.store(0, Ordering::Release);
    }

    pub(crate) fn is_overdue(&self, now: u32) -> bool {
        let deadline = self.deadline.load(Ordering::Acquire);
        deadline != 0 && now >= deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paused_clocks_go_on_when_something_is_heard() {
        let liveness = Liveness::new(7);
        assert_eq!(liveness.last_heard(), Some(7));
        liveness.pause();
        assert_eq!(liveness.last_heard(), None);
        liveness.heard(9);
        assert_eq!(liveness.last_heard(), Some(9));
    }

    #[test]
    fn a_deadline_passes_at_its_tick_and_a_cleared_one_never() {
        let liveness = Liveness::new(1);
        assert!(!liveness.is_overdue(u32::MAX));
        liveness.set_deadline(10, Duration::from_secs(1));
        assert!(!liveness.is_overdue(19));
        assert!(liveness.is_overdue(20));
        liveness.set_deadline(10, Duration::MAX);
        assert!(!liveness.is_overdue(u32::MAX - 1));
        liveness.clear_deadline();
        assert!(!liveness.is_overdue(u32::MAX));
    }
}
