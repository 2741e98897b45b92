//! The counters of one fan-out.

use crate::histogram::Histogram;
use crate::report::Report;

/// Counts what the receivers have received so far.
#[derive(Default)]
pub(super) struct FanoutCounters {
    pub(super) delivered: u64,
    pub(super) reads: u64,
    pub(super) out_of_order: u64,
    pub(super) repeated: u64,
    /// Messages that this program did not send.
    pub(super) strays: u64,
    pub(super) connections_lost: u64,
    /// How often the closed loop was restarted, because no message arrived.
    pub(super) standstills: u64,
    pub(super) latency: Histogram,
}

impl FanoutCounters {
    /// Adds the counts of failures.
    pub(super) fn report(&self, report: &mut Report, expected: u64) {
        let lost = expected.saturating_sub(self.delivered - self.repeated);
        report
            .count(
                "expected",
                "deliveries expected, including warm-up",
                expected,
            )
            .count("lost", "lost", lost)
            .count("late", "out of order", self.out_of_order)
            .count("repeated", "repeated", self.repeated)
            .count("strays", "messages from elsewhere", self.strays)
            .count(
                "connections_lost",
                "connections lost",
                self.connections_lost,
            )
            .count(
                "standstills",
                "standstills of the closed loop",
                self.standstills,
            );
    }
}

/// The counts at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Snapshot {
    pub(super) delivered: u64,
    pub(super) reads: u64,
    pub(super) sent: u64,
}
