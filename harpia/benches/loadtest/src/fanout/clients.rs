//! All connections of one fan-out: opens them, runs the load, measures and reports.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::spawn_local;
use tokio::time::sleep;

use super::counters::Snapshot;
use super::layout::Role;
use super::options::Fanout;
use super::receiver::Receiver;
use super::sender::Sender;
use super::traffic::Traffic;
use crate::connection::Connection;
use crate::connector::{Connector, connect_all};
use crate::meter::{Measurement, measure, report_latency};
use crate::progress::Progress;
use crate::report::Report;

/// The open connections of a fan-out.
pub(crate) struct Clients {
    traffic: Rc<Traffic>,
    connections: Vec<Rc<Connection>>,
}

impl Clients {
    /// Opens all connections.
    pub(crate) async fn connect(options: &Fanout) -> io::Result<Self> {
        let layout = options.layout()?;
        let connectors = (0..options.connections).map(|number| Connector {
            target: options.common.url.in_room(layout.room_of(number)),
            has_small_buffer: layout.role_of(number) == Role::Stalled,
        });
        let connections = connect_all(&options.common, connectors.collect()).await?;
        // Some servers add a connection to its room only some time after the upgrade.
        sleep(Duration::from_millis(300)).await;
        let mut senders: Vec<(usize, Sender)> = Vec::new();
        for (number, connection) in connections.iter().enumerate() {
            if let Role::Sender(sender) = layout.role_of(number) {
                senders.push((
                    sender,
                    Sender::new(sender, connection.clone(), options.size),
                ));
            }
        }
        senders.sort_unstable_by_key(|(number, _)| *number);
        let senders = senders.into_iter().map(|(_, sender)| sender).collect();
        Ok(Self {
            traffic: Rc::new(Traffic::new(options.clone(), layout, senders)),
            connections,
        })
    }

    /// Starts to read and to send. Each task ends when its connection closes or the program exits.
    pub(crate) fn start(&self) {
        let traffic = &self.traffic;
        for (number, connection) in self.connections.iter().enumerate() {
            let probe = match traffic.layout.role_of(number) {
                Role::Stalled => continue,
                Role::Sender(_) => None,
                Role::Receiver { probe } => probe,
            };
            let room = traffic.layout.room_of(number);
            let receiver = Receiver::new(traffic.clone(), room, probe);
            let (traffic, connection) = (traffic.clone(), connection.clone());
            spawn_local(async move {
                connection.run(receiver).await;
                traffic.counters.borrow_mut().connections_lost += 1;
            });
        }
        match traffic.options.rate {
            Some(rate) => drop(spawn_local(traffic.clone().send_at(rate))),
            None => {
                for room in 0..traffic.layout.rooms {
                    traffic.fill_windows(room);
                }
                spawn_local(traffic.clone().restart_after_standstills());
            }
        }
    }

    /// Measures, then stops sending. Calls `begin` at the end of the warm-up.
    pub(crate) async fn measure(&self, begin: impl FnOnce()) -> Measurement<Snapshot> {
        let traffic = &self.traffic;
        let _progress = Progress::counting("fan-out", "deliveries", None, {
            let traffic = traffic.clone();
            move || traffic.counters.borrow().delivered
        });
        let begin = || {
            traffic.counters.borrow_mut().latency.clear();
            begin();
        };
        let (process, timing) = (
            traffic.options.common.server_process(),
            traffic.options.timing,
        );
        let measured = measure(process, timing, begin, || traffic.snapshot()).await;
        traffic.stop();
        measured
    }

    /// Waits for the messages in flight, and reports.
    pub(crate) async fn report(&self, measured: &Measurement<Snapshot>) -> Report {
        let traffic = &self.traffic;
        // Copied first: deliveries from now on happen without load and must not count.
        let latency = traffic.counters.borrow().latency.clone();
        let expected = self.drain().await;
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
        traffic.counters.borrow().report(&mut report, expected);
        report
    }

    /// Waits until all messages have arrived, or none does for half a second, or 20 s have passed.
    ///
    /// Returns the number of deliveries that are expected for the messages sent.
    async fn drain(&self) -> u64 {
        let delivered = || self.traffic.snapshot().delivered;
        let expected = self.traffic.snapshot().sent * self.traffic.layout.audience();
        let (mut quiet, mut rounds) = (0, 0);
        while delivered() < expected && quiet < 10 && rounds < 400 {
            let before = delivered();
            sleep(Duration::from_millis(50)).await;
            quiet = if delivered() > before { 0 } else { quiet + 1 };
            rounds += 1;
        }
        expected
    }
}
