//! Senders: when the next message leaves.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use super::Crowd;
use crate::connection::Connection;
use crate::stamp::{Clock, Stamp};

/// A connection that sends.
pub(super) struct Sender {
    number: usize,
    connection: Rc<Connection>,
    payload: RefCell<Vec<u8>>,
    sent: Cell<u32>,
    /// How many of them have arrived everywhere.
    arrived: Cell<u32>,
}

impl Sender {
    pub(super) fn new(number: usize, connection: Rc<Connection>, size: usize) -> Self {
        Self {
            number,
            connection,
            payload: RefCell::new(vec![b'x'; size]),
            sent: Cell::new(0),
            arrived: Cell::new(0),
        }
    }

    pub(super) fn sent(&self) -> u32 {
        self.sent.get()
    }

    fn queue(&self, clock: Clock) {
        let stamp = Stamp {
            sent_at: clock.nanoseconds(),
            sender: self.number as u32,
            number: self.sent.get(),
        };
        let mut payload = self.payload.borrow_mut();
        stamp.write(&mut payload);
        self.connection.queue(&payload);
        self.sent.set(self.sent.get() + 1);
    }

    fn under_way(&self) -> usize {
        (self.sent.get() - self.arrived.get()) as usize
    }
}

impl Crowd {
    pub(super) fn senders_of(&self, room: usize) -> Range<usize> {
        room * self.shape.senders..(room + 1) * self.shape.senders
    }

    /// Takes note of what has arrived at all probes of a room, and sends as many again.
    pub(super) fn advance(&self, room: usize) {
        let mut is_any_free = false;
        {
            let arrived = self.arrived[room].borrow();
            for (index, sender) in self.senders[self.senders_of(room)].iter().enumerate() {
                let of_probes = arrived.iter().skip(index).step_by(self.shape.senders);
                let everywhere = of_probes.copied().min().unwrap_or(0).min(sender.sent.get());
                if everywhere > sender.arrived.get() {
                    sender.arrived.set(everywhere);
                    is_any_free = true;
                }
            }
        }
        if is_any_free {
            self.fill_windows(room);
        }
    }

    /// Sends until every sender of a room has its number of messages under way.
    pub(super) fn fill_windows(&self, room: usize) {
        if !self.is_sending.get() {
            return;
        }
        for sender in &self.senders[self.senders_of(room)] {
            if sender.under_way() >= self.options.window {
                continue;
            }
            while sender.under_way() < self.options.window {
                sender.queue(self.clock);
            }
            sender.connection.flush();
        }
    }

    /// Sends at an even pace, sender after sender, whatever arrives.
    pub(super) async fn send_at(self: Rc<Self>, rate: f64) {
        let start = Instant::now();
        let mut count = 0u64;
        while self.is_sending.get() {
            let due = start + Duration::from_secs_f64(count as f64 / rate);
            if due > Instant::now() {
                sleep_until(due.into()).await;
                continue;
            }
            let sender = &self.senders[count as usize % self.senders.len()];
            sender.queue(self.clock);
            sender.connection.flush();
            count += 1;
        }
    }

    /// Goes on where a server loses messages, which would leave a closed loop waiting for ever.
    pub(super) async fn end_standstills(self: Rc<Self>) {
        let mut last = 0;
        while self.is_sending.get() {
            sleep(STANDSTILL).await;
            let delivered = self.tally.borrow().delivered;
            if delivered == last && self.is_sending.get() {
                self.tally.borrow_mut().standstills += 1;
                for sender in &self.senders {
                    sender.arrived.set(sender.sent.get());
                }
                for room in 0..self.shape.rooms {
                    self.fill_windows(room);
                }
            }
            last = delivered;
        }
    }
}

/// Longer than any server of this kind needs for one delivery.
const STANDSTILL: Duration = Duration::from_millis(300);
