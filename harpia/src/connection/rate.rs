//! How often a peer may send: a token bucket in coarse time.

use crate::limits::Rate;
use crate::write_end::ticks;

/// Holds at most one period's worth of messages.
#[derive(Debug)]
pub(super) struct Bucket {
    messages: u32,
    period: u32,
    left: u32,
    filled: Option<u32>,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            messages: rate.messages,
            period: ticks(rate.period).max(1),
            left: rate.messages,
            filled: None,
        }
    }

    /// Takes one message's token, if there is one.
    pub(super) fn allows(&mut self, now: u32) -> bool {
        self.fill(now);
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }

    fn fill(&mut self, now: u32) {
        let filled = *self.filled.get_or_insert(now);
        let elapsed = u64::from(now.saturating_sub(filled));
        let more = elapsed * u64::from(self.messages) / u64::from(self.period);
        if more == 0 {
            return;
        }
        let left = u64::from(self.left) + more;
        self.left = u32::try_from(left).map_or(self.messages, |left| left.min(self.messages));
        // Only whole messages were added; the time that is left over counts on.
        let spent = more * u64::from(self.period) / u64::from(self.messages);
        self.filled = Some(filled.saturating_add(u32::try_from(spent).unwrap_or(u32::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn bucket(messages: u32, seconds: u64) -> Bucket {
        Bucket::new(Rate::new(messages, Duration::from_secs(seconds)))
    }

    #[test]
    fn a_period_allows_its_messages_and_not_one_more() {
        let mut bucket = bucket(3, 1);
        assert_eq!(
            [(); 4].map(|()| bucket.allows(7)),
            [true, true, true, false]
        );
    }

    #[test]
    fn tokens_come_back_with_time_and_not_beyond_one_period() {
        let mut bucket = bucket(10, 1);
        (0..10).for_each(|_| assert!(bucket.allows(1)));
        assert!(!bucket.allows(1));
        assert!(bucket.allows(2));
        assert!(!bucket.allows(2));
        assert_eq!((0..50).filter(|_| bucket.allows(1000)).count(), 10);
    }

    #[test]
    fn slow_rates_lose_no_fraction() {
        let mut bucket = bucket(1, 3);
        assert!(bucket.allows(1));
        let allowed = (2..=91).filter(|&now| bucket.allows(now)).count();
        assert_eq!(allowed, 3);
    }
}
