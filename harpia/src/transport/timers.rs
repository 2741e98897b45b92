//! Times at which the hub closes a connection: a handler's deadline, and the expiry of a token.
//!
//! The hub's sweep checks these times, so no task has to wake up for the check. A deadline is
//! measured by a clock that never jumps. An expiry is a time of day. A token therefore also expires
//! while the machine is suspended, or when its clock is set forward.

use std::sync::PoisonError;

use crate::close::CloseFrame;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, Ordering};

/// Selects one of a connection's two close timers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Timer {
    /// Set by a handler, in ticks.
    Deadline,
    /// The expiry of a token, in seconds since 1970. A `u32` holds it until 2106.
    Expiry,
}

/// The current time on both clocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Now {
    pub(crate) ticks: u32,
    pub(crate) unix_seconds: u32,
}

/// The close timers of one connection, each with its close frame.
#[derive(Debug)]
pub(crate) struct CloseTimers {
    /// In ticks; 0 means never. The sweep reads this for every connection, so it is not under the
    /// lock.
    deadline: AtomicU32,
    /// In seconds since 1970; 0 means never. It is not under the lock for the same reason.
    expiry: AtomicU32,
    /// A handler writes these and the sweep reads them, so they are under a lock. They are boxed,
    /// because most connections have no timer.
    frames: Mutex<Option<Box<Frames>>>,
}

/// The close frame of each timer that is set.
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
    /// Creates timers that are not set.
    pub(super) fn new() -> Self {
        Self {
            deadline: AtomicU32::new(0),
            expiry: AtomicU32::new(0),
            frames: Mutex::new(None),
        }
    }

    /// Sets a timer: the sweep closes the connection at this time. Replaces an earlier setting.
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

    /// Returns the timer that has passed, if any, and its close frame.
    pub(crate) fn due(&self, now: Now) -> Option<(Timer, CloseFrame)> {
        self.passed(now)?;
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        // Race: a handler may set the timer to a later time after the check above and before this
        // thread has the lock. The connection would then be closed too early. `change` sets the
        // time and the frame under the lock, so the second check below finds the new time.
        let timer = self.passed(now)?;
        let frame = frames.as_mut()?.of(timer).clone();
        Some((timer, frame?))
    }

    /// Returns the timer that has passed. If both have, this is the deadline.
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
    fn an_expiry_passes_by_the_time_of_day_even_if_no_tick_has_passed() {
        let timers = timers(0, 1_060);
        assert_eq!(due(&timers, START), None);
        let after_suspend = Now {
            unix_seconds: 1_060,
            ..START
        };
        assert_eq!(due(&timers, after_suspend), Some(Timer::Expiry));
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
    fn a_deadline_passes_after_its_ticks_regardless_of_the_time_of_day() {
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
