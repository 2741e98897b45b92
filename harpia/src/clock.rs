//! Time as the server counts it: coarse ticks, which need no timer per connection, and the time of
//! day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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
    fn a_clock_begins_at_one_so_that_zero_means_never() {
        assert!(Clock::new().now() >= 1);
    }
}
