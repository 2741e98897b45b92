//! Echo: each connection keeps a fixed number of messages in flight and gets each of them back.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::connection::{Connection, Handler};
use crate::connector::{Connector, connect_all};
use crate::histogram::Histogram;
use crate::meter::{measure, report_latency};
use crate::options::{Common, Timing, positive, stamped_size};
use crate::progress::Progress;
use crate::report::Report;
use crate::stamp::{Clock, Stamp};

/// The options of `loadtest echo`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Echo {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) timing: Timing,
    /// Number of connections
    #[arg(long, default_value = "64", value_parser = positive)]
    pub(crate) connections: usize,
    /// Messages in flight on each connection
    #[arg(long, default_value = "1", value_parser = positive)]
    pub(crate) window: usize,
    /// Size of each message, in bytes
    #[arg(long, default_value = "64", value_parser = stamped_size)]
    pub(crate) size: usize,
}

impl Echo {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let connector = Connector::new(self.common.url.clone());
        let connections = connect_all(&self.common, vec![connector; self.connections]).await?;
        let round_trips = Rc::new(RoundTrips {
            clock: Clock::start(),
            size: self.size,
            is_sending: Cell::new(true),
            counters: RefCell::default(),
        });
        for connection in connections {
            round_trips.clone().start(connection, self.window);
        }
        let progress = Progress::counting("echo", "round trips", None, {
            let round_trips = round_trips.clone();
            move || round_trips.counters.borrow().returned
        });
        let begin = || round_trips.counters.borrow_mut().latency.clear();
        let count = || round_trips.counters.borrow().returned;
        let measured = measure(self.common.server_process(), self.timing, begin, count).await;
        let latency = round_trips.counters.borrow().latency.clone();
        round_trips.is_sending.set(false);
        round_trips.drain().await;
        drop(progress);

        let trips = measured.after - measured.before;
        let speed = trips as f64 / measured.seconds();
        let mut report = Report::default();
        report.number("round_trips_per_second", "round trips/s", speed, 0);
        report_latency(&mut report, &latency);
        measured.report_cost(&mut report, trips, "round trips");
        round_trips.counters.borrow().report(&mut report);
        Ok(report)
    }
}

/// The state that all connections share.
struct RoundTrips {
    clock: Clock,
    size: usize,
    is_sending: Cell<bool>,
    counters: RefCell<EchoCounters>,
}

#[derive(Default)]
struct EchoCounters {
    sent: u64,
    returned: u64,
    /// Messages that this program did not send.
    strays: u64,
    connections_lost: u64,
    latency: Histogram,
}

impl EchoCounters {
    /// Adds the counts of failures.
    fn report(&self, report: &mut Report) {
        report
            .count("lost", "lost", self.sent.saturating_sub(self.returned))
            .count("strays", "messages from elsewhere", self.strays)
            .count(
                "connections_lost",
                "connections lost",
                self.connections_lost,
            );
    }
}

impl RoundTrips {
    fn start(self: Rc<Self>, connection: Rc<Connection>, window: usize) {
        let mut client = EchoClient {
            round_trips: self.clone(),
            connection: connection.clone(),
            payload: vec![b'x'; self.size],
            read_at: None,
        };
        let now = self.clock.nanoseconds();
        for _ in 0..window {
            client.send(now);
        }
        connection.flush();
        // Ends when the connection closes or the program exits.
        spawn_local(async move {
            connection.run(client).await;
            self.counters.borrow_mut().connections_lost += 1;
        });
    }

    /// Waits for the messages in flight, until none arrives for 200 ms.
    async fn drain(&self) {
        let mut returned = 0;
        let is_waiting = |returned| {
            let counters = self.counters.borrow();
            counters.returned < counters.sent && counters.returned > returned
        };
        while is_waiting(returned) {
            returned = self.counters.borrow().returned;
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// One connection: measures each message that returns, and sends the next one.
struct EchoClient {
    round_trips: Rc<RoundTrips>,
    connection: Rc<Connection>,
    payload: Vec<u8>,
    /// The time of the current read: the clock is read once for all its messages.
    read_at: Option<u64>,
}

impl EchoClient {
    fn send(&mut self, now: u64) {
        let stamp = Stamp {
            sent_at: now,
            sender: 0,
            number: 0,
        };
        stamp.write(&mut self.payload);
        self.connection.queue(&self.payload);
        self.round_trips.counters.borrow_mut().sent += 1;
    }
}

impl Handler for EchoClient {
    fn message(&mut self, payload: &[u8]) {
        let now = *self
            .read_at
            .get_or_insert_with(|| self.round_trips.clock.nanoseconds());
        let stamp = Stamp::read(payload, self.round_trips.size);
        let mut counters = self.round_trips.counters.borrow_mut();
        let Some(stamp) = stamp else {
            counters.strays += 1;
            return;
        };
        counters.returned += 1;
        counters.latency.add(now.saturating_sub(stamp.sent_at));
        drop(counters);
        if self.round_trips.is_sending.get() {
            self.send(now);
        }
    }

    fn read_done(&mut self) {
        self.read_at = None;
        self.connection.flush();
    }
}
