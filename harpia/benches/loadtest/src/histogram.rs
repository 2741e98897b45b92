//! Latencies in a histogram with 64 buckets per power of two: values are accurate to 1.6 %.

/// Counts values, in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        self.counts[bucket_of(nanoseconds)] += 1;
        self.total += 1;
        self.max = self.max.max(nanoseconds);
    }

    pub(crate) fn clear(&mut self) {
        self.counts.fill(0);
        self.total = 0;
        self.max = 0;
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns a quantile in microseconds: the value that this share of all values does not exceed.
    ///
    /// NaN if there are no values.
    pub(crate) fn quantile_microseconds(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return start_of(bucket).min(self.max) as f64 / 1e3;
            }
        }
        f64::NAN
    }

    /// Returns the largest value in microseconds; NaN if there are no values.
    pub(crate) fn max_microseconds(&self) -> f64 {
        match self.total {
            0 => f64::NAN,
            _ => self.max as f64 / 1e3,
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; (64 - BUCKET_BITS as usize + 1) << BUCKET_BITS],
            total: 0,
            max: 0,
        }
    }
}

/// Returns the bucket of a value.
///
/// Each value below 64 has its own bucket. Above that, the leading bit and the next six bits select
/// the bucket.
fn bucket_of(value: u64) -> usize {
    if value < 1 << BUCKET_BITS {
        return value as usize;
    }
    let shift = value.ilog2() - BUCKET_BITS;
    ((shift as usize + 1) << BUCKET_BITS) + ((value >> shift) as usize & ((1 << BUCKET_BITS) - 1))
}

/// Returns the smallest value of a bucket.
fn start_of(bucket: usize) -> u64 {
    let (octave, within) = (
        bucket >> BUCKET_BITS,
        bucket as u64 & ((1 << BUCKET_BITS) - 1),
    );
    match octave {
        0 => within,
        _ => ((1 << BUCKET_BITS) + within) << (octave - 1),
    }
}

const BUCKET_BITS: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_in_the_bucket_that_starts_at_most_one_64th_below_it() {
        for value in (0..500).chain([1 << 20, 999_999_999, u64::MAX / 3, u64::MAX]) {
            let start = start_of(bucket_of(value));
            assert!(
                start <= value && value - start <= value / 64,
                "{value}: {start}"
            );
        }
    }

    #[test]
    fn a_quantile_is_accurate_to_one_60th() {
        let mut histogram = Histogram::default();
        assert!(histogram.quantile_microseconds(0.5).is_nan());
        for microseconds in 1..=1000 {
            histogram.add(microseconds * 1000);
        }
        for (share, expected) in [(0.0, 1.0), (0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = histogram.quantile_microseconds(share);
            assert!(
                (found - expected).abs() <= expected / 60.0,
                "{share}: {found}"
            );
        }
        assert_eq!(histogram.max_microseconds(), 1000.0);
        histogram.clear();
        assert_eq!(histogram.total(), 0);
    }
}
