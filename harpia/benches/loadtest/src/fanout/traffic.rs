//! The traffic of one fan-out: decides when each message leaves.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use super::counters::{FanoutCounters, Snapshot};
use super::layout::Layout;
use super::options::Fanout;
use super::sender::Sender;
use crate::stamp::Clock;

/// The state that senders and receivers share.
pub(super) struct Traffic {
    pub(super) options: Fanout,
    pub(super) layout: Layout,
    pub(super) clock: Clock,
    pub(super) counters: RefCell<FanoutCounters>,
    is_sending: Cell<bool>,
    senders: Vec<Sender>,
    /// For each room, for each of its probes, for each of its senders: the messages received.
    received: Vec<RefCell<Vec<u32>>>,
}

impl Traffic {
    /// Creates the state. `senders` is in the order of their numbers.
    pub(super) fn new(options: Fanout, layout: Layout, senders: Vec<Sender>) -> Self {
        let received = RefCell::new(vec![0; layout.probes() * layout.senders]);
        Self {
            options,
            clock: Clock::start(),
            counters: RefCell::default(),
            is_sending: Cell::new(true),
            senders,
            received: vec![received; layout.rooms],
            layout,
        }
    }

    /// Stops sending. Messages in flight still arrive.
    pub(super) fn stop(&self) {
        self.is_sending.set(false);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let counters = self.counters.borrow();
        Snapshot {
            delivered: counters.delivered,
            reads: counters.reads,
            sent: self
                .senders
                .iter()
                .map(|sender| u64::from(sender.sent()))
                .sum(),
        }
    }

    /// Records how many messages of one sender a probe has received.
    pub(super) fn record(&self, room: usize, probe: usize, sender: usize, count: u32) {
        self.received[room].borrow_mut()[probe * self.layout.senders + sender] = count;
    }

    /// Closed loop: replaces each message that all probes of the room have received with a new one.
    pub(super) fn advance(&self, room: usize) {
        let mut has_arrived = false;
        {
            let received = self.received[room].borrow();
            for (index, sender) in self.senders_of(room).iter().enumerate() {
                let of_probes = received.iter().skip(index).step_by(self.layout.senders);
                has_arrived |= sender.confirm(of_probes.copied().min().unwrap_or(0));
            }
        }
        if has_arrived {
            self.fill_windows(room);
        }
    }

    /// Closed loop: sends until every sender of the room has a full window in flight.
    pub(super) fn fill_windows(&self, room: usize) {
        if !self.is_sending.get() {
            return;
        }
        for sender in self.senders_of(room) {
            sender.fill_window(self.options.window, self.clock);
        }
    }

    /// Closed loop: resumes sending if messages are lost and the senders would wait forever.
    pub(super) async fn restart_after_standstills(self: Rc<Self>) {
        let mut last = 0;
        while self.is_sending.get() {
            sleep(STANDSTILL).await;
            let delivered = self.counters.borrow().delivered;
            if delivered == last && self.is_sending.get() {
                self.counters.borrow_mut().standstills += 1;
                for sender in &self.senders {
                    sender.give_up();
                }
                for room in 0..self.layout.rooms {
                    self.fill_windows(room);
                }
            }
            last = delivered;
        }
    }

    /// Open loop: sends `rate` messages per second at even intervals, from each sender in turn.
    pub(super) async fn send_at(self: Rc<Self>, rate: f64) {
        let start = Instant::now();
        let mut count = 0u64;
        while self.is_sending.get() {
            let due = start + Duration::from_secs_f64(count as f64 / rate);
            if due > Instant::now() {
                sleep_until(due.into()).await;
                continue;
            }
            self.senders[count as usize % self.senders.len()].send(self.clock);
            count += 1;
        }
    }

    fn senders_of(&self, room: usize) -> &[Sender] {
        let count = self.layout.senders;
        &self.senders[room * count..(room + 1) * count]
    }
}

/// Longer than any of the compared servers takes for one delivery.
const STANDSTILL: Duration = Duration::from_millis(300);
