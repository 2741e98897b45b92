//! Times at which a connection is closed: a deadline that a handler sets, and a token's expiry.
//!
//! Kept here, and not by the task, so that the hub's sweep finds them without waking anybody. A
//! deadline is so much time, by the clock that never steps. An expiry is a time of day: a token that
//! ran out while the machine slept, or was set to another time, has batch out.

use crate::close::CloseFrame;
use crate::sync::atomic::{AtomicU32, Ordering};

use super::Transport;

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Timer {
    /// In ticks.
    Deadline,
    /// In seconds since 1970, which fit until 2106.
    Expiry,
}

/// The time by both clocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Now {
    pub(crate) ticks: u32,
    pub(crate) unix_seconds: u32,
}

/// What each leads to. Boxed, since most connections have none.
#[derive(Debug, Default)]
pub(super) struct Timers {
    deadline: Option<CloseFrame>,
    expiry: Option<CloseFrame>,
}

/// When each is due; 0 is never.
#[derive(Debug, Default)]
pub(super) struct Due {
    deadline: AtomicU32,
    expiry: AtomicU32,
}

impl Timers {
    fn frame(&mut self, timer: Timer) -> &mut Option<CloseFrame> {
        match timer {
            Timer::Deadline => &mut self.deadline,
            Timer::Expiry => &mut self.expiry,
        }
    }
}

impl Due {
    fn at(&self, timer: Timer) -> &AtomicU32 {
        match timer {
            Timer::Deadline => &self.deadline,
            Timer::Expiry => &self.expiry,
        }
    }

    fn is_over(&self, timer: Timer, now: Now) -> bool {
        let now = match timer {
            Timer::Deadline => now.ticks,
            Timer::Expiry => now.unix_seconds,
        };
        let at = self.at(timer).load(Ordering::Acquire);
        at != 0 && now >= at
    }

    /// The one that is over. Of two the deadline goes first.
    fn over(&self, now: Now) -> Option<Timer> {
        let mut both = [Timer::Deadline, Timer::Expiry].into_iter();
        both.find(|timer| self.is_over(*timer, now))
    }
}

impl Transport {
    /// Has the sweep close the connection at this time, in place of what was set before.
    pub(crate) fn set_timer(&self, timer: Timer, at: u32, frame: CloseFrame) {
        self.change_timer(timer, at.max(1), Some(frame));
    }

    pub(crate) fn clear_timer(&self, timer: Timer) {
        self.change_timer(timer, 0, None);
    }

    fn change_timer(&self, timer: Timer, at: u32, frame: Option<CloseFrame>) {
        let mut state = self.lock();
        let timers = state.timers.get_or_insert_default();
        *timers.frame(timer) = frame;
        if timers.deadline.is_none() && timers.expiry.is_none() {
            state.timers = None;
        }
        self.due.at(timer).store(at, Ordering::Release);
    }

    /// Returns the timer that is over by now, and what the connection has to be closed with.
    pub(crate) fn due(&self, now: Now) -> Option<(Timer, CloseFrame)> {
        // One look without the lock, since this is asked of every connection.
        self.due.over(now)?;
        let mut state = self.lock();
        // Another may have been set meanwhile.
        let timer = self.due.over(now)?;
        let frame = state.timers.as_mut()?.frame(timer).clone();
        Some((timer, frame?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Now = Now {
        ticks: 10,
        unix_seconds: 1_000,
    };

    fn set(deadline: u32, expiry: u32) -> Due {
        Due {
            deadline: AtomicU32::new(deadline),
            expiry: AtomicU32::new(expiry),
        }
    }

    #[test]
    fn what_is_not_set_is_never_over() {
        let last = Now {
            ticks: u32::MAX,
            unix_seconds: u32::MAX,
        };
        assert_eq!(set(0, 0).over(last), None);
    }

    #[test]
    fn an_expiry_is_over_by_the_time_of_day_however_little_time_has_passed() {
        let due = set(0, 1_060);
        assert_eq!(due.over(START), None);
        let slept = Now {
            unix_seconds: 1_060,
            ..START
        };
        assert_eq!(due.over(slept), Some(Timer::Expiry));
    }

    #[test]
    fn an_expiry_is_not_over_while_its_time_of_day_has_not_come() {
        let set_back = Now {
            ticks: u32::MAX,
            unix_seconds: 1_059,
        };
        assert_eq!(set(0, 1_060).over(set_back), None);
    }

    #[test]
    fn a_deadline_is_over_when_its_time_has_passed_whatever_the_time_of_day() {
        let due = set(20, 0);
        let set_forward = Now {
            ticks: 19,
            unix_seconds: u32::MAX,
        };
        assert_eq!(due.over(set_forward), None);
        let later = Now { ticks: 20, ..START };
        assert_eq!(due.over(later), Some(Timer::Deadline));
    }

    #[test]
    fn of_two_that_are_over_the_deadline_goes_first() {
        assert_eq!(set(10, 1_000).over(START), Some(Timer::Deadline));
    }
}
