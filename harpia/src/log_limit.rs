//! A limit on repeated log lines: ten a second, and the next line says how many were left out.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::limits::LOG_LINES_PER_SECOND;

/// Limits the lines of one kind, of all connections together.
pub(crate) struct LogLimit {
    /// The second that is counted, in the upper half; how many lines it had, in the lower.
    window: AtomicU64,
    suppressed: AtomicU64,
}

impl LogLimit {
    pub(crate) const fn new() -> Self {
        Self {
            window: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
        }
    }

    /// Says whether a line may be written now, and how many were left out since the last one.
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
    fn ten_lines_a_second_pass_and_the_next_one_counts_the_rest() {
        let limit = LogLimit::new();
        let passed = (0..25).filter(|_| limit.admit_at(7).is_some()).count();
        assert_eq!(passed, 10);
        assert_eq!(limit.admit_at(8), Some(15));
        assert_eq!(limit.admit_at(8), Some(0));
    }
}
