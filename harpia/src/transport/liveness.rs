//! When the peer was last heard, and the deadline of the connection's current step.
//!
//! The hub's sweep checks both times about twice a second, so a connection needs no timer.
//! Times are in ticks (see `clock.rs`).

use std::time::Duration;

use crate::clock::ticks;
use crate::sync::atomic::{AtomicU32, Ordering};

/// The times that the connection's task writes and the hub's sweep reads.
#[derive(Debug)]
pub(crate) struct Liveness {
    /// The tick in which the last byte from the peer arrived, or `PAUSED`.
    heard: AtomicU32,
    /// The tick in which the sweep wakes the task; 0 means never.
    deadline: AtomicU32,
}

/// The value of `heard` while the connection is not read: a handler waits, the log is full, or the
/// client is over a rate. Silence does not show then that the peer is idle.
const PAUSED: u32 = u32::MAX;

impl Liveness {
    /// Starts with a peer that was heard now, and no deadline.
    pub(crate) fn new(now: u32) -> Self {
        Self {
            heard: AtomicU32::new(now),
            deadline: AtomicU32::new(0),
        }
    }

    /// Records that the peer was heard. Any byte counts.
    pub(crate) fn heard(&self, now: u32) {
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Pauses the idle and ping timeouts until the next call of [`heard`](Self::heard).
    pub(crate) fn pause(&self) {
        self.heard.store(PAUSED, Ordering::Relaxed);
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.last_heard().is_none()
    }

    /// Returns the tick in which the peer was last heard, or `None` while timeouts are paused.
    pub(crate) fn last_heard(&self) -> Option<u32> {
        let heard = self.heard.load(Ordering::Relaxed);
        (heard != PAUSED).then_some(heard)
    }

    /// Sets a deadline, at which the sweep wakes the task. The task then checks `is_overdue`.
    pub(crate) fn set_deadline(&self, now: u32, after: Duration) {
        self.set_deadline_in(now, ticks(after));
    }

    /// Sets a deadline like [`set_deadline`](Self::set_deadline), after this number of ticks.
    pub(crate) fn set_deadline_in(&self, now: u32, ticks: u32) {
        let deadline = now.saturating_add(ticks).max(1);
        self.deadline.store(deadline, Ordering::Release);
    }

    /// Sets a deadline like [`set_deadline`](Self::set_deadline), unless there is an earlier one.
    ///
    /// Two limits can apply to one handler. Each knows its own end, and the first one wakes the
    /// task. From then on the sweep wakes it at each visit, so the second is not missed.
    pub(crate) fn wake_within(&self, now: u32, after: Duration) {
        if !self.is_overdue(now.saturating_add(ticks(after))) {
            self.set_deadline(now, after);
        }
    }

    pub(crate) fn clear_deadline(&self) {
        self.deadline.store(0, Ordering::Release);
    }

    /// Returns whether the deadline has passed.
    pub(crate) fn is_overdue(&self, now: u32) -> bool {
        let deadline = self.deadline.load(Ordering::Acquire);
        deadline != 0 && now >= deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paused_timeouts_resume_when_the_peer_is_heard() {
        let liveness = Liveness::new(7);
        assert_eq!(liveness.last_heard(), Some(7));
        liveness.pause();
        assert_eq!(liveness.last_heard(), None);
        liveness.heard(9);
        assert_eq!(liveness.last_heard(), Some(9));
    }

    #[test]
    fn a_later_deadline_does_not_replace_an_earlier_one() {
        let liveness = Liveness::new(1);
        let second = Duration::from_secs(1);
        liveness.wake_within(10, 2 * second);
        assert!(!liveness.is_overdue(29));
        liveness.wake_within(10, second);
        liveness.wake_within(10, 3 * second);
        assert!(!liveness.is_overdue(19));
        assert!(liveness.is_overdue(20));
    }

    #[test]
    fn a_deadline_passes_at_its_tick_unless_it_was_cleared() {
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
