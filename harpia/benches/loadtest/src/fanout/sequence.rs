//! The numbers of one sender's messages, as one receiver gets them.

/// What has come so far: numbers count up from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    /// One more than the highest that came.
    due: u32,
    /// The numbers below `due`: bit 0 is the highest, set where it came.
    came: u64,
}

/// What one message is to those before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Arrival {
    /// Later than all before it.
    Next,
    /// Overtaken by a later one.
    Late,
    /// Here before.
    Repeated,
}

impl Sequence {
    pub(super) fn take(&mut self, number: u32) -> Arrival {
        let Some(age) = self.due.checked_sub(number.saturating_add(1)) else {
            let passed = number - self.due;
            self.came = self.came.checked_shl(passed.saturating_add(1)).unwrap_or(0) | 1;
            self.due = number.saturating_add(1);
            return Arrival::Next;
        };
        let Some(bit) = 1u64.checked_shl(age) else {
            // Nobody keeps so many messages in the air: it must have been here.
            return Arrival::Repeated;
        };
        if self.came & bit != 0 {
            return Arrival::Repeated;
        }
        self.came |= bit;
        Arrival::Late
    }

    /// Returns how many there are, if none is missing.
    pub(super) fn due(&self) -> u32 {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(numbers: &[u32]) -> Vec<Arrival> {
        let mut sequence = Sequence::default();
        numbers
            .iter()
            .map(|&number| sequence.take(number))
            .collect()
    }

    #[test]
    fn numbers_in_order_are_next_with_or_without_gaps() {
        for numbers in [&[0, 1, 2][..], &[5, 6, 100, 1000], &[63, 64, 128]] {
            assert!(
                arrivals(numbers)
                    .iter()
                    .all(|&arrival| arrival == Arrival::Next)
            );
        }
    }

    #[test]
    fn late_ones_are_told_from_those_that_come_twice() {
        use Arrival::{Late, Next, Repeated};
        assert_eq!(
            arrivals(&[0, 2, 1, 1, 2, 0]),
            [Next, Next, Late, Repeated, Repeated, Repeated]
        );
        assert_eq!(arrivals(&[70, 7, 70, 6]), [Next, Late, Repeated, Repeated]);
    }
}
