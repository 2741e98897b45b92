//! Times at which a connection is closed: a deadline that a handler sets, and a token's expiry.
//!
//! The hub's sweep looks at them, so that no task has to be woken for it. A deadline is a span of
//! time, by the clock that never steps. An expiry is a time of day: a token that expired while the
//! machine slept, or before its clock was set, has expired.

use std::sync::PoisonError;

use crate::close::CloseFrame;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, Ordering};

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

/// When a connection is closed, and with which frame.
#[derive(Debug)]
pub(crate) struct CloseTimers {
    /// 0 is never. Outside the lock, since the sweep asks this of every connection.
    deadline: AtomicU32,
    expiry: AtomicU32,
    /// Boxed, since most connections have no timer.
    frames: Mutex<Option<Box<Frames>>>,
}

#[derive(Debug, Default)]
struct Frames {
    deadline: Option<CloseFrame>,
    expiry: Option<CloseFrame>,
}

impl Frames {
    fn of(&mut self, timer: Timer) -> &mut Option<CloseFrame> {
        match timer {
            Timer::Deadline => &mut self.deadline,
            Timer::Expiry => &mut self.expiry,
        }
    }
}

impl CloseTimers {
    pub(super) fn new() -> Self {
        Self {
            deadline: AtomicU32::new(0),
            expiry: AtomicU32::new(0),
            frames: Mutex::new(None),
        }
    }

    /// Has the sweep close the connection at this time, in place of what was set before.
    pub(crate) fn set(&self, timer: Timer, at: u32, frame: CloseFrame) {
        self.change(timer, at.max(1), Some(frame));
    }

    pub(crate) fn clear(&self, timer: Timer) {
        self.change(timer, 0, None);
    }

    fn change(&self, timer: Timer, at: u32, frame: Option<CloseFrame>) {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let both = frames.get_or_insert_default();
        *both.of(timer) = frame;
        if both.deadline.is_none() && both.expiry.is_none() {
            *frames = None;
        }
        self.at(timer).store(at, Ordering::Release);
    }

    /// Returns the timer that has passed by now, and the frame to close with.
    pub(crate) fn due(&self, now: Now) -> Option<(Timer, CloseFrame)> {
        self.passed(now)?;
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        // Race: a handler may have set another time between the look above and the lock.
        let timer = self.passed(now)?;
        let frame = frames.as_mut()?.of(timer).clone();
        Some((timer, frame?))
    }

    /// Of two that have passed, the deadline goes first.
    fn passed(&self, now: Now) -> Option<Timer> {
        let mut both = [Timer::Deadline, Timer::Expiry].into_iter();
        both.find(|timer| self.has_passed(*timer, now))
    }

    fn has_passed(&self, timer: Timer, now: Now) -> bool {
        let now = match timer {
            Timer::Deadline => now.ticks,
            Timer::Expiry => now.unix_seconds,
        };
        let at = self.at(timer).load(Ordering::Acquire);
        at != 0 && now >= at
    }

    fn at(&self, timer: Timer) -> &AtomicU32 {
        match timer {
            Timer::Deadline => &self.deadline,
            Timer::Expiry => &self.expiry,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::close::CloseCode;

    use super::*;

    const START: Now = Now {
        ticks: 10,
        unix_seconds: 1_000,
    };

    fn timers(deadline: u32, expiry: u32) -> CloseTimers {
        let timers = CloseTimers::new();
        for (timer, at) in [(Timer::Deadline, deadline), (Timer::Expiry, expiry)] {
            if at > 0 {
                timers.set(timer, at, CloseFrame::bare(CloseCode::POLICY));
            }
        }
        timers
    }

    fn due(timers: &CloseTimers, now: Now) -> Option<Timer> {
        timers.due(now).map(|(timer, _)| timer)
    }

    #[test]
    fn a_timer_that_is_not_set_never_passes() {
        let last = Now {
            ticks: u32::MAX,
            unix_seconds: u32::MAX,
        };
        assert_eq!(due(&timers(0, 0), last), None);
        let cleared = timers(1, 1);
        cleared.clear(Timer::Deadline);
        cleared.clear(Timer::Expiry);
        assert_eq!(due(&cleared, last), None);
    }

    #[test]
    fn an_expiry_passes_by_the_time_of_day_however_little_time_has_passed() {
        let timers = timers(0, 1_060);
        assert_eq!(due(&timers, START), None);
        let slept = Now {
            unix_seconds: 1_060,
            ..START
        };
        assert_eq!(due(&timers, slept), Some(Timer::Expiry));
    }

    #[test]
    fn an_expiry_does_not_pass_before_its_time_of_day() {
        let set_back = Now {
            ticks: u32::MAX,
            unix_seconds: 1_059,
        };
        assert_eq!(due(&timers(0, 1_060), set_back), None);
    }

    #[test]
    fn a_deadline_passes_after_its_time_whatever_the_time_of_day() {
        let timers = timers(20, 0);
        let set_forward = Now {
            ticks: 19,
            unix_seconds: u32::MAX,
        };
        assert_eq!(due(&timers, set_forward), None);
        let later = Now { ticks: 20, ..START };
        assert_eq!(due(&timers, later), Some(Timer::Deadline));
    }

    #[test]
    fn the_deadline_goes_first_if_both_have_passed() {
        assert_eq!(due(&timers(10, 1_000), START), Some(Timer::Deadline));
    }
}
