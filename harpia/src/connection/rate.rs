//! The message rate: a token bucket.

use crate::options::Rate;

/// The credit of a peer, in messages times milliseconds, so that nothing is rounded.
///
/// With a rate of `messages` per `period`, one message costs the milliseconds of the period, and
/// each millisecond that passes earns `messages`. The bucket holds the credit of at most one
/// period.
#[derive(Debug)]
pub(super) struct Bucket {
    credit: u64,
    /// The time of the last refill, in milliseconds. It may wrap around.
    filled: u32,
}

impl Bucket {
    pub(super) fn full(rate: Option<Rate>, now: u32) -> Self {
        Self {
            credit: rate.map_or(0, capacity),
            filled: now,
        }
    }

    /// Takes the cost of one message. Returns `false` if the credit is too low.
    pub(super) fn allows(&mut self, rate: Rate, now: u32) -> bool {
        let elapsed = u64::from(now.wrapping_sub(self.filled));
        let earned = elapsed.saturating_mul(u64::from(rate.messages));
        self.credit = self.credit.saturating_add(earned).min(capacity(rate));
        self.filled = now;
        let cost = cost(rate);
        let allowed = self.credit >= cost;
        if allowed {
            self.credit -= cost;
        }
        allowed
    }
}

fn cost(rate: Rate) -> u64 {
    u64::try_from(rate.period.as_millis()).map_or(u64::MAX, |period| period.max(1))
}

fn capacity(rate: Rate) -> u64 {
    u64::from(rate.messages).saturating_mul(cost(rate))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn rate(messages: u32, milliseconds: u64) -> Rate {
        Rate::new(messages, Duration::from_millis(milliseconds))
    }

    /// Returns how many messages at these times are allowed.
    fn allowed(rate: Rate, times: impl IntoIterator<Item = u32>) -> usize {
        let mut bucket = Bucket::full(Some(rate), 0);
        let tries = times.into_iter();
        tries.filter(|&now| bucket.allows(rate, now)).count()
    }

    #[test]
    fn a_full_bucket_allows_exactly_the_messages_of_one_period() {
        assert_eq!(allowed(rate(3, 1000), [7; 5]), 3);
    }

    #[test]
    fn a_pause_earns_at_most_the_messages_of_one_period() {
        assert_eq!(allowed(rate(10, 1000), [1; 20]), 10);
        assert_eq!(
            allowed(rate(10, 1000), [[1; 20], [100_000; 20]].concat()),
            20
        );
    }

    #[test]
    fn messages_sent_at_the_rate_are_always_allowed() {
        for (messages, period) in [(5, 10), (1, 3000), (7, 1000), (200, 1000)] {
            let times = (0..2000).map(|n| n * period / messages);
            assert_eq!(allowed(rate(messages, u64::from(period)), times), 2000);
        }
    }

    #[test]
    fn credit_is_earned_across_a_clock_that_wraps_around() {
        let rate = rate(1, 1000);
        let mut bucket = Bucket::full(Some(rate), u32::MAX - 400);
        assert!(bucket.allows(rate, u32::MAX - 400));
        assert!(!bucket.allows(rate, 500));
        assert!(bucket.allows(rate, 700));
    }

    proptest! {
        #[test]
        fn a_flood_is_allowed_at_the_rate_and_no_faster(
            messages in 1u32..3000,
            period in 1u64..100_000,
            seconds in 1u32..100,
        ) {
            let rate = rate(messages, period);
            let mut bucket = Bucket::full(Some(rate), 0);
            let mut passed = 0u64;
            for now in (0..=seconds * 1000).step_by(250) {
                while bucket.allows(rate, now) {
                    passed += 1;
                }
            }
            // The full bucket allows messages at once, and the earned credit allows more later.
            let earned = u64::from(seconds) * 1000 * u64::from(messages) / period;
            prop_assert!(passed <= u64::from(messages) + earned);
            // After a flood, less than the cost of one message is left. If the bucket has room for
            // that cost and for the credit of 250 ms, it does not overflow in 250 ms.
            let messages = u64::from(messages);
            let cannot_overflow = period + 250 * messages <= period * messages;
            prop_assert!(!cannot_overflow || passed >= earned);
        }
    }
}
