//! One connection that reads: counts what has arrived, what is missing, and the latency.

use std::rc::Rc;

use super::sequence::{Arrival, Sequence};
use super::traffic::Traffic;
use crate::connection::Handler;
use crate::stamp::Stamp;

/// Handles the messages of one connection.
pub(super) struct Receiver {
    traffic: Rc<Traffic>,
    room: usize,
    /// The receiver's number among the probes of its room, if it is one.
    probe: Option<usize>,
    /// One for each sender of the room.
    sequences: Vec<Sequence>,
    /// The time of the current read: the clock is read once for all its messages.
    read_at: Option<u64>,
}

impl Receiver {
    pub(super) fn new(traffic: Rc<Traffic>, room: usize, probe: Option<usize>) -> Self {
        Self {
            sequences: vec![Sequence::default(); traffic.layout.senders],
            traffic,
            room,
            probe,
            read_at: None,
        }
    }
}

impl Handler for Receiver {
    fn message(&mut self, payload: &[u8]) {
        let traffic = &self.traffic;
        let now = *self
            .read_at
            .get_or_insert_with(|| traffic.clock.nanoseconds());
        let mut counters = traffic.counters.borrow_mut();
        let first = self.room * traffic.layout.senders;
        let stamp = Stamp::read(payload, traffic.options.size);
        let sender = stamp.and_then(|stamp| (stamp.sender as usize).checked_sub(first));
        let (Some(stamp), Some(sender)) =
            (stamp, sender.filter(|&index| index < self.sequences.len()))
        else {
            counters.strays += 1;
            return;
        };
        counters.delivered += 1;
        counters.latency.add(now.saturating_sub(stamp.sent_at));
        let sequence = &mut self.sequences[sender];
        match sequence.add(stamp.number) {
            Arrival::InOrder => {}
            Arrival::OutOfOrder => counters.out_of_order += 1,
            Arrival::Repeated => counters.repeated += 1,
        }
        if let Some(probe) = self.probe {
            traffic.record(self.room, probe, sender, sequence.next());
        }
    }

    fn read_done(&mut self) {
        self.read_at = None;
        self.traffic.counters.borrow_mut().reads += 1;
        if self.probe.is_some() && self.traffic.options.rate.is_none() {
            self.traffic.advance(self.room);
        }
    }
}
