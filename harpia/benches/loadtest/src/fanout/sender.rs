//! One connection that sends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::connection::Connection;
use crate::stamp::{Clock, Stamp};

/// A sender, with the numbers of its messages that have left and that have arrived.
pub(super) struct Sender {
    number: usize,
    connection: Rc<Connection>,
    payload: RefCell<Vec<u8>>,
    sent: Cell<u32>,
    /// The number of messages that all probes have received.
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

    /// Sends one message.
    pub(super) fn send(&self, clock: Clock) {
        self.queue(clock);
        self.connection.flush();
    }

    /// Sends until `window` messages are in flight.
    pub(super) fn fill_window(&self, window: usize, clock: Clock) {
        if self.in_flight() >= window {
            return;
        }
        while self.in_flight() < window {
            self.queue(clock);
        }
        self.connection.flush();
    }

    /// Records how many messages all probes have received. Returns whether more have than before.
    pub(super) fn confirm(&self, received: u32) -> bool {
        let arrived = received.min(self.sent.get());
        let is_more = arrived > self.arrived.get();
        if is_more {
            self.arrived.set(arrived);
        }
        is_more
    }

    /// Counts all messages in flight as arrived.
    pub(super) fn give_up(&self) {
        self.arrived.set(self.sent.get());
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

    fn in_flight(&self) -> usize {
        (self.sent.get() - self.arrived.get()) as usize
    }
}
