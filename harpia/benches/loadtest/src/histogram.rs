//! Latencies: a histogram with 64 steps to each doubling, so exact within 1.6 %.

/// Counts nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    largest: u64,
}

impl Histogram {
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        self.counts[step_of(nanoseconds)] += 1;
        self.total += 1;
        self.largest = self.largest.max(nanoseconds);
    }

    pub(crate) fn clear(&mut self) {
        self.counts.fill(0);
        self.total = 0;
        self.largest = 0;
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the microseconds that this share of all values does not exceed; NaN without values.
    pub(crate) fn microseconds(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (step, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return start_of(step).min(self.largest) as f64 / 1e3;
            }
        }
        f64::NAN
    }

    pub(crate) fn largest_microseconds(&self) -> f64 {
        match self.total {
            0 => f64::NAN,
            _ => self.largest as f64 / 1e3,
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; (64 - STEP_BITS as usize + 1) << STEP_BITS],
            total: 0,
            largest: 0,
        }
    }
}

/// Small values have a step each; above, the leading bit and the six behind it say which.
fn step_of(value: u64) -> usize {
    if value < 1 << STEP_BITS {
        return value as usize;
    }
    let shift = value.ilog2() - STEP_BITS;
    ((shift as usize + 1) << STEP_BITS) + ((value >> shift) as usize & ((1 << STEP_BITS) - 1))
}

/// The smallest value of a step.
fn start_of(step: usize) -> u64 {
    let (octave, within) = (step >> STEP_BITS, step as u64 & ((1 << STEP_BITS) - 1));
    match octave {
        0 => within,
        _ => ((1 << STEP_BITS) + within) << (octave - 1),
    }
}

const STEP_BITS: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_falls_into_the_step_that_begins_at_or_just_before_it() {
        for value in (0..500).chain([1 << 20, 999_999_999, u64::MAX / 3, u64::MAX]) {
            let start = start_of(step_of(value));
            assert!(
                start <= value && value - start <= value / 64,
                "{value}: {start}"
            );
        }
    }

    #[test]
    fn a_share_of_the_values_lies_at_or_below_its_quantile() {
        let mut histogram = Histogram::default();
        assert!(histogram.microseconds(0.5).is_nan());
        for microseconds in 1..=1000 {
            histogram.add(microseconds * 1000);
        }
        for (share, expected) in [(0.0, 1.0), (0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = histogram.microseconds(share);
            assert!(
                (found - expected).abs() <= expected / 60.0,
                "{share}: {found}"
            );
        }
        assert_eq!(histogram.largest_microseconds(), 1000.0);
        histogram.clear();
        assert_eq!(histogram.total(), 0);
    }
}
