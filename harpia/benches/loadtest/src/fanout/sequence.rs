//! The message numbers of one sender, as one receiver gets them.

/// Remembers which numbers have arrived. The sender counts up from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    /// One more than the highest number that has arrived.
    next: u32,
    /// The 64 numbers below `next`, the highest in bit 0. A bit is set if the number has arrived.
    arrived: u64,
}

/// How a message relates to the earlier ones of its sender.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Arrival {
    /// Its number is higher than all before.
    InOrder,
    /// A message with a higher number has arrived before it.
    OutOfOrder,
    /// The same number has arrived before.
    Repeated,
}

impl Sequence {
    pub(super) fn add(&mut self, number: u32) -> Arrival {
        let Some(age) = self.next.checked_sub(number.saturating_add(1)) else {
            let skipped = number - self.next;
            self.arrived = self
                .arrived
                .checked_shl(skipped.saturating_add(1))
                .unwrap_or(0)
                | 1;
            self.next = number.saturating_add(1);
            return Arrival::InOrder;
        };
        let Some(bit) = 1u64.checked_shl(age) else {
            // Too old to tell. A load seldom has so many messages in flight, so it counts as
            // repeated.
            return Arrival::Repeated;
        };
        if self.arrived & bit != 0 {
            return Arrival::Repeated;
        }
        self.arrived |= bit;
        Arrival::OutOfOrder
    }

    /// Returns the number after the highest one: the count of messages if none is missing.
    pub(super) fn next(&self) -> u32 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(numbers: &[u32]) -> Vec<Arrival> {
        let mut sequence = Sequence::default();
        numbers.iter().map(|&number| sequence.add(number)).collect()
    }

    #[test]
    fn rising_numbers_are_in_order_with_or_without_gaps() {
        for numbers in [&[0, 1, 2][..], &[5, 6, 100, 1000], &[63, 64, 128]] {
            assert!(
                arrivals(numbers)
                    .iter()
                    .all(|&arrival| arrival == Arrival::InOrder)
            );
        }
    }

    #[test]
    fn an_out_of_order_number_is_repeated_only_the_second_time() {
        use Arrival::{InOrder, OutOfOrder, Repeated};
        assert_eq!(
            arrivals(&[0, 2, 1, 1, 2, 0]),
            [InOrder, InOrder, OutOfOrder, Repeated, Repeated, Repeated]
        );
        assert_eq!(
            arrivals(&[70, 7, 70, 6]),
            [InOrder, OutOfOrder, Repeated, Repeated]
        );
    }
}
