//! The log as the micro-benchmarks use it.

use std::collections::VecDeque;
use std::fmt;

use crate::message::Message;
use crate::protocol::Encoded;

use super::{Channel, Log, Record};

/// A log with the buffer that its records are taken into.
pub(crate) struct LogBench {
    log: Log,
    records: VecDeque<Record>,
}

impl LogBench {
    pub(crate) fn new() -> Self {
        Self {
            log: Log::new(),
            records: VecDeque::new(),
        }
    }

    /// Appends `count` broadcasts, takes them all, and returns how many records were taken.
    pub(crate) fn append(&mut self, message: &Message, count: usize) -> usize {
        let frame = Encoded::new(message, None);
        for _ in 0..count {
            self.log.publish(Channel::Server, Some(0), frame.clone());
        }
        self.records.clear();
        self.log.take_records(&mut self.records, None, false);
        self.records.len()
    }
}

impl fmt::Debug for LogBench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogBench").finish_non_exhaustive()
    }
}
