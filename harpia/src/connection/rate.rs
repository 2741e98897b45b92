//! The rates of a peer: of its messages, a token bucket, and of its bytes, leaky buckets.

use std::time::Duration;

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

/// A leaky bucket of bytes: what a peer has cost and its rate has not paid for yet.
///
/// A peer may cost [`BURST`] seconds of its rate at once. Beyond that, it has to wait.
#[derive(Debug, Default)]
pub(super) struct ByteBucket {
    debt: u32,
    /// The time up to which the debt is paid, in milliseconds. It may wrap around.
    paid: u32,
}

/// How many seconds of its rate a peer may cost at once.
const BURST: u64 = 2;

impl ByteBucket {
    /// Adds bytes, at a rate of `rate` bytes per second. Returns how long the peer has to wait, or
    /// `None` if it is within its rate.
    pub(super) fn charge(&mut self, bytes: usize, rate: usize, now: u32) -> Option<Duration> {
        let rate = (rate as u64).max(1);
        self.pay(rate, now);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.debt = self.debt.saturating_add(bytes);
        let over = u64::from(self.debt).saturating_sub(rate.saturating_mul(BURST));
        (over > 0).then(|| Duration::from_millis(over.saturating_mul(1000) / rate + 1))
    }

    /// Reduces the debt by the rate since the last call.
    ///
    /// Only whole bytes are paid. The time for the rest counts in the next call, so that nothing is
    /// lost to rounding, however often this is called.
    fn pay(&mut self, rate: u64, now: u32) {
        let elapsed = u64::from(now.wrapping_sub(self.paid));
        let paid = elapsed.saturating_mul(rate) / 1000;
        if paid >= u64::from(self.debt) {
            (self.debt, self.paid) = (0, now);
            return;
        }
        // Cannot truncate: `paid` is less than `debt`, and its time less than `elapsed`.
        self.debt -= paid as u32;
        self.paid = self.paid.wrapping_add((paid * 1000).div_ceil(rate) as u32);
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

    /// Charges `bytes` every 10 ms for a number of seconds, waiting as long as the bucket says.
    /// Returns the sum.
    fn charged(bytes: usize, rate: usize, seconds: u32) -> u64 {
        let mut bucket = ByteBucket::default();
        let (mut now, mut sum) = (u32::MAX - 500, 0);
        let end = now.wrapping_add(seconds * 1000);
        while end.wrapping_sub(now) <= seconds * 1000 {
            let wait = bucket.charge(bytes, rate, now);
            sum += bytes as u64;
            let wait = wait.map_or(10, |wait| wait.as_millis() as u32);
            now = now.wrapping_add(wait.max(10));
        }
        sum
    }

    #[test]
    fn a_sender_above_its_byte_rate_gets_the_burst_and_then_the_rate() {
        for (bytes, rate) in [
            (100, 1000),
            (7, 100),
            (64 * 1024, 512 * 1024),
            (1_000_000, 333_333),
        ] {
            let allowed = (rate as u64) * (100 + BURST) + bytes as u64;
            let sum = charged(bytes, rate, 100);
            assert!(sum <= allowed, "{bytes} {rate}: {sum} > {allowed}");
            assert!(
                sum * 100 >= allowed * 97,
                "{bytes} {rate}: {sum} < {allowed}"
            );
        }
    }

    #[test]
    fn a_sender_within_its_byte_rate_never_waits() {
        let mut bucket = ByteBucket::default();
        for now in (0..100_000).step_by(10) {
            assert_eq!(bucket.charge(10, 1000, now), None);
        }
    }

    #[test]
    fn a_wait_is_as_long_as_the_excess_takes_at_the_rate() {
        let mut bucket = ByteBucket::default();
        assert_eq!(bucket.charge(2000, 1000, 5), None);
        let wait = bucket.charge(500, 1000, 5).unwrap();
        assert_eq!(wait, Duration::from_millis(501));
        assert_eq!(bucket.charge(0, 1000, 5 + 501), None);
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
