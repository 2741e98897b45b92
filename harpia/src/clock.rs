//! The server's clocks: coarse ticks since the server started, and the time of day.
//!
//! Timeouts are counted in ticks. The hub's sweep compares them with the clock a few times a
//! second, so a connection needs no timer of its own.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The unit of coarse time: 100 ms. Timeouts are accurate to about half a second.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// Counts ticks since the server started.
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

    /// Returns the time in milliseconds. It wraps around after 49 days.
    pub(crate) fn milliseconds(&self) -> u32 {
        self.start.elapsed().as_millis() as u32
    }

    /// Returns the time in ticks. The first tick is 1, so that 0 can mean "never".
    pub(crate) fn now(&self) -> u32 {
        let ticks = self.start.elapsed().as_millis() / TICK.as_millis();
        // A `u32` holds 13 years of ticks.
        u32::try_from(ticks).map_or(u32::MAX - 1, |ticks| (ticks + 1).min(u32::MAX - 1))
    }
}

/// Converts a duration to ticks, rounding up.
pub(crate) fn ticks(duration: Duration) -> u32 {
    let ticks = duration.as_nanos().div_ceil(TICK.as_nanos());
    u32::try_from(ticks).unwrap_or(u32::MAX)
}

/// Returns the time of day in seconds since 1970, the unit of token expiries.
///
/// A `u32` holds it until 2106.
pub(crate) fn unix_seconds() -> u32 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock that is set before 1970 counts as 0, and no token has expired.
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
    fn a_clock_starts_at_one_so_that_zero_can_mean_never() {
        assert!(Clock::new().now() >= 1);
    }
}
