//! Receivers: what came, what is missing, and how late it is.

use std::rc::Rc;

use super::Crowd;
use super::sequence::{Arrival, Sequence};
use crate::connection::Inbox;
use crate::stamp::Stamp;

/// One connection that reads.
pub(super) struct Receiver {
    crowd: Rc<Crowd>,
    room: usize,
    probe: Option<usize>,
    /// One for each sender of the room.
    sequences: Vec<Sequence>,
    /// One look at the clock serves all messages of a read.
    read_at: Option<u64>,
}

impl Receiver {
    pub(super) fn new(crowd: Rc<Crowd>, room: usize, probe: Option<usize>) -> Self {
        Self {
            sequences: vec![Sequence::default(); crowd.shape.senders],
            crowd,
            room,
            probe,
            read_at: None,
        }
    }
}

impl Inbox for Receiver {
    fn message(&mut self, payload: &[u8]) {
        let crowd = &self.crowd;
        let now = *self
            .read_at
            .get_or_insert_with(|| crowd.clock.nanoseconds());
        let mut tally = crowd.tally.borrow_mut();
        let first = self.room * crowd.shape.senders;
        let stamp = Stamp::read(payload, crowd.options.size);
        let sender = stamp.and_then(|stamp| (stamp.sender as usize).checked_sub(first));
        let (Some(stamp), Some(sender)) =
            (stamp, sender.filter(|&index| index < self.sequences.len()))
        else {
            tally.strays += 1;
            return;
        };
        tally.delivered += 1;
        tally.latency.add(now.saturating_sub(stamp.sent_at));
        let sequence = &mut self.sequences[sender];
        match sequence.take(stamp.number) {
            Arrival::Next => {}
            Arrival::Late => tally.late += 1,
            Arrival::Repeated => tally.repeated += 1,
        }
        if let Some(probe) = self.probe {
            let place = probe * crowd.shape.senders + sender;
            crowd.arrived[self.room].borrow_mut()[place] = sequence.due();
        }
    }

    fn read_done(&mut self) {
        self.read_at = None;
        self.crowd.tally.borrow_mut().reads += 1;
        if self.probe.is_some() && self.crowd.options.rate.is_none() {
            self.crowd.advance(self.room);
        }
    }
}
