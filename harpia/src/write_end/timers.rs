//! Times at which a connection is closed: a deadline that a handler sets, and a token's expiry.
//!
//! Kept here, and not by the task, so that the hub's sweep finds them without waking anybody.

use crate::close::Closing;
use crate::sync::atomic::{AtomicU32, Ordering};

use super::WriteEnd;

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Timer {
    Deadline,
    Expiry,
}

/// What is set, with the closing that it leads to. Boxed, since most connections have none.
#[derive(Debug, Default)]
pub(super) struct Timers {
    deadline: Option<(u32, Closing)>,
    expiry: Option<(u32, Closing)>,
}

/// The earlier of the two, in ticks; 0 is never.
#[derive(Debug, Default)]
pub(super) struct Due(AtomicU32);

impl Timers {
    fn slot(&mut self, timer: Timer) -> &mut Option<(u32, Closing)> {
        match timer {
            Timer::Deadline => &mut self.deadline,
            Timer::Expiry => &mut self.expiry,
        }
    }

    /// The earlier one. Of two that are due at once the deadline goes first.
    fn first(&self) -> Option<&(u32, Closing)> {
        let both = self.deadline.iter().chain(&self.expiry);
        both.min_by_key(|(at, _)| *at)
    }
}

impl WriteEnd {
    /// Has the sweep close the connection at this tick, in place of what was set before.
    pub(crate) fn set_timer(&self, timer: Timer, at: u32, closing: Closing) {
        self.change_timer(timer, Some((at.max(1), closing)));
    }

    pub(crate) fn clear_timer(&self, timer: Timer) {
        self.change_timer(timer, None);
    }

    fn change_timer(&self, timer: Timer, set: Option<(u32, Closing)>) {
        let mut state = self.lock();
        let timers = state.timers.get_or_insert_default();
        *timers.slot(timer) = set;
        let due = timers.first().map_or(0, |(at, _)| *at);
        if due == 0 {
            state.timers = None;
        }
        self.due.0.store(due, Ordering::Release);
    }

    /// Returns what the connection has to be closed with by now.
    pub(crate) fn due(&self, now: u32) -> Option<Closing> {
        let due = self.due.0.load(Ordering::Acquire);
        if due == 0 || now < due {
            return None;
        }
        let state = self.lock();
        let first = state.timers.as_ref()?.first();
        first.map(|(_, closing)| closing.clone())
    }
}
