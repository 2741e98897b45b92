//! All connections of one fan-out, what they share, and what came of it.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::spawn_local;
use tokio::time::sleep;

use super::Fanout;
use super::receiver::Receiver;
use super::sender::Sender;
use super::shape::{Role, Shape};
use crate::connection::Connection;
use crate::handshake::{Opening, open_all};
use crate::histogram::Histogram;
use crate::meter::{Measured, measure, report_latency};
use crate::progress::Progress;
use crate::report::Report;
use crate::stamp::Clock;

/// A fan-out under way.
pub(crate) struct Crowd {
    pub(super) options: Fanout,
    pub(super) shape: Shape,
    pub(super) clock: Clock,
    pub(super) is_sending: Cell<bool>,
    pub(super) senders: Vec<Sender>,
    /// For each room, for each of its probes, for each of its senders: how many messages arrived.
    pub(super) arrived: Vec<RefCell<Vec<u32>>>,
    pub(super) tally: RefCell<Tally>,
    connections: Vec<Rc<Connection>>,
}

/// What the receivers counted so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) delivered: u64,
    pub(super) reads: u64,
    pub(super) late: u64,
    pub(super) repeated: u64,
    /// Are not of this load.
    pub(super) strays: u64,
    pub(super) connections_lost: u64,
    /// Times that a closed loop had to be set going again.
    pub(super) standstills: u64,
    pub(super) latency: Histogram,
}

impl Tally {
    /// Adds what went wrong.
    fn report(&self, report: &mut Report, expected: u64) {
        let lost = expected.saturating_sub(self.delivered - self.repeated);
        report
            .count(
                "expected",
                "deliveries expected, warm-up included",
                expected,
            )
            .count("lost", "lost", lost)
            .count("late", "overtaken by a later one", self.late)
            .count("repeated", "repeated", self.repeated)
            .count("strays", "messages that nobody here sent", self.strays)
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

#[derive(Clone, Copy)]
pub(crate) struct Counts {
    delivered: u64,
    reads: u64,
    sent: u64,
}

impl Crowd {
    /// Opens all connections.
    pub(crate) async fn gather(options: &Fanout) -> io::Result<Rc<Self>> {
        let shape = options.shape()?;
        let openings = (0..options.connections).map(|number| Opening {
            target: options.common.url.in_room(shape.room_of(number)),
            has_small_buffer: shape.role_of(number) == Role::Stalled,
        });
        let connections = open_all(&options.common, openings.collect()).await?;
        // Some servers let a connection take part only some time after the upgrade.
        sleep(Duration::from_millis(300)).await;
        let mut senders: Vec<(usize, Sender)> = Vec::new();
        for (number, connection) in connections.iter().enumerate() {
            if let Role::Sender(sender) = shape.role_of(number) {
                senders.push((
                    sender,
                    Sender::new(sender, connection.clone(), options.size),
                ));
            }
        }
        senders.sort_unstable_by_key(|(number, _)| *number);
        let arrived = RefCell::new(vec![0; shape.probes() * shape.senders]);
        Ok(Rc::new(Self {
            options: options.clone(),
            clock: Clock::start(),
            is_sending: Cell::new(true),
            senders: senders.into_iter().map(|(_, sender)| sender).collect(),
            arrived: vec![arrived; shape.rooms],
            tally: RefCell::default(),
            shape,
            connections,
        }))
    }

    /// Sets everyone reading and the senders sending. All tasks end with their connection or the
    /// program.
    pub(crate) fn start(self: &Rc<Self>) {
        for (number, connection) in self.connections.iter().enumerate() {
            let probe = match self.shape.role_of(number) {
                Role::Stalled => continue,
                Role::Sender(_) => None,
                Role::Receiver { probe } => probe,
            };
            let receiver = Receiver::new(self.clone(), self.shape.room_of(number), probe);
            let (crowd, connection) = (self.clone(), connection.clone());
            spawn_local(async move {
                connection.run(receiver).await;
                crowd.tally.borrow_mut().connections_lost += 1;
            });
        }
        match self.options.rate {
            Some(rate) => drop(spawn_local(self.clone().send_at(rate))),
            None => {
                for room in 0..self.shape.rooms {
                    self.fill_windows(room);
                }
                spawn_local(self.clone().end_standstills());
            }
        }
    }

    /// Measures; `begin` is called when the warm-up is over. Nothing is sent afterwards.
    pub(crate) async fn measure(self: &Rc<Self>, begin: impl FnOnce()) -> Measured<Counts> {
        let _progress = Progress::counting("fan-out", "deliveries", None, {
            let crowd = self.clone();
            move || crowd.tally.borrow().delivered
        });
        let begin = || {
            self.tally.borrow_mut().latency.clear();
            begin();
        };
        let server = self.options.common.server();
        let measured = measure(server, self.options.timing, begin, || self.counts()).await;
        self.is_sending.set(false);
        measured
    }

    /// Waits for what is still under way, and reports.
    pub(crate) async fn report(&self, measured: &Measured<Counts>) -> Report {
        // Of the measured time only: what arrives from now on does so without load.
        let latency = self.tally.borrow().latency.clone();
        let expected = self.wait_for_the_last().await;
        let tally = self.tally.borrow();
        let (before, after) = (measured.before, measured.after);
        let delivered = after.delivered - before.delivered;
        let seconds = measured.seconds();
        let sent = (after.sent - before.sent) as f64;
        let per_read = delivered as f64 / (after.reads - before.reads) as f64;
        let mut report = Report::default();
        report
            .number(
                "deliveries_per_second",
                "deliveries/s",
                delivered as f64 / seconds,
                0,
            )
            .number("sent_per_second", "messages sent/s", sent / seconds, 1);
        report_latency(&mut report, &latency);
        measured.report_cost(&mut report, delivered, "deliveries");
        report.number("messages_per_read", "messages per read", per_read, 2);
        tally.report(&mut report, expected);
        report
    }

    /// Returns how many deliveries there should have been.
    async fn wait_for_the_last(&self) -> u64 {
        let expected = self.counts().sent * self.shape.audience();
        // Half a second without a delivery, and nothing is under way any more.
        let (mut quiet, mut rounds) = (0, 0);
        while self.counts().delivered < expected && quiet < 10 && rounds < 400 {
            let before = self.counts().delivered;
            sleep(Duration::from_millis(50)).await;
            quiet = if self.counts().delivered > before {
                0
            } else {
                quiet + 1
            };
            rounds += 1;
        }
        expected
    }

    fn counts(&self) -> Counts {
        let tally = self.tally.borrow();
        Counts {
            delivered: tally.delivered,
            reads: tally.reads,
            sent: self
                .senders
                .iter()
                .map(|sender| u64::from(sender.sent()))
                .sum(),
        }
    }
}
