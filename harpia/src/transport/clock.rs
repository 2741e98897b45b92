//! Coarse time: what a connection stores of it, so that it needs no timer of its own.
//!
//! The hub's sweep reads these a few times a second and acts on them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::sync::atomic::{AtomicU32, Ordering};

/// The unit of coarse time. Timeouts are kept to about half a second, which their use allows.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// Counts ticks since the server began.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The time in milliseconds, which wraps around after 49 days.
    pub(crate) fn milliseconds(&self) -> u32 {
        self.start.elapsed().as_millis() as u32
    }

    /// The time in ticks; it begins at 1, so that 0 can mean "never".
    pub(crate) fn now(&self) -> u32 {
        let ticks = self.start.elapsed().as_millis() / TICK.as_millis();
        // 13 years of ticks fit.
        u32::try_from(ticks).map_or(u32::MAX - 1, |ticks| (ticks + 1).min(u32::MAX - 1))
    }
}

/// Rounds a duration up to ticks.
pub(crate) fn ticks(duration: Duration) -> u32 {
    let ticks = duration.as_nanos().div_ceil(TICK.as_nanos());
    u32::try_from(ticks).unwrap_or(u32::MAX)
}

/// The time of day in seconds since 1970, as tokens have it; they fit until 2106.
pub(crate) fn unix_seconds() -> u32 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    // Before 1970 nothing has expired yet.
    let seconds = elapsed.map_or(0, |elapsed| elapsed.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// Since when a peer is silent, and until when its connection may go on.
#[derive(Debug)]
pub(crate) struct Liveness {
    heard: AtomicU32,
    deadline: AtomicU32,
}

/// While a handler waits, its connection is not read, so liveness means nothing.
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

    pub(crate) fn pause(&self) {
        self.heard.store(PAUSED, Ordering::Relaxed);
    }

    /// The tick at which the peer was last heard, unless the clock stands still.
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
    fn durations_are_rounded_up_to_ticks() {
        assert_eq!(ticks(Duration::ZERO), 0);
        assert_eq!(ticks(Duration::from_millis(1)), 1);
        assert_eq!(ticks(Duration::from_millis(100)), 1);
        assert_eq!(ticks(Duration::from_millis(101)), 2);
        assert_eq!(ticks(Duration::MAX), u32::MAX);
    }

    #[test]
    fn a_clock_begins_at_one_so_that_zero_is_never() {
        assert!(Clock::new().now() >= 1);
    }

    #[test]
    fn a_clock_that_stands_still_goes_on_when_something_is_heard() {
        let liveness = Liveness::new(7);
        assert_eq!(liveness.last_heard(), Some(7));
        liveness.pause();
        assert_eq!(liveness.last_heard(), None);
        liveness.heard(9);
        assert_eq!(liveness.last_heard(), Some(9));
    }

    #[test]
    fn a_deadline_is_over_at_its_tick_and_none_is_never() {
        let liveness = Liveness::new(1);
        assert!(!liveness.is_overdue(u32::MAX));
        liveness.set_deadline(10, Duration::from_secs(1));
        assert!(!liveness.is_overdue(19));
        assert!(liveness.is_overdue(20));
        liveness.set_deadline(10, Duration::MAX);
        assert!(!liveness.is_overdue(u32::MAX - 1));
    }
}
