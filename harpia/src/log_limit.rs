//! Limits repeated log lines: ten a second, and the next line says how many were suppressed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::limits::LOG_LINES_PER_SECOND;

/// Limits the lines of one kind, of all connections of a server together.
#[derive(Debug, Default)]
pub(crate) struct LogLimit {
    /// The current second in the upper 32 bits, and how many lines it had in the lower 32 bits.
    window: AtomicU64,
    suppressed: AtomicU64,
}

impl LogLimit {
    /// Returns how many lines were suppressed since the last one, or `None` if this line is too.
    pub(crate) fn admit(&self) -> Option<u64> {
        static START: OnceLock<Instant> = OnceLock::new();
        self.admit_at(START.get_or_init(Instant::now).elapsed().as_secs())
    }

    fn admit_at(&self, second: u64) -> Option<u64> {
        let second = second & u64::from(u32::MAX);
        let counted = self
            .window
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |window| {
                let lines = if window >> 32 == second {
                    window & u64::from(u32::MAX)
                } else {
                    0
                };
                (lines < LOG_LINES_PER_SECOND).then_some(second << 32 | (lines + 1))
            });
        if counted.is_ok() {
            return Some(self.suppressed.swap(0, Ordering::Relaxed));
        }
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_second_pass_and_the_next_line_counts_the_suppressed_ones() {
        let limit = LogLimit::default();
        let passed = (0..25).filter(|_| limit.admit_at(7).is_some()).count();
        assert_eq!(passed, 10);
        assert_eq!(limit.admit_at(8), Some(15));
        assert_eq!(limit.admit_at(8), Some(0));
    }
}
